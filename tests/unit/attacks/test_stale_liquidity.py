"""Liquidity moves at prices that could fill a trade: who knows better wins nothing from it."""

from typing import Any

import pytest

from tests.helpers.chain import Contract, advance, now, refused
from tests.helpers.protocol import COOLDOWN, PLENTY, PPM, USD, Protocol

LOTS = 6 * 10**9  # 60 BTC, 3,000,000 USD
TRADE_AGE = 60
MINUTES_50 = 3_000


@pytest.fixture
def skewed(protocol: Protocol, trader: str) -> Protocol:
    """A trader long 3,000,000 USD, whom the market then takes 5 % of."""
    protocol.deposit(trader, PLENTY)
    protocol.trade(trader, 0, LOTS, leverage=5 * PPM)
    return protocol


def worth(protocol: Protocol, account: str) -> int:
    shares = protocol.pool.read("balanceOf", account)
    return int(protocol.pool.read("convertToAssets", shares))


def request(protocol: Protocol, account: str, shares: int) -> int:
    return int(protocol.pool.send(account, "requestRedeem", shares, account, account).result)


ENTRIES = pytest.mark.parametrize(
    ("verb", "amount"), [("deposit", 2 * PLENTY), ("mint", 2 * PLENTY * 10**6)]
)


@ENTRIES
def test_entering_at_a_price_of_fifty_minutes_ago_earns_nothing(
    skewed: Protocol, attacker: str, verb: str, amount: int
) -> None:
    advance(MINUTES_50)
    before = skewed.balance(attacker)
    receipt = skewed.pool.attempt(attacker, verb, amount, attacker)
    paid = before - skewed.balance(attacker)
    skewed.push_price(0, 47_500)
    assert worth(skewed, attacker) <= paid
    assert receipt.refusal == "price: not firm"


@ENTRIES
def test_entering_at_the_price_as_it_is_earns_nothing(
    skewed: Protocol, attacker: str, verb: str, amount: int
) -> None:
    advance(MINUTES_50)
    skewed.push_price(0, 47_500)
    before = skewed.balance(attacker)
    skewed.pool.send(attacker, verb, amount, attacker)
    paid = before - skewed.balance(attacker)
    assert paid - 2 <= worth(skewed, attacker) <= paid


def test_leaving_at_a_price_of_fifty_minutes_ago_is_refused(
    skewed: Protocol, liquidity_provider: str
) -> None:
    """Mature and priced after maturity, but the trader has won meanwhile."""
    number = request(skewed, liquidity_provider, PLENTY * 10**6 // 5)
    advance(COOLDOWN)
    skewed.push_price(0, 50_000)
    advance(MINUTES_50)
    with refused("price: not firm"):
        skewed.pool.send(liquidity_provider, "fix", number)
    with skewed.anchored():
        skewed.push_price(0, 52_500)
        late = skewed.pool.send(liquidity_provider, "fix", number).result
    skewed.push_price(0, 50_000)
    assert skewed.pool.send(liquidity_provider, "fix", number).result > late


@ENTRIES
def test_a_price_is_fresh_as_long_as_it_may_trade(
    skewed: Protocol, attacker: str, verb: str, amount: int
) -> None:
    advance(skewed.price(0).published_at + TRADE_AGE - now())
    with skewed.anchored():
        skewed.pool.send(attacker, verb, amount, attacker)
    advance(1)
    with refused("price: not firm"):
        skewed.pool.send(attacker, verb, amount, attacker)


@pytest.mark.parametrize("preview", ["previewDeposit", "previewMint"])
def test_previews_say_what_the_move_would(skewed: Protocol, preview: str) -> None:
    advance(MINUTES_50)
    with refused("price: not firm"):
        skewed.pool.read(preview, PLENTY)


def test_nothing_may_enter_while_a_price_is_stale(skewed: Protocol, attacker: str) -> None:
    assert skewed.pool.read("maxDeposit", attacker) != 0
    assert skewed.pool.read("maxMint", attacker) != 0
    advance(MINUTES_50)
    assert skewed.pool.read("maxDeposit", attacker) == 0
    assert skewed.pool.read("maxMint", attacker) == 0


def test_markets_without_open_interest_need_no_price(protocol: Protocol, attacker: str) -> None:
    advance(30 * 86_400)
    shares = protocol.pool.send(attacker, "deposit", PLENTY, attacker).result
    number = request(protocol, attacker, shares)
    advance(COOLDOWN)
    assert protocol.pool.send(attacker, "fix", number).result == PLENTY - USD // 10


def test_liquidity_waits_for_the_round_that_is_out(
    skewed: Protocol, attacker: str, liquidity_provider: str
) -> None:
    aggregator = Contract("mocks/MockAggregator", 8)
    skewed.oracle.send(
        skewed.owner, "set_chainlink_feed", 0, 10**10, TRADE_AGE, 3_600, aggregator.address
    )
    number = request(skewed, liquidity_provider, PLENTY * 10**6 // 5)
    advance(COOLDOWN)
    aggregator.send(attacker, "set_answer", 50_000 * 10**8, now())
    skewed.oracle.send(attacker, "update", 0, b"")
    advance(2)
    aggregator.send(attacker, "set_answer", 47_500 * 10**8, now())
    moves: list[tuple[str, tuple[Any, ...]]] = [
        ("deposit", (PLENTY, attacker)),
        ("mint", (PLENTY, attacker)),
        ("fix", (number,)),
    ]
    for verb, arguments in moves:
        with refused("price: not firm"):
            skewed.pool.send(attacker, verb, *arguments)
    skewed.oracle.send(attacker, "update", 0, b"")
    for verb, arguments in moves:
        skewed.pool.send(attacker, verb, *arguments)
