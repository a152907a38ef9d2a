"""The arithmetic of a liquidation: when, how much, for whom. At which prices: `price_bounds`."""

from bulkhead.protocol.fixed_point import FEMTO, PPM, THOUSAND_USD, div_up
from bulkhead.protocol.margin_math import TAIL_TIERS, Tiers, tier_at
from bulkhead.protocol.words import ONLY_BANKRUPT, LiquidationTerms

PART_ROUNDING = 2 * 10**9 + 1
"""Femto: less than one quote unit each that a penalty and a realised value may lose to rounding,
and what a requirement, rounded up, may be above its line."""

STOP = 900_000
"""ppm of a market's share of pool cash: deleveraging ends there."""


def is_liquidatable(equity: int, maintenance: int) -> bool:
    """Whether maintenance margin is due and not below equity. Both in the same unit."""
    return maintenance > 0 and maintenance >= equity


def may_liquidate(equity: int, maintenance: int, band: int, caution: int) -> bool:
    """Whether what is liquidatable may be liquidated now. All in femto.

    Args:
        equity: At the prices.
        maintenance: Maintenance margin.
        band: What the prices' confidence may add: judged is the edge that favours the account.
        caution: The gravest of the prices'. In doubt only what has no equity is liquidated.
    """
    judged = equity + band
    if caution == ONLY_BANKRUPT and judged > 0:
        return False
    return is_liquidatable(judged, maintenance)


def keeps_part(equity: int, maintenance: int) -> bool:
    """Whether a liquidation takes off just enough, instead of closing all.

    Equity is at least two thirds of maintenance margin. Both in femto.
    """
    return 3 * equity >= 2 * maintenance


def is_large(size: int, price: int, terms: LiquidationTerms) -> bool:
    """Whether a position is large enough to keep a part."""
    return size * price > terms.partial_above * FEMTO


def buffered(maintenance: int, buffer: int) -> int:
    """The equity that a partial liquidation restores, femto, up.

    Args:
        maintenance: Maintenance margin, femto.
        buffer: Above it, ppm.
    """
    return div_up(maintenance * (PPM + buffer), PPM)


def partial_size(equity: int, size: int, price: int, tiers: Tiers, terms: LiquidationTerms) -> int:
    """The fewest lots whose closing leaves equity of at least maintenance margin and buffer.

    The maximum over the tiers k of
    ((1 + buffer) * MM_k - equity) / (price * ((1 + buffer) * mmr_k - penalty)), up, where
    MM_k = mmr_k * notional - d_k is the line of tier k; its deduction follows from the floors. All
    of it where closing costs as much as it relieves.

    Args:
        equity: Femto, less what must back anything else. `PART_ROUNDING` of it is spared.
        size: Lots.
        price: Mark, femto per lot, not zero.
        tiers: Those that the notional reaches.
        terms: The market's.
    """
    notional = size * price
    scale = PPM + terms.buffer
    held = (equity - PART_ROUNDING) * PPM * PPM
    rate, deduction, lots = tiers.maintenance_rate, 0, 0
    for i in range(TAIL_TIERS + 1):
        if i:
            tier = tier_at(tiers, i - 1)
            threshold = tier.floor * THOUSAND_USD
            if tier.floor == 0 or notional <= threshold:
                break
            deduction += (tier.maintenance_rate - rate) * threshold
            rate = tier.maintenance_rate
        relief, cost = scale * rate, terms.penalty * PPM
        if relief <= cost:
            return size
        missing = scale * (rate * notional - deduction) - held
        if missing > 0:
            lots = max(lots, div_up(missing, (relief - cost) * price))
    return min(lots, size)


