# pragma version 0.4.3
"""
@title Price bounds
@license MIT
@notice The prices at which an account or a vault becomes liquidatable or bankrupt, exact to the unit,
        while funding since the market's last action is still to be accrued: that part of the index
        is a share of the very price asked for.
@dev Where the index does not depend on the price this is `liquidation_math` in closed form.
     Otherwise the index is rounded down, once to the unit: the two extremes of that rounding
     have closed forms too and enclose the truth, and halving what lies between finds it.
"""

from . import fixed_point
from . import margin_math
from . import market_math
from . import words

NO_PRICE: constant(uint256) = max_value(uint256)
HALVINGS: constant(uint256) = 256


struct Exposure:
    long_size: uint256  # lots
    short_size: uint256  # lots
    equity: int256  # femto: what no price of this market moves, less others' maintenance margin
    funding_index: int256  # femto per lot, when the market was last accrued
    area: int256  # the index has grown by area * price / market_math.INDEX_DENOMINATOR, down


@internal
@pure
def liquidation_prices(exposure: Exposure, tiers: margin_math.Tiers) -> (uint256, uint256):
    """
    @notice Liquidatable at the first price and, healthy or not, at everything below it; and the
            same at and above the second. One unit towards the healthy side it is not.
    @return Zero for the first and `NO_PRICE` for the second where no price that a word can hold
            does it.
    """
    lower: int256 = 0
    upper: int256 = 0
    lower, upper = self._closed_form(exposure, tiers, 0)
    if exposure.area != 0 and exposure.long_size != exposure.short_size:
        other_lower: int256 = 0
        other_upper: int256 = 0
        other_lower, other_upper = self._closed_form(
            exposure, tiers, market_math.INDEX_DENOMINATOR - 1
        )
        healthy_from: int256 = max(lower, other_lower) + 1
        healthy_to: int256 = min(upper, other_upper) - 1
        if healthy_from <= healthy_to:
            lower = self._halve(exposure, tiers, min(lower, other_lower), healthy_from)
            upper = self._halve(exposure, tiers, max(upper, other_upper), healthy_to)
    greatest: int256 = convert(words.MAX_PRICE, int256)
    if upper > greatest:
        return convert(min(lower, greatest), uint256), NO_PRICE
    return convert(min(lower, greatest), uint256), convert(upper, uint256)


@internal
@pure
def bankruptcy_price(exposure: Exposure) -> uint256:
    """
    @notice The last price at which equity is not negative. `NO_PRICE` for a pair that is fully
            hedged, and where it lies beyond what a word can hold.
    @param exposure With nothing taken off its equity for other markets' maintenance margin.
    """
    if exposure.long_size == exposure.short_size:
        return NO_PRICE
    # Equity below zero is equity + 1 liquidatable by a requirement that is always zero.
    shifted: Exposure = exposure
    shifted.equity += 1
    lower: uint256 = 0
    upper: uint256 = 0
    lower, upper = self.liquidation_prices(shifted, empty(margin_math.Tiers))
    if exposure.long_size < exposure.short_size:
        return upper if upper == NO_PRICE else max(upper, 1) - 1
    if self.is_liquidatable_at(shifted, empty(margin_math.Tiers), lower):
        return lower + 1
    return lower


@internal
@pure
def is_liquidatable_at(
    exposure: Exposure, tiers: margin_math.Tiers, price: uint256
) -> bool:
    """
    @notice Whether the maintenance requirement at a price is not below the equity at that price.
    """
    net: int256 = self._net(exposure)
    index: int256 = exposure.funding_index + fixed_point.signed_div_down(
        exposure.area * convert(price, int256), market_math.INDEX_DENOMINATOR
    )
    notional: uint256 = max(exposure.long_size, exposure.short_size) * price
    return (
        convert(margin_math.maintenance_margin(notional, tiers), int256)
        >= net * (convert(price, int256) - index) + exposure.equity
    )


@internal
@pure
def _net(exposure: Exposure) -> int256:
    return convert(exposure.long_size, int256) - convert(exposure.short_size, int256)


@internal
@pure
def _closed_form(
    exposure: Exposure, tiers: margin_math.Tiers, remainder: int256
) -> (int256, int256):
    """
    @notice As `liquidation_math.liquidation_prices`, with the index (area * price - remainder) /
            INDEX_DENOMINATOR above its start: everything is multiplied by that denominator.
    @return Zero and the largest number where there is none.
    """
    ppm: int256 = convert(fixed_point.PPM, int256)
    scale: int256 = market_math.INDEX_DENOMINATOR
    net: int256 = ppm * self._net(exposure)
    larger: int256 = convert(max(exposure.long_size, exposure.short_size), int256)
    base: int256 = (
        scale * (ppm * (exposure.equity - 1) - net * exposure.funding_index + 1) + net * remainder
    )
    rate: uint256 = tiers.maintenance_rate
    deduction: uint256 = 0
    lower: int256 = 0
    upper: int256 = max_value(int256)
    for i: uint256 in range(margin_math.TAIL_TIERS + 1):
        factor: int256 = convert(rate, int256) * larger * scale - net * (
            scale - exposure.area
        )
        bound: int256 = convert(deduction, int256) * scale + base
        if factor > 0:
            upper = min(upper, max(fixed_point.signed_div_up(bound, factor), 0))
        elif factor < 0:
            lower = max(lower, fixed_point.signed_div_down(-bound, -factor))
        elif bound <= 0:
            upper = 0
        if i == margin_math.TAIL_TIERS:
            break
        tier: words.Tier = margin_math.tier_at(tiers, i)
        if tier.floor == 0:
            break
        deduction += (tier.maintenance_rate - rate) * tier.floor * fixed_point.THOUSAND_USD
        rate = tier.maintenance_rate
    return lower, upper


@internal
@pure
def _halve(
    exposure: Exposure, tiers: margin_math.Tiers, liquidatable: int256, healthy: int256
) -> int256:
    """
    @notice The liquidatable price next to a healthy one, between one of each.
    """
    greatest: int256 = convert(words.MAX_PRICE, int256)
    bad: int256 = min(liquidatable, greatest + 1)
    good: int256 = min(healthy, greatest + 1)
    for _: uint256 in range(HALVINGS):
        if abs(bad - good) <= 1:
            break
        middle: int256 = (bad + good) // 2
        if self.is_liquidatable_at(exposure, tiers, convert(middle, uint256)):
            bad = middle
        else:
            good = middle
    return bad
