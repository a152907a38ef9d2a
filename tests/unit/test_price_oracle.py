"""Prices from publishers, each in its own word, and how feeds are set."""

import pytest
from eth_abi.abi import encode

from bulkhead.protocol import words
from tests.helpers.chain import Contract, advance, now, refused
from tests.helpers.feeds import LOT, publish
from tests.helpers.protocol import WAD, Protocol

MOST = 2**256 - 1


# Published feeds


def test_a_published_price_has_its_word(protocol: Protocol) -> None:
    advance(10)
    receipt = publish(protocol, 51_234 * WAD, now() - 3)
    event = receipt.event("PriceUpdated")
    assert event.market == 0
    assert receipt.result == event.price_word == protocol.oracle.read("price_word", 0)
    price = protocol.price(0)
    assert (price.price, price.published_at) == (512_340_000_000, now() - 3)
    assert (price.accepted_at, price.confidence, price.kind) == (now(), 0, words.PUBLISHED)
    assert (price.trade_age, price.max_age) == (60, 3_600)


def test_a_price_is_rounded_down_to_femto_per_lot(protocol: Protocol) -> None:
    advance(1)
    publish(protocol, 50_000 * WAD + 99_999_999_999, now())
    assert protocol.price(0).price == 5 * 10**11
    advance(1)
    publish(protocol, 50_000 * WAD + 10**11, now())
    assert protocol.price(0).price == 5 * 10**11 + 1


def test_a_silence_is_counted_from_the_end_of_the_last_prices_life(protocol: Protocol) -> None:
    advance(3_600 + protocol.price(0).published_at - now())
    publish(protocol, 50_000 * WAD, now())
    assert protocol.price(0).silence == 0
    advance(3_601)
    publish(protocol, 50_000 * WAD, now())
    assert protocol.price(0).silence == 1
    advance(3_650)
    publish(protocol, 50_000 * WAD, now())
    assert protocol.price(0).silence == 51


def test_one_price_a_block(protocol: Protocol) -> None:
    advance(10)
    publish(protocol, 50_000 * WAD, now() - 5)
    before = protocol.oracle.read("price_word", 0)
    receipt = publish(protocol, 60_000 * WAD, now())
    assert receipt.events == []
    assert receipt.result == before == protocol.oracle.read("price_word", 0)
    publish(protocol, 2_600 * WAD, now(), market=1)
    assert protocol.dollars(1) == 2_600


def test_the_price_that_is_there_is_no_error(protocol: Protocol) -> None:
    before = protocol.price(0)
    advance(1)
    receipt = publish(protocol, 60_000 * WAD, before.published_at)
    assert receipt.events == []
    assert protocol.price(0) == before


@pytest.mark.parametrize(
    ("price", "age", "reason"),
    [
        (0, 0, "price: zero"),
        (10**10, 0, "price: zero"),
        (2**128, 0, "price: too large"),
        (MOST, 0, "price: too large"),
        (2**64 * 10**11, 0, "price: too large"),
        (50_000 * WAD, -1, "price: from the future"),
        (50_000 * WAD, 5_100, "price: older than the last"),
        (50_000 * WAD, 3_601, "price: stale"),
    ],
)
def test_a_bad_price_is_refused(protocol: Protocol, price: int, age: int, reason: str) -> None:
    advance(5_000)
    before = protocol.oracle.read("price_word", 0)
    with refused(reason):
        publish(protocol, price, now() - age)
    assert protocol.oracle.read("price_word", 0) == before


def test_a_time_beyond_all_time_is_refused(protocol: Protocol) -> None:
    advance(1)
    with refused("price: from the future"):
        publish(protocol, 50_000 * WAD, MOST)
    with refused("price: older than the last"):
        publish(protocol, 50_000 * WAD, 0)


