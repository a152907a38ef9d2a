"""Section 4: margin rates move linearly over a day or more; at once only where nothing is open."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import floor

from tests.reference.orders import Refused
from tests.reference.state import DAY, PPM, Ramp, State, Terms, Tier

SHORTEST, LONGEST = DAY, 90 * DAY


def between(before: Fraction, after: Fraction, part: Fraction) -> Fraction:
    """A rate on its way: a whole part per million, down, for the account."""
    return Fraction(floor((before + (after - before) * part) * PPM), PPM)


def tiers_at(ramp: Ramp, now: int) -> tuple[Tier, ...]:
    if now >= ramp.ends_at:
        return ramp.target
    part = Fraction(now - ramp.began_at, ramp.ends_at - ramp.began_at)
    return tuple(
        Tier(
            after.floor,
            between(before.maintenance, after.maintenance, part),
            between(before.initial, after.initial, part),
        )
        for before, after in zip(ramp.before, ramp.target, strict=True)
    )


def objections(tiers: Sequence[Tier], terms: Terms) -> list[str]:
    """The bounds of listing that tiers may break: by themselves, and with a market's terms."""
    against = []
    for below, tier in pairwise(tiers):
        if tier.floor <= below.floor:
            against.append("tier: bad floor")
        if tier.maintenance < below.maintenance or tier.initial < below.initial:
            against.append("tier: rates must rise")
    if any(tier.initial < tier.maintenance * Fraction(3, 2) for tier in tiers):
        against.append("tier: initial below 1.5 times")
    if any(not tier.maintenance or max(tier.maintenance, tier.initial) > 1 for tier in tiers):
        against.append("tier: bad rate")
    return against + against_lowest(tiers[0].maintenance, terms)


def against_lowest(rate: Fraction, terms: Terms) -> list[str]:
    """What terms ask of the lowest maintenance rate that the market has or will have."""
    against = []
    if terms.side_cap > rate / 2:
        against.append("cap: above half maintenance")
    if terms.penalty > rate / 2:
        against.append("penalty: above half maintenance")
    if (1 + terms.buffer) * rate <= 2 * terms.penalty:
        against.append("liquidation: buffer too small")
    return against


def lowest_rate(ramp: Ramp, now: int) -> Fraction:
    """Of a ramp under way: both of its ends."""
    ends = [ramp.target] if now >= ramp.ends_at else [ramp.before, ramp.target]
    return min(tiers[0].maintenance for tiers in ends)


def ramp(state: State, number: int, tiers: tuple[Tier, ...], duration: int) -> None:
    market = state.markets[number]
    against = objections(tiers, market.terms)
    if not SHORTEST <= duration <= LONGEST:
        against.append("tier: bad duration")
    if state.now < market.ramp.ends_at:
        against.append("tier: ramp under way")
    if [tier.floor for tier in tiers] != [tier.floor for tier in market.ramp.target]:
        against.append("tier: floors are fixed")
    if against:
        raise Refused(*against)
    market.ramp = Ramp(market.ramp.target, tiers, state.now, state.now + duration)


def end(state: State, number: int) -> None:
    """Anyone clears the mark of a ramp that is over."""
    market = state.markets[number]
    if not market.ramp.ends_at:
        raise Refused("tier: no ramp")
    if state.now < market.ramp.ends_at:
        raise Refused("tier: ramp under way")
    market.ramp = Ramp(market.ramp.target, market.ramp.target)


def replace_all(state: State, number: int, tiers: tuple[Tier, ...]) -> None:
    market = state.markets[number]
    against = objections(tiers, market.terms)
    if any(market.sizes):
        against.append("tier: fixed while open")
    if against:
        raise Refused(*against)
    market.ramp = Ramp(tiers, tiers)
