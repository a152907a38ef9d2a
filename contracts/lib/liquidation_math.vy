# pragma version 0.4.3
"""
@title The arithmetic of a liquidation
@license MIT
@notice When, how much, and who gets what. At which prices: `price_bounds`.
@dev Unchecked where the ranges of `words.vy` prove it: lots stay below 2**56, prices below 2**64, a
     side's lots below 2**64, values below 2**122, a side's below 2**161, rates below 2**21.
"""

from . import fixed_point
from . import margin_math
from . import words

# Femto: less than one quote unit each that a penalty and a realised value may lose to rounding, and
# what a requirement, rounded up, may be above its line.
PART_ROUNDING: constant(int256) = 2 * 10**9 + 1
STOP: constant(uint256) = 900_000  # ppm of a market's share of pool cash: deleveraging ends there


@internal
@pure
def is_liquidatable(equity: int256, maintenance: uint256) -> bool:
    """
    @notice Whether maintenance margin is due and not below equity. Both in the same unit.
    """
    return maintenance > 0 and convert(maintenance, int256) >= equity


@internal
@pure
def may_liquidate(equity: int256, maintenance: uint256, band: uint256, caution: uint256) -> bool:
    """
    @notice Whether what is liquidatable may be liquidated now. All in femto.
    @param band What the prices' confidence may add: judged is the edge that favours the account.
    @param caution The gravest of the prices'. In doubt only what has no equity is liquidated.
    """
    judged: int256 = unsafe_add(equity, convert(band, int256))
    if caution == words.ONLY_BANKRUPT and judged > 0:
        return False
    return self.is_liquidatable(judged, maintenance)


@internal
@pure
def keeps_part(equity: int256, maintenance: uint256) -> bool:
    """
    @notice Whether a liquidation takes off just enough, instead of closing all: equity is at least
            two thirds of maintenance margin. Both in femto.
    """
    return unsafe_mul(equity, 3) >= convert(unsafe_mul(maintenance, 2), int256)


@internal
@pure
def is_large(size: uint256, price: uint256, terms: words.LiquidationTerms) -> bool:
    """
    @notice Whether a position is large enough to keep a part.
    """
    return unsafe_mul(size, price) > unsafe_mul(terms.partial_above, fixed_point.FEMTO)


@internal
@pure
def buffered(maintenance: uint256, buffer: uint256) -> uint256:
    """
    @notice The equity that a partial liquidation restores: maintenance margin and the buffer (ppm)
            above it, in femto, up.
    """
    return fixed_point.div_up(
        unsafe_mul(maintenance, unsafe_add(fixed_point.PPM, buffer)), fixed_point.PPM
    )


@internal
@pure
def partial_size(
    equity: int256,
    size: uint256,
    price: uint256,
    tiers: margin_math.Tiers,
    terms: words.LiquidationTerms,
) -> uint256:
    """
    @notice The fewest lots whose closing, at the price and for the penalty, leaves equity of at least
            maintenance margin and buffer of the rest: the maximum over the tiers k of
            ((1 + buffer) * MM_k - equity) / (price * ((1 + buffer) * mmr_k - penalty)), up.
    @dev MM_k = mmr_k * notional - d_k is the line of tier k; its deduction follows from the floors.
         Lines of tiers that the notional does not reach lie below the others. All of it where
         closing costs as much as it relieves.
    @param equity In femto, less what must back anything else. `PART_ROUNDING` of it is spared.
    @param price Mark, femto per lot, not zero.
    """
    notional: uint256 = unsafe_mul(size, price)
    scale: uint256 = unsafe_add(fixed_point.PPM, terms.buffer)
    held: int256 = unsafe_mul(
        unsafe_sub(equity, PART_ROUNDING), convert(fixed_point.PPM * fixed_point.PPM, int256)
    )
    rate: uint256 = tiers.maintenance_rate
    deduction: uint256 = 0  # femto * ppm
    lots: uint256 = 0
    for i: uint256 in range(margin_math.TAIL_TIERS + 1):
        if i != 0:
            tier: words.Tier = margin_math.tier_at(tiers, unsafe_sub(i, 1))
            threshold: uint256 = unsafe_mul(tier.floor, fixed_point.THOUSAND_USD)
            if tier.floor == 0 or notional <= threshold:
                break
            deduction = unsafe_add(
                deduction, unsafe_mul(unsafe_sub(tier.maintenance_rate, rate), threshold)
            )
            rate = tier.maintenance_rate
        relief: uint256 = unsafe_mul(scale, rate)
        cost: uint256 = unsafe_mul(terms.penalty, fixed_point.PPM)
        if relief <= cost:
            return size
        line: uint256 = unsafe_sub(unsafe_mul(rate, notional), deduction)
        missing: int256 = unsafe_sub(convert(unsafe_mul(scale, line), int256), held)
        if missing > 0:
            lots = max(
                lots,
                fixed_point.div_up(
                    convert(missing, uint256), unsafe_mul(unsafe_sub(relief, cost), price)
                ),
            )
    return min(lots, size)


