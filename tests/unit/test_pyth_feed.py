"""Prices that anyone pulls from a Pyth contract, with its fee."""

import boa
import pytest
from eth_abi.abi import encode

from bulkhead import prices
from bulkhead.protocol import words
from tests.helpers.chain import Contract, Receipt, advance, now, refused
from tests.helpers.feeds import LOT, PYTH_ID, UNLISTED, bring, pyth_update, use_pyth
from tests.helpers.protocol import Protocol

FEE = 7  # wei an update
ETHER = 10**18
BTC = 50_000 * 10**8  # with an exponent of -8


@pytest.fixture
def pyth(protocol: Protocol) -> Contract:
    return use_pyth(protocol, FEE)


def pull(protocol: Protocol, *updates: bytes, value: int = FEE) -> Receipt:
    payload = prices.pyth_updates(updates)
    return protocol.oracle.send(protocol.attacker, "update", UNLISTED, payload, value=value)


def test_anyone_pulls_a_price(protocol: Protocol, pyth: Contract) -> None:
    advance(10)
    event = pull(protocol, pyth_update(BTC, published_at=now() - 2)).event("PriceUpdated")
    assert event.price_word == protocol.oracle.read("price_word", UNLISTED)
    price = protocol.price(UNLISTED)
    assert (price.price, price.published_at, price.accepted_at) == (5 * 10**11, now() - 2, now())
    assert (price.kind, price.confidence) == (words.PYTH, 0)
    assert boa.env.get_balance(pyth.address) == FEE


def test_a_payload_may_be_longer_than_signatures_are(protocol: Protocol, pyth: Contract) -> None:
    advance(10)
    updates = [pyth_update(BTC, published_at=now() - 5 + i) for i in range(4)]
    assert len(prices.pyth_updates(updates)) > 64 + 8 * 65
    pull(protocol, *updates, value=FEE * len(updates))
    assert protocol.price(UNLISTED).published_at == now() - 2


def test_a_feed_names_its_contract_and_its_price(protocol: Protocol, pyth: Contract) -> None:
    feed = words.unpack_feed(protocol.oracle.read("feed_word", UNLISTED))
    assert (feed.kind, feed.source) == (words.PYTH, int(pyth.address, 16))
    assert protocol.oracle.read("pyth_id", UNLISTED) == PYTH_ID


def test_a_source_without_code_is_refused(protocol: Protocol, owner: str) -> None:
    with refused("feed: bad contract"):
        protocol.oracle.send(
            owner, "set_pyth_feed", UNLISTED, LOT, 60, 3_600, protocol.attacker, PYTH_ID
        )


@pytest.mark.usefixtures("pyth")
@pytest.mark.parametrize(
    ("answered", "exponent", "femto"),
    [
        (50_000, 0, 5 * 10**11),
        (5 * 10**9, -5, 5 * 10**11),
        (2**63 - 1, -18, 92_233_720),
        (123_456_789, -18, 0),
        (99_999_999_999, -18, 0),
        (10**11, -18, 1),
        (199_999_999_999, -18, 1),
    ],
)
def test_exponents_are_scaled_exactly(
    protocol: Protocol, answered: int, exponent: int, femto: int
) -> None:
    advance(1)
    if femto:
        pull(protocol, pyth_update(answered, exponent=exponent))
    else:
        with refused("price: zero"):
            pull(protocol, pyth_update(answered, exponent=exponent))
    assert protocol.price(UNLISTED).price == femto


@pytest.mark.usefixtures("pyth")
@pytest.mark.parametrize("exponent", [-(2**31), -19, 1, 2**31 - 1])
def test_other_exponents_are_refused(protocol: Protocol, exponent: int) -> None:
    with refused("feed: bad exponent"):
        pull(protocol, pyth_update(BTC, exponent=exponent))


