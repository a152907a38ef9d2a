"""Tokens into an account's cash."""

import pytest

from tests.helpers.chain import advance, refused
from tests.helpers.protocol import USD, Protocol


def test_a_deposit_becomes_cash(protocol: Protocol, trader: str) -> None:
    before = protocol.balance(trader)

    event = protocol.deposit(trader, 5_000 * USD).event("Deposited")

    assert protocol.cash(trader) == 5_000 * USD
    assert protocol.balance(trader) == before - 5_000 * USD
    assert (event.account, event.payer, event.amount) == (trader, trader, 5_000 * USD)
    assert event.account_word == protocol.clearinghouse.read("account_word", trader)


def test_a_second_deposit_adds(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 5_000 * USD)
    protocol.deposit(trader, 1)
    assert protocol.cash(trader) == 5_000 * USD + 1


def test_anyone_may_pay_for_an_account(protocol: Protocol, trader: str, keeper: str) -> None:
    event = protocol.deposit(trader, USD, payer=keeper).event("Deposited")
    assert (event.account, event.payer) == (trader, keeper)
    assert protocol.cash(trader) == USD
    assert protocol.cash(keeper) == 0


def test_a_deposit_needs_no_price(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 5_000 * USD)
    protocol.trade(trader, 0, 10**7)
    cash = protocol.cash(trader)
    advance(10**6)
    protocol.deposit(trader, USD)
    assert protocol.cash(trader) == cash + USD


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        (0, "amount: zero"),
        (2**62 + 1, "amount: too large"),
        (2**256 - 1, "amount: too large"),
        (2**62, "token: balance too low"),
    ],
)
def test_an_amount_out_of_range_is_refused(
    protocol: Protocol, trader: str, amount: int, reason: str
) -> None:
    with refused(reason):
        protocol.clearinghouse.send(trader, "deposit", trader, amount)


def test_nobody_deposits_for_the_zero_address(protocol: Protocol, trader: str) -> None:
    with refused("account: zero"):
        protocol.clearinghouse.send(trader, "deposit", "0x" + "00" * 20, USD)


def test_a_deposit_takes_no_more_than_the_allowance(protocol: Protocol, trader: str) -> None:
    protocol.token.send(trader, "approve", protocol.clearinghouse.address, USD)
    with refused("token: allowance too low"):
        protocol.deposit(trader, USD + 1)


def test_cash_beyond_its_word_is_refused(protocol: Protocol, trader: str) -> None:
    protocol.token.send(trader, "mint", trader, 2**64)
    protocol.deposit(trader, 2**62)
    with refused("word: out of range"):
        protocol.deposit(trader, 2**62)


@pytest.fixture(scope="module")
def fine_world() -> Protocol:
    return Protocol(token_decimals=18, pool_cash=0, insurance=0)


def test_a_finer_token_is_scaled(fine_world: Protocol) -> None:
    with fine_world.anchored() as protocol:
        protocol.clearinghouse.send(protocol.trader, "deposit", protocol.trader, 3 * 10**18)
        assert protocol.cash(protocol.trader) == 3 * USD
        protocol.check_invariants()


def test_part_of_a_quote_unit_is_refused(fine_world: Protocol) -> None:
    with fine_world.anchored() as protocol, refused("amount: not whole units"):
        protocol.clearinghouse.send(protocol.trader, "deposit", protocol.trader, 10**18 + 1)


def test_a_coarser_token_is_scaled() -> None:
    protocol = Protocol(token_decimals=2, pool_cash=0, insurance=0)
    trader = protocol.trader
    protocol.clearinghouse.send(trader, "deposit", trader, 300)
    assert protocol.cash(trader) == 3 * USD
    protocol.clearinghouse.send(trader, "withdraw", 100, trader)
    assert protocol.cash(trader) == 2 * USD
