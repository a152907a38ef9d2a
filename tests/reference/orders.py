"""Section 6: orders rest until their price; what else is wrong ends them."""

from collections.abc import Sequence
from fractions import Fraction

from tests.helpers.protocol import MARKET, NO_GROUP, ONE_WAY, STOP, TAKE_PROFIT
from tests.helpers.protocol import Order as Placed
from tests.reference.book import (
    CANCELLED,
    EVERYWHERE,
    EXECUTED,
    MAY_CANCEL,
    MAY_OPEN,
    MAY_REDUCE,
    PENDING,
    Operator,
    Order,
)
from tests.reference.fills import Ends, Trade, Waits, fill_price
from tests.reference.margin import may_leave
from tests.reference.state import FEMTO, LONG, PPM, SIGN, Dust, State
from tests.reference.trading import fill, is_doubted, plan


class Refused(Exception):  # noqa: N818 - the call is, for one of these reasons
    def __init__(self, *reasons: str) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


# Who may


def right_for(order: Placed) -> int:
    return MAY_REDUCE if order.reduce_only else MAY_OPEN


def has_right(state: State, account: str, who: str, right: int, market: int) -> bool:
    if who == account:
        return True
    operator = state.book.operators.get((account, who), Operator())
    return (
        bool(operator.permissions & right)
        and state.now <= operator.expiry
        and bool(operator.permissions & EVERYWHERE or operator.markets >> market & 1)
    )


# What stands against an order


def objections(state: State, order: Order) -> list[str]:
    """What the price has against filling it."""
    placed, price = order.placed, state.prices[order.placed.market]
    found = []
    if price.is_settling(state.now):
        found.append("market: settling")
    if not price.is_fresh(state.now):
        found.append("price: stale")
    if price.published_at < order.executable_from:
        found.append("price: too early")
    if order.is_child:
        entry = state.book.orders[placed.group]
        if entry.status == PENDING:
            found.append("order: entry not filled")
        if entry.status == EXECUTED and price.published_at <= entry.filled_at:
            found.append("price: too early")
    if not is_triggered(order, int(price.price * FEMTO)):
        found.append("price: not triggered")
    return found


def is_triggered(order: Order, femto: int) -> bool:
    placed = order.placed
    if order.follows:
        back = PPM + placed.callback_rate * (1 if placed.is_buy else -1)
        turn = Fraction(order.best * back, PPM)
        return order.best > 0 and (femto >= turn if placed.is_buy else femto <= turn)
    if placed.kind not in (STOP, TAKE_PROFIT):
        return True
    rises = placed.is_buy == (placed.kind == STOP)
    return femto >= placed.trigger_price if rises else femto <= placed.trigger_price


def is_acceptable(state: State, order: Order, dust: Dust) -> bool:
    """Whether the average fill is no worse than the order names."""
    placed = order.placed
    if not placed.acceptable_price:
        return True
    try:
        planned = plan(state, trade_of(state, order))
        lots = planned.reduced + planned.opened
    except (Ends, Waits):
        lots = placed.size
    lots *= SIGN[LONG if placed.is_buy else 1 - LONG]
    market, price = state.markets[placed.market], state.prices[placed.market].price
    average = fill_price(market, price, lots) * FEMTO
    if placed.is_buy:
        return dust.holds(placed.acceptable_price, average, dust=2)
    return dust.holds(average, placed.acceptable_price, dust=2)


def closed_to(state: State, order: Order) -> list[str]:
    """What else an order that would open waits for: either may be named."""
    try:
        plan(state, trade_of(state, order))
    except Waits as waits:
        return list(waits.reasons)
    except Ends:
        pass
    return []


def over(state: State, order: Order) -> list[str]:
    """Whether its group or bracket is done: then it ends at any price, and its fee returns."""
    placed, book = order.placed, state.book
    if not order.is_child:
        is_done = (placed.account, placed.placer, placed.group) in book.done
        return ["order: group is done"] if is_done else []
    entry = book.orders[placed.group]
    found = []
    if entry.is_spent or entry.status == CANCELLED:
        found.append("order: group is done")
    if entry.status == EXECUTED and not entry.opened:
        found.append("position: ended")
    return found


def deaths(state: State, order: Order) -> list[str]:
    """Why the book knows an order to be dead, if it is."""
    placed = order.placed
    found = over(state, order)
    if placed.kind != MARKET and state.accounts[placed.account].epoch != order.epoch:
        found.append("order: cancelled by owner")
    held = state.position(placed.account, placed.market, order.slot)
    bound_to = order.bound_to
    if order.is_child and state.book.orders[placed.group].opened:
        bound_to = state.book.orders[placed.group].opened_in
    if bound_to is not None and held.generation != bound_to:
        found.append("position: ended")
    return found


# Executing


def trade_of(state: State, order: Order) -> Trade:
    placed = order.placed
    size = state.book.orders[placed.group].opened if order.is_child else placed.size
    side = None if placed.position_side == ONE_WAY else placed.position_side - 1
    referrer = state.book.referrers.get(placed.account, "")
    return Trade(
        *(placed.account, placed.market, order.mode, side, placed.is_buy, placed.reduce_only),
        *(size, placed.margin, placed.leverage, order.keeper_fee, order.is_escrowed),
        *(placed.builder, placed.builder_fee),
        referrer,
        state.book.shares.get(placed.builder, 0) if referrer else 0,
    )


