"""Every bound that keeps a market from being milked: `modules/market_bounds.vy`."""

from collections.abc import Sequence

from bulkhead.listings import Terms, TierTerms
from bulkhead.protocol import words
from bulkhead.protocol.fixed_point import PPM, div_up
from bulkhead.simulate.guards import require

MAX_TAKER_FEE = 10_000  # 1 %
MAX_POOL_SHARES = 900_000  # 90 %, over all markets
MAX_FUNDING_RATE = 500_000  # 50 % a day, what the market word holds
MIN_LOT_PRICE = 10**11  # femto: 0.0001 USD
MAX_LOT_PRICE = 10**15  # femto: 1 USD
FUNDING_DAYS = 3_650  # the index must bear the maximum rate this long
MAX_SINGLE_FLOOR = 2**16 - 1  # thousand USD, the second tier's


def check_terms(terms: Terms, price: int) -> None:
    """The bounds that need no tier.

    Together with the tiers' they keep every cycle of trade, liquidate, trade at a loss: no impact
    that liquidations skip is worth the penalty that insurance keeps.

    Args:
        terms: A market's.
        price: Femto per lot.
    """
    require(terms.taker_fee <= MAX_TAKER_FEE, "fee: too high")
    require(terms.maker_fee <= terms.taker_fee, "fee: maker above taker")
    require(terms.insurance_share + terms.treasury_share <= PPM, "fee: shares above all of it")
    require(0 < terms.skew_scale <= words.MAX_SIZE, "skew: bad scale")
    require(terms.skew_cap <= terms.side_cap, "cap: skew above side")
    require(0 < terms.min_notional < 2**16, "size: bad minimum")
    require(terms.pool_share <= PPM, "pool: bad share")
    require(0 < terms.reserve_rate <= PPM, "pool: bad reserve")
    require(terms.max_funding_rate <= MAX_FUNDING_RATE, "funding: rate too high")
    require(
        terms.max_funding_rate * FUNDING_DAYS * price <= words.MAX_INDEX * PPM,
        "funding: index out of range",
    )
    require(terms.funding_velocity < 2**28, "funding: velocity too high")
    require(terms.penalty <= PPM, "penalty: too high")
    require(terms.keeper_share <= PPM, "keeper: bad share")
    require(terms.keeper_floor <= terms.keeper_cap, "keeper: floor above cap")
    require(terms.keeper_cap < 2**40, "keeper: cap too high")
    require(terms.buffer <= PPM, "liquidation: bad buffer")
    require(terms.partial_above <= words.MAX_NOTIONAL, "liquidation: bad threshold")
    # What a keeper may get of the smallest position's penalty, in ppm of its notional.
    kept = max(
        terms.penalty * terms.keeper_share // PPM, div_up(terms.keeper_floor, terms.min_notional)
    )
    require(kept <= terms.penalty, "keeper: floor above penalty")
    insured = terms.penalty - kept
    require(terms.taker_fee <= insured, "fee: above insured penalty")
    require(terms.side_cap <= insured, "cap: above insured penalty")
    # One side full and the other empty must still leave the drift inside its word.
    require(
        terms.funding_velocity * terms.side_cap <= words.MAX_DRIFT, "funding: velocity too high"
    )


def check_against_rate(side_cap: int, penalty: int, buffer: int, maintenance_rate: int) -> None:
    """The bounds of terms against the lowest maintenance rate; all ppm."""
    require(2 * side_cap <= maintenance_rate, "cap: above half maintenance")
    require(2 * penalty <= maintenance_rate, "penalty: above half maintenance")
    require((PPM + buffer) * maintenance_rate > 2 * penalty * PPM, "liquidation: buffer too small")


def check_tiers(tiers: Sequence[TierTerms]) -> None:
    """Tiers must rise, so that the requirements are convex."""
    require(len(tiers) != 0, "tier: none")
    for place, tier in enumerate(tiers):
        require(
            tier.maintenance_rate != 0 and max(tier.maintenance_rate, tier.initial_rate) <= PPM,
            "tier: bad rate",
        )
        require(2 * tier.initial_rate >= 3 * tier.maintenance_rate, "tier: initial below 1.5 times")
        if place == 0:
            require(tier.floor == 0, "tier: bad floor")
            continue
        below = tiers[place - 1]
        require(below.floor < tier.floor < 2**24, "tier: bad floor")
        require(place != 1 or tier.floor <= MAX_SINGLE_FLOOR, "tier: bad floor")
        require(
            tier.maintenance_rate >= below.maintenance_rate
            and tier.initial_rate >= below.initial_rate,
            "tier: rates must rise",
        )
