"""Filling one order: what it does to a position."""

from dataclasses import replace

import pytest

from bulkhead.protocol import position_math, words
from bulkhead.protocol.words import CROSS_LONG, CROSS_SHORT, ISOLATED_LONG, ISOLATED_SHORT
from tests.helpers.chain import advance, refused
from tests.helpers.protocol import (
    CROSS,
    EXECUTED,
    ISOLATED,
    LIMIT,
    LONG,
    NOBODY,
    PPM,
    SHORT,
    USD,
    Protocol,
    position_id,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
PRICE = 5 * 10**11  # femto per lot, 50,000 USD
KEEPER_FEE = USD // 5
FEE = 2_500_000  # taker, 500 ppm of 5,000 USD
IMPACT = 25  # quote units that 0.1 BTC pays in an even market
MODES = pytest.mark.parametrize("mode", [CROSS, ISOLATED])


@pytest.fixture
def funded(protocol: Protocol, trader: str) -> Protocol:
    protocol.deposit(trader, 10_000 * USD)
    return protocol


def slot_of(mode: int, is_long: bool = True) -> int:
    return (0 if mode == CROSS else 2) + (0 if is_long else 1)


# Increase


def test_a_cross_order_opens_a_leg(funded: Protocol, trader: str, keeper: str) -> None:
    order = funded.place(trader, 0, LOTS, leverage=20 * PPM)
    receipt = funded.fill(order)

    assert receipt.result == EXECUTED
    assert funded.position(trader, 0, CROSS_LONG) == words.Position(
        LOTS, 5_000 * USD + IMPACT, 20 * PPM, 0, 0
    )
    assert funded.account(trader) == words.Account(
        10_000 * USD - FEE - KEEPER_FEE, words.leg_bit(0, 0), 0, 0, 0, 0
    )
    assert funded.cash(keeper) == KEEPER_FEE
    event = receipt.event("PositionIncreased")
    assert (event.account, event.market, event.slot) == (trader, 0, CROSS_LONG)
    assert event.order_hash == funded.hash_of(order)
    assert (event.size, event.price, event.fee, event.margin) == (LOTS, PRICE, FEE, 0)
    assert event.impact == IMPACT * 10**9
    executed = receipt.event("OrderExecuted")
    assert executed.order_hash == funded.hash_of(order)
    assert (executed.keeper, executed.keeper_fee) == (keeper, KEEPER_FEE)


def test_an_isolated_order_opens_a_vault(funded: Protocol, trader: str) -> None:
    event = funded.trade(trader, 0, LOTS, margin_mode=ISOLATED).event("PositionIncreased")
    # A tenth of the notional at mark, and what the fill lost against it.
    assert event.margin == 500 * USD + IMPACT
    assert funded.position(trader, 0, ISOLATED_LONG) == words.Position(
        LOTS, 5_000 * USD + IMPACT, 500 * USD + IMPACT, 0, 0
    )
    assert funded.account(trader) == words.Account(
        10_000 * USD - FEE - KEEPER_FEE - 500 * USD - IMPACT, 0, 1, 0, 0, 0
    )


def test_an_order_may_name_its_margin(funded: Protocol, trader: str) -> None:
    event = funded.trade(trader, 0, LOTS, margin_mode=ISOLATED, margin=777 * USD).event(
        "PositionIncreased"
    )
    assert event.margin == 777 * USD


def test_a_short_mirrors_a_long(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=ISOLATED, is_buy=False)
    assert funded.position(trader, 0, ISOLATED_SHORT) == words.Position(
        LOTS, 5_000 * USD - IMPACT, 500 * USD + IMPACT, 0, 0
    )


@MODES
def test_an_increase_adds_up(funded: Protocol, trader: str, mode: int) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=mode)
    before = funded.position(trader, 0, slot_of(mode))
    event = funded.trade(trader, 0, LOTS, 52_000, margin_mode=mode).event("PositionIncreased")
    position = funded.position(trader, 0, slot_of(mode))
    entry = position_math.entry_notional_of(LOTS, True, event.price, event.impact)
    assert position.size == 2 * LOTS
    assert position.entry_notional == before.entry_notional + entry
    assert position == words.unpack_position(event.position_word)


def test_the_words_in_an_event_are_the_state_after_it(funded: Protocol, trader: str) -> None:
    event = funded.trade(trader, 0, LOTS, margin_mode=ISOLATED).event("PositionIncreased")
    assert event.account_word == funded.clearinghouse.read("account_word", trader)
    assert event.house_word == funded.clearinghouse.read("house_word")
    assert event.market_word == funded.market_words(0)[0]
    assert event.side_word == funded.market_words(0)[1]
    id_ = position_id(trader, 0, ISOLATED_LONG)
    assert event.position_word == funded.clearinghouse.read("position_word", id_)


def test_both_modes_live_side_by_side(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS)
    funded.trade(trader, 0, 2 * LOTS, margin_mode=ISOLATED, is_buy=False)
    assert funded.position(trader, 0, CROSS_LONG).size == LOTS
    assert funded.position(trader, 0, ISOLATED_SHORT).size == 2 * LOTS


