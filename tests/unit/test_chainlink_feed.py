"""Prices from the rounds of Chainlink aggregators, brought by anyone."""

from typing import Any

import boa
import pytest

from bulkhead.protocol import words
from tests.helpers.chain import Contract, Receipt, advance, now, refused
from tests.helpers.feeds import LOT, bring, publish, use_aggregator
from tests.helpers.protocol import WAD, Protocol


@pytest.fixture
def aggregator(protocol: Protocol) -> Contract:
    """An aggregator of 8 decimals on market 3, with a heartbeat of an hour."""
    found = Contract("mocks/MockAggregator", 8)
    receipt = protocol.oracle.send(
        protocol.owner, "set_chainlink_feed", 3, LOT, 60, 3_600, found.address
    )
    event = receipt.event("FeedSet")
    assert (event.kind, event.source) == (words.CHAINLINK, found.address)
    return found


def answer(protocol: Protocol, aggregator: Contract, price: int, updated_at: int) -> Receipt:
    advance(1)
    aggregator.send(protocol.attacker, "set_answer", price, updated_at)
    return protocol.oracle.send(protocol.attacker, "update", 3, b"")


def test_anyone_brings_an_aggregators_answer(protocol: Protocol, aggregator: Contract) -> None:
    receipt = answer(protocol, aggregator, 50_000 * 10**8, now())
    price = words.unpack_price(receipt.event("PriceUpdated").price_word)
    assert (price.price, price.published_at) == (5 * 10**11, now() - 1)


@pytest.mark.parametrize(("decimals", "one"), [(0, 1), (18, 10**18)])
def test_an_answers_decimals_are_scaled(
    protocol: Protocol, owner: str, decimals: int, one: int
) -> None:
    aggregator = Contract("mocks/MockAggregator", decimals)
    protocol.oracle.send(owner, "set_chainlink_feed", 3, LOT, 60, 3_600, aggregator.address)
    answer(protocol, aggregator, 50_000 * one, now())
    assert protocol.price(3).price == 5 * 10**11


def test_an_answer_already_there_changes_nothing(protocol: Protocol, aggregator: Contract) -> None:
    answer(protocol, aggregator, 50_000 * 10**8, now())
    before = protocol.price(3)
    advance(1)
    assert protocol.oracle.send(protocol.attacker, "update", 3, b"").events == []
    assert protocol.price(3) == before


@pytest.mark.parametrize(
    ("price", "age", "reason"),
    [
        (0, 0, "price: zero"),
        (-1, 0, "price: negative"),
        (-(2**255), 0, "price: negative"),
        (2**128, 0, "price: too large"),
        (2**255 - 1, 0, "price: too large"),
        (2**100, 0, "price: too large"),
        (50_000 * 10**8, -2, "price: from the future"),
        (50_000 * 10**8, -(2**40), "price: from the future"),
        (50_000 * 10**8, 150, "price: older than the last"),
        (50_000 * 10**8, 1_700_000_000, "price: older than the last"),
    ],
)
def test_a_bad_answer_is_refused(
    protocol: Protocol, aggregator: Contract, price: int, age: int, reason: str
) -> None:
    answer(protocol, aggregator, 50_000 * 10**8, now())
    advance(100)
    before = protocol.price(3)
    with refused(reason):
        answer(protocol, aggregator, price, max(now() - age, 0))
    assert protocol.price(3) == before


def test_an_answer_beyond_its_heartbeat_is_refused(
    protocol: Protocol, aggregator: Contract
) -> None:
    with refused("price: stale"):
        answer(protocol, aggregator, 50_000 * 10**8, now() - 3_600)
    answer(protocol, aggregator, 50_000 * 10**8, now() - 3_599)