@pytest.mark.parametrize("payload", [b"", b"\1", b"\0" * 63, b"\0" * 65, b"\xff" * 1_024])
def test_a_payload_of_another_length_is_refused(protocol: Protocol, payload: bytes) -> None:
    with refused("payload: bad length"):
        protocol.oracle.send(protocol.owner, "update", 0, payload)


def test_only_publishers_publish(protocol: Protocol, owner: str, attacker: str) -> None:
    advance(1)
    payload = encode(["uint256", "uint256"], [50_000 * WAD, now()])
    with refused("publisher: not allowed"):
        protocol.oracle.send(attacker, "update", 0, payload)
    event = protocol.oracle.send(owner, "set_publisher", attacker, True).event("PublisherSet")
    assert (event.publisher, event.allowed) == (attacker, True)
    assert protocol.oracle.read("is_publisher", attacker) is True
    protocol.oracle.send(attacker, "update", 0, payload)
    protocol.oracle.send(owner, "set_publisher", attacker, False)
    with refused("publisher: not allowed"):
        protocol.oracle.send(attacker, "update", 0, payload)


@pytest.mark.parametrize(
    ("market", "reason"),
    [
        (3, "feed: none"),
        (1_023, "feed: none"),
        (1_024, "market: unknown"),
        (MOST, "market: unknown"),
    ],
)
def test_a_market_without_a_feed_takes_no_price(
    protocol: Protocol, market: int, reason: str
) -> None:
    with refused(reason):
        publish(protocol, WAD, now(), market)
    assert protocol.oracle.read("price_word", market) == 0
    assert protocol.oracle.read("lot_size", market) == 0


# Setting feeds


def test_a_feed_keeps_its_price_and_fixes_its_lot(protocol: Protocol, owner: str) -> None:
    before = protocol.price(0)
    receipt = protocol.oracle.send(owner, "set_published_feed", 0, LOT, 5, 600)
    event = receipt.event("FeedSet")
    assert (event.market, event.kind, event.lot_size) == (0, 1, LOT)
    assert event.source == "0x" + "00" * 20
    assert event.price_word == protocol.oracle.read("price_word", 0)
    price = protocol.price(0)
    assert (price.price, price.published_at) == (before.price, before.published_at)
    assert (price.trade_age, price.max_age) == (5, 600)
    assert protocol.oracle.read("lot_size", 0) == LOT
    with refused("lot: size is fixed"):
        protocol.oracle.send(owner, "set_published_feed", 0, LOT + 1, 5, 600)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((1_024, LOT, 5, 600), "market: unknown"),
        ((MOST, LOT, 5, 600), "market: unknown"),
        ((3, 0, 5, 600), "lot: out of range"),
        ((3, 2**80, 5, 600), "lot: out of range"),
        ((3, MOST, 5, 600), "lot: out of range"),
        ((3, LOT, 0, 600), "feed: bad trade age"),
        ((3, LOT, 2**16, 2**19), "feed: bad trade age"),
        ((3, LOT, MOST, MOST), "feed: bad trade age"),
        ((3, LOT, 5, 4), "feed: bad max age"),
        ((3, LOT, 5, 2**20), "feed: bad max age"),
        ((3, LOT, 5, MOST), "feed: bad max age"),
    ],
)
def test_a_feed_out_of_range_is_refused(
    protocol: Protocol, owner: str, arguments: tuple[int, ...], reason: str
) -> None:
    with refused(reason):
        protocol.oracle.send(owner, "set_published_feed", *arguments)


def test_only_the_owner_sets_feeds(protocol: Protocol, attacker: str, guardian: str) -> None:
    aggregator = Contract("mocks/MockAggregator", 8).address
    for sender in (attacker, guardian):
        with refused("caller: not the owner"):
            protocol.oracle.send(sender, "set_published_feed", 3, LOT, 5, 600)
        with refused("caller: not the owner"):
            protocol.oracle.send(sender, "set_chainlink_feed", 3, LOT, 5, 600, aggregator)
        with refused("caller: not the owner"):
            protocol.oracle.send(sender, "set_publisher", sender, True)
