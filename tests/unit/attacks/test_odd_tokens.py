"""Tokens that do what tokens should not: nobody is credited with what did not arrive."""

from collections.abc import Callable, Iterator

import pytest

from bulkhead.protocol.words import ISOLATED_LONG
from tests.helpers.chain import Receipt, advance, refused
from tests.helpers.protocol import BTC, ETH, ISOLATED, USD, Protocol, position_id

PLAIN, SILENT, LYING, TAXED, BOMBING, BURSTING = range(6)
LOTS = 10**7  # 0.1 BTC, 5,000 USD


class OddProtocol(Protocol):
    token_contract = "mocks/OddToken"

    def turn(self, mood: int) -> None:
        self.token.send(self.attacker, "set_mood", mood)


@pytest.fixture(scope="module")
def odd() -> OddProtocol:
    return OddProtocol(BTC, ETH)


@pytest.fixture
def protocol(odd: OddProtocol) -> Iterator[OddProtocol]:
    with odd.anchored():
        yield odd
        odd.check_invariants()


def into_cash(protocol: Protocol) -> Receipt:
    return protocol.clearinghouse.attempt(protocol.trader, "deposit", protocol.trader, USD)


def into_a_vault(protocol: Protocol) -> Receipt:
    arguments = (protocol.trader, 0, True, USD)
    return protocol.clearinghouse.attempt(protocol.trader, "deposit_margin", *arguments)


def into_insurance(protocol: Protocol) -> Receipt:
    return protocol.clearinghouse.attempt(protocol.trader, "fund_insurance", USD)


def into_the_pool(protocol: Protocol) -> Receipt:
    return protocol.pool.attempt(protocol.trader, "deposit", USD, protocol.trader)


def shares_of_the_pool(protocol: Protocol) -> Receipt:
    return protocol.pool.attempt(protocol.trader, "mint", 10**12, protocol.trader)


def out_of_cash(protocol: Protocol) -> Receipt:
    return protocol.clearinghouse.attempt(protocol.trader, "withdraw", USD, protocol.trader)


def out_of_fees(protocol: Protocol) -> Receipt:
    return protocol.clearinghouse.attempt(protocol.owner, "claim_fees", protocol.owner)


WAYS_IN = (into_cash, into_a_vault, into_insurance, into_the_pool, shares_of_the_pool)
WAYS_OUT = (out_of_cash, out_of_fees)
Way = Callable[[Protocol], Receipt]


def opened(protocol: Protocol) -> None:
    protocol.deposit(protocol.trader, 1_000 * USD)
    protocol.trade(protocol.trader, 0, LOTS, margin_mode=ISOLATED)


@pytest.mark.parametrize("way", WAYS_IN + WAYS_OUT)
@pytest.mark.parametrize("mood", [SILENT, BOMBING])
def test_a_token_that_answers_nothing_or_too_much_is_moved(
    protocol: OddProtocol, mood: int, way: Way
) -> None:
    opened(protocol)
    protocol.turn(mood)
    assert way(protocol).refusal is None


@pytest.mark.parametrize("way", WAYS_IN + WAYS_OUT)
def test_a_token_that_says_no_is_believed(protocol: OddProtocol, way: Way) -> None:
    opened(protocol)
    before = protocol.state()
    protocol.turn(LYING)
    assert way(protocol).refusal == "token: transfer failed"
    assert protocol.state() == before


@pytest.mark.parametrize("way", WAYS_IN)
def test_a_token_that_keeps_a_part_is_not_taken(protocol: OddProtocol, way: Way) -> None:
    opened(protocol)
    before = protocol.state()
    protocol.turn(TAXED)
    assert way(protocol).refusal == "token: fee on transfer"
    assert protocol.state() == before


def test_what_a_token_keeps_on_the_way_out_is_its_receivers_loss(
    protocol: OddProtocol, trader: str
) -> None:
    opened(protocol)
    protocol.turn(TAXED)
    held = protocol.balance(protocol.clearinghouse.address)
    assert out_of_cash(protocol).refusal is None
    assert protocol.balance(protocol.clearinghouse.address) == held - USD


def liquidatable(protocol: OddProtocol) -> int:
    opened(protocol)
    protocol.push_price(0, 45_000)
    return position_id(protocol.trader, 0, ISOLATED_LONG)


def test_a_receiver_whom_the_token_bars_stops_nobody_but_himself(
    protocol: OddProtocol, trader: str
) -> None:
    """His tokens wait for him; he names another receiver, and is liquidated like anybody."""
    vault = liquidatable(protocol)
    protocol.token.send(trader, "set_barred", trader, True)
    with refused("token: barred"):
        protocol.withdraw(trader, USD)
    assert protocol.liquidate_isolated(vault).result == 1
    other = protocol.actor("other")
    protocol.clearinghouse.send(trader, "withdraw", protocol.cash(trader), other)
    protocol.withdraw(protocol.keeper, protocol.cash(protocol.keeper))


def test_a_request_is_fixed_for_a_provider_whom_the_token_bars(protocol: OddProtocol) -> None:
    provider = protocol.liquidity_provider
    shares = 10**12
    number = protocol.pool.send(provider, "requestRedeem", shares, provider, provider).result
    protocol.token.send(provider, "set_barred", provider, True)
    advance(3_600)
    protocol.pool.send(protocol.keeper, "fix", number)
    other = protocol.actor("other")
    protocol.pool.send(provider, "redeem", shares, other, provider)


@pytest.mark.parametrize("mood", [LYING, BURSTING])
def test_a_token_that_moves_nothing_any_more_stops_no_trade_and_no_liquidation(
    protocol: OddProtocol, trader: str, mood: int
) -> None:
    """Only who moves tokens asks the token."""
    vault = liquidatable(protocol)
    protocol.turn(mood)
    protocol.trade(trader, 1, LOTS, margin_mode=ISOLATED)
    assert protocol.liquidate_isolated(vault).result == 1
    protocol.trade(trader, 1, 0, margin_mode=ISOLATED, is_buy=False, reduce_only=True)
    protocol.turn(PLAIN)
    protocol.withdraw(trader, protocol.cash(trader))


@pytest.mark.parametrize("decimals", range(2, 19))
def test_a_token_of_any_decimals_comes_and_goes_whole(decimals: int) -> None:
    protocol = OddProtocol(token_decimals=decimals, pool_cash=0, insurance=0)
    amount, quote = 10 ** (decimals + 3), 1_000 * USD
    protocol.clearinghouse.send(protocol.trader, "deposit", protocol.trader, amount)
    assert protocol.cash(protocol.trader) == quote
    before = protocol.balance(protocol.trader)
    protocol.clearinghouse.send(protocol.trader, "withdraw", amount, protocol.trader)
    assert protocol.cash(protocol.trader) == 0
    assert protocol.balance(protocol.trader) == before + amount


@pytest.mark.parametrize("decimals", [0, 1, 19, 255])
def test_a_token_of_other_decimals_is_refused_at_deployment(decimals: int) -> None:
    with refused("token: bad decimals"):
        OddProtocol(token_decimals=decimals, pool_cash=0, insurance=0)
