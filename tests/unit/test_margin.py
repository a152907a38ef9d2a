"""Margin in and out of a vault: deposit_margin, add_margin, remove_margin."""

import pytest

from bulkhead.protocol import words
from bulkhead.protocol.words import ISOLATED_LONG
from tests.helpers.chain import advance, refused
from tests.helpers.protocol import ISOLATED, PPM, USD, Protocol

LOTS = 10**7  # 0.1 BTC, 5,000 USD


@pytest.fixture
def vault(protocol: Protocol, trader: str) -> Protocol:
    """The trader holds an isolated long of 5,000 USD with a margin of 1,000 and 5,000 free."""
    protocol.deposit(trader, 6_002_700_000)
    protocol.trade(trader, 0, LOTS, margin_mode=ISOLATED, margin=1_000 * USD)
    assert protocol.cash(trader) == 5_000 * USD
    return protocol


def margin(protocol: Protocol, account: str) -> int:
    return protocol.position(account, 0, ISOLATED_LONG).margin


# deposit_margin


def test_tokens_go_straight_into_a_vault(vault: Protocol, trader: str, keeper: str) -> None:
    receipt = vault.clearinghouse.send(keeper, "deposit_margin", trader, 0, True, 300 * USD)
    event = receipt.event("MarginAdded")
    assert margin(vault, trader) == 1_300 * USD
    assert vault.cash(trader) == 5_000 * USD
    assert (event.account, event.market, event.payer) == (trader, 0, keeper)
    assert (event.slot, event.amount) == (ISOLATED_LONG, 300 * USD)
    assert words.unpack_position(event.position_word).margin == 1_300 * USD
    assert event.account_word == vault.clearinghouse.read("account_word", trader)


def test_fresh_tokens_need_no_price(vault: Protocol, trader: str) -> None:
    advance(10**6)
    vault.clearinghouse.send(trader, "deposit_margin", trader, 0, True, USD)
    assert margin(vault, trader) == 1_001 * USD


@pytest.mark.parametrize(
    ("market", "is_long", "amount", "reason"),
    [
        (0, True, 0, "amount: zero"),
        (0, True, 2**256 - 1, "amount: too large"),
        (0, False, USD, "position: not open"),
        (1, True, USD, "position: not open"),
        (1_023, True, USD, "position: not open"),
        (1_024, True, USD, "market: unknown"),
        (2**256 - 1, True, USD, "market: unknown"),
        (0, True, 2**56, "margin: too large"),
    ],
)
def test_a_bad_deposit_of_margin_is_refused(
    vault: Protocol, trader: str, market: int, is_long: bool, amount: int, reason: str
) -> None:
    with refused(reason):
        vault.clearinghouse.send(trader, "deposit_margin", trader, market, is_long, amount)


def test_a_deposit_of_margin_takes_no_more_than_the_allowance(vault: Protocol, trader: str) -> None:
    vault.token.send(trader, "approve", vault.clearinghouse.address, 0)
    with refused("token: allowance too low"):
        vault.clearinghouse.send(trader, "deposit_margin", trader, 0, True, USD)


# add_margin


def test_free_balance_moves_into_a_vault(vault: Protocol, trader: str) -> None:
    event = vault.clearinghouse.send(trader, "add_margin", 0, True, 400 * USD).event("MarginAdded")
    assert margin(vault, trader) == 1_400 * USD
    assert vault.cash(trader) == 4_600 * USD
    assert (event.account, event.payer, event.amount) == (trader, trader, 400 * USD)


def test_all_free_balance_may_move_and_no_more(vault: Protocol, trader: str) -> None:
    with refused("balance: not withdrawable"):
        vault.clearinghouse.send(trader, "add_margin", 0, True, 5_000 * USD + 1)
    vault.clearinghouse.send(trader, "add_margin", 0, True, 5_000 * USD)
    assert vault.cash(trader) == 0


def test_cross_initial_margin_never_moves_into_a_vault(vault: Protocol, trader: str) -> None:
    vault.trade(trader, 1, 10**7, leverage=5 * PPM)  # 2,500 USD of ETH binds 500
    with refused("balance: not withdrawable"):
        vault.clearinghouse.send(trader, "add_margin", 0, True, 4_500 * USD)
    vault.clearinghouse.send(trader, "add_margin", 0, True, 4_490 * USD)


