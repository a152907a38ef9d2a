"""What a keeper should do, as pure functions of what is known. No chain in here.

They mirror `contracts/OrderBook.vy` and `contracts/modules/liquidation.vy`, so that nothing is sent
which the contracts would skip.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bulkhead import valuation
from bulkhead.markets import MarketState
from bulkhead.orders import Order, OrderKind, OrderStatus, PlacedOrder
from bulkhead.protocol import liquidation_math, market_math, words
from bulkhead.protocol.words import Account, Position, Price
from bulkhead.valuation import Legs

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
    order = placed.order
    if order.kind < OrderKind.STOP:
        return True
    if order.kind == OrderKind.TRAILING_STOP and placed.extreme == 0:
        return False
    trigger = trigger_of(order, placed.extreme)
    if order.is_buy == (order.kind != OrderKind.TAKE_PROFIT):
        return price.price >= trigger
    return price.price <= trigger


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
    """The vaults that a liquidation would close now, the worst first."""
    found: list[tuple[int, Vault]] = []
    for vault in vaults:
        state = states[vault.market]
        if not state.is_fresh or not vault.position.size:
            continue
        value = valuation.value_vault(state, vault.slot, vault.position)
        if liquidation_math.is_liquidatable(value.worth, value.maintenance):
            found.append((value.worth - value.maintenance, vault))
    return tuple(vault for _, vault in sorted(found, key=lambda one: (one[0], one[1].id)))


def liquidatable_cross(
    ledgers: Iterable[CrossLedger], states: Mapping[int, MarketState]
) -> tuple[CrossLedger, ...]:
    """The cross ledgers that a liquidation would close now, the worst first."""
    found: list[tuple[int, CrossLedger]] = []
    for ledger in ledgers:
        if not any(states[market].is_fresh for market, _ in ledger.legs):
            continue
        legs = valuation.value_legs(ledger.legs, states)
        equity = valuation.cross_equity(ledger.word, legs)
        if legs.is_current and liquidation_math.is_liquidatable(equity, legs.maintenance):
            found.append((equity - legs.maintenance, ledger))
    return tuple(ledger for _, ledger in sorted(found, key=lambda one: (one[0], one[1].account)))
