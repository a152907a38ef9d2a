from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.listings import BTC, DEMO_LISTINGS, Listing
from bulkhead.markets import Market
from bulkhead.protocol.words import LiquidationTerms, Tier, TradeTerms


def market_with(lot_size: int) -> Market:
    return Market(
        id=0,
        symbol="TEST",
        lot_size=lot_size,
        terms=TradeTerms(**dict.fromkeys(TradeTerms.__slots__, 0)),
        liquidation_terms=LiquidationTerms(**dict.fromkeys(LiquidationTerms.__slots__, 0)),
        tiers=(Tier(0, 5_000, 10_000), Tier(1_000, 10_000, 20_000)),
    )


BITCOIN = market_with(BTC.lot_size_wad)


def test_a_size_becomes_lots() -> None:
    assert BITCOIN.lots_exact("0.1") == 10**7
    assert BITCOIN.size_of(10**7) == Decimal("0.1")


def test_a_part_of_a_lot_is_refused_or_dropped() -> None:
    with pytest.raises(ValueError, match="size: not a whole number of lots"):
        BITCOIN.lots_exact("0.000000015")
    assert BITCOIN.lots_down("0.000000019") == 1


def test_a_size_has_no_sign() -> None:
    with pytest.raises(ValueError, match="size: negative"):
        BITCOIN.lots_down(-1)


def test_a_price_is_femto_per_lot() -> None:
    # 100,000 USD a BTC is 0.001 USD a lot.
    assert BITCOIN.price_exact(100_000) == 10**12
    assert BITCOIN.price_of(10**12) == 100_000


def test_a_worst_price_never_becomes_worse() -> None:
    price = Decimal("100000.00000000123")
    assert BITCOIN.price_of(BITCOIN.acceptable_price(price, is_buy=True)) <= price
    assert BITCOIN.price_of(BITCOIN.acceptable_price(price, is_buy=False)) >= price


@pytest.mark.parametrize("number", [1.5, 0.1])
def test_floats_are_refused(number: float) -> None:
    with pytest.raises(TypeError, match="not exact money"):
        BITCOIN.lots_down(number)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not exact money"):
        BITCOIN.price_down(number)  # type: ignore[arg-type]


@given(st.integers(1, 2**64 - 1), st.integers(1, 2**79))
def test_prices_survive_the_way_out_and_back(femto: int, lot_size: int) -> None:
    market = market_with(lot_size)
    price = market.price_of(femto)
    assert market.price_down(price) in (femto, femto - 1)
    assert market.price_up(price) in (femto, femto + 1)


@given(st.integers(0, 2**56 - 1), st.integers(1, 2**79))
def test_sizes_survive_the_way_out_and_back(lots: int, lot_size: int) -> None:
    market = market_with(lot_size)
    assert market.lots_exact(market.size_of(lots)) == lots


@pytest.mark.parametrize("listing", DEMO_LISTINGS, ids=lambda listing: str(listing.symbol))
def test_a_lot_of_a_demo_market_is_worth_what_listing_asks(listing: Listing) -> None:
    worth = listing.price * listing.lot_size
    assert Decimal("0.0001") <= worth <= 1
    # Room for the price to fall and rise tenfold.
    assert Decimal("0.0001") <= worth / 10
    assert worth * 10 <= 1


@pytest.mark.parametrize("listing", DEMO_LISTINGS, ids=lambda listing: str(listing.symbol))
def test_a_demo_market_has_four_tiers_that_rise(listing: Listing) -> None:
    assert len(listing.tiers) == 4
    assert list(listing.tiers) == sorted(listing.tiers)
    assert all(2 * tier.initial_rate >= 3 * tier.maintenance_rate for tier in listing.tiers)