# Reduce, close, flip


@MODES
def test_an_opposite_order_reduces(funded: Protocol, trader: str, mode: int) -> None:
    funded.trade(trader, 0, 2 * LOTS, margin_mode=mode)
    before = funded.position(trader, 0, slot_of(mode))
    cash = funded.cash(trader)
    receipt = funded.trade(trader, 0, LOTS, 55_000, margin_mode=mode, is_buy=False)
    event = receipt.event("PositionDecreased")
    after = funded.position(trader, 0, slot_of(mode))
    left, released = position_math.decrease(before, True, LOTS)
    if mode == CROSS:
        left, released = replace(left, margin=before.margin), replace(released, margin=0)
    assert after == left
    worth = position_math.value_of(released, True, event.price, 0)
    assert event.realised == (worth - event.impact) // 10**9
    assert abs(event.realised - 500 * USD) < 100
    assert funded.cash(trader) == cash - KEEPER_FEE + event.realised - event.fee + released.margin
    assert event.deficit == 0


@MODES
def test_closing_keeps_the_generation_alone(funded: Protocol, trader: str, mode: int) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=mode)
    funded.trade(trader, 0, LOTS, margin_mode=mode, is_buy=False)
    assert funded.position(trader, 0, slot_of(mode)) == words.Position(0, 0, 0, 1, 0)
    state = funded.account(trader)
    assert (state.legs, state.vaults) == (0, 0)
    assert funded.side(0, True) == words.Side(0, 0)


@MODES
def test_opening_and_closing_costs_fees_and_rounding_alone(
    funded: Protocol, trader: str, mode: int
) -> None:
    cash = funded.cash(trader)
    fees = funded.trade(trader, 0, LOTS, margin_mode=mode).event("PositionIncreased").fee
    closed = funded.trade(trader, 0, LOTS, margin_mode=mode, is_buy=False)
    fees += closed.event("PositionDecreased").fee
    assert funded.cash(trader) == cash - fees - 2 * KEEPER_FEE


@MODES
def test_an_order_beyond_the_position_flips_it(funded: Protocol, trader: str, mode: int) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=mode)
    receipt = funded.trade(trader, 0, 3 * LOTS // 2, margin_mode=mode, is_buy=False)
    assert receipt.event("PositionDecreased").size == LOTS
    assert receipt.event("PositionIncreased").size == LOTS // 2
    assert funded.position(trader, 0, slot_of(mode)).size == 0
    assert funded.position(trader, 0, slot_of(mode, is_long=False)).size == LOTS // 2


@MODES
def test_a_flip_with_a_rest_below_the_minimum_only_closes(
    funded: Protocol, trader: str, mode: int
) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=mode)
    receipt = funded.trade(trader, 0, LOTS + 19_999, margin_mode=mode, is_buy=False)
    assert receipt.event("PositionDecreased").size == LOTS
    assert receipt.named("PositionIncreased") == []


@MODES
def test_a_reduction_that_would_leave_dust_closes_all(
    funded: Protocol, trader: str, mode: int
) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=mode)
    receipt = funded.trade(trader, 0, LOTS - 19_999, margin_mode=mode, is_buy=False)
    assert receipt.event("PositionDecreased").size == LOTS
    funded.trade(trader, 0, LOTS, margin_mode=mode)
    receipt = funded.trade(trader, 0, LOTS - 20_000, margin_mode=mode, is_buy=False)
    assert receipt.event("PositionDecreased").size == LOTS - 20_000


@MODES
def test_a_reduce_only_order_never_flips(funded: Protocol, trader: str, mode: int) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=mode)
    receipt = funded.trade(trader, 0, 5 * LOTS, margin_mode=mode, is_buy=False, reduce_only=True)
    assert receipt.event("PositionDecreased").size == LOTS
    assert receipt.named("PositionIncreased") == []


@MODES
def test_a_close_position_order_takes_all_there_is_when_it_fills(
    funded: Protocol, trader: str, mode: int
) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=mode)
    order = funded.place(trader, 0, 0, margin_mode=mode, is_buy=False, reduce_only=True)
    funded.trade(trader, 0, LOTS, margin_mode=mode)
    assert funded.fill(order).event("PositionDecreased").size == 2 * LOTS


def test_a_reduce_only_order_ends_where_nothing_is_open(
    funded: Protocol, trader: str, keeper: str
) -> None:
    order = funded.place(trader, 0, LOTS, is_buy=False, reduce_only=True)
    event = funded.fill(order).event("OrderCancelled")
    assert (event.reason, event.keeper_fee) == ("position: nothing to reduce", 0)
    assert funded.cash(keeper) == 0


