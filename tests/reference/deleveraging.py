"""Section 7: winners are paid out while a market owes more than its share of the pool."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil

from tests.reference import fills
from tests.reference.funding import accrue, index_now, steer
from tests.reference.house import owed
from tests.reference.margin import worth
from tests.reference.orders import Refused
from tests.reference.state import ISOLATED, LONG, ONLY_BANKRUPT, SHORT, Dust, Money, Slot, State

STOPS_AT = Fraction(9, 10)  # of the share


def deleverage(state: State, number: int, places: Sequence[Slot], dust: Dust) -> int:
    """All shares are of the moment when the call began, so no order of proposals is better."""
    market, price = state.markets[number], state.prices[number].price
    if not state.prices[number].may_trade(state.now):
        raise Refused("price: stale")
    if state.prices[number].caution == ONLY_BANKRUPT:
        raise Refused("price: not firm")
    index, whole = index_now(state, number), owed(state, number)
    share = market.terms.pool_share * max(0, state.house.pool_cash)
    if not dust.holds(whole, share):
        raise Refused("market: within its share")
    excess = left = whole - STOPS_AT * share
    values = [_value(state, number, side) for side in (LONG, SHORT)]
    side = LONG if dust.holds(values[LONG], values[SHORT]) else SHORT
    average = Fraction(values[side], market.sizes[side])
    count = 0
    for place in places:
        account, _, slot = place
        position = state.position(*place)
        if not position.size or slot & 1 != side:
            continue
        profit = worth(position, side, price, index)
        if profit <= 0 or not dust.holds(profit, average * position.size):
            continue
        exposed = position.size
        if slot < ISOLATED:
            exposed -= min(exposed, state.position(account, number, slot ^ 1).size)
        lots = min(Fraction(exposed * excess) / whole, Fraction(position.size * left) / profit)
        least = ceil(Fraction(market.terms.min_notional) / price)
        if lots < position.size:
            lots = min(lots, Fraction(max(0, position.size - least)))
        taken = dust.down(place, min(lots, Fraction(position.size)))
        if not taken:
            continue
        if not count:
            accrue(state, number)
        count += 1
        left -= Fraction(profit * taken, position.size)
        _pay_out(state, place, taken)
    if count:
        steer(market)
    return count


def _value(state: State, number: int, side: int) -> Money:
    """What a side is owed."""
    price, index = state.prices[number].price, index_now(state, number)
    return sum(
        worth(position, side, price, index)
        for (_, at, slot), position in state.positions.items()
        if at == number and slot & 1 == side and position.size
    )


def _pay_out(state: State, place: Slot, lots: int) -> None:
    """At the mark, without fee or impact; of a vault its share of the margin, too."""
    position, account = state.positions[place], state.accounts[place[0]]
    released = Fraction(position.margin * lots, position.size)
    account.cash += fills.take_off(state, place, lots) + released
    position.margin -= released
    if not position.size:
        fills.end(position)
    if not state.legs(place[0]):
        fills.write_off(state, place[0])
