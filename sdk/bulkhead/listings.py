"""What a market is listed with, and the markets of the demo."""

from decimal import Decimal
from typing import NamedTuple

from bulkhead.values import to_wad


class Terms(NamedTuple):
    """A market's terms in the contract's own order and units; rates are ppm."""

    taker_fee: int = 500  # of notional
    maker_fee: int = 200  # of notional
    insurance_share: int = 100_000  # of the fee
    treasury_share: int = 200_000  # of the fee
    skew_scale: int = 10**13  # lots
    skew_cap: int = 1_000  # of skew_scale
    side_cap: int = 1_250  # of skew_scale
    min_notional: int = 10  # USD
    pool_share: int = 100_000  # of pool cash
    reserve_rate: int = 300_000  # of |skew| * price
    funding_velocity: int = 9_000_000  # ppm per day per day
    max_funding_rate: int = 10_000  # ppm per day
    penalty: int = 2_500  # of notional
    keeper_share: int = 500_000  # of the penalty
    keeper_floor: int = 12_500  # quote
    keeper_cap: int = 100_000_000  # quote
    buffer: int = 200_000  # of maintenance margin
    partial_above: int = 10_000_000_000  # quote


class TierTerms(NamedTuple):
    """Margin rates from a notional on."""

    floor: int  # thousands of USD
    maintenance_rate: int  # ppm
    initial_rate: int  # ppm


class Listing(NamedTuple):
    """All that listing a market takes.

    Attributes:
        symbol: Its unique name.
        lot_size: Base units per lot.
        price: USD per base unit, the first one where prices are published.
        terms: Fees, caps, funding, liquidation.
        tiers: Margin rates by notional.
        trade_age: Seconds a price may be old to fill or liquidate.
        max_age: Seconds a price may be old to count as live.
        keeper_fee: Quote, what executing an order pays.
        delay: Seconds from an order's commit to the first price that may fill it.
        window: Seconds a market order may fill after that.
        max_order_age: Seconds any other order may rest; 0 for as long as it likes.
    """

    symbol: str
    lot_size: Decimal
    price: Decimal
    terms: Terms
    tiers: tuple[TierTerms, ...]
    trade_age: int = 60
    max_age: int = 3_600
    keeper_fee: int = 200_000
    delay: int = 2
    window: int = 60
    max_order_age: int = 0

    @property
    def lot_size_wad(self) -> int:
        """WAD base units per lot."""
        return to_wad(self.lot_size, "lot size")


def tiers_of(*floors: int, maintenance_rate: int) -> tuple[TierTerms, ...]:
    """Four tiers whose maintenance rate doubles, and then some, at each floor.

    Args:
        floors: Thousands of USD, of the second to the fourth tier.
        maintenance_rate: ppm, of the first; initial margin is twice the maintenance margin.
    """
    rates = (maintenance_rate * factor for factor in (1, 2, 5, 10))
    return tuple(
        TierTerms(floor, rate, 2 * rate) for floor, rate in zip((0, *floors), rates, strict=True)
    )


BTC = Listing(
    symbol="BTC-PERP",
    lot_size=Decimal("1e-8"),
    price=Decimal(100_000),
    # A side may grow to 200 BTC; the largest premium is 0.1 %.
    terms=Terms(skew_scale=160_000 * 10**8, pool_share=250_000),
    tiers=tiers_of(1_000, 5_000, 20_000, maintenance_rate=5_000),
)
ETH = Listing(
    symbol="ETH-PERP",
    lot_size=Decimal("1e-6"),
    price=Decimal(4_000),
    terms=Terms(skew_scale=4_000_000 * 10**6, pool_share=250_000),
    tiers=tiers_of(500, 2_500, 10_000, maintenance_rate=5_000),
)
SOL = Listing(
    symbol="SOL-PERP",
    lot_size=Decimal("1e-5"),
    price=Decimal(200),
    terms=Terms(
        taker_fee=600,
        skew_scale=10_000_000 * 10**5,
        skew_cap=2_000,
        side_cap=2_500,
        pool_share=100_000,
        penalty=5_000,
    ),
    tiers=tiers_of(250, 1_000, 4_000, maintenance_rate=10_000),
)
LINK = Listing(
    symbol="LINK-PERP",
    lot_size=Decimal("1e-4"),
    price=Decimal(20),
    terms=Terms(
        taker_fee=700,
        skew_scale=25_000_000 * 10**4,
        skew_cap=2_000,
        side_cap=2_500,
        pool_share=50_000,
        penalty=5_000,
    ),
    tiers=tiers_of(100, 400, 1_500, maintenance_rate=10_000),
)
DOGE = Listing(
    symbol="DOGE-PERP",
    lot_size=Decimal("1e-2"),
    price=Decimal("0.2"),
    terms=Terms(
        taker_fee=800,
        skew_scale=1_500_000_000 * 10**2,
        skew_cap=4_000,
        side_cap=5_000,
        pool_share=50_000,
        penalty=10_000,
    ),
    tiers=tiers_of(50, 200, 800, maintenance_rate=20_000),
)

DEMO_LISTINGS = (BTC, ETH, SOL, LINK, DOGE)
"""Markets for local chains: they leave 30 % of the pool to others."""
