"""Cash out to a receiver, as far as it is withdrawable."""

import pytest

from bulkhead.protocol import margin_math
from tests.helpers.chain import advance, refused
from tests.helpers.protocol import FEMTO, FRICTIONLESS, ISOLATED, USD, Market, Protocol

LOTS = 10**7  # 0.1 BTC, 5,000 USD


@pytest.fixture
def funded(protocol: Protocol, trader: str) -> Protocol:
    protocol.deposit(trader, 5_000 * USD)
    return protocol


def test_cash_goes_to_the_receiver(funded: Protocol, trader: str, keeper: str) -> None:
    before = funded.balance(keeper)
    event = funded.clearinghouse.send(trader, "withdraw", 2_000 * USD, keeper).event("Withdrawn")
    assert funded.balance(keeper) == before + 2_000 * USD
    assert funded.cash(trader) == 3_000 * USD
    assert (event.account, event.receiver, event.amount) == (trader, keeper, 2_000 * USD)
    assert event.account_word == funded.clearinghouse.read("account_word", trader)


def test_all_cash_can_leave_when_no_leg_is_open(funded: Protocol, trader: str) -> None:
    funded.withdraw(trader, 5_000 * USD)
    assert funded.cash(trader) == 0


def test_more_than_the_cash_is_refused(funded: Protocol, trader: str) -> None:
    with refused("balance: not withdrawable"):
        funded.withdraw(trader, 5_000 * USD + 1)


@pytest.mark.parametrize(("is_buy", "dollars"), [(True, 12), (False, 28)])
def test_a_leg_of_one_lot_counts(is_buy: bool, dollars: int) -> None:
    protocol = Protocol(Market("ORE-PERP", 1, 1, FRICTIONLESS))
    trader = protocol.trader
    protocol.deposit(trader, 100 * USD)
    protocol.push_price(0, 20)
    protocol.trade(trader, 0, 1, 20, is_buy=is_buy)
    protocol.push_price(0, dollars)
    with refused("balance: not withdrawable"):
        protocol.withdraw(trader, protocol.cash(trader) - 8 * USD)


def test_nobody_withdraws_what_is_anothers(funded: Protocol, attacker: str) -> None:
    with refused("balance: not withdrawable"):
        funded.withdraw(attacker, 1)


def test_an_operator_cannot_withdraw(funded: Protocol, trader: str, attacker: str) -> None:
    funded.set_operator(trader, attacker)
    with refused("balance: not withdrawable"):
        funded.withdraw(attacker, 1)


@pytest.mark.parametrize(
    ("amount", "reason"), [(0, "amount: zero"), (2**256 - 1, "amount: too large")]
)
def test_an_amount_out_of_range_is_refused(
    funded: Protocol, trader: str, amount: int, reason: str
) -> None:
    with refused(reason):
        funded.withdraw(trader, amount)


def test_a_receiver_that_would_lose_the_tokens_is_refused(funded: Protocol, trader: str) -> None:
    for receiver in ("0x" + "00" * 20, funded.clearinghouse.address):
        with refused("receiver: bad address"):
            funded.clearinghouse.send(trader, "withdraw", USD, receiver)


def withdrawable(protocol: Protocol, account: str) -> int:
    """For an account with one cross long in market 0."""
    worth = min(protocol.value(account, 0, 0), 0)
    position = protocol.position(account, 0, 0)
    initial = margin_math.initial_margin(
        position.size * protocol.price(0).price, position.margin, protocol.tiers(0)
    )
    return protocol.cash(account) + (worth - initial) // FEMTO


def test_a_cross_leg_holds_back_its_initial_margin_to_the_unit(
    funded: Protocol, trader: str
) -> None:
    funded.trade(trader, 0, LOTS)
    limit = withdrawable(funded, trader)
    with refused("balance: not withdrawable"):
        funded.withdraw(trader, limit + 1)
    funded.withdraw(trader, limit)


def test_an_unrealised_loss_is_held_back(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS)
    funded.push_price(0, 45_000)
    limit = withdrawable(funded, trader)
    assert limit < 5_000 * USD - 500 * USD
    with refused("balance: not withdrawable"):
        funded.withdraw(trader, limit + 1)
    funded.withdraw(trader, limit)


def test_unrealised_profit_never_leaves(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS)
    funded.push_price(0, 60_000)
    cash = funded.cash(trader)
    with refused("balance: not withdrawable"):
        funded.withdraw(trader, cash)
    assert withdrawable(funded, trader) < cash


def test_an_old_price_of_a_leg_stops_withdrawals(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS)
    advance(61)
    with refused("price: not firm"):
        funded.withdraw(trader, 1)
    funded.push_price(0, 50_000)
    funded.withdraw(trader, 1)


def test_a_vault_holds_nothing_back(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=ISOLATED)
    advance(10**6)
    funded.withdraw(trader, funded.cash(trader))
    assert funded.cash(trader) == 0


def test_escrow_cannot_be_withdrawn(funded: Protocol, trader: str) -> None:
    order = funded.place(trader, 0, LOTS)
    with refused("balance: not withdrawable"):
        funded.withdraw(trader, 5_000 * USD)
    funded.withdraw(trader, 5_000 * USD - funded.order_state(order).keeper_fee)
