# pragma version 0.4.3
"""
@title Margin requirements
@license MIT
@notice Progressive tiers, like tax: each rate applies to the notional above its tier's floor. So
        both requirements are continuous and convex, and equal the maximum over the tiers' lines
        rate_k * notional - deduction_k.
@dev Notionals and requirements are in femto. Unchecked: a notional is below 2**120, a rate below
     2**20, so sums stay below 2**144.
"""

from . import fixed_point
from . import words

TAIL_TIERS: constant(uint256) = 7  # tiers beyond the first: four in one word, three in another
TIER_BITS: constant(uint256) = 64
ISOLATED_LEVERAGE: constant(uint256) = 10 * 10**6  # ppm, of a vault whose account never set one


struct Tiers:
    maintenance_rate: uint256  # ppm, first tier
    initial_rate: uint256  # ppm, first tier
    first: uint256  # tiers 2 to 5, 64 bits each; 0 where the notional does not reach them
    second: uint256  # tiers 6 to 8


@internal
@pure
def tier_at(tiers: Tiers, index: uint256) -> words.Tier:
    """
    @notice The tier `index` places above the first; its floor is zero where there is none.
    """
    if index < 4:
        return words.unpack_tier(tiers.first >> (index * TIER_BITS))
    return words.unpack_tier(tiers.second >> ((index - 4) * TIER_BITS))


@internal
@pure
def maintenance_margin(notional: uint256, tiers: Tiers) -> uint256:
    """
    @notice The maintenance requirement in femto, up.
    """
    due: uint256 = unsafe_mul(notional, tiers.maintenance_rate)
    if tiers.first != 0:
        due = unsafe_add(due, self._surcharge(notional, tiers, False))
    return fixed_point.div_up(due, fixed_point.PPM)


@internal
@pure
def initial_margin(notional: uint256, leverage: uint256, tiers: Tiers) -> uint256:
    """
    @notice The initial requirement in femto, up: the larger of notional / leverage and the tiers'.
    @param leverage In ppm; zero asks for the tiers alone.
    """
    due: uint256 = unsafe_mul(notional, tiers.initial_rate)
    if tiers.first != 0:
        due = unsafe_add(due, self._surcharge(notional, tiers, True))
    required: uint256 = fixed_point.div_up(due, fixed_point.PPM)
    if leverage == 0:
        return required
    return max(required, fixed_point.div_up(unsafe_mul(notional, fixed_point.PPM), leverage))


@internal
@pure
def unwinding_cost(notional: uint256, taker_fee: uint256) -> uint256:
    """
    @notice What taking the matched part of a pair apart may cost, in femto, up: a taker's fee on
            either leg.
    @param notional Of the matched part of one leg.
    @param taker_fee In ppm.
    """
    return fixed_point.div_up(unsafe_mul(unsafe_mul(2, notional), taker_fee), fixed_point.PPM)


@internal
@pure
def band_of(notional: uint256, confidence: uint256) -> uint256:
    """
    @notice What a price's confidence (ppm) may add to the worth of a notional, in femto, up: a
            liquidation judges at the edge that favours the trader.
    """
    return fixed_point.div_up(unsafe_mul(notional, confidence), fixed_point.PPM)


@internal
@pure
def order_margin(notional: uint256, leverage: uint256, initial_rate: uint256) -> uint256:
    """
    @notice The margin an isolated order moves for `notional` femto: notional / leverage, at least
            the first tier's initial margin, in quote units, up.
    @param leverage In ppm; zero asks for the tier alone.
    """
    least: uint256 = unsafe_mul(notional, initial_rate)
    if leverage != 0:
        least = max(
            least,
            fixed_point.div_up(unsafe_mul(notional, fixed_point.PPM * fixed_point.PPM), leverage),
        )
    return fixed_point.div_up(least, fixed_point.PPM * fixed_point.FEMTO)


@internal
@pure
def ramped_tiers(target: Tiers, before: Tiers, elapsed: uint256, duration: uint256) -> Tiers:
    """
    @notice Tiers on their way from older rates: each rate moves linearly over the duration and is
            rounded down, for the account. Floors are the same before and after.
    @param elapsed Seconds since the ramp began; the duration is not zero.
    """
    if elapsed >= duration:
        return target
    return Tiers(
        maintenance_rate=self._ramped(
            target.maintenance_rate, before.maintenance_rate, elapsed, duration
        ),
        initial_rate=self._ramped(target.initial_rate, before.initial_rate, elapsed, duration),
        first=self._ramped_word(target.first, before.first, elapsed, duration),
        second=self._ramped_word(target.second, before.second, elapsed, duration),
    )


@internal
@pure
def isolated_leverage(settings: words.Settings, is_long: bool) -> uint256:
    """
    @notice The leverage, in ppm, that an account chose for the isolated side of a market.
    """
    chosen: uint256 = (
        settings.isolated_long_leverage if is_long else settings.isolated_short_leverage
    )
    return chosen if chosen != 0 else ISOLATED_LEVERAGE


@internal
@pure
def _surcharge(notional: uint256, tiers: Tiers, initial: bool) -> uint256:
    # What the tiers above the first add to the first one's rate on all of it, in femto * ppm.
    due: uint256 = 0
    previous: uint256 = tiers.initial_rate if initial else tiers.maintenance_rate
    for i: uint256 in range(TAIL_TIERS):
        tier: words.Tier = self.tier_at(tiers, i)
        threshold: uint256 = unsafe_mul(tier.floor, fixed_point.THOUSAND_USD)
        if tier.floor == 0 or notional <= threshold:
            break
        rate: uint256 = tier.initial_rate if initial else tier.maintenance_rate
        due = unsafe_add(
            due, unsafe_mul(unsafe_sub(rate, previous), unsafe_sub(notional, threshold))
        )
        previous = rate
    return due


@internal
@pure
def _ramped_word(target: uint256, before: uint256, elapsed: uint256, duration: uint256) -> uint256:
    word: uint256 = 0
    for i: uint256 in range(4):
        tier: words.Tier = words.unpack_tier(target >> (i * TIER_BITS))
        old: words.Tier = words.unpack_tier(before >> (i * TIER_BITS))
        tier.maintenance_rate = self._ramped(
            tier.maintenance_rate, old.maintenance_rate, elapsed, duration
        )
        tier.initial_rate = self._ramped(tier.initial_rate, old.initial_rate, elapsed, duration)
        word |= words.pack_tier(tier) << (i * TIER_BITS)
    return word


@internal
@pure
def _ramped(target: uint256, before: uint256, elapsed: uint256, duration: uint256) -> uint256:
    # Both parts are positive, so down is toward zero.
    return unsafe_div(
        unsafe_add(unsafe_mul(target, elapsed), unsafe_mul(before, unsafe_sub(duration, elapsed))),
        duration,
    )