@internal
@pure
def closing_size(
    equity: int256,
    size: uint256,
    price: uint256,
    tiers: margin_math.Tiers,
    terms: words.LiquidationTerms,
    least: uint256,
) -> uint256:
    """
    @notice How many lots a liquidation closes of a position that may keep a part: just enough, or all
            of one that is small, or whose rest would be. A part is no smaller than a position may be,
            so that its penalty bears the keeper's floor.
    @param least Lots, the least a position may have.
    """
    if not self.is_large(size, price, terms):
        return size
    lots: uint256 = max(self.partial_size(equity, size, price, tiers, terms), least)
    if unsafe_add(lots, least) > size:
        return size
    return lots


@internal
@pure
def split_penalty(
    equity: int256, notional: uint256, terms: words.LiquidationTerms
) -> (uint256, uint256, uint256):
    """
    @notice What a liquidated position pays, in quote units.
    @dev The penalty (up, against the account) shrinks to what equity there is. The keeper's part
         is clamped between floor and cap and comes out of the penalty first.
    @param equity What is left at the mark price, quote.
    @param notional At the mark price, femto.
    @return The penalty taken, the keeper's part of it, and what insurance adds, as far as it
            reaches, so that the keeper gets the floor also where the price jumped past it.
    """
    full: uint256 = fixed_point.div_up(
        notional * terms.penalty, fixed_point.PPM * fixed_point.FEMTO
    )
    penalty: uint256 = 0
    if equity > 0:
        penalty = min(full, convert(equity, uint256))
    reward: uint256 = min(
        max(full * terms.keeper_share // fixed_point.PPM, terms.keeper_floor), terms.keeper_cap
    )
    from_penalty: uint256 = min(reward, penalty)
    least: uint256 = min(min(reward, terms.keeper_floor), full)
    return penalty, from_penalty, least - min(least, from_penalty)


@internal
@pure
def shrink_charges(
    shortfall: uint256, fee: uint256, impact: uint256, keeper_fee: uint256
) -> (uint256, uint256, uint256, uint256):
    """
    @notice What is forgiven when the last of an account's or a vault's money does not cover a
            close: insurance pays for price only, so every charge goes before a deficit exists.
            The trading fee goes first, then the impact, then the keeper's fee. All in quote units.
    @return The fee, the impact and the keeper's fee forgiven, and the deficit that is left.
    """
    left: uint256 = shortfall
    fee_cut: uint256 = min(left, fee)
    left -= fee_cut
    impact_cut: uint256 = min(left, impact)
    left -= impact_cut
    keeper_cut: uint256 = min(left, keeper_fee)
    return fee_cut, impact_cut, keeper_cut, left - keeper_cut


@internal
@pure
def excess_owed(owed: int256, pool_cash: int256, pool_share: uint256) -> uint256:
    """
    @notice What deleveraging may take off a market, in femto, exact: what it owes beyond 90 % of its
            share of pool cash; nothing as long as it owes no more than the share.
    @param owed To all its traders together, femto.
    @param pool_cash Quote units; below zero there is nothing to share.
    @param pool_share In ppm.
    """
    share: uint256 = unsafe_mul(
        unsafe_mul(convert(max(pool_cash, 0), uint256), pool_share),
        fixed_point.FEMTO // fixed_point.PPM,
    )
    if owed <= convert(share, int256):
        return 0
    return unsafe_sub(convert(owed, uint256), unsafe_div(unsafe_mul(share, STOP), fixed_point.PPM))


@internal
@pure
def deleveraging_rank(
    profit: int256, size: uint256, side_profit: int256, side_size: uint256
) -> uint256:
    """
    @notice A position's profit per lot against its side's average, in ppm, down: from 1,000,000 on it
            may be deleveraged. 0 where either has no profit.
    @param profit The position's value, femto; its size is not zero where there is one.
    @param side_profit What the side is owed, femto.
    """
    if profit <= 0 or side_profit <= 0:
        return 0
    return unsafe_div(
        unsafe_mul(unsafe_mul(convert(profit, uint256), side_size), fixed_point.PPM),
        unsafe_mul(convert(side_profit, uint256), size),
    )


@internal
@pure
def deleveraged_size(
    size: uint256,
    exposed: uint256,
    profit: uint256,
    excess: uint256,
    owed: uint256,
    left: uint256,
    least: uint256,
) -> uint256:
    """
    @notice How many lots one call may take off a position in profit, down: the share of what is
            exposed that the excess is of what is owed, worth no more than what is left of the excess,
            and all, or leaving the least a position may have.
    @param exposed Lots that no other leg of a pair hedges.
    @param profit The whole position's, femto, positive as `owed` is.
    @param left Of the excess, femto.
    @param least Lots.
    """
    lots: uint256 = min(
        unsafe_div(unsafe_mul(exposed, excess), owed), unsafe_div(unsafe_mul(size, left), profit)
    )
    if lots >= size:
        return size
    return min(lots, unsafe_sub(size, min(size, least)))
