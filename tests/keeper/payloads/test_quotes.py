"""Signed prices: enough signers, one price, the newest; whatever servers put among them."""

from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from bulkhead import prices
from bulkhead.keeper.payloads import quotes
from bulkhead.keeper.payloads.quotes import MAX_OF_MARKET, best_payload, quotes_in

ORACLE = "0x" + "11" * 20
CHAIN = 31337
MARKET = 3
SIGNERS: list[LocalAccount] = [Account.from_key(number.to_bytes(32, "big")) for number in (1, 2, 3)]
STRANGER: LocalAccount = Account.from_key((9).to_bytes(32, "big"))
ADDRESSES = frozenset(str(one.address) for one in SIGNERS)
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def entry(signer: LocalAccount, price: int = 10**18, at: int = 1_000, **other: Any) -> Any:
    signature = prices.sign_price(signer, CHAIN, ORACLE, MARKET, price, at)
    known = {
        "market": MARKET,
        "price": str(price),
        "published_at": at,
        "signature": "0x" + signature.hex(),
    }
    return known | other


def best(*entries: Any, threshold: int = 2) -> bytes | str:
    found = list(quotes_in({"prices": list(entries)}, {MARKET}))
    return best_payload(found, ADDRESSES, threshold, CHAIN, ORACLE)


def payload_of(*signers: LocalAccount, price: int = 10**18, at: int = 1_000) -> bytes:
    return prices.signed_price(signers, CHAIN, ORACLE, MARKET, price, at)


def test_signatures_are_in_the_order_of_their_signers() -> None:
    expected = payload_of(SIGNERS[0], SIGNERS[1], SIGNERS[2])
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        assert best(*(entry(SIGNERS[place]) for place in order), threshold=3) == expected


def test_no_more_signatures_are_taken_than_must_be() -> None:
    found = best(*map(entry, SIGNERS))
    assert isinstance(found, bytes)
    assert len(found) == 64 + 2 * 65


def test_the_newest_price_that_enough_agree_on_is_taken() -> None:
    older = [entry(one, at=1_000) for one in SIGNERS]
    newer = [entry(one, 2 * 10**18, at=1_001) for one in SIGNERS[:2]]
    newest = [entry(SIGNERS[2], 3 * 10**18, at=1_002)]
    assert best(*older, *newest, *newer) == payload_of(*SIGNERS[:2], price=2 * 10**18, at=1_001)


def test_one_signer_counts_once() -> None:
    assert best(entry(SIGNERS[0]), entry(SIGNERS[0])) == (
        "2 signers must agree on a price, and fewer do"
    )


def test_who_is_no_signer_counts_for_nothing() -> None:
    assert (
        best(entry(SIGNERS[0]), entry(STRANGER)) == "2 signers must agree on a price, and fewer do"
    )


def test_signatures_of_two_prices_do_not_add_up() -> None:
    assert isinstance(best(entry(SIGNERS[0]), entry(SIGNERS[1], 2 * 10**18)), str)


def test_a_signature_for_another_market_counts_for_nothing() -> None:
    other = prices.sign_price(SIGNERS[1], CHAIN, ORACLE, MARKET + 1, 10**18, 1_000)
    assert isinstance(best(entry(SIGNERS[0]), entry(SIGNERS[1], signature="0x" + other.hex())), str)


def test_forged_newer_prices_do_not_hide_the_real_one() -> None:
    forged = [
        entry(STRANGER, at=2_000 + place, signature=f"0x{place + 1:064x}{number:064x}1b")
        for place in range(10)
        for number in (1, 2, 3)
    ]
    found = [quote for one in SIGNERS for quote in quotes_in({"prices": [entry(one)]}, {MARKET})]
    found += quotes_in({"prices": forged}, {MARKET})
    assert best_payload(found, ADDRESSES, 3, CHAIN, ORACLE) == payload_of(*SIGNERS)


def test_another_form_of_a_signature_does_not_spoil_the_payload() -> None:
    """The oracle takes one form alone; anybody can make the others of it."""
    honest = [entry(one) for one in SIGNERS[:2]]
    raw = bytes.fromhex(honest[0]["signature"][2:])
    high = raw[:32] + (ORDER - int.from_bytes(raw[32:64])).to_bytes(32) + bytes([55 - raw[64]])
    bare = raw[:64] + bytes([raw[64] - 27])
    twins = [entry(SIGNERS[0], signature="0x" + one.hex()) for one in (high, bare)]
    assert best(*honest, *twins) == payload_of(*SIGNERS[:2])
    assert isinstance(best(*twins, honest[1]), str)


def test_without_signers_there_is_no_price() -> None:
    assert best(*map(entry, SIGNERS), threshold=0) == "the oracle has no signers"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "text",
        7,
        {},
        {"prices": None},
        {"prices": {}},
        {"prices": [None, 7, "text", [], {}]},
        {"prices": [entry(SIGNERS[0], market="3")]},
        {"prices": [entry(SIGNERS[0], market=4)]},
        {"prices": [{**entry(SIGNERS[0]), "price": "1e18"}]},
        {"prices": [entry(SIGNERS[0], published_at="1000")]},
        {"prices": [entry(SIGNERS[0], published_at=-1)]},
        {"prices": [entry(SIGNERS[0], published_at=2**64)]},
        {"prices": [entry(SIGNERS[0], published_at=1.5)]},
        {"prices": [entry(SIGNERS[0], signature=None)]},
        {"prices": [entry(SIGNERS[0], signature="0x12")]},
        {"prices": [{**entry(SIGNERS[0]), "price": 10**18}]},
        {"prices": [{**entry(SIGNERS[0]), "price": "0"}]},
        {"prices": [{**entry(SIGNERS[0]), "price": "9" * 78}]},
    ],
)
def test_what_is_no_quote_is_passed_over(answer: Any) -> None:
    assert list(quotes_in(answer, {MARKET})) == []


def test_of_one_answer_only_so_much_is_looked_at() -> None:
    many = [entry(SIGNERS[0], at=1_000 + place) for place in range(2)] * MAX_OF_MARKET
    found = list(quotes_in({"prices": many}, {MARKET}))
    assert len(found) == MAX_OF_MARKET
    assert {quote.published_at for quote in found} == {1_001}


def test_a_signature_is_checked_once() -> None:
    entries = [entry(one, at=5_000) for one in SIGNERS]
    best(*entries)
    before = quotes._signer_of.cache_info().misses
    best(*entries)
    assert quotes._signer_of.cache_info().misses == before
