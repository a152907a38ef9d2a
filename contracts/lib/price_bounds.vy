# pragma version 0.4.3
"""
@title Price bounds
@license MIT
@notice The prices at which an account or a vault becomes liquidatable or bankrupt, exact to the unit,
        all else standing still. Funding since the market's last action is still to be accrued: that
        part of the index is a share of the very price asked for, rounded down once to the unit.
@dev Where that rounding plays no part the liquidation prices have a closed form. Otherwise its two
     extremes have closed forms that enclose the truth, and halving what lies between finds it.
     Bankruptcy compares whole numbers of the index's unit, so it always has a closed form.
"""

from . import fixed_point
from . import margin_math
from . import market_math
from . import words

NO_PRICE: constant(uint256) = max_value(uint256)
HALVINGS: constant(uint256) = 65  # as many as there are bits between zero and beyond any price


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
    @notice Liquidatable at the first price and below it, and at the second and above it: a price
            between them is healthy. Beside a bound, where the rounding of the index decides, prices
            may take turns; the bound is one of the turns.
    @return Zero for the first and `NO_PRICE` for the second where no price that a word can hold
            does it, and where there is no position that a price could move. No price lies between
            them where every price does it, or where nothing but the rounding says otherwise.
    """
    if exposure.long_size == 0 and exposure.short_size == 0:
        return 0, NO_PRICE
    lower: int256 = 0
    upper: int256 = 0
    lower, upper = self._closed_form(exposure, tiers, 0)
    if exposure.area != 0 and exposure.long_size != exposure.short_size:
        other_lower: int256 = 0
        other_upper: int256 = 0
        other_lower, other_upper = self._closed_form(
            exposure, tiers, market_math.INDEX_DENOMINATOR - 1
        )
        safe_lower: int256 = max(lower, other_lower)
        safe_upper: int256 = min(upper, other_upper)
        if safe_lower + 1 < safe_upper:
            lower = self._halve(exposure, tiers, min(lower, other_lower), safe_lower + 1)
            upper = self._halve(exposure, tiers, max(upper, other_upper), safe_upper - 1)
        else:
            lower = safe_lower
            upper = safe_upper
    greatest: int256 = convert(words.MAX_PRICE, int256)
    if upper > greatest:
        return convert(min(lower, greatest), uint256), NO_PRICE
    return convert(min(lower, greatest), uint256), convert(upper, uint256)


@internal
@pure
def bankruptcy_price(exposure: Exposure) -> uint256:
    """
    @notice The last price at which equity is not negative: up where equity rises with the price,
            down where it falls.
    @dev With c whole units per lot to lose, equity of a long is not negative where
         ceil((D - area) * price / D) >= c, that is (D - area) * price >= D * (c - 1) + 1, and of a
         short where it is <= c. An index that outgrows the price (area > D) turns the sides around.
    @param exposure With nothing taken off its equity for other markets' maintenance margin.
    @return `NO_PRICE` where it lies beyond what a word can hold, and where no price moves equity: of
            a pair that is fully hedged, or of no position. Never below zero.
    """
    scale: int256 = market_math.INDEX_DENOMINATOR
    net: int256 = self._net(exposure)
    slope: int256 = 0
    bound: int256 = 0  # equity is not negative where slope * price >= bound
    if net > 0:
        slope = scale - exposure.area
        bound = (
            scale * (exposure.funding_index + fixed_point.signed_div_up(-exposure.equity, net) - 1)
            + 1
        )
    elif net < 0:
        slope = exposure.area - scale
        bound = -scale * (
            exposure.funding_index + fixed_point.signed_div_down(exposure.equity, -net)
        )
    if slope == 0:
        return NO_PRICE
    price: int256 = 0
    if slope > 0:
        price = fixed_point.signed_div_up(bound, slope)
    else:
        price = fixed_point.signed_div_down(-bound, -slope)
    if price > convert(words.MAX_PRICE, int256):
        return NO_PRICE
    return convert(max(price, 0), uint256)


@internal
@pure
def is_liquidatable_at(exposure: Exposure, tiers: margin_math.Tiers, price: uint256) -> bool:
    """
    @notice Whether the maintenance requirement at a price is not below the equity at that price.
            Of a position and a price that are not zero it never is zero itself.
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
    @notice The bounds as if the index were (area * price - remainder) / D above its start.
    @dev Equity is net * (price - index) + constant, the requirement is the ceiling of
         max_k(rate_k * larger * price - deduction_k) / 1e6. So it is liquidatable where, for any
         tier, (rate_k * larger * D - 1e6 * net * (D - area)) * price >=
         D * (deduction_k + 1e6 * (constant - net * start - 1) + 1) + 1e6 * net * remainder:
         an upper bound on the price where the factor is positive, a lower one where it is negative.
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
        factor: int256 = convert(rate, int256) * larger * scale - net * (scale - exposure.area)
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
