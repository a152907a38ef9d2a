"""The prices at which an account or a vault becomes liquidatable or bankrupt, exact to the unit.

All else stands still. Funding since the market's last action is still to be accrued: that part of
the index is a share of the very price asked for, rounded down once to the unit. Where that rounding
plays no part the liquidation prices have a closed form; otherwise its two extremes have closed
forms that enclose the truth, and halving what lies between finds it.
"""

from dataclasses import dataclass

from bulkhead.protocol.fixed_point import PPM, THOUSAND_USD, signed_div_down, signed_div_up
from bulkhead.protocol.margin_math import TAIL_TIERS, Tiers, maintenance_margin, tier_at
from bulkhead.protocol.market_math import INDEX_DENOMINATOR
from bulkhead.protocol.words import MAX_PRICE

NO_PRICE = 2**256 - 1
HALVINGS = 65  # as many as there are bits between zero and beyond any price

_UNBOUNDED = 2**255 - 1


@dataclass(frozen=True, slots=True)
class Exposure:
    """What backs the two legs of one market, or a vault, and what they are exposed to."""

    long_size: int  # lots
    short_size: int  # lots
    equity: int  # femto: what no price of this market moves, less others' maintenance margin
    funding_index: int  # femto per lot, when the market was last accrued
    area: int  # the index has grown by area * price / INDEX_DENOMINATOR, down


def liquidation_prices(exposure: Exposure, tiers: Tiers) -> tuple[int, int]:
    """Liquidatable at the first price and below it, and at the second and above it.

    A price between them is healthy. Beside a bound, where the rounding of the index decides, prices
    may take turns; the bound is one of the turns.

    Args:
        exposure: Of the account or the vault in this market.
        tiers: The market's.

    Returns:
        Zero for the first and `NO_PRICE` for the second where no price that a word can hold does
        it, and where there is no position that a price could move. No price lies between them where
        every price does it, or where nothing but the rounding says otherwise.
    """
    if exposure.long_size == 0 and exposure.short_size == 0:
        return 0, NO_PRICE
    lower, upper = _closed_form(exposure, tiers, 0)
    if exposure.area != 0 and exposure.long_size != exposure.short_size:
        other_lower, other_upper = _closed_form(exposure, tiers, INDEX_DENOMINATOR - 1)
        safe_lower, safe_upper = max(lower, other_lower), min(upper, other_upper)
        if safe_lower + 1 < safe_upper:
            lower = _halve(exposure, tiers, min(lower, other_lower), safe_lower + 1)
            upper = _halve(exposure, tiers, max(upper, other_upper), safe_upper - 1)
        else:
            lower, upper = safe_lower, safe_upper
    return min(lower, MAX_PRICE), NO_PRICE if upper > MAX_PRICE else upper


def bankruptcy_price(exposure: Exposure) -> int:
    """The last price at which equity is not negative.

    Up where equity rises with the price, down where it falls. With c whole units per lot to lose,
    equity of a long is not negative where ceil((D - area) * price / D) >= c, that is
    (D - area) * price >= D * (c - 1) + 1, and of a short where it is <= c. An index that outgrows
    the price (area > D) turns the sides around.

    Args:
        exposure: With nothing taken off its equity for other markets' maintenance margin.

    Returns:
        Femto per lot; `NO_PRICE` where it lies beyond what a word can hold, and where no price
        moves equity: of a pair that is fully hedged, or of no position. Never below zero.
    """
    net = _net(exposure)
    slope = bound = 0  # equity is not negative where slope * price >= bound
    if net > 0:
        slope = INDEX_DENOMINATOR - exposure.area
        units = exposure.funding_index + signed_div_up(-exposure.equity, net)
        bound = INDEX_DENOMINATOR * (units - 1) + 1
    elif net < 0:
        slope = exposure.area - INDEX_DENOMINATOR
        units = exposure.funding_index + signed_div_down(exposure.equity, -net)
        bound = -INDEX_DENOMINATOR * units
    if slope == 0:
        return NO_PRICE
    price = signed_div_up(bound, slope) if slope > 0 else signed_div_down(-bound, -slope)
    return NO_PRICE if price > MAX_PRICE else max(price, 0)


def is_liquidatable_at(exposure: Exposure, tiers: Tiers, price: int) -> bool:
    """Whether the maintenance requirement at a price is not below the equity at that price.

    Of a position and a price that are not zero it never is zero itself.
    """
    index = exposure.funding_index + signed_div_down(exposure.area * price, INDEX_DENOMINATOR)
    notional = max(exposure.long_size, exposure.short_size) * price
    equity = _net(exposure) * (price - index) + exposure.equity
    return maintenance_margin(notional, tiers) >= equity


def _net(exposure: Exposure) -> int:
    return exposure.long_size - exposure.short_size


def _closed_form(exposure: Exposure, tiers: Tiers, remainder: int) -> tuple[int, int]:
    """The bounds as if the index were (area * price - remainder) / D above its start.

    Equity is net * (price - index) + constant, the requirement is the ceiling of
    max_k(rate_k * larger * price - deduction_k) / 1e6. So it is liquidatable where, for any tier,
    (rate_k * larger * D - 1e6 * net * (D - area)) * price >=
    D * (deduction_k + 1e6 * (constant - net * start - 1) + 1) + 1e6 * net * remainder:
    an upper bound on the price where the factor is positive, a lower one where it is negative.

    Returns:
        Zero and the largest number where there is none.
    """
    scale = INDEX_DENOMINATOR
    net = PPM * _net(exposure)
    larger = max(exposure.long_size, exposure.short_size)
    base = scale * (PPM * (exposure.equity - 1) - net * exposure.funding_index + 1)
    base += net * remainder
    rate = tiers.maintenance_rate
    deduction = 0
    lower, upper = 0, _UNBOUNDED
    for index in range(TAIL_TIERS + 1):
        factor = rate * larger * scale - net * (scale - exposure.area)
        bound = deduction * scale + base
        if factor > 0:
            upper = min(upper, max(signed_div_up(bound, factor), 0))
        elif factor < 0:
            lower = max(lower, signed_div_down(-bound, -factor))
        elif bound <= 0:
            upper = 0
        if index == TAIL_TIERS:
            break
        tier = tier_at(tiers, index)
        if tier.floor == 0:
            break
        deduction += (tier.maintenance_rate - rate) * tier.floor * THOUSAND_USD
        rate = tier.maintenance_rate
    return lower, upper


def _halve(exposure: Exposure, tiers: Tiers, liquidatable: int, healthy: int) -> int:
    """The liquidatable price next to a healthy one, between one of each."""
    bad, good = min(liquidatable, MAX_PRICE + 1), min(healthy, MAX_PRICE + 1)
    for _ in range(HALVINGS):
        if abs(bad - good) <= 1:
            break
        middle = (bad + good) // 2
        if is_liquidatable_at(exposure, tiers, middle):
            bad = middle
        else:
            good = middle
    return bad