def closing_size(
    equity: int, size: int, price: int, tiers: Tiers, terms: LiquidationTerms, least: int
) -> int:
    """How many lots a liquidation closes of a position that may keep a part.

    Just enough, or all of one that is small, or whose rest would be. A part is no smaller than a
    position may be, so that its penalty bears the keeper's floor.

    Args:
        equity: Femto, less what must back anything else.
        size: Lots.
        price: Mark, femto per lot, not zero.
        tiers: Those that the notional reaches.
        terms: The market's.
        least: The least a position may have, lots.
    """
    if not is_large(size, price, terms):
        return size
    lots = max(partial_size(equity, size, price, tiers, terms), least)
    return size if lots + least > size else lots


def split_penalty(equity: int, notional: int, terms: LiquidationTerms) -> tuple[int, int, int]:
    """What a liquidated position pays, in quote units.

    The penalty (up, against the account) shrinks to what equity there is. The keeper's part is
    rounded down, clamped between floor and cap, and comes out of the penalty first.

    Args:
        equity: What is left at the mark price, quote.
        notional: At the mark price, femto.
        terms: The market's.

    Returns:
        The penalty taken, the keeper's part of it, and what insurance adds, as far as it reaches,
        so that the keeper gets the floor also where the price jumped past it.
    """
    full = div_up(notional * terms.penalty, PPM * FEMTO)
    penalty = min(full, max(equity, 0))
    reward = min(max(full * terms.keeper_share // PPM, terms.keeper_floor), terms.keeper_cap)
    from_penalty = min(reward, penalty)
    least = min(reward, terms.keeper_floor, full)
    return penalty, from_penalty, max(least - from_penalty, 0)


def shrink_charges(
    shortfall: int, fee: int, impact: int, keeper_fee: int
) -> tuple[int, int, int, int]:
    """What is forgiven when the last money does not cover a close. All in quote units, exact.

    Insurance pays for price only, so every charge goes before a deficit exists: the trading fee
    first, then the impact, then the keeper's fee.

    Args:
        shortfall: What is missing.
        fee: The trading fee due.
        impact: The price impact due.
        keeper_fee: The keeper's fee due.

    Returns:
        The fee, the impact and the keeper's fee forgiven, and the deficit that is left.
    """
    fee_cut = min(shortfall, fee)
    left = shortfall - fee_cut
    impact_cut = min(left, impact)
    left -= impact_cut
    keeper_cut = min(left, keeper_fee)
    return fee_cut, impact_cut, keeper_cut, left - keeper_cut


def excess_owed(owed: int, pool_cash: int, pool_share: int) -> int:
    """What deleveraging may take off a market, femto, exact.

    What it owes beyond 90 % of its share of pool cash; nothing as long as it owes no more than the
    share.

    Args:
        owed: To all its traders together, femto.
        pool_cash: Quote units; below zero there is nothing to share.
        pool_share: ppm.
    """
    share = max(pool_cash, 0) * pool_share * (FEMTO // PPM)
    if owed <= share:
        return 0
    return owed - share * STOP // PPM


def deleveraging_rank(profit: int, size: int, side_profit: int, side_size: int) -> int:
    """A position's profit per lot against its side's average, ppm, down.

    From 1,000,000 on it may be deleveraged. 0 where either has no profit.

    Args:
        profit: The position's value, femto.
        size: Its lots.
        side_profit: What the side is owed, femto.
        side_size: The side's lots.
    """
    if profit <= 0 or side_profit <= 0:
        return 0
    return profit * side_size * PPM // (side_profit * size)


def deleveraged_size(
    size: int, exposed: int, profit: int, excess: int, owed: int, left: int, least: int
) -> int:
    """How many lots one call may take off a position in profit, down.

    The share of what is exposed that the excess is of what is owed, worth no more than what is left
    of the excess, and all, or leaving the least a position may have.

    Args:
        size: Its lots.
        exposed: Those that no other leg of a pair hedges.
        profit: The whole position's, femto, positive as `owed` is.
        excess: What the call may take off the market, femto.
        owed: What the market owed before, femto.
        left: Of the excess, femto.
        least: Lots.
    """
    lots = min(exposed * excess // owed, size * left // profit)
    if lots >= size:
        return size
    return min(lots, size - min(size, least))