def test_a_dead_feed_keeps_its_last_good_price(protocol: Protocol, aggregator: Contract) -> None:
    answer(protocol, aggregator, 50_000 * 10**8, now())
    before = protocol.price(3)
    aggregator.send(protocol.attacker, "set_dead", True)
    advance(1)
    with refused("feed: no answer"):
        protocol.oracle.send(protocol.attacker, "update", 3, b"")
    assert protocol.price(3) == before
    aggregator.send(protocol.attacker, "set_dead", False)
    answer(protocol, aggregator, 51_000 * 10**8, now())
    assert protocol.dollars_of(3, 10**8) == 51_000


def test_an_aggregator_of_too_many_decimals_is_refused(protocol: Protocol, owner: str) -> None:
    aggregator = Contract("mocks/MockAggregator", 19)
    with refused("feed: bad decimals"):
        protocol.oracle.send(owner, "set_chainlink_feed", 3, LOT, 60, 3_600, aggregator.address)


def test_an_aggregator_without_code_is_refused(protocol: Protocol, owner: str) -> None:
    for address in (protocol.attacker, "0x" + "00" * 20):
        with refused("feed: bad aggregator"):
            protocol.oracle.send(owner, "set_chainlink_feed", 3, LOT, 60, 3_600, address)


def test_a_feed_may_move_to_another_source(
    protocol: Protocol, owner: str, aggregator: Contract
) -> None:
    answer(protocol, aggregator, 50_000 * 10**8, now())
    protocol.oracle.send(owner, "set_published_feed", 3, LOT, 60, 3_600)
    advance(1)
    publish(protocol, 49_000 * WAD, now(), market=3)
    assert protocol.dollars_of(3, 10**8) == 49_000


def test_a_position_trades_on_an_aggregators_price(
    protocol: Protocol, owner: str, trader: str
) -> None:
    aggregator = Contract("mocks/MockAggregator", 8)
    protocol.oracle.send(owner, "set_chainlink_feed", 0, LOT, 60, 3_600, aggregator.address)
    protocol.deposit(trader, 10**9)
    order = protocol.place(trader, 0, 10**6)
    advance(3)
    aggregator.send(trader, "set_answer", 50_500 * 10**8, now())
    receipt: Any = protocol.oracle.send(trader, "update", 0, b"")
    assert receipt.event("PriceUpdated").market == 0
    event = protocol.execute(order).event("PositionIncreased")
    assert event.price == 505 * 10**9


# Bounds of the aggregator's own


@pytest.mark.parametrize(("price", "inside"), [(99, False), (100, False), (101, True), (999, True)])
def test_an_answer_at_the_lower_bound_is_refused(
    protocol: Protocol, price: int, inside: bool
) -> None:
    aggregator = Contract("mocks/MockAggregator", 8)
    aggregator.send(protocol.attacker, "set_bounds", 100 * 10**8, 1_000 * 10**8)
    use_aggregator(protocol, source=aggregator)
    if inside:
        answer(protocol, aggregator, price * 10**8, now())
        return
    with refused("price: at the feed's bound"):
        answer(protocol, aggregator, price * 10**8, now())
    assert protocol.price(3).price == 0


@pytest.mark.parametrize("price", [1_000, 1_001])
def test_an_answer_at_the_upper_bound_is_refused(protocol: Protocol, price: int) -> None:
    aggregator = Contract("mocks/MockAggregator", 8)
    aggregator.send(protocol.attacker, "set_bounds", 100 * 10**8, 1_000 * 10**8)
    use_aggregator(protocol, source=aggregator)
    with refused("price: at the feed's bound"):
        answer(protocol, aggregator, price * 10**8, now())


@pytest.mark.parametrize("bounds", [(100 * 10**8, 0), (0, 1_000 * 10**8)])
def test_a_feed_that_tells_one_bound_alone_has_none(
    protocol: Protocol, bounds: tuple[int, int]
) -> None:
    aggregator = Contract("mocks/MockAggregator", 8)
    aggregator.send(protocol.attacker, "set_bounds", *bounds)
    use_aggregator(protocol, source=aggregator)
    for price in (100, 1_000):
        advance(1)
        answer(protocol, aggregator, price * 10**8, now())
        assert protocol.dollars_of(3, 10**8) == price


