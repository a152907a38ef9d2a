"""A second source may stop openings; of liquidations only the healthiest, and not for long."""

import pytest

from bulkhead.protocol import words
from tests.helpers.chain import Contract, Receipt, advance, now, refused
from tests.helpers.feeds import answer
from tests.helpers.protocol import WAD, Protocol

NOBODY = "0x" + "00" * 20
GRACE = 900
MEMORY = 3_600
ONE_PERCENT = 10_000


@pytest.fixture
def second(protocol: Protocol, owner: str) -> Contract:
    """A second source for market 0: prices may be 1 % off it."""
    found = Contract("mocks/MockAggregator", 8)
    answer(protocol, found, 50_000)
    protocol.oracle.send(owner, "set_check", 0, found.address, ONE_PERCENT, 0)
    return found


def caution(protocol: Protocol) -> int:
    return protocol.price(0).caution


def disputed_at(protocol: Protocol) -> int:
    return words.unpack_check(protocol.oracle.read("check_word", 0)).disputed_at


def push(protocol: Protocol, second: Contract, dollars: int, seconds: int = 1) -> Receipt:
    """A price while the second source says 50,000."""
    advance(seconds)
    answer(protocol, second, 50_000)
    return protocol.publish(0, dollars)


@pytest.mark.parametrize("dollars", [49_500, 50_000, 50_500])
def test_a_price_inside_the_deviation_has_no_caution(
    protocol: Protocol, second: Contract, dollars: int
) -> None:
    push(protocol, second, dollars)
    assert caution(protocol) == words.NO_CAUTION
    assert disputed_at(protocol) == 0


@pytest.mark.parametrize("dollars", ["49499.99", "50500.01", "1", "1000000"])
def test_a_disputed_price_is_taken_with_caution(
    protocol: Protocol, second: Contract, dollars: str
) -> None:
    advance(1)
    answer(protocol, second, 50_000)
    receipt = protocol.publish(0, dollars)
    assert str(protocol.dollars(0)) == dollars or protocol.dollars(0) == int(float(dollars))
    assert caution(protocol) == words.ONLY_BANKRUPT
    assert disputed_at(protocol) == now()
    event = receipt.event("DisputeBegan")
    assert (event.market, event.check_word) == (0, protocol.oracle.read("check_word", 0))


def test_a_dispute_holds_liquidations_off_for_a_while_only(
    protocol: Protocol, second: Contract
) -> None:
    push(protocol, second, 60_000)
    began = now()
    push(protocol, second, 60_000, GRACE - 1)
    assert caution(protocol) == words.ONLY_BANKRUPT
    push(protocol, second, 61_000)
    assert caution(protocol) == words.NO_OPENING
    push(protocol, second, 61_000, MEMORY * 2)
    assert caution(protocol) == words.NO_OPENING
    assert disputed_at(protocol) == began


def test_agreement_ends_the_caution_at_once(protocol: Protocol, second: Contract) -> None:
    push(protocol, second, 60_000)
    push(protocol, second, 50_000)
    assert caution(protocol) == words.NO_CAUTION


def test_disputes_that_come_and_go_share_one_grace(protocol: Protocol, second: Contract) -> None:
    """Else whoever chooses among prices could hold liquidations off for ever."""
    push(protocol, second, 60_000)
    began = now()
    for _ in range(5):
        push(protocol, second, 50_000, 300)
        push(protocol, second, 60_000)
        late = now() >= began + GRACE
        assert caution(protocol) == (words.NO_OPENING if late else words.ONLY_BANKRUPT)
    assert disputed_at(protocol) == began


def test_a_dispute_is_forgotten_after_an_hour(protocol: Protocol, second: Contract) -> None:
    push(protocol, second, 60_000)
    began = now()
    push(protocol, second, 50_000, MEMORY - 1)
    assert disputed_at(protocol) == began
    event = push(protocol, second, 50_000).event("DisputeEnded")
    assert words.unpack_check(event.check_word).disputed_at == disputed_at(protocol) == 0
    push(protocol, second, 60_000)
    assert caution(protocol) == words.ONLY_BANKRUPT


def test_the_price_that_is_there_is_judged_again(protocol: Protocol, second: Contract) -> None:
    """A push feed may have nothing newer to say for hours."""
    push(protocol, second, 60_000)
    word, at = protocol.oracle.read("price_word", 0), now()
    advance(GRACE)
    receipt = protocol.publish(0, 99_000, at)
    assert receipt.event("PriceUpdated").price_word == receipt.result != word
    assert caution(protocol) == words.NO_OPENING
    assert protocol.dollars(0) == 60_000
    assert protocol.price(0).published_at == protocol.price(0).accepted_at == at
    assert protocol.publish(0, 99_000, at).events == []
    answer(protocol, second, 60_000)
    protocol.publish(0, 99_000, at)
    assert caution(protocol) == words.NO_CAUTION
    # Without caution it is not: only a newer price can be disputed.
    answer(protocol, second, 50_000)
    assert protocol.publish(0, 99_000, at).events == []


# A second source without an answer stops nothing


def test_a_stale_second_source_disputes_nothing(protocol: Protocol, second: Contract) -> None:
    advance(1)
    answer(protocol, second, 50_000, now() - 3_601)
    protocol.publish(0, 60_000)
    assert caution(protocol) == words.NO_CAUTION
    advance(1)
    answer(protocol, second, 50_000, now() - 3_600)
    protocol.publish(0, 60_000)
    assert caution(protocol) == words.ONLY_BANKRUPT


def test_a_dead_second_source_disputes_nothing(protocol: Protocol, second: Contract) -> None:
    second.send(protocol.attacker, "set_dead", True)
    protocol.push_price(0, 60_000)
    assert caution(protocol) == words.NO_CAUTION


