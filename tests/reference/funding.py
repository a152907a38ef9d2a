"""Section 4: the rate drifts with the skew, the index is the integral of rate times price."""

from fractions import Fraction
from math import floor

from tests.reference.state import DAY, Market, Money, State


def clamped(value: Money, bound: Money) -> Money:
    return max(-bound, min(bound, value))


def integral(rate: Money, drift: Money, bound: Money, days: Fraction) -> tuple[Money, Money]:
    """What the rate sums to over some days, and what it is then: it stops at its bound.

    It reaches that at a whole second.
    """
    end = rate + drift * days
    if abs(end) <= bound or drift == 0:
        return Fraction(rate + clamped(end, bound)) / 2 * days, clamped(end, bound)
    limit = bound if drift > 0 else -bound
    moving = max(Fraction(0), Fraction(floor(Fraction(limit - rate) / drift * DAY), DAY))
    return Fraction(rate + limit) / 2 * moving + limit * (days - moving), limit


def accrued(market: Market, price: Money, clock: int) -> tuple[Money, Money]:
    """The market's index and rate at a moment of its clock, at the price there is then."""
    days = Fraction(max(0, clock - market.since), DAY)
    bound = market.terms.max_funding_rate
    summed, rate = integral(clamped(market.rate, bound), market.drift, bound, days)
    return market.index + summed * price, rate


def index_now(state: State, market: int) -> Money:
    price = state.prices[market]
    return accrued(state.markets[market], price.price, price.clock(state.now))[0]


def accrue(state: State, market: int) -> None:
    listed, price = state.markets[market], state.prices[market]
    clock = price.clock(state.now)
    listed.index, listed.rate = accrued(listed, price.price, clock)
    listed.since = max(listed.since, clock)


def steer(market: Market) -> None:
    """A trade changes where the rate drifts to."""
    terms = market.terms
    part = clamped(Fraction(market.skew, terms.skew_scale), 1)
    market.drift = terms.funding_velocity * part
