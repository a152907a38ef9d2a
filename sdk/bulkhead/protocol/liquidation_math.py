"""The arithmetic of a liquidation: when, at which prices, and who gets what."""

from bulkhead.protocol.fixed_point import (
    FEMTO,
    PPM,
    THOUSAND_USD,
    div_up,
    signed_div_down,
    signed_div_up,
)
from bulkhead.protocol.margin_math import TAIL_TIERS, Tiers, tier_at
from bulkhead.protocol.words import LiquidationTerms

NO_PRICE = 2**256 - 1


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
    return penalty, from_penalty, max(min(reward, terms.keeper_floor) - from_penalty, 0)


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


def liquidation_prices(
    long_size: int, short_size: int, constant_equity: int, tiers: Tiers
) -> tuple[int, int]:
    """The prices at which an account becomes liquidatable in one market, all else standing still.

    Equity is (long - short) * price + constant_equity, the requirement is the ceiling of
    max_k(rate_k * max(long, short) * price - deduction_k) / 1e6. So it is liquidatable where, for
    any tier, (rate_k * larger - 1e6 * net) * price >= deduction_k + 1e6 * (constant - 1) + 1: a
    lower bound on the price where the factor is positive, an upper one where it is negative.

    Args:
        long_size: Lots.
        short_size: Lots.
        constant_equity: Femto: all equity that does not move with the price, less the maintenance
            margin of other markets.
        tiers: The market's.

    Returns:
        Liquidatable at or below the first, at or above the second, exactly. Zero for the first and
        `NO_PRICE` for the second where there is none.
    """
    net = long_size - short_size
    larger = max(long_size, short_size)
    base = PPM * (constant_equity - 1) + 1
    rate = tiers.maintenance_rate
    deduction = 0
    lower = 0
    upper = NO_PRICE
    for index in range(TAIL_TIERS + 1):
        factor = rate * larger - PPM * net
        bound = deduction + base
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


def bankruptcy_price(long_size: int, short_size: int, constant_equity: int) -> int:
    """The last price at which equity is not negative.

    Up where the long leg is the larger, down where the short is.

    Args:
        long_size: Lots.
        short_size: Lots.
        constant_equity: Femto: all equity that does not move with the price.

    Returns:
        Femto per lot; `NO_PRICE` for a pair that is fully hedged.
    """
    net = long_size - short_size
    if net == 0:
        return NO_PRICE
    if net > 0:
        return max(0, signed_div_up(-constant_equity, net))
    return max(0, signed_div_down(constant_equity, -net))
