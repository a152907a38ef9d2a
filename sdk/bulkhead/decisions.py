"""What a keeper should do, as pure functions of what is known. No chain in here.

They mirror `contracts/OrderBook.vy`, `contracts/modules/isolated_liquidation.vy`,
`cross_liquidation.vy`, `top_up.vy` and `settlement.vy`, so that nothing is sent which the contracts
would skip.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bulkhead import valuation
from bulkhead.deleveraging import Holding
from bulkhead.markets import MarketState
from bulkhead.orders import Order, OrderKind, OrderStatus, PlacedOrder
from bulkhead.protocol import fixed_point, liquidation_math, market_math, price_validity, words
from bulkhead.protocol.words import Account, Position, Price, Settings
from bulkhead.valuation import Legs, Valuation

_USD = 10**15  # femto

PPM = 10**6


class Readiness(StrEnum):
    """Whether an order can be executed now; if not, the contracts' reason."""

    READY = "ready"
    EXPIRED = "order: expired"
    """Executing it ends it, and pays its keeper's fee."""
    EARLY = "price: too early"
    STALE = "price: stale"
    ENTRY_PENDING = "order: entry not filled"
    GROUP_DONE = "order: group is done"
    """Dead: executing it pays nobody."""
    POSITION_ENDED = "position: ended"
    """Dead, too."""
    NOT_TRIGGERED = "price: not triggered"
    NOT_ACCEPTABLE = "price: not acceptable"


@dataclass(frozen=True, slots=True)
class Vault:
    """An open isolated position.

    Attributes:
        account: Whose.
        market: Where.
        slot: 2 long, 3 short.
        position: What the chain holds.
    """

    account: str
    market: int
    slot: int
    position: Position

    @property
    def id(self) -> int:
        """Its name in liquidations."""
        return words.position_id(int(self.account, 16), self.market, self.slot)


@dataclass(frozen=True, slots=True)
class CrossLedger:
    """An account's cross side.

    Attributes:
        account: Whose.
        word: Cash, escrow and legs.
        legs: The open positions, by market and slot.
    """

    account: str
    word: Account
    legs: Legs


def readiness_of(placed: PlacedOrder, state: MarketState, now: int) -> Readiness:
    """Whether an order can be executed.

    Args:
        placed: The order.
        state: Its market.
        now: The chain's time.
    """
    order = placed.order
    group = _group_readiness(placed)
    if group in (Readiness.GROUP_DONE, Readiness.POSITION_ENDED):
        return group
    if order.expiry and now > order.expiry:
        return Readiness.EXPIRED
    if group is not Readiness.READY:
        return group
    time = _time_readiness(placed, state, now)
    if time is not Readiness.READY:
        return time
    if not is_triggered(placed, state.price):
        return Readiness.NOT_TRIGGERED
    if not is_acceptable(order, state):
        return Readiness.NOT_ACCEPTABLE
    return Readiness.READY


def _group_readiness(placed: PlacedOrder) -> Readiness:
    """What the rest of its bracket or group has against an order."""
    if not placed.is_child:
        return Readiness.GROUP_DONE if placed.is_group_done else Readiness.READY
    entry = placed.entry
    if entry is None or entry.status == OrderStatus.PENDING:
        return Readiness.ENTRY_PENDING
    if entry.status != OrderStatus.EXECUTED or entry.is_spent:
        return Readiness.GROUP_DONE
    return Readiness.READY if entry.filled else Readiness.POSITION_ENDED


def _time_readiness(placed: PlacedOrder, state: MarketState, now: int) -> Readiness:
    """Whether an order may act on the current price at all."""
    price = state.price
    entry_from = placed.entry.executable_from if placed.entry else 0
    if price.price == 0 or price.published_at < max(placed.executable_from, entry_from):
        return Readiness.EARLY
    if price.published_at + price.trade_age < now or not state.is_latest:
        return Readiness.STALE
    return Readiness.READY


def is_triggered(placed: PlacedOrder, price: Price) -> bool:
    """Whether a stop, take-profit or trailing stop has its price; other orders always have."""
    return reaches_trigger(placed.order, placed.extreme, price.price)


def reaches_trigger(order: Order, extreme: int, price: int) -> bool:
    """Whether a price triggers an order that a trailing stop's best price so far goes with."""
    if order.kind < OrderKind.STOP:
        return True
    if order.kind == OrderKind.TRAILING_STOP and extreme == 0:
        return False
    trigger = trigger_of(order, extreme)
    if order.is_buy == (order.kind != OrderKind.TAKE_PROFIT):
        return price >= trigger
    return price <= trigger


