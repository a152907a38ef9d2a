"""Prices that enough of the owner's signers have signed, brought by anyone."""

import boa
import pytest

from bulkhead import prices
from bulkhead.protocol import words
from tests.helpers.chain import advance, now, refused
from tests.helpers.feeds import LOT, SIGNERS, UNLISTED, bring, signed
from tests.helpers.protocol import WAD, Protocol

PRICE = 50_000 * WAD
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
ORDER = 2 * HALF_ORDER + 1
ADDRESSES = [signer.address for signer in SIGNERS]


@pytest.fixture
def fed(protocol: Protocol, owner: str) -> Protocol:
    """A signed feed that asks for two of the first three signers."""
    protocol.oracle.send(owner, "set_signed_feed", UNLISTED, LOT, 60, 3_600)
    protocol.oracle.send(owner, "set_signers", ADDRESSES[:3], 2)
    advance(10)
    return protocol


@pytest.mark.parametrize("chosen", [(0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_enough_signers_make_a_price(fed: Protocol, chosen: tuple[int, ...]) -> None:
    payload = signed(fed, [SIGNERS[i] for i in chosen], PRICE, now() - 3)
    receipt = bring(fed, payload=payload)
    price = words.unpack_price(receipt.event("PriceUpdated").price_word)
    assert (price.price, price.published_at, price.kind) == (5 * 10**11, now() - 4, words.SIGNED)


@pytest.mark.parametrize("chosen", [(), (0,), (2,)])
def test_too_few_signers_make_none(fed: Protocol, chosen: tuple[int, ...]) -> None:
    with refused("signer: too few"):
        bring(fed, payload=signed(fed, [SIGNERS[i] for i in chosen], PRICE, now()))


@pytest.mark.parametrize("chosen", [(0, 3), (0, 1, 3), (4, 5)])
def test_a_strangers_signature_is_refused(fed: Protocol, chosen: tuple[int, ...]) -> None:
    with refused("signer: not allowed"):
        bring(fed, payload=signed(fed, [SIGNERS[i] for i in chosen], PRICE, now()))


@pytest.mark.parametrize("chosen", [(0, 0), (1, 0), (2, 1), (0, 1, 1)])
def test_no_signature_counts_twice(fed: Protocol, chosen: tuple[int, ...]) -> None:
    chain, oracle = boa.env.evm.patch.chain_id, fed.oracle.address
    payload = prices.published_price(PRICE, now()) + b"".join(
        prices.sign_price(SIGNERS[i], chain, oracle, UNLISTED, PRICE, now()) for i in chosen
    )
    with refused("signer: not ascending"):
        bring(fed, payload=payload)


def test_the_mirror_image_of_a_signature_is_refused(fed: Protocol) -> None:
    payload = signed(fed, SIGNERS[:2], PRICE, now())
    r, s, v = payload[64:96], int.from_bytes(payload[96:128], "big"), payload[128]
    mirrored = r + (ORDER - s).to_bytes(32, "big") + bytes([55 - v])
    with refused("ecdsa: invalid signature `s` value"):
        bring(fed, payload=payload[:64] + mirrored + payload[129:])


@pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
def test_a_signature_of_nobody_is_refused(fed: Protocol, v: int) -> None:
    payload = bytearray(signed(fed, SIGNERS[:2], PRICE, now()))
    payload[128] = v
    with refused("ecdsa: invalid signature"):
        bring(fed, payload=bytes(payload))


@pytest.mark.parametrize("length", [0, 63, 64 + 64, 64 + 66, 64 + 2 * 65 - 1, 64 + 9 * 65, 2_048])
def test_a_payload_of_another_length_is_refused(fed: Protocol, length: int) -> None:
    payload = signed(fed, SIGNERS[:3], PRICE, now())
    with refused("payload: bad length"):
        bring(fed, payload=(payload * 20)[:length])


def replay(fed: Protocol, payload: bytes) -> None:
    with refused("signer: not allowed"):
        bring(fed, payload=payload)


def test_a_price_of_another_market_is_refused(fed: Protocol, owner: str) -> None:
    fed.oracle.send(owner, "set_signed_feed", UNLISTED + 1, LOT, 60, 3_600)
    replay(fed, signed(fed, SIGNERS[:2], PRICE, now(), UNLISTED + 1))


def test_a_price_of_another_oracle_is_refused(fed: Protocol) -> None:
    chain = boa.env.evm.patch.chain_id
    payload = prices.signed_price(SIGNERS[:2], chain, fed.book.address, UNLISTED, PRICE, now())
    replay(fed, payload)


def test_a_price_of_another_chain_is_refused(fed: Protocol) -> None:
    chain = boa.env.evm.patch.chain_id + 1
    payload = prices.signed_price(SIGNERS[:2], chain, fed.oracle.address, UNLISTED, PRICE, now())
    replay(fed, payload)


@pytest.mark.parametrize("at", [0, 31, 32, 63])
def test_another_price_or_time_than_was_signed_is_refused(fed: Protocol, at: int) -> None:
    payload = bytearray(signed(fed, SIGNERS[:2], PRICE, now()))
    payload[at] ^= 1
    before = fed.price(UNLISTED)
    receipt = fed.oracle.attempt(fed.attacker, "update", UNLISTED, bytes(payload))
    assert receipt.refusal in ("signer: not allowed", "ecdsa: invalid signature")
    assert fed.price(UNLISTED) == before


@pytest.mark.parametrize(
    ("price", "age", "reason"),
    [
        (0, 0, "price: zero"),
        (2**128, 0, "price: too large"),
        (2**256 - 1, 0, "price: too large"),
        (PRICE, -10, "price: from the future"),
        (PRICE, 3_601, "price: stale"),
    ],
)
def test_a_bad_price_is_refused(fed: Protocol, price: int, age: int, reason: str) -> None:
    with refused(reason):
        bring(fed, payload=signed(fed, SIGNERS[:2], price, now() - age))


def test_an_older_price_is_refused(fed: Protocol) -> None:
    advance(10)
    older, newer = (signed(fed, SIGNERS[:2], PRICE, now() - age) for age in (5, 0))
    bring(fed, payload=newer)
    assert bring(fed, payload=newer).events == []
    with refused("price: older than the last"):
        bring(fed, payload=older)


# Signers


def test_the_owner_replaces_all_signers_at_once(fed: Protocol, owner: str) -> None:
    payload = signed(fed, SIGNERS[:2], PRICE, now())
    event = fed.oracle.send(owner, "set_signers", ADDRESSES[1:9], 8).event("SignersSet")
    assert (list(event.signers), event.threshold) == (ADDRESSES[1:9], 8)
    assert list(fed.oracle.read("signers")) == ADDRESSES[1:9]
    assert fed.oracle.read("threshold") == 8
    assert fed.oracle.read("is_signer", ADDRESSES[0]) is False
    with refused("signer: too few"):
        bring(fed, payload=payload)
    bring(fed, payload=signed(fed, SIGNERS[1:9], PRICE, now()))


def test_a_feed_without_signers_takes_no_price(protocol: Protocol, owner: str) -> None:
    protocol.oracle.send(owner, "set_signed_feed", UNLISTED, LOT, 60, 3_600)
    with refused("signer: too few"):
        bring(protocol, payload=prices.published_price(PRICE, now()))


@pytest.mark.parametrize(
    ("signers", "threshold", "reason"),
    [
        ([], 0, "signer: bad threshold"),
        ([], 1, "signer: bad threshold"),
        (ADDRESSES[:3], 0, "signer: bad threshold"),
        (ADDRESSES[:3], 4, "signer: bad threshold"),
        (ADDRESSES[:16], 9, "signer: bad threshold"),
        (ADDRESSES[1::-1], 1, "signer: not ascending"),
        ([ADDRESSES[0]] * 2, 1, "signer: not ascending"),
        (["0x" + "00" * 20], 1, "signer: not ascending"),
    ],
)
def test_signers_that_make_no_sense_are_refused(
    protocol: Protocol, owner: str, signers: list[str], threshold: int, reason: str
) -> None:
    with refused(reason):
        protocol.oracle.send(owner, "set_signers", signers, threshold)


def test_only_the_owner_sets_signers(protocol: Protocol, attacker: str) -> None:
    with refused("caller: not the owner"):
        protocol.oracle.send(attacker, "set_signers", ADDRESSES[:1], 1)
    with refused("caller: not the owner"):
        protocol.oracle.send(attacker, "set_signed_feed", UNLISTED, LOT, 60, 3_600)


def test_the_domain_names_the_oracle(protocol: Protocol) -> None:
    domain = protocol.oracle.read("eip712Domain")
    assert domain[1:5] == ("Bulkhead", "1", boa.env.evm.patch.chain_id, protocol.oracle.address)
