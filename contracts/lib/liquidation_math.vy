# pragma version 0.4.3
"""
@title The arithmetic of a liquidation
@license MIT
@notice When, and who gets what. At which prices: `price_bounds`.
"""

from . import fixed_point
from . import words


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
