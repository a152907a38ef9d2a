"""A second-layer chain's sequencer: no price while it is down, and a grace after it."""

import pytest

from bulkhead.protocol import words
from tests.helpers.chain import Contract, advance, now, refused
from tests.helpers.protocol import BTC, SOL, Protocol

NOBODY = "0x" + "00" * 20
GRACE = 3_600
UP, DOWN = 0, 1


@pytest.fixture
def uptime(protocol: Protocol, owner: str) -> Contract:
    """An uptime feed that has said for long that the sequencer is up."""
    feed = Contract("mocks/MockAggregator", 0)
    say(feed, UP, now() - 2 * GRACE)
    protocol.oracle.send(owner, "set_sequencer", feed.address, GRACE)
    return feed


def say(feed: Contract, status: int, since: int) -> None:
    feed.send(NOBODY, "set_round", 1, status, since, now())


def caution(protocol: Protocol, market: int = 0) -> int:
    return protocol.price(market).caution


@pytest.mark.usefixtures("uptime")
def test_a_sequencer_that_is_up_changes_nothing(protocol: Protocol) -> None:
    protocol.push_price(0, 51_000)
    assert caution(protocol) == words.NO_CAUTION


@pytest.mark.parametrize("status", [DOWN, 2, -1])
def test_no_price_is_taken_while_it_is_down(
    protocol: Protocol, uptime: Contract, status: int
) -> None:
    before = protocol.price(0)
    say(uptime, status, now() - 10 * GRACE)
    with refused("sequencer: down"):
        protocol.push_price(0, 51_000)
    assert protocol.price(0) == before


def test_prices_carry_a_grace_after_it_is_up_again(protocol: Protocol, uptime: Contract) -> None:
    advance(1)
    say(uptime, UP, now())
    for seconds, expected in (
        (1, words.ONLY_BANKRUPT),
        (GRACE - 2, words.ONLY_BANKRUPT),
        (1, words.NO_CAUTION),
    ):
        advance(seconds)
        protocol.publish(0, 51_000)
        assert caution(protocol) == expected


def test_a_price_is_judged_again_when_the_grace_is_over(
    protocol: Protocol, uptime: Contract
) -> None:
    say(uptime, UP, now())
    protocol.push_price(0, 51_000)
    at = now()
    advance(GRACE)
    protocol.publish(0, 51_000, at)
    assert caution(protocol) == words.NO_CAUTION


@pytest.mark.parametrize("since", [1, 2**40, 2**255])
def test_a_start_in_the_future_is_a_grace(protocol: Protocol, uptime: Contract, since: int) -> None:
    say(uptime, UP, now() + 1 + since)
    protocol.push_price(0, 51_000)
    assert caution(protocol) == words.ONLY_BANKRUPT


def test_a_feed_that_does_not_answer_stops_openings_and_no_liquidation(
    protocol: Protocol, uptime: Contract
) -> None:
    uptime.send(NOBODY, "set_dead", True)
    protocol.push_price(0, 51_000)
    assert caution(protocol) == words.NO_OPENING


def test_a_feed_that_was_never_started_does_not_answer(
    protocol: Protocol, uptime: Contract
) -> None:
    say(uptime, UP, 0)
    protocol.push_price(0, 51_000)
    assert caution(protocol) == words.NO_OPENING


def test_the_stricter_of_sequencer_and_second_source_counts(
    protocol: Protocol, owner: str, uptime: Contract
) -> None:
    second = Contract("mocks/MockAggregator", 8)
    protocol.oracle.send(owner, "set_check", 0, second.address, 10_000, 0)
    uptime.send(NOBODY, "set_dead", True)
    for seconds, expected in ((1, words.ONLY_BANKRUPT), (900, words.NO_OPENING)):
        advance(seconds)
        second.send(NOBODY, "set_answer", 40_000 * 10**8, now())
        protocol.publish(0, 51_000)
        assert caution(protocol) == expected


# Setting it


def test_all_feeds_heed_it_at_once_and_later_ones_too(protocol: Protocol, owner: str) -> None:
    feed = Contract("mocks/MockAggregator", 0)
    protocol.set_feed(1_023, BTC)
    event = protocol.oracle.send(owner, "set_sequencer", feed.address, GRACE).event("SequencerSet")
    assert event.sequencer_word == protocol.oracle.read("sequencer_word")
    sequencer = words.unpack_sequencer(event.sequencer_word)
    assert sequencer == words.Sequencer(int(feed.address, 16), GRACE)
    protocol.set_feed(500, SOL)
    say(feed, DOWN, now())
    for market in (0, 1, 2, 500, 1_023):
        advance(1)
        with refused("sequencer: down"):
            protocol.publish(market, 100)
    protocol.oracle.send(owner, "set_sequencer", NOBODY, 0)
    assert protocol.oracle.read("sequencer_word") == 0
    for market in (0, 1, 2, 500, 1_023):
        protocol.push_price(market, 100)


@pytest.mark.usefixtures("uptime")
def test_a_feed_keeps_its_lot_size_and_its_check(protocol: Protocol, owner: str) -> None:
    second = Contract("mocks/MockAggregator", 8)
    protocol.oracle.send(owner, "set_check", 0, second.address, 1, 0)
    protocol.oracle.send(owner, "set_sequencer", NOBODY, 0)
    feed = words.unpack_feed(protocol.oracle.read("feed_word", 0))
    assert feed == words.Feed(words.PUBLISHED, 0, 0, 10**10, True, False, False)


@pytest.mark.parametrize("grace", [0, 86_401, 2**256 - 1])
def test_a_grace_out_of_range_is_refused(protocol: Protocol, owner: str, grace: int) -> None:
    feed = Contract("mocks/MockAggregator", 0)
    with refused("sequencer: bad grace"):
        protocol.oracle.send(owner, "set_sequencer", feed.address, grace)


def test_no_grace_without_a_sequencer(protocol: Protocol, owner: str) -> None:
    with refused("sequencer: bad grace"):
        protocol.oracle.send(owner, "set_sequencer", NOBODY, GRACE)


def test_a_feed_that_is_none_is_refused(protocol: Protocol, owner: str) -> None:
    with refused("feed: bad aggregator"):
        protocol.oracle.send(owner, "set_sequencer", protocol.attacker, GRACE)


def test_only_the_owner_sets_it(protocol: Protocol, attacker: str, guardian: str) -> None:
    for sender in (attacker, guardian):
        with refused("caller: not the owner"):
            protocol.oracle.send(sender, "set_sequencer", NOBODY, 0)
