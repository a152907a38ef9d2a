"""Whoever chooses when and what is liquidated, netted or topped up gains nothing by it."""

from dataclasses import replace
from random import Random

import pytest

from bulkhead.protocol import words
from tests.helpers.protocol import (
    FRICTIONLESS,
    ISOLATED,
    LONG,
    SHORT,
    USD,
    Market,
    Protocol,
    position_id,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
FEMTO = 10**9
MARKETS = 5


@pytest.fixture(scope="module")
def many() -> Protocol:
    """Five markets without fees."""
    terms = replace(FRICTIONLESS, pool_share=150_000)
    return Protocol(
        *[Market(f"M{i}-PERP", 50_000, 10**8, terms, keeper_fee=0) for i in range(MARKETS)]
    )


@pytest.mark.parametrize("seed", range(4))
def test_pairs_and_legs_with_a_few_units_of_equity_leave_no_debt(many: Protocol, seed: int) -> None:
    """Pairs are netted and legs closed one by one: together they lose less than one unit."""
    random = Random(seed)
    with many.anchored() as protocol:
        trader = protocol.trader
        protocol.deposit(trader, 1_000 * USD)
        protocol.clearinghouse.send(trader, "set_hedge_mode", True)
        for market in range(MARKETS):
            size = LOTS + random.randrange(1_000)
            protocol.trade(trader, market, size, position_side=LONG)
            if random.random() < 0.7:
                other = size if random.random() < 0.5 else size // 2 - random.randrange(1_000)
                protocol.trade(trader, market, other, position_side=SHORT, is_buy=False)
        protocol.trade(trader, 0, LOTS, position_side=LONG)
        net = [
            protocol.position(trader, market, 0).size - protocol.position(trader, market, 1).size
            for market in range(MARKETS)
        ]

        def equity() -> int:
            return protocol.cash(trader) * FEMTO + sum(
                protocol.value(trader, market, slot)
                for market in range(MARKETS)
                for slot in range(2)
                if protocol.account(trader).legs & words.leg_bit(market, slot)
            )

        protocol.refresh()
        lots = next(market for market in range(MARKETS) if net[market])
        left = random.randrange(8)
        price = protocol.price(lots).price - (equity() - left * FEMTO) // net[lots]
        protocol.requote(lots, price=price)
        before = equity()
        assert left * FEMTO <= before < left * FEMTO + net[lots]
        receipt = protocol.liquidate_cross(trader)
        assert receipt.result == 1
        assert receipt.named("DebtWrittenOff") == []
        penalties = sum(event.penalty for event in receipt.named("PositionLiquidated"))
        assert protocol.account(trader).legs == 0
        assert protocol.cash(trader) == before // FEMTO - penalties
        protocol.check_invariants()


def test_splitting_a_position_over_vaults_saves_no_penalty(
    protocol: Protocol, trader: str, attacker: str
) -> None:
    """Nor does one large vault pay more than two halves for what is closed of it."""
    for account in (trader, attacker):
        protocol.deposit(account, 20_000 * USD)
    protocol.trade(trader, 0, 20 * LOTS, margin_mode=ISOLATED, margin=10_000 * USD)
    halves = [attacker, protocol.actor("half")]
    protocol.deposit(halves[1], 20_000 * USD)
    for half in halves:
        protocol.trade(half, 0, 10 * LOTS, margin_mode=ISOLATED, margin=5_000 * USD)
    protocol.push_price(0, 45_200)
    whole = protocol.liquidate_isolated(position_id(trader, 0, 2)).event("PositionLiquidated")
    parts = protocol.liquidate_isolated(*[position_id(half, 0, 2) for half in halves]).named(
        "PositionLiquidated"
    )
    assert whole.size == pytest.approx(sum(part.size for part in parts), rel=1e-3)
    assert whole.penalty == pytest.approx(sum(part.penalty for part in parts), rel=1e-3)


def test_a_pair_made_to_be_netted_costs_its_owner_both_fees(
    protocol: Protocol, trader: str, attacker: str
) -> None:
    """Netting skips impact; but what it takes off leaves the skew as it was."""
    protocol.deposit(trader, 1_000 * USD)
    protocol.clearinghouse.send(trader, "set_hedge_mode", True)
    protocol.trade(trader, 1, 2 * 10**7, position_side=LONG)
    cash = protocol.cash(trader)
    protocol.trade(trader, 0, LOTS, position_side=LONG)
    protocol.trade(trader, 0, LOTS, position_side=SHORT, is_buy=False)
    spent = cash - protocol.cash(trader)
    protocol.push_price(0, 50_000)
    protocol.push_price(1, 2_020)
    house = protocol.house()
    receipt = protocol.liquidate_cross(trader, liquidator=attacker)
    event = receipt.event("PairNetted")
    assert receipt.named("PositionLiquidated") == []
    assert protocol.cash(attacker) == 0
    assert event.realised <= 0
    assert spent > 2 * USD
    assert protocol.house().insurance == house.insurance


def test_no_batch_starves_another_of_what_it_may_close(
    protocol: Protocol, trader: str, attacker: str
) -> None:
    """A vault that was topped up in a batch is healthy for the rest of it, and closes no other."""
    for account in (trader, attacker):
        protocol.deposit(account, 1_000 * USD)
        protocol.trade(account, 0, LOTS, margin_mode=ISOLATED, margin=500 * USD)
    protocol.set_auto_margin(trader, 0, True, 100 * USD)
    protocol.push_price(0, 45_200)
    ids = [position_id(trader, 0, 2), position_id(attacker, 0, 2)] * 3
    receipt = protocol.liquidate_isolated(*ids)
    assert receipt.result == 2
    assert receipt.event("PositionLiquidated").account == attacker