@pytest.mark.parametrize("answered", [0, -1, -(2**255), 2**128, 2**255 - 1, 2**120])
def test_a_senseless_second_source_disputes_nothing(
    protocol: Protocol, second: Contract, answered: int
) -> None:
    advance(1)
    second.send(protocol.attacker, "set_answer", answered, now())
    protocol.publish(0, 60_000)
    assert caution(protocol) == words.NO_CAUTION


@pytest.mark.parametrize("answered", [2**128 - 1, 2**128, 2**200])
def test_an_answer_too_large_to_be_scaled_disputes_nothing(
    protocol: Protocol, owner: str, answered: int
) -> None:
    second = Contract("mocks/MockAggregator", 0)
    protocol.oracle.send(owner, "set_check", 0, second.address, ONE_PERCENT, 0)
    advance(1)
    second.send(protocol.attacker, "set_answer", answered, now())
    protocol.publish(0, 60_000)
    assert caution(protocol) == words.NO_CAUTION


@pytest.mark.usefixtures("second")
@pytest.mark.parametrize("ahead", [1, 2**40, 2**255])
def test_a_second_source_from_the_future_disputes_nothing(
    protocol: Protocol, second: Contract, ahead: int
) -> None:
    advance(1)
    second.send(protocol.attacker, "set_answer", 50_000 * 10**8, now() + ahead)
    protocol.publish(0, 60_000)
    assert caution(protocol) == words.NO_CAUTION


@pytest.mark.parametrize("mode", range(6))
def test_a_hostile_second_source_stops_nothing(protocol: Protocol, owner: str, mode: int) -> None:
    hostile = Contract("mocks/HostileAggregator", mode)
    protocol.oracle.send(owner, "set_check", 0, hostile.address, ONE_PERCENT, 0)
    hostile.send(protocol.attacker, "turn")
    advance(1)
    payload = (60_000 * WAD).to_bytes(32, "big") + now().to_bytes(32, "big")
    protocol.oracle.send(owner, "update", 0, payload, gas=1_000_000)
    assert caution(protocol) == words.NO_CAUTION
    assert protocol.dollars(0) == 60_000


def test_too_little_gas_does_not_silence_a_second_source(
    protocol: Protocol, second: Contract
) -> None:
    """A price is taken with the caution it deserves, or not at all."""
    advance(1)
    answer(protocol, second, 50_000)
    payload = (60_000 * WAD).to_bytes(32, "big") + now().to_bytes(32, "big")
    taken = 0
    for gas in range(5_000, 60_000, 500):
        with protocol.anchored():
            receipt = protocol.oracle.attempt(protocol.owner, "update", 0, payload, gas=gas)
            if receipt.refusal is None:
                taken += 1
                assert caution(protocol) == words.ONLY_BANKRUPT
    assert 0 < taken < 110


# Setting it


def test_a_check_has_its_word(protocol: Protocol, owner: str) -> None:
    second = Contract("mocks/MockAggregator", 18)
    event = protocol.oracle.send(owner, "set_check", 0, second.address, 5_000, 100_000)
    word = event.event("CheckSet").check_word
    assert word == protocol.oracle.read("check_word", 0)
    assert words.unpack_check(word) == words.Check(int(second.address, 16), 18, 5_000, 100_000, 0)
    assert words.unpack_feed(protocol.oracle.read("feed_word", 0)).is_checked


@pytest.mark.usefixtures("second")
def test_another_feed_keeps_the_check(protocol: Protocol, owner: str) -> None:
    protocol.oracle.send(owner, "set_published_feed", 0, 10**10, 60, 3_600)
    protocol.push_price(0, 60_000)
    assert caution(protocol) == words.ONLY_BANKRUPT


def test_a_check_may_be_taken_off(protocol: Protocol, second: Contract, owner: str) -> None:
    push(protocol, second, 60_000)
    protocol.oracle.send(owner, "set_check", 0, NOBODY, 0, 0)
    assert not words.unpack_feed(protocol.oracle.read("feed_word", 0)).is_checked
    push(protocol, second, 60_000)
    assert caution(protocol) == words.NO_CAUTION


@pytest.mark.parametrize(
    ("market", "deviation", "confidence", "reason"),
    [
        (0, 0, 0, "check: bad deviation"),
        (0, 10**6, 0, "check: bad deviation"),
        (0, 2**256 - 1, 0, "check: bad deviation"),
        (0, 1, 100_001, "check: bad confidence"),
        (0, 1, 2**256 - 1, "check: bad confidence"),
        (1_024, 1, 0, "market: unknown"),
    ],
)
def test_a_check_out_of_range_is_refused(
    protocol: Protocol, owner: str, market: int, deviation: int, confidence: int, reason: str
) -> None:
    second = Contract("mocks/MockAggregator", 8)
    with refused(reason):
        protocol.oracle.send(owner, "set_check", market, second.address, deviation, confidence)


def test_a_second_source_that_is_no_aggregator_is_refused(protocol: Protocol, owner: str) -> None:
    with refused("feed: bad aggregator"):
        protocol.oracle.send(owner, "set_check", 0, protocol.attacker, 1, 0)
    with refused("feed: bad decimals"):
        second = Contract("mocks/MockAggregator", 19)
        protocol.oracle.send(owner, "set_check", 0, second.address, 1, 0)


def test_only_the_owner_sets_checks(protocol: Protocol, attacker: str, guardian: str) -> None:
    for sender in (attacker, guardian):
        with refused("caller: not the owner"):
            protocol.oracle.send(sender, "set_check", 0, NOBODY, 0, 0)
