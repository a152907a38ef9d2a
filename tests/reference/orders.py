"""Section 6: orders rest until their price; what else is wrong ends them."""

from dataclasses import dataclass, replace

from tests.helpers.protocol import (
    DEFAULT,
    LIMIT,
    MARKET,
    ONE_WAY,
    STOP,
    TAKE_PROFIT,
)
from tests.helpers.protocol import ISOLATED as ISOLATED_MODE
from tests.helpers.protocol import SHORT as SHORT_SIDE
from tests.helpers.protocol import Order as Placed
from tests.reference.margin import Ledger, is_firm
from tests.reference.state import CROSS, ISOLATED, LONG, SHORT, SIGN, Dust, State
from tests.reference.trading import DEFAULT_LEVERAGE, Ends, Trade, Waits, fill, fill_price, plan

PENDING, EXECUTED, CANCELLED = 1, 2, 3


class Refused(Exception):  # noqa: N818 - the call is, for one of these reasons
    def __init__(self, *reasons: str) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Rules:
    """A market's order terms."""

    keeper_fee: int
    delay: int
    window: int


@dataclass(slots=True)
class Order:
    """A placed order and what the book remembers of it."""

    placed: Placed
    executable_from: int
    last: int  # the last second it may fill in; 0 for none
    keeper_fee: int
    is_escrowed: bool
    epoch: int
    bound_to: int | None  # the generation it may reduce
    status: int = PENDING

    @property
    def mode(self) -> int:
        return ISOLATED if self.placed.margin_mode == ISOLATED_MODE else CROSS

    @property
    def slot(self) -> int:
        """The one that it may reduce."""
        if self.placed.position_side == ONE_WAY:
            return self.mode + (SHORT if self.placed.is_buy else LONG)
        return self.mode + (SHORT if self.placed.position_side == SHORT_SIDE else LONG)


def resolve(state: State, order: Placed, rules: Rules) -> Placed:
    mode = order.margin_mode
    if mode == DEFAULT:
        mode = ISOLATED_MODE if (order.account, order.market) in state.isolates else 1
    expiry = order.expiry
    if order.kind == MARKET:
        expiry = state.now + rules.delay + rules.window
    side = LONG if order.is_buy else SHORT  # of what it may open, in hedge mode too
    slot = ISOLATED + side if mode == ISOLATED_MODE else CROSS
    leverage = order.leverage
    if not order.reduce_only:
        own = state.settings.get((order.account, order.market, slot), 0)
        leverage = leverage or own or (DEFAULT_LEVERAGE if slot >= ISOLATED else 0)
    return order._replace(margin_mode=mode, expiry=expiry, leverage=leverage)


def place(state: State, order: Placed, rules: Rules) -> Order:
    """Commits an order; the keeper's fee moves to escrow unless it only reduces."""
    account = state.accounts[order.account]
    is_escrowed = not order.reduce_only and rules.keeper_fee > 0
    against = []
    if account.is_hedge != (order.position_side != ONE_WAY):
        against.append("order: wrong position mode")
    if is_escrowed and account.cash < rules.keeper_fee:
        against.append("balance: below keeper fee")
    if against:
        raise Refused(*against)
    if is_escrowed:
        account.cash -= rules.keeper_fee
        account.escrow += rules.keeper_fee
    resolved = resolve(state, order, rules)
    made = Order(
        *(resolved, state.now + rules.delay, resolved.expiry, rules.keeper_fee, is_escrowed),
        *(account.epoch, None),
    )
    if order.reduce_only and order.kind not in (MARKET, LIMIT):
        position = state.position(order.account, order.market, made.slot)
        made = replace(made, bound_to=position.generation)
    return made


def objections(state: State, order: Order) -> list[str]:
    """What the price has against filling it."""
    placed, price = order.placed, state.prices[order.placed.market]
    found = []
    if not price.is_fresh(state.now):
        found.append("price: stale")
    if price.published_at < order.executable_from:
        found.append("price: too early")
    trigger = placed.trigger_price
    if placed.kind in (STOP, TAKE_PROFIT):
        rises = placed.is_buy == (placed.kind == STOP)
        femto = price.price * 10**9
        if (femto < trigger) if rises else (femto > trigger):
            found.append("price: not triggered")
    return found


