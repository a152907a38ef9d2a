"""Liquidations that chance meets seldom, made on purpose: the engine is compared at every call."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bulkhead.protocol import words
from tests.helpers.mirror import Mirror, Recorder, state_of
from tests.helpers.protocol import (
    BTC,
    ETH,
    ISOLATED,
    LONG,
    PPM,
    SHORT,
    USD,
    Protocol,
    Terms,
    position_id,
)

TERMS = Terms(partial_above=1_000 * USD, funding_velocity=2 * 10**8)
MARKETS = (replace(BTC, terms=TERMS), replace(ETH, terms=TERMS))
COIN = 10**8  # lots of BTC


@pytest.fixture
def mirrored() -> Iterator[Protocol]:
    recorder = Recorder()
    with recorder.watching():
        protocol = Protocol(*MARKETS)
        protocol.deposit(protocol.trader, 3_000 * USD)
    Mirror(protocol, state_of(protocol, recorder))
    yield protocol
    protocol.check_invariants()


def test_a_hedged_pair_is_netted_before_anything_is_closed(mirrored: Protocol) -> None:
    trader = mirrored.trader
    mirrored.clearinghouse.send(trader, "set_hedge_mode", True)
    mirrored.trade(trader, 0, COIN, position_side=LONG)
    mirrored.trade(trader, 0, COIN // 2, position_side=SHORT, is_buy=False)
    mirrored.push_price(0, 44_200)
    receipt = mirrored.liquidate_cross(trader)
    assert receipt.named("PairNetted")
    assert mirrored.position(trader, 0, words.CROSS_SHORT).size == 0


def test_a_large_ledger_keeps_a_part(mirrored: Protocol) -> None:
    trader = mirrored.trader
    mirrored.trade(trader, 0, COIN)
    mirrored.trade(trader, 1, 10**7)
    mirrored.push_price(0, 47_240)
    mirrored.publish(1, 2_500)
    receipt = mirrored.liquidate_cross(trader)
    (cut,) = receipt.named("PositionLiquidated")
    assert words.unpack_position(cut.position_word).size > 0


def test_a_ledger_that_jumped_past_its_money_leaves_a_debt_to_insurance(
    mirrored: Protocol,
) -> None:
    trader = mirrored.trader
    mirrored.trade(trader, 0, COIN)
    mirrored.push_price(0, 40_000)
    (written_off,) = mirrored.liquidate_cross(trader).named("DebtWrittenOff")
    assert written_off.deficit > 0


def test_a_large_vault_keeps_a_part_and_a_fed_one_all(mirrored: Protocol) -> None:
    trader = mirrored.trader
    vault = position_id(trader, 0, words.ISOLATED_LONG)
    mirrored.trade(trader, 0, COIN // 5, margin_mode=ISOLATED, leverage=20 * PPM)
    mirrored.push_price(0, 47_700)
    (cut,) = mirrored.liquidate_isolated(vault).named("PositionLiquidated")
    assert 0 < words.unpack_position(cut.position_word).size < COIN // 5

    mirrored.set_auto_margin(trader, 0, True, 1_000 * USD)
    mirrored.push_price(0, 47_620)
    receipt = mirrored.liquidate_isolated(vault)
    assert receipt.named("MarginToppedUp")
    assert not receipt.named("PositionLiquidated")


def test_only_what_is_due_among_many_is_liquidated(mirrored: Protocol) -> None:
    trader = mirrored.trader
    for market, size in ((0, COIN // 10), (1, 10**7)):
        mirrored.trade(trader, market, size, margin_mode=ISOLATED, leverage=20 * PPM)
    ids = [position_id(trader, market, words.ISOLATED_LONG) for market in range(2)]
    beyond = ids[0] | 1 << 200  # bits above an address name nobody
    mirrored.push_price(0, 44_000)
    mirrored.publish(1, 2_500)
    assert mirrored.liquidate_isolated(*ids, *ids, beyond, 0).result == 1
    assert mirrored.position(trader, 1, words.ISOLATED_LONG).size == 10**7
