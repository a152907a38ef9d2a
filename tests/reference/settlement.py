"""Sections 4 and 9: how a market ends, and how its positions do."""

from collections.abc import Sequence
from fractions import Fraction
from math import floor

from tests.reference import fills
from tests.reference.funding import accrue, steer
from tests.reference.orders import Refused
from tests.reference.state import DAY, FEMTO, HOUR, ISOLATED, Price, Quote, Slot, State

NOTICE = DAY  # before the hour begins
PATIENCE = 3 * DAY  # that an hour without a price waits for one
DEAD_AFTER = 7 * DAY  # of silence, beyond the price's life


def against_change(price: Price, now: int) -> list[str]:
    """Why nothing about a market's end may be changed any more, if so."""
    if price.is_settled:
        return ["market: settled"]
    return ["market: settling"] if price.is_settling(now) else []


def announce(state: State, number: int, hour: int) -> None:
    price = state.prices[number]
    against = against_change(price, state.now)
    if price.settles_at:
        against.append("settlement: announced already")
    if hour * HOUR < state.now + NOTICE:
        against.append("settlement: too soon")
    if against:
        raise Refused(*against)
    price.settles_at = hour * HOUR


def cancel(state: State, number: int) -> None:
    price = state.prices[number]
    against = against_change(price, state.now)
    if not price.settles_at:
        against.append("settlement: none")
    if against:
        raise Refused(*against)
    price.settles_at = 0


def average(price: Price, quotes: Sequence[Quote], now: int) -> Fraction | None:
    """Each weighs the seconds of the hour in which it was the newest and not too old; down."""
    start, end = price.settles_at, price.settles_at + HOUR
    until = [*(quote.published_at for quote in quotes[1:]), now]
    seconds = [
        max(
            0,
            min(next_at, quote.published_at + price.max_age, end) - max(quote.published_at, start),
        )
        for quote, next_at in zip(quotes, until, strict=True)
    ]
    if not sum(seconds):
        return None
    whole = sum(quote.price * weight for quote, weight in zip(quotes, seconds, strict=True))
    return Fraction(floor(Fraction(whole * FEMTO) / sum(seconds)), FEMTO)


def fix(state: State, number: int) -> None:
    """Once the hour is over: its average, or much later the last good price."""
    price = state.prices[number]
    if price.is_settled:
        raise Refused("market: settled")
    if not price.settles_at:
        raise Refused("settlement: none")
    end = price.settles_at + HOUR
    if state.now < end:
        raise Refused("settlement: not over")
    final = average(price, state.quotes[number], state.now)
    if final is None:
        if state.now < end + PATIENCE:
            raise Refused("settlement: no price yet")
        final = Fraction(price.price)
    _settle(price, final, state.now)


def settle_dead(state: State, number: int) -> None:
    """At once, at the last good price."""
    price = state.prices[number]
    against = against_change(price, state.now)
    if state.now <= price.published_at + price.max_age + DEAD_AFTER:
        against.append("feed: not dead")
    if against:
        raise Refused(*against)
    price.settles_at = state.now // HOUR * HOUR
    _settle(price, Fraction(price.price), state.now)


def _settle(price: Price, final: Fraction, now: int) -> None:
    """The final price is one of now, without doubt; the market's clock stays where it ended."""
    clock = price.clock(now)
    price.price, price.published_at = final, now
    price.is_settled, price.caution, price.confidence = True, 0, Fraction(0)
    price.silence = price.settles_at - clock


def settle_positions(state: State, places: Sequence[Slot]) -> int:
    """Those of settled markets, without fee, impact or penalty."""
    count = 0
    for place in places:
        account, number, slot = place
        position = state.position(*place)
        if not position.size or not state.prices[number].is_settled:
            continue
        count += 1
        accrue(state, number)
        proceeds = fills.take_off(state, place, position.size) + position.margin
        fills.end(position)
        if slot >= ISOLATED and proceeds < 0:
            state.take_deficit(-proceeds)
            proceeds = 0
        state.accounts[account].cash += proceeds
        if not state.legs(account):
            fills.write_off(state, account)
        steer(state.markets[number])
    return count
