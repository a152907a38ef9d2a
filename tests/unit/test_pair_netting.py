"""The two legs of a market are set off against each other before a penalty closes anything."""

from dataclasses import replace

import pytest

from bulkhead.protocol import words
from tests.helpers.chain import advance, now
from tests.helpers.protocol import BTC, LONG, SHORT, USD, Protocol, Terms

LOTS = 10**7  # 0.1 BTC, 5,000 USD
ETH_LOTS = 2 * 10**7  # 2 ETH, 5,000 USD
FEMTO = 10**9


@pytest.fixture
def hedged(protocol: Protocol, trader: str) -> Protocol:
    """Long 10,000 and short 5,000 USD of BTC, long 5,000 of ETH, on about 1,000."""
    protocol.deposit(trader, 1_010 * USD)
    protocol.clearinghouse.send(trader, "set_hedge_mode", True)
    protocol.trade(trader, 0, 2 * LOTS, position_side=LONG, leverage=20 * 10**6)
    protocol.trade(trader, 0, LOTS, position_side=SHORT, is_buy=False)
    protocol.trade(trader, 1, ETH_LOTS, position_side=LONG)
    return protocol


def settle(protocol: Protocol, bitcoin: int | str, ether: int | str) -> None:
    protocol.push_price(0, bitcoin)
    protocol.push_price(1, ether)


def equity(protocol: Protocol, account: str) -> int:
    """Femto, over markets 0 and 1."""
    state = protocol.account(account)
    return (state.cash + state.escrow) * FEMTO + sum(
        protocol.value(account, market, slot) for market in range(2) for slot in range(2)
    )


def test_netting_alone_may_heal_an_account(hedged: Protocol, trader: str, keeper: str) -> None:
    settle(hedged, 50_000, "2030")  # 50 and 20.3 of maintenance margin are due, then 25 and 20.3
    worth, account, house = equity(hedged, trader), hedged.account(trader), hedged.house()
    assert 46 * 10**15 < worth < 70 * 10**15
    sides = [hedged.side(0, True).size, hedged.side(0, False).size]
    earned = hedged.cash(keeper)

    receipt = hedged.liquidate_cross(trader)

    assert receipt.result == 1
    assert receipt.named("PositionLiquidated") == []
    event = receipt.event("PairNetted")
    assert (event.account, event.market, event.size) == (trader, 0, LOTS)
    assert event.price == hedged.price(0).price
    left = hedged.position(trader, 0, 0)
    assert (left.size, left.margin, left.generation) == (LOTS, 20 * 10**6, 0)
    assert hedged.position(trader, 0, 1) == words.Position(0, 0, 0, 1, 0)
    after = hedged.account(trader)
    assert after.legs == words.leg_bit(0, 0) | words.leg_bit(1, 0)
    # No impact, fee or penalty: the value of both became cash, less than a unit of it lost.
    assert after.cash == account.cash + event.realised
    assert 0 <= worth - equity(hedged, trader) < FEMTO
    assert hedged.house().pool_cash == house.pool_cash - event.realised
    assert hedged.house().insurance == house.insurance
    assert hedged.cash(keeper) == earned
    assert receipt.event("LiquidatorPaid").amount == 0
    found = [hedged.side(0, True).size, hedged.side(0, False).size]
    assert found == [sides[0] - LOTS, sides[1] - LOTS]


def test_the_words_in_the_event_are_the_state_after_it(hedged: Protocol, trader: str) -> None:
    settle(hedged, 50_000, "2030")
    receipt = hedged.liquidate_cross(trader)
    event, read = receipt.event("PairNetted"), hedged.clearinghouse.read
    long_id = words.position_id(int(trader, 16), 0, 0)
    assert event.long_position_word == read("position_word", long_id)
    assert event.short_position_word == read("position_word", long_id + 1)
    assert event.account_word == read("account_word", trader)
    settled = receipt.event("MarketSettled")
    assert [settled.market_word, settled.long_word, settled.short_word] == hedged.market_words(0)[
        :3
    ]
    assert receipt.event("LiquidatorPaid").house_word == read("house_word")


def test_what_netting_does_not_heal_is_closed(hedged: Protocol, trader: str) -> None:
    settle(hedged, 50_000, "2015")
    receipt = hedged.liquidate_cross(trader)
    assert receipt.event("PairNetted").size == LOTS
    closed = receipt.named("PositionLiquidated")
    assert closed[0].market == 0
    assert closed[0].size == LOTS
    assert closed[-1].account_word == hedged.clearinghouse.read("account_word", trader)


