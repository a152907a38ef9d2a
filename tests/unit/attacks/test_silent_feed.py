"""Feeds may be replaced, but never so that a price or a silence turns into another."""

import pytest

from tests.helpers.chain import Contract, advance, now, refused
from tests.helpers.protocol import ISOLATED, PPM, SOL, USD, WAD, Market, Protocol, terms_named

LOTS = 10**7  # 0.1 BTC, 5,000 USD
LOT = 10**10  # WAD base units: 1e-8
HOUR = 3_600  # also how long a price lives
DAY = 86_400


@pytest.fixture
def skewed(protocol: Protocol, trader: str) -> Protocol:
    """One long and no short, so that funding accrues."""
    protocol.deposit(trader, 10_000 * USD)
    protocol.trade(trader, 0, LOTS, margin_mode=ISOLATED, leverage=2 * PPM)
    return protocol


def set_published(protocol: Protocol, market: int, lot_size: int, max_age: int) -> None:
    protocol.oracle.send(protocol.owner, "set_published_feed", market, lot_size, 60, max_age)


def set_chainlink(protocol: Protocol, market: int, max_age: int) -> Contract:
    aggregator = Contract("mocks/MockAggregator", 8)
    protocol.oracle.send(
        protocol.owner, "set_chainlink_feed", market, LOT, 60, max_age, aggregator.address
    )
    return aggregator


# Silence


@pytest.mark.parametrize("max_age", [60, HOUR - 1, HOUR + 1, DAY, 10 * DAY])
def test_a_silent_price_gets_no_other_life(skewed: Protocol, max_age: int) -> None:
    """A longer one would charge the longs for a silence, a shorter one turn the clock back."""
    advance(DAY)
    accrued, live = skewed.accrued(0), skewed.price(0)
    for change in (
        lambda: set_published(skewed, 0, LOT, max_age),
        lambda: set_chainlink(skewed, 0, max_age),
    ):
        with refused("feed: silent"):
            change()
    assert (skewed.accrued(0), skewed.price(0)) == (accrued, live)


def test_a_life_that_would_already_be_over_is_refused(skewed: Protocol) -> None:
    advance(skewed.price(0).published_at + 600 - now())
    with skewed.anchored():
        set_published(skewed, 0, LOT, 600)
        assert skewed.price(0).max_age == 600
    advance(1)
    with refused("feed: silent"):
        set_published(skewed, 0, LOT, 600)


def test_a_life_may_change_up_to_its_last_second(skewed: Protocol) -> None:
    advance(skewed.price(0).published_at + HOUR - now())
    with skewed.anchored():
        set_published(skewed, 0, LOT, DAY)
        assert skewed.price(0).max_age == DAY
    advance(1)
    with refused("feed: silent"):
        set_published(skewed, 0, LOT, DAY)


def test_a_silent_feed_is_replaced_and_funding_goes_on_where_it_stood(
    skewed: Protocol, trader: str
) -> None:
    advance(DAY)
    stood = skewed.accrued(0)
    aggregator = set_chainlink(skewed, 0, HOUR)
    assert skewed.accrued(0) == stood
    aggregator.send(trader, "set_answer", 50_000 * 10**8, now())
    skewed.oracle.send(trader, "update", 0, b"")
    assert skewed.accrued(0).funding_index == stood.funding_index
    set_published(skewed, 0, LOT, 2 * HOUR)
    skewed.trade(trader, 0, 0, is_buy=False, reduce_only=True, margin_mode=ISOLATED)


def test_a_feed_without_a_price_gets_any_life(protocol: Protocol) -> None:
    set_published(protocol, 3, LOT, HOUR)
    advance(DAY)
    set_published(protocol, 3, LOT, DAY)
    assert protocol.price(3).max_age == DAY


# Lots


def test_an_unlisted_market_may_get_other_lots_and_forgets_its_price(protocol: Protocol) -> None:
    set_published(protocol, 3, LOT, HOUR)
    advance(1)
    protocol.publish(3, 50_000)
    assert protocol.price(3).price == 5 * 10**11
    set_published(protocol, 3, 2 * LOT, HOUR)
    assert protocol.oracle.read("lot_size", 3) == 2 * LOT
    price = protocol.price(3)
    assert (price.price, price.published_at, price.silence) == (0, 0, 0)
    with refused("price: not live"):
        protocol.clearinghouse.send(
            protocol.owner, "list_market", "NEW-PERP", terms_named(), SOL.tiers
        )
    advance(1)
    protocol.publish(3, 50_000)
    assert protocol.price(3).price == 10**12


def test_lots_forgotten_in_a_silence_take_its_life_along(protocol: Protocol) -> None:
    set_published(protocol, 3, LOT, HOUR)
    advance(1)
    protocol.publish(3, 50_000)
    advance(DAY)
    with refused("feed: silent"):
        set_published(protocol, 3, LOT, DAY)
    set_published(protocol, 3, LOT + 1, DAY)
    assert (protocol.price(3).price, protocol.price(3).max_age) == (0, DAY)


def test_a_listed_market_keeps_its_lots(protocol: Protocol) -> None:
    before = protocol.oracle.read("price_word", 0)
    for lot_size in (1, LOT - 1, LOT + 1, 2 * LOT, 2**80 - 1):
        with refused("lot: size is fixed"):
            set_published(protocol, 0, lot_size, HOUR)
    assert protocol.oracle.read("price_word", 0) == before
    number = protocol.list_market(Market("NEW-PERP", 100, 10**5))
    with refused("lot: size is fixed"):
        set_published(protocol, number, WAD // 10**4, HOUR)


# Aggregators


def test_an_address_that_tells_no_decimals_is_no_aggregator(protocol: Protocol) -> None:
    before = protocol.oracle.read("price_word", 0)
    addresses = [
        protocol.attacker,
        protocol.clearinghouse.address,
        protocol.book.address,
        protocol.oracle.address,
        *["0x" + f"{number:040x}" for number in (0, 1, 4, 0xDEAD)],
    ]
    for address in addresses:
        for market in (0, 3):
            with refused("feed: bad aggregator"):
                protocol.oracle.send(
                    protocol.owner, "set_chainlink_feed", market, LOT, 60, HOUR, address
                )
    assert protocol.oracle.read("price_word", 0) == before
    assert protocol.oracle.read("lot_size", 3) == 0


def test_a_precompile_that_answers_a_word_is_refused_for_its_decimals(protocol: Protocol) -> None:
    sha256 = "0x" + f"{2:040x}"
    with refused("feed: bad decimals"):
        protocol.oracle.send(protocol.owner, "set_chainlink_feed", 3, LOT, 60, HOUR, sha256)
