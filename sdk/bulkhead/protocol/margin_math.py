"""Margin requirements.

Progressive tiers, like tax: each rate applies to the notional above its tier's floor. So both
requirements are continuous and convex, and equal the maximum over the tiers' lines
rate_k * notional - deduction_k. Notionals and requirements are in femto.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from bulkhead.protocol.fixed_point import FEMTO, PPM, THOUSAND_USD, div_up
from bulkhead.protocol.words import Settings, Tier, pack_tier, unpack_tier

TAIL_TIERS = 7  # tiers beyond the first: four in one word, three in another
TIER_BITS = 64
ISOLATED_LEVERAGE = 10 * 10**6  # ppm, of a vault whose account never set one


@dataclass(frozen=True, slots=True)
class Tiers:
    """A market's tiers: the first one's rates, and two words with the others."""

    maintenance_rate: int  # ppm, first tier
    initial_rate: int  # ppm, first tier
    first: int  # tiers 2 to 5, 64 bits each; 0 where the notional does not reach them
    second: int  # tiers 6 to 8


def tier_at(tiers: Tiers, index: int) -> Tier:
    """The tier `index` places above the first; its floor is zero where there is none."""
    if index < 4:
        return unpack_tier(tiers.first >> index * TIER_BITS)
    return unpack_tier(tiers.second >> (index - 4) * TIER_BITS)


def maintenance_margin(notional: int, tiers: Tiers) -> int:
    """The maintenance requirement for a notional, both in femto, up."""
    due = notional * tiers.maintenance_rate
    if tiers.first:
        due += _surcharge(notional, tiers, initial=False)
    return div_up(due, PPM)


def initial_margin(notional: int, leverage: int, tiers: Tiers) -> int:
    """The initial requirement, up: the larger of notional / leverage and the tiers'.

    Args:
        notional: Femto.
        leverage: Parts per million; zero asks for the tiers alone.
        tiers: The market's.

    Returns:
        The requirement in femto.
    """
    due = notional * tiers.initial_rate
    if tiers.first:
        due += _surcharge(notional, tiers, initial=True)
    required = div_up(due, PPM)
    if leverage == 0:
        return required
    return max(required, div_up(notional * PPM, leverage))


def unwinding_cost(notional: int, taker_fee: int) -> int:
    """What taking the matched part of a pair apart may cost: a taker's fee on either leg, up.

    Args:
        notional: Femto, of the matched part of one leg.
        taker_fee: Parts per million.

    Returns:
        Femto.
    """
    return div_up(2 * notional * taker_fee, PPM)


def band_of(notional: int, confidence: int) -> int:
    """What a price's confidence may add to the worth of a notional, both in femto, up.

    A liquidation judges at the edge that favours the trader.

    Args:
        notional: Femto.
        confidence: Parts per million of the price.
    """
    return div_up(notional * confidence, PPM)


def order_margin(notional: int, leverage: int, initial_rate: int) -> int:
    """The margin that an isolated order moves, up.

    Notional / leverage, at least the first tier's initial margin.

    Args:
        notional: Femto.
        leverage: Parts per million; zero asks for the tier alone.
        initial_rate: Parts per million, of the first tier.

    Returns:
        The margin in quote units.
    """
    least = notional * initial_rate
    if leverage != 0:
        least = max(least, div_up(notional * PPM * PPM, leverage))
    return div_up(least, PPM * FEMTO)


def ramped_tiers(target: Tiers, before: Tiers, elapsed: int, duration: int) -> Tiers:
    """Tiers on their way from older rates, whose floors are the same.

    Each rate moves linearly over the duration and is rounded down, for the account.

    Args:
        target: Where the ramp ends.
        before: Where it began.
        elapsed: Seconds since it began.
        duration: Seconds that it takes, not zero.
    """
    if elapsed >= duration:
        return target

    def ramped(new: int, old: int) -> int:
        return (new * elapsed + old * (duration - elapsed)) // duration

    def ramped_word(new: int, old: int) -> int:
        word = 0
        for at in range(0, 4 * TIER_BITS, TIER_BITS):
            tier, was = unpack_tier(new >> at), unpack_tier(old >> at)
            tier = Tier(
                tier.floor,
                ramped(tier.maintenance_rate, was.maintenance_rate),
                ramped(tier.initial_rate, was.initial_rate),
            )
            word |= pack_tier(tier) << at
        return word

    return Tiers(
        ramped(target.maintenance_rate, before.maintenance_rate),
        ramped(target.initial_rate, before.initial_rate),
        ramped_word(target.first, before.first),
        ramped_word(target.second, before.second),
    )


def isolated_leverage(settings: Settings, is_long: bool) -> int:
    """The leverage that an account chose for the isolated side of a market.

    Args:
        settings: The account's, for the market.
        is_long: Which side.

    Returns:
        Parts per million.
    """
    chosen = settings.isolated_long_leverage if is_long else settings.isolated_short_leverage
    return chosen or ISOLATED_LEVERAGE


def _surcharge(notional: int, tiers: Tiers, *, initial: bool) -> int:
    # What the tiers above the first add to the first one's rate on all of it, in femto * ppm.
    due = 0
    previous = tiers.initial_rate if initial else tiers.maintenance_rate
    for tier in _tail(tiers.first, tiers.second):
        threshold = tier.floor * THOUSAND_USD
        if notional <= threshold:
            break
        rate = tier.initial_rate if initial else tier.maintenance_rate
        due += (rate - previous) * (notional - threshold)
        previous = rate
    return due


@lru_cache(maxsize=1_024)
def _tail(first: int, second: int) -> tuple[Tier, ...]:
    """The tiers above the first. Every valuation asks, and they hardly change."""
    tail = (tier_at(Tiers(0, 0, first, second), index) for index in range(TAIL_TIERS))
    return tuple(takewhile(lambda tier: tier.floor != 0, tail))
