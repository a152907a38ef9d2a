# pragma version 0.4.3
"""
@title The arithmetic of a liquidation
@license MIT
@notice When, at which prices, and who gets what.
"""

from . import fixed_point
from . import margin_math
from . import words

NO_PRICE: constant(uint256) = max_value(uint256)


@internal
@pure
def is_liquidatable(equity: int256, maintenance: uint256) -> bool:
    """
    @notice Whether maintenance margin is due and not below equity. Both in the same unit.
    """
    return maintenance > 0 and convert(maintenance, int256) >= equity


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
    least: uint256 = min(reward, terms.keeper_floor)
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
def liquidation_prices(
    long_size: uint256, short_size: uint256, constant_equity: int256, tiers: margin_math.Tiers
) -> (uint256, uint256):
    """
    @notice The prices at which an account becomes liquidatable in one market, all else standing
            still: at or below the first, at or above the second. In closed form and exact.
    @dev Equity is (long - short) * price + constant_equity, the requirement is the ceiling of
         max_k(rate_k * max(long, short) * price - deduction_k) / 1e6. So it is liquidatable where,
         for any tier, (rate_k * larger - 1e6 * net) * price >= deduction_k + 1e6 * (constant - 1) + 1:
         a lower bound on the price where the factor is positive, an upper one where it is negative.
    @param constant_equity Femto: all equity that does not move with the price, less the
           maintenance margin of other markets.
    @return Zero for the first and `NO_PRICE` for the second where there is none.
    """
    net: int256 = convert(long_size, int256) - convert(short_size, int256)
    larger: int256 = convert(max(long_size, short_size), int256)
    ppm: int256 = convert(fixed_point.PPM, int256)
    base: int256 = ppm * (constant_equity - 1) + 1
    rate: uint256 = tiers.maintenance_rate
    deduction: uint256 = 0
    lower: int256 = 0
    upper: int256 = max_value(int256)
    for i: uint256 in range(margin_math.TAIL_TIERS + 1):
        factor: int256 = convert(rate, int256) * larger - ppm * net
        bound: int256 = convert(deduction, int256) + base
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
    if upper == max_value(int256):
        return convert(lower, uint256), NO_PRICE
    return convert(lower, uint256), convert(upper, uint256)


@internal
@pure
def bankruptcy_price(
    long_size: uint256, short_size: uint256, constant_equity: int256
) -> uint256:
    """
    @notice The last price at which equity is not negative: up where the long leg is the larger,
            down where the short is. `NO_PRICE` for a pair that is fully hedged.
    """
    net: int256 = convert(long_size, int256) - convert(short_size, int256)
    if net == 0:
        return NO_PRICE
    if net > 0:
        return convert(
            max(0, fixed_point.signed_div_up(-constant_equity, net)), uint256
        )
    return convert(max(0, fixed_point.signed_div_down(constant_equity, -net)), uint256)
