"""Closing a whole cross ledger that can no longer carry itself."""

from decimal import Decimal

import pytest

from bulkhead.protocol import words
from tests.helpers.chain import advance
from tests.helpers.protocol import (
    BTC,
    ETH,
    FRICTIONLESS,
    ISOLATED,
    LIMIT,
    LONG,
    SHORT,
    USD,
    Market,
    Protocol,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
ETH_LOTS = 2 * 10**7  # 2 ETH, 5,000 USD


@pytest.fixture
def pair(protocol: Protocol, trader: str) -> Protocol:
    """Long 5,000 USD of BTC and of ETH on about 1,000 USD."""
    protocol.deposit(trader, 1_005_400_000)
    protocol.trade(trader, 0, LOTS)
    protocol.trade(trader, 1, ETH_LOTS)
    assert protocol.cash(trader) == 1_000 * USD
    return protocol


def equity(protocol: Protocol, account: str) -> int:
    """In femto, over markets 0 and 1."""
    state = protocol.account(account)
    worth = (state.cash + state.escrow) * 10**9
    for market in range(2):
        for slot in range(2):
            if state.legs & words.leg_bit(market, slot):
                worth += protocol.value(account, market, slot)
    return worth


def test_all_legs_are_closed_where_maintenance_reaches_equity(
    pair: Protocol, trader: str, keeper: str
) -> None:
    pair.push_price(1, 2_500)
    pair.push_price(0, "40500")  # 950 lost: 50 left, and 45.25 due
    assert pair.liquidate_cross(trader).result == 0
    pair.push_price(0, "40400")  # 40 left, and 45.20 due
    worth, house, earned = equity(pair, trader) // 10**9, pair.house(), pair.cash(keeper)

    receipt = pair.liquidate_cross(trader)

    assert receipt.result == 1
    first, second = receipt.named("PositionLiquidated")
    assert [(e.market, e.slot, e.size) for e in (first, second)] == [(0, 0, LOTS), (1, 0, ETH_LOTS)]
    assert (first.account, first.liquidator, first.deficit) == (trader, keeper, 0)
    state = pair.account(trader)
    assert (state.legs, state.vaults) == (0, 0)
    penalties = first.penalty + second.penalty
    rewards = first.reward + second.reward
    assert state.cash == worth - penalties
    assert penalties == 10_100_000 + 12_500_000
    assert pair.cash(keeper) == earned + rewards
    assert receipt.event("LiquidatorPaid").amount == rewards
    assert pair.house().insurance == house.insurance + penalties - rewards
    assert pair.house().pool_cash == house.pool_cash - first.realised - second.realised
    assert receipt.named("DebtWrittenOff") == []
    for market in range(2):
        assert pair.position(trader, market, 0) == words.Position(0, 0, 0, 1, 0)


def test_the_last_event_carries_the_account_as_it_is(pair: Protocol, trader: str) -> None:
    pair.push_price(1, 2_500)
    pair.push_price(0, 40_400)
    receipt = pair.liquidate_cross(trader)
    last = receipt.named("PositionLiquidated")[-1]
    assert last.account_word == pair.clearinghouse.read("account_word", trader)
    for settled in receipt.named("MarketSettled"):
        found = pair.market_words(settled.market)[:3]
        assert [settled.market_word, settled.long_word, settled.short_word] == found
    assert receipt.event("LiquidatorPaid").house_word == pair.clearinghouse.read("house_word")


def test_one_threshold_for_the_account(pair: Protocol, trader: str) -> None:
    """What one leg loses another's profit carries."""
    pair.push_price(1, 2_900)
    pair.push_price(0, 40_000)
    assert pair.liquidate_cross(trader).result == 0


def test_the_penalty_shrinks_with_what_is_left(pair: Protocol, trader: str) -> None:
    pair.push_price(1, 2_500)
    pair.push_price(0, 40_150)
    left = equity(pair, trader) // 10**9
    assert 0 < left < 22 * USD
    receipt = pair.liquidate_cross(trader)
    assert sum(e.penalty for e in receipt.named("PositionLiquidated")) == left
    assert pair.cash(trader) == 0
    assert receipt.named("DebtWrittenOff") == []


def test_a_deficit_is_written_off_by_insurance(pair: Protocol, trader: str, keeper: str) -> None:
    pair.push_price(1, 2_500)
    pair.push_price(0, 38_000)
    lost, house = -equity(pair, trader), pair.house()
    receipt = pair.liquidate_cross(trader)
    event = receipt.event("DebtWrittenOff")
    assert (event.account, event.escrow) == (trader, 0)
    assert event.deficit == -(-lost // 10**9)
    assert pair.account(trader) == words.Account(0, 0, 0, 0, 0, 0)
    assert event.account_word == pair.clearinghouse.read("account_word", trader)
    assert receipt.event("LiquidatorPaid").house_word == pair.clearinghouse.read("house_word")
    assert pair.house().insurance == house.insurance - event.deficit - 25_000
    assert [e.reward for e in receipt.named("PositionLiquidated")] == [12_500, 12_500]
    assert pair.cash(keeper) >= 50_000


def test_what_insurance_cannot_pay_is_the_pools() -> None:
    protocol = Protocol(BTC, insurance=0)
    trader = protocol.trader
    protocol.deposit(trader, 1_000 * USD)
    protocol.trade(trader, 0, 2 * LOTS)
    protocol.push_price(0, 40_000)
    house = protocol.house()
    receipt = protocol.liquidate_cross(trader)
    closed = receipt.event("PositionLiquidated")
    written = receipt.event("DebtWrittenOff")
    assert protocol.house().insurance == 0
    uncovered = written.deficit - (house.insurance - closed.reward)
    assert protocol.house().pool_cash == house.pool_cash - closed.realised - uncovered
    protocol.check_invariants()


def test_escrow_counts_as_equity_and_pays_before_insurance(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 1_000 * USD)
    protocol.trade(trader, 0, 2 * LOTS)
    for _ in range(3):
        protocol.place(trader, 1, ETH_LOTS, kind=LIMIT, acceptable_price=1)
    protocol.push_price(0, 44_000)
    event = protocol.liquidate_cross(trader).event("DebtWrittenOff")
    assert event.escrow == 600_000
    assert protocol.account(trader) == words.Account(0, 0, 0, 0, 0, 0)


def test_vaults_are_left_alone(pair: Protocol, trader: str) -> None:
    pair.deposit(trader, 502_700_025 + 1)
    pair.trade(trader, 0, LOTS, margin_mode=ISOLATED)
    vault = pair.position(trader, 0, 2)
    pair.push_price(1, 2_300)
    pair.push_price(0, 40_400)
    assert pair.liquidate_cross(trader).result == 1
    assert pair.position(trader, 0, 2) == vault
    assert pair.account(trader).vaults == 1


def test_a_batch_skips_who_is_healthy_or_flat(
    pair: Protocol, trader: str, attacker: str, keeper: str
) -> None:
    pair.deposit(attacker, 5_000 * USD)
    pair.trade(attacker, 0, LOTS)
    pair.push_price(1, 2_500)
    pair.push_price(0, 40_400)
    nobody = "0x" + "00" * 20
    receipt = pair.liquidate_cross(attacker, nobody, keeper, trader, trader)
    assert receipt.result == 1
    assert {event.account for event in receipt.named("PositionLiquidated")} == {trader}
    assert pair.liquidate_cross().result == 0


def test_a_leg_that_is_merely_old_keeps_the_account_waiting(pair: Protocol, trader: str) -> None:
    advance(61)
    pair.push_price(0, 38_000)
    assert pair.liquidate_cross(trader).result == 0
    pair.push_price(1, 2_500)
    assert pair.liquidate_cross(trader).result == 1


def test_a_silent_leg_neither_shields_nor_is_closed(pair: Protocol, trader: str) -> None:
    advance(3_601)
    pair.push_price(0, 40_000)
    receipt = pair.liquidate_cross(trader)
    assert receipt.result == 1
    assert [event.market for event in receipt.named("PositionLiquidated")] == [0]
    state = pair.account(trader)
    assert state.legs == words.leg_bit(1, 0)
    assert pair.position(trader, 1, 0).size == ETH_LOTS


def test_a_debt_waits_for_the_last_leg(pair: Protocol, trader: str) -> None:
    advance(3_601)
    pair.push_price(0, 35_000)
    house = pair.house()
    receipt = pair.liquidate_cross(trader)
    assert receipt.result == 1
    assert receipt.named("DebtWrittenOff") == []
    assert pair.cash(trader) < 0
    assert pair.house().insurance <= house.insurance
    pair.push_price(1, 2_500)
    receipt = pair.liquidate_cross(trader)
    assert receipt.result == 1
    assert receipt.event("DebtWrittenOff").deficit > 0
    assert pair.account(trader) == words.Account(0, 0, 0, 0, 0, 0)


def test_an_account_of_silent_legs_alone_is_skipped(pair: Protocol, trader: str) -> None:
    pair.push_price(0, 38_000)
    advance(3_601)
    assert pair.liquidate_cross(trader).result == 0


def test_the_profit_of_a_silent_leg_counts_for_an_hour(pair: Protocol, trader: str) -> None:
    pair.push_price(1, 3_000)  # 1,000 USD of profit
    advance(3_600 + 3_598)
    pair.push_price(0, 38_000)  # 1,200 USD of loss
    assert pair.liquidate_cross(trader).result == 0
    advance(2)
    assert pair.liquidate_cross(trader).result == 1


@pytest.mark.parametrize("spare", [0, 1])
def test_the_profit_of_a_leg_silent_for_long_is_zero_to_the_femto(spare: int) -> None:
    ore, gem = (Market(f"{name}-PERP", 1, 1, FRICTIONLESS) for name in ("ORE", "GEM"))
    protocol = Protocol(ore, gem)
    trader = protocol.trader
    protocol.deposit(trader, 6 * USD)
    for market in range(2):
        protocol.push_price(market, 20)
        protocol.trade(trader, market, 1, 20)
    protocol.push_price(1, 30)
    advance(2 * 3_600)
    # One lot each: equity is cash + price - entry, and 0.5 % of both prices are due.
    due = -(-protocol.price(1).price // 200)
    debt = protocol.position(trader, 0, 0).entry_notional - protocol.cash(trader)
    price = (debt * 10**9 + due) * 200 // 199 - 2
    while price - -(-price // 200) < debt * 10**9 + due + spare:
        price += 1
    protocol.push_price(0, Decimal(price) / 10**15)
    assert protocol.liquidate_cross(trader).result == 1 - spare


def test_the_rest_of_a_hedged_pair_is_closed(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 100 * USD)
    protocol.clearinghouse.send(trader, "set_hedge_mode", True)
    protocol.trade(trader, 0, LOTS, position_side=LONG)
    protocol.trade(trader, 0, LOTS // 2, position_side=SHORT, is_buy=False)
    protocol.push_price(0, 48_000)
    receipt = protocol.liquidate_cross(trader)
    assert receipt.event("PairNetted").size == LOTS // 2
    closed = receipt.event("PositionLiquidated")
    assert (closed.slot, closed.size) == (0, LOTS // 2)
    assert protocol.account(trader).legs == 0
    assert protocol.account(trader).flags == words.FLAG_HEDGE


def test_a_liquidator_may_be_liquidated(pair: Protocol, trader: str) -> None:
    pair.push_price(1, 2_500)
    pair.push_price(0, 40_400)
    receipt = pair.liquidate_cross(trader, liquidator=trader)
    last = receipt.named("PositionLiquidated")[-1]
    reward = receipt.event("LiquidatorPaid").amount
    assert pair.cash(trader) == words.unpack_account(last.account_word).cash + reward


def test_nobody_becomes_liquidatable_by_the_last_order_it_could_place() -> None:
    protocol = Protocol(BTC, ETH)
    trader = protocol.trader
    protocol.deposit(trader, 1_000 * USD)
    protocol.trade(trader, 0, 18 * LOTS)
    assert protocol.liquidate_cross(trader).result == 0