def test_a_new_phase_of_a_proxy_is_nothing_special(protocol: Protocol) -> None:
    """Rounds start again at one; what counts is that they are updated later."""
    first, second = (Contract("mocks/MockAggregator", 8) for _ in range(2))
    first.send(protocol.attacker, "set_bounds", 10**8, 10**13)
    proxy = use_aggregator(protocol, source=Contract("mocks/MockProxy", first.address))
    advance(1)
    first.send(protocol.attacker, "set_round", 9_000, 50_000 * 10**8, now(), now())
    protocol.oracle.send(protocol.attacker, "update", 3, b"")
    advance(1)
    proxy.send(protocol.attacker, "set_aggregator", second.address)
    second.send(protocol.attacker, "set_round", 1, 51_000 * 10**8, now(), now())
    assert protocol.oracle.read("is_latest", 3) is False
    protocol.oracle.send(protocol.attacker, "update", 3, b"")
    assert protocol.dollars_of(3, 10**8) == 51_000
    # The bounds are those of the phase, too.
    second.send(protocol.attacker, "set_bounds", 10**8, 52_000 * 10**8)
    with refused("price: at the feed's bound"):
        answer(protocol, second, 52_000 * 10**8, now())


# Feeds that do anything but answer


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        (0, "feed: no answer"),  # it reverts
        (1, "price: zero"),  # sixteen thousand zeros
        (2, "feed: no answer"),  # the same, as a reason
        (3, "feed: no answer"),  # too short
        (4, "feed: no answer"),  # it burns its gas
        (5, "feed: no answer"),  # nothing
    ],
)
def test_a_hostile_feed_stops_its_own_market_and_no_other(
    protocol: Protocol, mode: int, reason: str
) -> None:
    feed = use_aggregator(protocol, source=Contract("mocks/HostileAggregator", mode))
    bring(protocol)
    before = protocol.price(3)
    feed.send(protocol.attacker, "turn")
    advance(1)
    with refused(reason):
        protocol.oracle.send(protocol.attacker, "update", 3, b"", gas=1_000_000)
    assert protocol.price(3) == before
    assert protocol.oracle.read("is_latest", 3) is True
    protocol.push_price(0, 51_000)
    assert protocol.dollars(0) == 51_000


def test_a_feed_that_burns_its_gas_leaves_the_rest(protocol: Protocol) -> None:
    feed = use_aggregator(protocol, source=Contract("mocks/HostileAggregator", 4))
    feed.send(protocol.attacker, "turn")
    receipt = protocol.oracle.attempt(protocol.attacker, "update", 3, b"", gas=5_000_000)
    assert receipt.refusal == "feed: no answer"
    assert receipt.gas_used < 250_000


def test_too_little_gas_does_not_make_a_feed_seem_dead(
    protocol: Protocol, aggregator: Contract
) -> None:
    """Else an executor could choose the older round by starving the question."""
    answer(protocol, aggregator, 50_000 * 10**8, now())
    advance(1)
    aggregator.send(protocol.attacker, "set_answer", 51_000 * 10**8, now())
    for gas in range(2_000, 30_000, 500):
        receipt = protocol.oracle.attempt(protocol.attacker, "is_latest", 3, gas=gas)
        assert receipt.refusal is not None or receipt.result is False


# Ether


def test_a_feed_without_a_fee_returns_what_is_sent(
    protocol: Protocol, aggregator: Contract
) -> None:
    boa.env.set_balance(protocol.attacker, 10**18)
    advance(1)
    aggregator.send(protocol.attacker, "set_answer", 50_000 * 10**8, now())
    protocol.oracle.send(protocol.attacker, "update", 3, b"", value=10**17)
    assert boa.env.get_balance(protocol.attacker) == 10**18
    assert boa.env.get_balance(protocol.oracle.address) == 0
