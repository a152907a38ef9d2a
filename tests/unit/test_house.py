"""The house's money: insurance, fees, the pool's."""

import pytest

from tests.helpers.chain import refused
from tests.helpers.protocol import USD, Protocol

LOTS = 10**7  # 0.1 BTC, 5,000 USD


def test_anyone_funds_insurance(protocol: Protocol, attacker: str) -> None:
    before = protocol.house().insurance
    receipt = protocol.clearinghouse.send(attacker, "fund_insurance", 5 * USD)
    event = receipt.event("InsuranceFunded")
    assert (event.payer, event.amount) == (attacker, 5 * USD)
    assert event.house_word == protocol.clearinghouse.read("house_word")
    assert protocol.house().insurance == before + 5 * USD


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        (0, "amount: zero"),
        (2**62 + 1, "amount: too large"),
        (2**256 - 1, "amount: too large"),
        (2**62, "token: balance too low"),
    ],
)
def test_a_bad_amount_for_insurance_is_refused(
    protocol: Protocol, trader: str, amount: int, reason: str
) -> None:
    with refused(reason):
        protocol.clearinghouse.send(trader, "fund_insurance", amount)


def test_the_owner_claims_the_fees(
    protocol: Protocol, owner: str, trader: str, attacker: str
) -> None:
    protocol.deposit(trader, 5_000 * USD)
    protocol.trade(trader, 0, LOTS)
    assert protocol.house().fees == 500_000
    with refused("ownable: caller is not the owner"):
        protocol.clearinghouse.send(attacker, "claim_fees", attacker)
    before = protocol.balance(attacker)
    event = protocol.clearinghouse.send(owner, "claim_fees", attacker).event("FeesClaimed")
    assert (event.receiver, event.amount) == (attacker, 500_000)
    assert event.house_word == protocol.clearinghouse.read("house_word")
    assert protocol.balance(attacker) == before + 500_000
    assert protocol.house().fees == 0
    with refused("amount: zero"):
        protocol.clearinghouse.send(owner, "claim_fees", owner)


def test_fees_never_go_where_they_would_be_lost(
    protocol: Protocol, owner: str, trader: str
) -> None:
    protocol.deposit(trader, 5_000 * USD)
    protocol.trade(trader, 0, LOTS)
    for receiver in ("0x" + "00" * 20, protocol.clearinghouse.address):
        with refused("receiver: bad address"):
            protocol.clearinghouse.send(owner, "claim_fees", receiver)


def test_a_coarse_token_leaves_what_it_cannot_pay() -> None:
    protocol = Protocol(token_decimals=2, pool_cash=0, insurance=0)
    with refused("amount: zero"):
        protocol.clearinghouse.send(protocol.owner, "claim_fees", protocol.owner)


@pytest.mark.parametrize("verb", ["add_liquidity", "remove_liquidity"])
def test_only_the_pool_moves_the_pools_money(
    protocol: Protocol, verb: str, owner: str, attacker: str
) -> None:
    for sender in (owner, attacker, protocol.liquidity_provider):
        with refused("caller: not allowed"):
            protocol.clearinghouse.send(sender, verb, USD)


def test_liquidity_is_pool_cash(protocol: Protocol) -> None:
    before = protocol.house()
    receipt = protocol.add_liquidity(1_000 * USD)
    event = receipt.event("LiquidityAdded")
    assert event.amount == 1_000 * USD
    assert event.house_word == protocol.clearinghouse.read("house_word")
    assert protocol.house().pool_cash == before.pool_cash + 1_000 * USD


def test_removed_liquidity_is_the_pools_own_cash(protocol: Protocol) -> None:
    before = protocol.house()
    receipt = protocol.clearinghouse.send(protocol.pool.address, "remove_liquidity", USD)
    assert receipt.event("LiquidityRemoved").amount == USD
    assert protocol.house().pool_cash == before.pool_cash - USD
    assert protocol.cash(protocol.pool.address) == USD