def test_a_healthy_account_keeps_its_pairs(hedged: Protocol, trader: str) -> None:
    settle(hedged, 50_000, "2060")
    before = hedged.state()
    assert hedged.liquidate_cross(trader).result == 0
    assert hedged.state() == before


def test_a_pair_in_balance_ends_on_both_sides(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 1_000 * USD)
    protocol.clearinghouse.send(trader, "set_hedge_mode", True)
    protocol.trade(trader, 0, LOTS, position_side=LONG)
    protocol.trade(trader, 0, LOTS, position_side=SHORT, is_buy=False)
    protocol.trade(trader, 1, ETH_LOTS, position_side=LONG)
    settle(protocol, 60_000, "2020")
    worth = equity(protocol, trader)
    receipt = protocol.liquidate_cross(trader)
    assert receipt.event("PairNetted").size == LOTS
    assert receipt.named("PositionLiquidated") == []
    assert protocol.account(trader).legs == words.leg_bit(1, 0)
    for slot in range(2):
        assert protocol.position(trader, 0, slot) == words.Position(0, 0, 0, 1, 0)
    assert 0 <= worth - equity(protocol, trader) < FEMTO


def test_a_debt_left_by_a_pair_alone_is_written_off(protocol: Protocol, trader: str) -> None:
    """What another market's end has cost is more than the account has."""
    protocol.deposit(trader, 1_000 * USD)
    protocol.clearinghouse.send(trader, "set_hedge_mode", True)
    protocol.trade(trader, 0, LOTS, position_side=LONG)
    protocol.trade(trader, 0, LOTS, position_side=SHORT, is_buy=False)
    protocol.trade(trader, 1, ETH_LOTS, position_side=LONG)
    price = protocol.price(1)
    protocol.requote(1, kind=words.SETTLED, price=price.price // 2, settles_at=now() // 3_600)
    assert protocol.settle_positions(words.position_id(int(trader, 16), 1, 0)).result == 1
    assert protocol.cash(trader) < -1_400 * USD
    protocol.push_price(0, 50_000)
    house, worth = protocol.house(), equity(protocol, trader)

    receipt = protocol.liquidate_cross(trader)

    netted, written = receipt.event("PairNetted"), receipt.event("DebtWrittenOff")
    assert receipt.named("PositionLiquidated") == []
    assert written.deficit == -(worth // FEMTO)
    assert (protocol.account(trader).cash, protocol.account(trader).legs) == (0, 0)
    assert protocol.house().insurance == house.insurance - written.deficit
    assert protocol.house().pool_cash == house.pool_cash - netted.realised


def test_the_pairs_of_all_sixteen_markets_are_netted() -> None:
    terms = Terms(pool_share=50_000)
    markets = [replace(BTC, symbol=f"{number}-PERP", terms=terms) for number in range(16)]
    protocol = Protocol(*markets)
    trader = protocol.trader
    protocol.deposit(trader, 20_000 * USD)
    protocol.clearinghouse.send(trader, "set_hedge_mode", True)
    for market in range(16):
        protocol.trade(trader, market, 2 * LOTS, position_side=LONG, leverage=20 * 10**6)
        protocol.trade(trader, market, LOTS, position_side=SHORT, is_buy=False)
    for market in range(16):
        protocol.push_price(market, 37_800)
    netted = protocol.liquidate_cross(trader).named("PairNetted")
    assert [(event.market, event.size) for event in netted] == [(i, LOTS) for i in range(16)]
    protocol.check_invariants()


def test_a_pair_without_a_fresh_price_stays(hedged: Protocol, trader: str) -> None:
    advance(3_700)
    hedged.push_price(1, "2015")
    receipt = hedged.liquidate_cross(trader)
    assert receipt.named("PairNetted") == []
    assert {event.market for event in receipt.named("PositionLiquidated")} == {1}
    legs = hedged.account(trader).legs
    assert legs & 3 == 3
    assert hedged.position(trader, 0, 1).size == LOTS


def test_netting_leaves_the_skew_and_its_drift_alone(hedged: Protocol, trader: str) -> None:
    settle(hedged, 50_000, "2030")
    skew, drift = hedged.skew(0), hedged.market(0).funding_drift
    hedged.liquidate_cross(trader)
    assert hedged.skew(0) == skew
    assert hedged.market(0).funding_drift == drift
