# pragma version 0.4.3
"""
@title Market bounds
@license MIT
@notice Every bound that keeps a market from being milked, asserted at listing and at every change.
"""

from ..interfaces import IMarkets
from ..lib import fixed_point
from ..lib import words

MAX_TIERS: constant(uint256) = 8
MAX_TAKER_FEE: constant(uint256) = 10_000  # 1 %
MAX_POOL_SHARES: constant(uint256) = 900_000  # 90 %, over all markets
MAX_FUNDING_RATE: constant(uint256) = 500_000  # 50 % a day, what the market word holds
MIN_LOT_PRICE: constant(uint256) = 10**11  # femto: 0.0001 USD
MAX_LOT_PRICE: constant(uint256) = 10**15  # femto: 1 USD
FUNDING_DAYS: constant(uint256) = 3_650  # the index must bear the maximum rate this long
MAX_SINGLE_FLOOR: constant(uint256) = 2**16 - 1  # thousand USD, the second tier's


@internal
@pure
def _check_terms(terms: IMarkets.Terms, price: uint256):
    """
    @notice The bounds that need no tier. Together with the tiers' they keep every cycle of trade,
            liquidate, trade at a loss: no impact that liquidations skip is worth the penalty that
            insurance keeps.
    """
    assert terms.taker_fee <= MAX_TAKER_FEE, "fee: too high"
    assert terms.maker_fee <= terms.taker_fee, "fee: maker above taker"
    assert terms.insurance_share <= fixed_point.PPM and (
        terms.treasury_share <= fixed_point.PPM - terms.insurance_share
    ), "fee: shares above all of it"
    assert terms.skew_scale != 0 and terms.skew_scale <= words.MAX_SIZE, "skew: bad scale"
    assert terms.skew_cap <= terms.side_cap, "cap: skew above side"
    assert terms.min_notional != 0 and terms.min_notional < 2**16, "size: bad minimum"
    assert terms.pool_share <= fixed_point.PPM, "pool: bad share"
    assert terms.reserve_rate != 0 and terms.reserve_rate <= fixed_point.PPM, "pool: bad reserve"
    assert terms.max_funding_rate <= MAX_FUNDING_RATE, "funding: rate too high"
    assert terms.max_funding_rate * FUNDING_DAYS * price <= (
        convert(words.MAX_INDEX, uint256) * fixed_point.PPM
    ), "funding: index out of range"
    assert terms.funding_velocity < 2**28, "funding: velocity too high"
    assert terms.penalty <= fixed_point.PPM, "penalty: too high"
    assert terms.keeper_share <= fixed_point.PPM, "keeper: bad share"
    assert terms.keeper_floor <= terms.keeper_cap, "keeper: floor above cap"
    assert terms.keeper_cap < 2**40, "keeper: cap too high"
    assert terms.buffer <= fixed_point.PPM, "liquidation: bad buffer"
    assert terms.partial_above <= words.MAX_NOTIONAL, "liquidation: bad threshold"
    # What a keeper may get of the smallest position's penalty, in ppm of its notional.
    kept: uint256 = max(
        terms.penalty * terms.keeper_share // fixed_point.PPM,
        fixed_point.div_up(terms.keeper_floor, terms.min_notional),
    )
    assert kept <= terms.penalty, "keeper: floor above penalty"
    insured: uint256 = terms.penalty - kept
    assert terms.taker_fee <= insured, "fee: above insured penalty"
    assert terms.side_cap <= insured, "cap: above insured penalty"
    # One side full and the other empty must still leave the drift inside its word.
    assert terms.funding_velocity * terms.side_cap <= convert(words.MAX_DRIFT, uint256), (
        "funding: velocity too high"
    )


@internal
@pure
def _check_against_rate(
    side_cap: uint256, penalty: uint256, buffer: uint256, maintenance_rate: uint256
):
    """
    @notice The bounds of terms against the lowest maintenance rate: the first tier's, while it is on
            its way the lower of where it began and where it ends.
    """
    assert 2 * side_cap <= maintenance_rate, "cap: above half maintenance"
    assert 2 * penalty <= maintenance_rate, "penalty: above half maintenance"
    assert (fixed_point.PPM + buffer) * maintenance_rate > 2 * penalty * fixed_point.PPM, (
        "liquidation: buffer too small"
    )


@internal
@pure
def _check_tiers(tiers: DynArray[IMarkets.Tier, MAX_TIERS]) -> (uint256, uint256):
    """
    @notice Tiers must rise, so that the requirements are convex.
    @return The two words of the tiers above the first.
    """
    assert len(tiers) != 0, "tier: none"
    first: uint256 = 0
    second: uint256 = 0
    for i: uint256 in range(MAX_TIERS):
        if i == len(tiers):
            break
        tier: IMarkets.Tier = tiers[i]
        assert (
            tier.maintenance_rate != 0
            and max(tier.maintenance_rate, tier.initial_rate) <= fixed_point.PPM
        ), "tier: bad rate"
        assert 2 * tier.initial_rate >= 3 * tier.maintenance_rate, "tier: initial below 1.5 times"
        if i == 0:
            assert tier.floor == 0, "tier: bad floor"
            continue
        below: IMarkets.Tier = tiers[i - 1]
        assert tier.floor > below.floor and tier.floor < 2**24, "tier: bad floor"
        assert i != 1 or tier.floor <= MAX_SINGLE_FLOOR, "tier: bad floor"
        assert tier.maintenance_rate >= below.maintenance_rate and (
            tier.initial_rate >= below.initial_rate
        ), "tier: rates must rise"
        packed: uint256 = words.pack_tier(
            words.Tier(
                floor=tier.floor,
                maintenance_rate=tier.maintenance_rate,
                initial_rate=tier.initial_rate,
            )
        )
        if i <= 4:
            first |= packed << (64 * (i - 1))
        else:
            second |= packed << (64 * (i - 5))
    return first, second