def trigger_of(order: Order, extreme: int) -> int:
    """The first price that triggers an order: a trailing stop's from the best it was shown."""
    if order.kind != OrderKind.TRAILING_STOP:
        return order.trigger_price
    if order.is_buy:
        return -(-extreme * (PPM + order.callback_rate) // PPM)
    return extreme * (PPM - order.callback_rate) // PPM


def ratcheted(order: Order, extreme: int, price: int) -> int:
    """The best price a trailing stop has seen, with another one seen."""
    if extreme:
        return min(extreme, price) if order.is_buy else max(extreme, price)
    if order.is_buy:
        is_active = order.trigger_price == 0 or price <= order.trigger_price
    else:
        is_active = price >= order.trigger_price
    return price if is_active else 0


def ratchetable_orders(
    orders: Iterable[PlacedOrder], states: Mapping[int, MarketState], now: int
) -> tuple[PlacedOrder, ...]:
    """The trailing stops that the current price would move, if somebody showed it them.

    Args:
        orders: Pending ones.
        states: Every market any of them is in.
        now: The chain's time.
    """
    found: list[PlacedOrder] = []
    for one in orders:
        state = states[one.order.market]
        if one.order.kind != OrderKind.TRAILING_STOP or state.price.caution != words.NO_CAUTION:
            continue
        if _group_readiness(one) is not Readiness.READY:
            continue
        if _time_readiness(one, state, now) is not Readiness.READY:
            continue
        if ratcheted(one.order, one.extreme, state.price.price) != one.extreme:
            found.append(one)
    return tuple(found)


def is_acceptable(order: Order, state: MarketState) -> bool:
    """Whether the average fill of an order would be no worse than what it accepts.

    A reduce-only order may fill less than it says, at a better average: it is judged by its first
    lot, and the contract has the last word.
    """
    if order.acceptable_price == 0:
        return True
    size = 1 if order.reduce_only else order.size
    delta = size if order.is_buy else -size
    price = state.price.price
    skew_scale = state.market.terms.skew_scale
    paid = delta * price + market_math.impact_cost(delta, state.skew, skew_scale, price)
    return paid <= delta * order.acceptable_price


def executable_orders(
    orders: Iterable[PlacedOrder], states: Mapping[int, MarketState], now: int
) -> tuple[PlacedOrder, ...]:
    """The orders that executing now would fill or end, first placed first.

    Args:
        orders: Pending ones.
        states: Every market any of them is in.
        now: The chain's time.
    """
    ready = (Readiness.READY, Readiness.EXPIRED)
    found = [one for one in orders if readiness_of(one, states[one.order.market], now) in ready]
    return tuple(sorted(found, key=lambda one: (one.executable_from, one.block)))


def liquidatable_isolated(
    vaults: Iterable[Vault], states: Mapping[int, MarketState]
) -> tuple[Vault, ...]:
    """The vaults that a liquidation would top up, reduce or close now, the worst first."""
    found: list[tuple[int, Vault]] = []
    for vault in vaults:
        state = states[vault.market]
        if not state.may_trade or not vault.position.size:
            continue
        value = valuation.value_vault(state, vault.slot, vault.position)
        if _may_liquidate(value.worth, value):
            found.append((value.worth - value.maintenance, vault))
    return tuple(vault for _, vault in sorted(found, key=lambda one: (one[0], one[1].id)))


def liquidatable_cross(
    ledgers: Iterable[CrossLedger], states: Mapping[int, MarketState]
) -> tuple[CrossLedger, ...]:
    """The cross ledgers that a liquidation would net, reduce or close now, the worst first."""
    found: list[tuple[int, CrossLedger]] = []
    for ledger in ledgers:
        if not any(states[market].may_trade for market, _ in ledger.legs):
            continue
        legs = valuation.value_legs(ledger.legs, states)
        equity = valuation.cross_equity(ledger.word, legs)
        if legs.is_current and _may_liquidate(equity, legs):
            found.append((equity - legs.maintenance, ledger))
    return tuple(ledger for _, ledger in sorted(found, key=lambda one: (one[0], one[1].account)))


@dataclass(frozen=True, slots=True)
class TopUp:
    """Margin that a liquidation would add to a vault.

    Attributes:
        amount: Quote, into the vault.
        reward: Quote, to the liquidator; both come out of the account's cash and the allowance.
    """

    amount: int
    reward: int


def top_up_of(
    vault: Vault, state: MarketState, settings: Settings, owner: Account, legs: Valuation
) -> TopUp | None:
    """What a liquidation would add to a liquidatable vault; None where it reduces or closes it.

    Args:
        vault: A vault that is liquidatable.
        state: Its market.
        settings: Its account's, for the market.
        owner: Its account.
        legs: The account's cross legs, valued.
    """
    value = valuation.value_vault(state, vault.slot, vault.position)
    if not vault.position.auto_margin or value.worth <= 0 or not legs.is_firm:
        return None
    long = valuation.is_long(vault.slot)
    allowance = settings.long_allowance if long else settings.short_allowance
    reward = state.market.liquidation_terms.keeper_floor
    amount = fixed_point.quote_up(value.initial - value.worth)
    if amount + reward > min(allowance, valuation.withdrawable(owner, legs)):
        return None
    if vault.position.margin + amount > words.MAX_NOTIONAL:
        return None
    return TopUp(amount, reward)


def closing_size(vault: Vault, state: MarketState) -> int:
    """How many lots of a liquidatable vault a liquidation takes off, if it adds no margin."""
    value = valuation.value_vault(state, vault.slot, vault.position)
    if not liquidation_math.keeps_part(value.worth, value.maintenance):
        return vault.position.size
    market, price = state.market, state.price.price
    return liquidation_math.closing_size(
        value.worth,
        vault.position.size,
        price,
        state.tiers,
        market.liquidation_terms,
        fixed_point.div_up(market.terms.min_notional * _USD, price),
    )


def settleable(
    holdings: Iterable[Holding], states: Mapping[int, MarketState]
) -> tuple[Holding, ...]:
    """The positions of markets that are over, by market: anyone closes them at the final price."""
    found = [one for one in holdings if price_validity.is_settled(states[one.market].price)]
    return tuple(sorted(found, key=lambda one: (one.market, one.id)))


def _may_liquidate(equity: int, value: Valuation) -> bool:
    return liquidation_math.may_liquidate(equity, value.maintenance, value.band, value.caution)