@pytest.mark.usefixtures("pyth")
@pytest.mark.parametrize(
    ("confidence", "ppm"),
    [(0, 0), (1, 1), (BTC // 10**6, 1), (BTC // 10**6 + 1, 2), (BTC // 50, 20_000)],
)
def test_confidence_is_a_part_of_the_price_rounded_up(
    protocol: Protocol, confidence: int, ppm: int
) -> None:
    advance(1)
    pull(protocol, pyth_update(BTC, confidence))
    assert protocol.price(UNLISTED).confidence == ppm


@pytest.mark.usefixtures("pyth")
@pytest.mark.parametrize("confidence", [BTC // 50 + 1, BTC, 2**64 - 1])
def test_a_price_too_uncertain_is_refused(protocol: Protocol, confidence: int) -> None:
    with refused("price: too uncertain"):
        pull(protocol, pyth_update(BTC, confidence))


@pytest.mark.usefixtures("pyth")
@pytest.mark.parametrize(("bound", "taken"), [(10_000, 10_000), (50_000, 50_000)])
def test_a_check_sets_the_least_certain_price(
    protocol: Protocol, owner: str, bound: int, taken: int
) -> None:
    nobody = "0x" + "00" * 20
    protocol.oracle.send(owner, "set_check", UNLISTED, nobody, 0, bound)
    advance(1)
    with refused("price: too uncertain"):
        pull(protocol, pyth_update(BTC, BTC * bound // 10**6 + 1))
    advance(1)  # the update itself was undone, too
    pull(protocol, pyth_update(BTC, BTC * bound // 10**6))
    assert protocol.price(UNLISTED).confidence == taken
    protocol.oracle.send(owner, "set_check", UNLISTED, nobody, 0, 0)
    advance(1)
    pull(protocol, pyth_update(BTC, BTC // 50))


@pytest.mark.usefixtures("pyth")
@pytest.mark.parametrize(
    ("price", "age", "reason"),
    [
        (0, 0, "price: zero"),
        (-1, 0, "price: negative"),
        (-(2**63), 0, "price: negative"),
        (BTC, -1, "price: from the future"),
        (BTC, -(2**40), "price: from the future"),
        (BTC, 3_601, "price: stale"),
    ],
)
def test_a_bad_price_is_refused(protocol: Protocol, price: int, age: int, reason: str) -> None:
    with refused(reason):
        pull(protocol, pyth_update(price, published_at=now() - age))
    assert protocol.price(UNLISTED).price == 0


@pytest.mark.usefixtures("pyth")
def test_only_newer_prices_count(protocol: Protocol) -> None:
    advance(100)
    pull(protocol, pyth_update(BTC, published_at=now() - 50))
    advance(1)
    before = protocol.price(UNLISTED)
    # Pyth keeps the newest it knows, so an older update leaves the one that is here.
    assert pull(protocol, pyth_update(2 * BTC, published_at=now() - 60)).events == []
    assert protocol.price(UNLISTED) == before


def test_a_price_that_turns_older_is_refused(protocol: Protocol, pyth: Contract) -> None:
    advance(100)
    pull(protocol, pyth_update(BTC))
    other = Contract("mocks/MockPyth", 0)
    arguments = (UNLISTED, LOT, 60, 3_600, other.address, PYTH_ID)
    protocol.oracle.send(protocol.owner, "set_pyth_feed", *arguments)
    advance(1)
    with refused("price: older than the last"):
        pull(protocol, pyth_update(BTC, published_at=now() - 50), value=0)


def test_the_price_that_the_contract_has_needs_no_update(
    protocol: Protocol, pyth: Contract
) -> None:
    advance(1)
    pyth.send(protocol.attacker, "updatePriceFeeds", [pyth_update(BTC)], value=FEE)
    bring(protocol)
    assert protocol.price(UNLISTED).price == 5 * 10**11


@pytest.mark.usefixtures("pyth")
def test_a_contract_without_a_price_gives_none(protocol: Protocol) -> None:
    with refused("feed: no answer"):
        bring(protocol)
    with refused("feed: no answer"):
        pull(protocol, pyth_update(BTC, id=b"\x08" * 32))


# Ether


def test_what_is_sent_beyond_the_fee_returns(protocol: Protocol, pyth: Contract) -> None:
    advance(1)
    pull(protocol, pyth_update(BTC), pyth_update(BTC), value=10**17)
    assert boa.env.get_balance(pyth.address) == 2 * FEE
    assert boa.env.get_balance(protocol.attacker) == ETHER - 2 * FEE
    assert boa.env.get_balance(protocol.oracle.address) == 0


@pytest.mark.usefixtures("pyth")
def test_a_price_already_there_still_returns_it(protocol: Protocol) -> None:
    advance(1)
    update = pyth_update(BTC)
    pull(protocol, update, value=10**17)
    assert pull(protocol, update, value=10**17).events == []
    assert boa.env.get_balance(protocol.attacker) == ETHER - 2 * FEE


@pytest.mark.usefixtures("pyth")
def test_less_than_the_fee_is_refused(protocol: Protocol) -> None:
    with refused("value: below the fee"):
        pull(protocol, pyth_update(BTC), value=FEE - 1)


def test_nobody_pays_with_what_lies_in_the_oracle(protocol: Protocol, pyth: Contract) -> None:
    boa.env.set_balance(protocol.oracle.address, ETHER)
    pyth.send(protocol.attacker, "set_fee", 2**255)
    with refused("value: below the fee"):
        pull(protocol, pyth_update(BTC), value=0)
    pyth.send(protocol.attacker, "set_fee", FEE)
    advance(1)
    pull(protocol, pyth_update(BTC), value=FEE)
    assert boa.env.get_balance(protocol.oracle.address) == ETHER


def test_a_caller_that_takes_no_refund_fails_alone(protocol: Protocol, pyth: Contract) -> None:
    """The mock has no payable default function; it may still pay exactly."""
    caller = pyth.address
    boa.env.set_balance(caller, ETHER)
    advance(1)
    payload = prices.pyth_updates([pyth_update(BTC)])
    with refused("refund: not taken"):
        protocol.oracle.send(caller, "update", UNLISTED, payload, value=FEE + 1)
    protocol.oracle.send(caller, "update", UNLISTED, payload, value=FEE)


# Payloads


@pytest.mark.usefixtures("pyth")
@pytest.mark.parametrize(
    "payload",
    [
        b"\0",
        b"\xff" * 31,
        b"\xff" * 2_048,
        encode(["bytes[]"], [[b"no update"]]),
        encode(["bytes[]"], [[b"\xff" * 160]]),
    ],
)
def test_what_pyth_refuses_is_refused(protocol: Protocol, payload: bytes) -> None:
    with refused("feed: bad update"):
        protocol.oracle.send(protocol.attacker, "update", UNLISTED, payload, value=ETHER)
    assert protocol.price(UNLISTED).price == 0


def test_an_update_as_large_as_pyths_fits() -> None:
    """One feed's: a guardian set's 13 signatures, a message, and a proof, below 1,500 bytes."""
    assert len(prices.pyth_updates([b"\1" * 1_400])) < prices.MAX_PAYLOAD
    with pytest.raises(ValueError, match="updates"):
        prices.pyth_updates([b"\1" * 2_000])


def test_a_pyth_that_is_no_contract_any_more_answers_nothing(protocol: Protocol) -> None:
    empty = Contract("mocks/MockAggregator", 8)
    protocol.oracle.send(
        protocol.owner, "set_pyth_feed", UNLISTED, LOT, 60, 3_600, empty.address, PYTH_ID
    )
    with refused("feed: no answer"):
        bring(protocol)
    with refused("feed: bad update"):
        pull(protocol, b"", value=0)