def execute(state: State, name: bytes, keeper: str, dust: Dust) -> tuple[str, ...]:
    """Fills a pending order or ends it, for one of the reasons returned."""
    order = state.book.orders.get(name)
    if order is None or order.status != PENDING:
        raise Refused("order: not pending")
    placed = order.placed
    if reasons := over(state, order):
        return _end(state, name, placed.account, dust, *reasons)
    if order.last and state.now > order.last:
        return _end(state, name, keeper, dust, "order: expired")
    against = objections(state, order)
    if against:
        raise Refused(*against)
    dead = deaths(state, order)
    if dead:
        return _end(state, name, placed.account, dust, *dead)
    if not is_acceptable(state, order, dust):
        raise Refused("price: not acceptable", *closed_to(state, order))
    is_allowed = has_right(state, placed.account, placed.placer, right_for(placed), placed.market)
    refusal = "" if is_allowed else "operator: not allowed"
    try:
        planned = fill(state, trade_of(state, order), keeper, dust, refusal)
    except Waits as waits:
        raise Refused(*waits.reasons) from None
    except Ends as ends:
        # To a bound order an empty slot is a position that has ended.
        ended = ("position: ended",) if order.bound_to is not None else ()
        return _end(state, name, keeper, dust, *ends.reasons, *ended)
    opened_in = state.position(
        placed.account, placed.market, order.mode + planned.opened_side
    ).generation
    filled_at = state.prices[placed.market].published_at
    state.book.change(
        name,
        status=EXECUTED,
        filled_at=filled_at,
        opened=planned.opened,
        opened_in=opened_in if planned.opened else 0,
    )
    if order.is_child:
        state.book.change(placed.group, is_spent=True)
    elif placed.group != NO_GROUP:
        state.book.done.add((placed.account, placed.placer, placed.group))
    return ()


def _end(state: State, name: bytes, receiver: str, dust: Dust, *reasons: str) -> tuple[str, ...]:
    release(state, state.book.orders[name], receiver, dust)
    state.book.end(name)
    return reasons


def execute_all(
    state: State, names: Sequence[bytes], keeper: str, dust: Dust
) -> tuple[list[int], list[tuple[str, ...]]]:
    """One after the other: what must wait, is unknown or fails is left as it was.

    Each one's status as its turn has left it, and why it has ended.
    """
    statuses, ended = [], []
    for name in names:
        tried = state.copy()
        why: tuple[str, ...] = ()
        try:
            why = execute(tried, name, keeper, dust)
        except Refused:
            pass
        else:
            state.take(tried)
        known = state.book.orders
        statuses.append(known[name].status if name in known else 0)
        ended.append(why)
    return statuses, ended


def release(state: State, order: Order, receiver: str, dust: Dust) -> None:
    """The fee of an order that ends unfilled leaves only as withdrawable money does."""
    if not order.is_escrowed:
        return
    account = state.accounts[order.placed.account]
    fee = min(order.keeper_fee, account.escrow)
    account.escrow -= fee
    leaves = may_leave(state, order.placed.account, dust)
    (state.accounts[receiver] if leaves else account).cash += fee


# Cancelling


def take_back(state: State, name: bytes, sender: str, *, dead_are_anyones: bool = True) -> None:
    """The account may, but of a market order in its window; anyone, if it is dead.

    One that has expired is its executor's to clear.
    """
    order = state.book.orders.get(name)
    if order is None or order.status != PENDING:
        raise Refused("order: not pending")
    placed = order.placed
    is_over = bool(order.last) and state.now > order.last
    is_dead = bool(deaths(state, order))
    against = []
    if placed.kind == MARKET and not is_over and not is_dead:
        against.append("order: market is binding")
    is_allowed = has_right(state, placed.account, sender, MAY_CANCEL, placed.market)
    if not is_allowed and not (is_dead and dead_are_anyones):
        against.append("operator: not allowed")
    if against:
        raise Refused(*against)
    account = state.accounts[placed.account]
    if order.is_escrowed:
        fee = min(order.keeper_fee, account.escrow)
        account.escrow -= fee
        account.cash += fee
    state.book.end(name)


def take_all_back(state: State, names: Sequence[bytes], sender: str) -> None:
    """Those that are not pending are skipped; whatever else is wrong refuses them all."""
    for name in names:
        order = state.book.orders.get(name)
        if order is not None and order.status == PENDING:
            take_back(state, name, sender)


def advance_epoch(state: State, account: str, sender: str) -> None:
    """Ends all that rests: the account's to do, or an operator's who may cancel everywhere."""
    if sender != account:
        operator = state.book.operators.get((account, sender), Operator())
        rights = operator.permissions & (MAY_CANCEL | EVERYWHERE)
        if rights != MAY_CANCEL | EVERYWHERE or state.now > operator.expiry:
            raise Refused("operator: not allowed")
    state.accounts[account].epoch = (state.accounts[account].epoch + 1) % 4_096


# Following


def ratchet(state: State, names: Sequence[bytes]) -> int:
    """Shows trailing stops the price: the best one since it reached their activation counts."""
    taken = 0
    for name in names:
        order = state.book.orders.get(name)
        if order is None or order.status != PENDING or not order.follows:
            continue
        if over(state, order) or set(objections(state, order)) - {"price: not triggered"}:
            continue
        if is_doubted(state, order.placed.market):
            continue
        placed, femto = order.placed, int(state.prices[order.placed.market].price * FEMTO)
        sign = -1 if placed.is_buy else 1
        is_active = order.best or not placed.trigger_price
        if not is_active and sign * femto < sign * placed.trigger_price:
            continue
        if not order.best or sign * femto > sign * order.best:
            state.book.change(name, best=femto)
            taken += 1
    return taken