def test_adding_margin_needs_firm_prices_of_cross_legs(vault: Protocol, trader: str) -> None:
    vault.trade(trader, 1, 10**7)
    advance(61)
    with refused("price: not firm"):
        vault.clearinghouse.send(trader, "add_margin", 0, True, USD)


@pytest.mark.parametrize("verb", ["add_margin", "remove_margin"])
@pytest.mark.parametrize(
    ("market", "is_long", "amount", "reason"),
    [
        (0, True, 0, "amount: zero"),
        (0, False, USD, "position: not open"),
        (1, True, USD, "position: not open"),
        (2**256 - 1, True, USD, "market: unknown"),
    ],
)
def test_a_bad_move_of_margin_is_refused(
    vault: Protocol,
    trader: str,
    verb: str,
    market: int,
    is_long: bool,
    amount: int,
    reason: str,
) -> None:
    with refused(reason):
        vault.clearinghouse.send(trader, verb, market, is_long, amount)


def test_the_largest_amount_is_refused(vault: Protocol, trader: str) -> None:
    with refused("balance: not withdrawable"):
        vault.clearinghouse.send(trader, "add_margin", 0, True, 2**256 - 1)
    with refused("margin: below initial"):
        vault.clearinghouse.send(trader, "remove_margin", 0, True, 2**256 - 1)


# remove_margin


def test_margin_returns_to_free_balance(vault: Protocol, trader: str) -> None:
    receipt = vault.clearinghouse.send(trader, "remove_margin", 0, True, 200 * USD)
    event = receipt.event("MarginRemoved")
    assert margin(vault, trader) == 800 * USD
    assert vault.cash(trader) == 5_200 * USD
    assert (event.account, event.market, event.slot) == (trader, 0, ISOLATED_LONG)
    assert event.amount == 200 * USD
    assert words.unpack_position(event.position_word).margin == 800 * USD
    assert words.unpack_account(event.account_word).cash == 5_200 * USD


def test_initial_margin_stays_to_the_unit(vault: Protocol, trader: str) -> None:
    vault.clearinghouse.send(trader, "set_leverage", 0, 100 * PPM, True, True)
    # Tier: 1 % of 5,000 USD, and the fill's impact of 25 quote units is an unrealised loss.
    removable = 950 * USD - 25
    with refused("margin: below initial"):
        vault.clearinghouse.send(trader, "remove_margin", 0, True, removable + 1)
    vault.clearinghouse.send(trader, "remove_margin", 0, True, removable)


def test_ten_times_leverage_binds_what_stays_unless_another_is_set(
    vault: Protocol, trader: str
) -> None:
    removable = 500 * USD - 25
    with refused("margin: below initial"):
        vault.clearinghouse.send(trader, "remove_margin", 0, True, removable + 1)
    vault.clearinghouse.send(trader, "remove_margin", 0, True, removable)
    vault.clearinghouse.send(trader, "set_leverage", 0, 20 * PPM, True, True)
    vault.clearinghouse.send(trader, "remove_margin", 0, True, 250 * USD)


def test_profit_is_not_removable(vault: Protocol, trader: str) -> None:
    vault.clearinghouse.send(trader, "set_leverage", 0, 100 * PPM, True, True)
    vault.push_price(0, 100_000)
    with refused("margin: below initial"):
        vault.clearinghouse.send(trader, "remove_margin", 0, True, 900 * USD + 1)
    vault.clearinghouse.send(trader, "remove_margin", 0, True, 900 * USD)


def test_a_loss_is_not_removable(vault: Protocol, trader: str) -> None:
    vault.clearinghouse.send(trader, "set_leverage", 0, 100 * PPM, True, True)
    vault.push_price(0, 45_000)
    with refused("margin: below initial"):
        vault.clearinghouse.send(trader, "remove_margin", 0, True, 455 * USD)
    vault.clearinghouse.send(trader, "remove_margin", 0, True, 454 * USD)


def test_removing_margin_needs_a_firm_price(vault: Protocol, trader: str) -> None:
    advance(61)
    with refused("price: not firm"):
        vault.clearinghouse.send(trader, "remove_margin", 0, True, USD)


def test_nobody_moves_the_margin_of_another(vault: Protocol, trader: str, attacker: str) -> None:
    vault.set_operator(trader, attacker)
    for verb in ("add_margin", "remove_margin"):
        with refused("balance: not withdrawable" if verb == "add_margin" else "position: not open"):
            vault.clearinghouse.send(attacker, verb, 0, True, USD)
    assert margin(vault, trader) == 1_000 * USD