def is_acceptable(state: State, order: Order, dust: Dust) -> bool:
    """Whether the average fill is no worse than the order names."""
    placed = order.placed
    if not placed.acceptable_price:
        return True
    try:
        planned = plan(state, trade_of(order))
        lots = planned.reduced + planned.opened
    except (Ends, Waits):
        lots = placed.size
    lots *= SIGN[LONG if placed.is_buy else SHORT]
    market, price = state.markets[placed.market], state.prices[placed.market].price
    average = fill_price(market, price, lots) * 10**9
    if placed.is_buy:
        return dust.holds(placed.acceptable_price, average, dust=2)
    return dust.holds(average, placed.acceptable_price, dust=2)


def closed_to(state: State, order: Order) -> list[str]:
    """What else an order that would open waits for: either may be named."""
    try:
        plan(state, trade_of(order))
    except Waits as waits:
        return list(waits.reasons)
    except Ends:
        pass
    return []


def trade_of(order: Order) -> Trade:
    placed = order.placed
    side = None if placed.position_side == ONE_WAY else placed.position_side - 1
    return Trade(
        *(placed.account, placed.market, order.mode, side, placed.is_buy, placed.reduce_only),
        *(placed.size, placed.margin, placed.leverage, order.keeper_fee, order.is_escrowed),
    )


def execute(state: State, order: Order, keeper: str, dust: Dust) -> tuple[int, tuple[str, ...]]:
    """What becomes of a pending order, and why."""
    if order.status != PENDING:
        raise Refused("order: not pending")
    if order.last and state.now > order.last:
        release(state, order, keeper, dust)
        return CANCELLED, ("order: expired",)
    against = objections(state, order)
    if against:
        raise Refused(*against)
    if is_dead(state, order):
        release(state, order, order.placed.account, dust)
        return CANCELLED, ("position: ended", "order: cancelled by owner")
    if not is_acceptable(state, order, dust):
        raise Refused("price: not acceptable", *closed_to(state, order))
    try:
        fill(state, trade_of(order), keeper, dust)
    except Waits as waits:
        raise Refused(*waits.reasons) from None
    except Ends as ends:
        release(state, order, keeper, dust)
        # To a bound order an empty slot is a position that has ended.
        ended = ("position: ended",) if order.bound_to is not None else ()
        return CANCELLED, ends.reasons + ended
    return EXECUTED, ()


def is_dead(state: State, order: Order) -> bool:
    """Whether its account has cancelled all, or the position it was for has ended."""
    placed = order.placed
    if placed.kind != MARKET and state.accounts[placed.account].epoch != order.epoch:
        return True
    held = state.position(placed.account, placed.market, order.slot)
    return order.bound_to is not None and held.generation != order.bound_to


def release(state: State, order: Order, receiver: str, dust: Dust) -> None:
    """The fee of an order that ends unfilled leaves only as withdrawable money does."""
    if not order.is_escrowed:
        return
    account = state.accounts[order.placed.account]
    fee = min(order.keeper_fee, account.escrow)
    account.escrow -= fee
    ledger = Ledger(state, order.placed.account)
    if not is_firm(state, order.placed.account):
        dust.is_tied = True
        leaves = dust.leans
    else:
        leaves = not ledger.markets or dust.holds(
            ledger.cash + min(0, ledger.value), ledger.initial
        )
    (state.accounts[receiver] if leaves else account).cash += fee


def cancel(state: State, order: Order, sender: str) -> None:
    """The account may, but of a market order in its window; anyone, if it is dead.

    One that has expired is its executor's to clear.
    """
    if order.status != PENDING:
        raise Refused("order: not pending")
    placed = order.placed
    is_over = bool(order.last) and state.now > order.last
    if not is_dead(state, order):
        if placed.kind == MARKET and not is_over:
            raise Refused("order: market is binding", "operator: not allowed")
        if sender != placed.account:
            raise Refused("operator: not allowed")
    account = state.accounts[placed.account]
    if order.is_escrowed:
        fee = min(order.keeper_fee, account.escrow)
        account.escrow -= fee
        account.cash += fee
