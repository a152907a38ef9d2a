"""The arithmetic of a liquidation: when, and who gets what. At which prices: `price_bounds`."""

from bulkhead.protocol.fixed_point import FEMTO, PPM, div_up
from bulkhead.protocol.words import LiquidationTerms


def is_liquidatable(equity: int, maintenance: int) -> bool:
    """Whether maintenance margin is due and not below equity. Both in the same unit."""
    return maintenance > 0 and maintenance >= equity


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