def test_a_hedge_order_that_only_reduces_its_own_side_ends(funded: Protocol, trader: str) -> None:
    funded.clearinghouse.send(trader, "set_hedge_mode", True)
    funded.trade(trader, 0, LOTS, position_side=LONG)
    for fields in (
        {"position_side": LONG, "is_buy": True, "reduce_only": True},
        {"position_side": SHORT, "is_buy": True},
    ):
        event = funded.fill(funded.place(trader, 0, LOTS, **fields)).event("OrderCancelled")
        assert event.reason == "position: nothing to reduce"


def test_the_legs_of_a_pair_share_one_leverage(funded: Protocol, trader: str) -> None:
    funded.clearinghouse.send(trader, "set_hedge_mode", True)
    funded.trade(trader, 0, LOTS, position_side=LONG, leverage=7 * PPM)
    funded.trade(trader, 0, LOTS, position_side=SHORT, is_buy=False, leverage=9 * PPM)
    assert funded.position(trader, 0, CROSS_SHORT).margin == 7 * PPM


def test_a_hedged_pair_needs_margin_for_its_larger_leg_alone(
    protocol: Protocol, trader: str
) -> None:
    protocol.deposit(trader, 1_020 * USD)
    protocol.clearinghouse.send(trader, "set_hedge_mode", True)
    protocol.trade(trader, 0, LOTS, position_side=LONG, leverage=5 * PPM)
    protocol.trade(trader, 0, LOTS, position_side=SHORT, is_buy=False)
    refused_order = protocol.place(trader, 0, LOTS, position_side=SHORT, is_buy=False)
    assert protocol.fill(refused_order).event("OrderCancelled").reason == "margin: below initial"


# Who executes, and what


def test_a_keeper_may_be_the_trader(funded: Protocol, trader: str) -> None:
    funded.fill(funded.place(trader, 0, LOTS), keeper=trader)
    assert funded.cash(trader) == 10_000 * USD - FEE


def test_an_executed_order_never_fills_twice(funded: Protocol, trader: str) -> None:
    order = funded.place(trader, 0, LOTS)
    funded.fill(order)
    funded.wait(0)
    with refused("order: not pending"):
        funded.execute(order)
    assert funded.position(trader, 0, CROSS_LONG).size == LOTS


def test_an_order_of_another_content_is_not_executed(funded: Protocol, trader: str) -> None:
    order = funded.place(trader, 0, LOTS)
    funded.wait(0)
    for forged in (
        order._replace(size=2 * LOTS),
        order._replace(account=funded.attacker),
        order._replace(acceptable_price=1),
        order._replace(expiry=0),
    ):
        with refused("order: not pending"):
            funded.execute(forged)


def test_the_owner_executes_too_and_has_the_keepers_fee_back(funded: Protocol, trader: str) -> None:
    order = funded.place(trader, 0, LOTS)
    event = funded.fill(order, keeper=trader).event("OrderExecuted")
    assert (event.keeper, event.keeper_fee) == (trader, KEEPER_FEE)
    state = funded.account(trader)
    assert (state.cash, state.escrow) == (10_000 * USD - FEE, 0)
    funded.check_invariants()


def test_the_owner_has_the_fee_back_whatever_his_ledger_is_worth(
    funded: Protocol, trader: str
) -> None:
    funded.trade(trader, 1, LOTS)
    funded.trade(trader, 0, LOTS, margin_mode=ISOLATED)
    order = funded.place(
        *(trader, 0, LOTS), kind=LIMIT, acceptable_price=1, margin_mode=ISOLATED, is_buy=False
    )
    advance(61)  # the leg's price is old now
    funded.push_price(0, 50_000)
    receipt = funded.execute(order, keeper=trader)
    assert receipt.event("PositionDecreased").size == LOTS
    assert receipt.event("OrderExecuted").keeper_fee == KEEPER_FEE


def test_the_owner_of_an_order_that_ends_has_the_keepers_fee_back(
    funded: Protocol, trader: str
) -> None:
    order = funded.place(trader, 0, 19_999)
    held = funded.balance(trader)
    event = funded.fill(order, keeper=trader).event("OrderCancelled")
    assert (event.receiver, event.keeper_fee) == (trader, KEEPER_FEE)
    assert (funded.cash(trader), funded.account(trader).escrow) == (10_000 * USD, 0)
    assert funded.balance(trader) == held


def test_a_filled_order_remembers_what_it_opened(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS)
    funded.trade(trader, 0, 0, is_buy=False, reduce_only=True)
    order = funded.place(trader, 0, LOTS)
    assert funded.fill(order).result == EXECUTED
    state = funded.order_state(order)
    assert (state.filled, state.generation) == (LOTS, 1)
    assert state.executable_from == funded.price(0).published_at + 1


def test_only_the_order_book_trades(funded: Protocol, attacker: str) -> None:
    trade = (
        *(funded.trader, 0, False, 0, True, False, LOTS, 0, 0, 0, 0, 0, 0),
        *(NOBODY, 0, NOBODY, 0),
        *(b"\0" * 32, attacker, 0, False, funded.oracle.read("price_word", 0)),
    )
    with refused("caller: not allowed"):
        funded.clearinghouse.send(attacker, "execute_trade", trade)
