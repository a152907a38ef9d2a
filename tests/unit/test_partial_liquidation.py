"""Large positions keep what they can carry: a liquidation takes off just enough."""

import pytest

from bulkhead.protocol import fixed_point, liquidation_math, margin_math, words
from bulkhead.protocol.words import ISOLATED_LONG, ISOLATED_SHORT
from tests.helpers.chain import advance
from tests.helpers.protocol import (
    ISOLATED,
    PLENTY,
    USD,
    Market,
    Protocol,
    Terms,
    position_id,
)

BITCOIN = 10**8  # lots, 50,000 USD
MARGIN = 5_000 * USD
FEMTO = 10**9
PPM = 10**6


@pytest.fixture
def vault(protocol: Protocol, trader: str) -> Protocol:
    """A long of 50,000 USD on a margin of 5,000: due below 45,226 USD."""
    protocol.deposit(trader, 20_000 * USD)
    protocol.trade(trader, 0, BITCOIN, margin_mode=ISOLATED, margin=MARGIN)
    return protocol


def vault_of(protocol: Protocol, account: str, slot: int = ISOLATED_LONG) -> tuple[int, int]:
    """Equity and maintenance margin, femto."""
    position = protocol.position(account, 0, slot)
    notional = position.size * protocol.price(0).price
    return (
        position.margin * FEMTO + protocol.value(account, 0, slot),
        margin_math.maintenance_margin(notional, protocol.tiers(0)),
    )


def ledger_of(protocol: Protocol, account: str) -> tuple[int, int]:
    """Equity and maintenance margin of single cross legs, femto."""
    state = protocol.account(account)
    equity, due = (state.cash + state.escrow) * FEMTO, 0
    for market in range(len(protocol.markets)):
        for slot in range(2):
            if state.legs & words.leg_bit(market, slot):
                size = protocol.position(account, market, slot).size
                equity += protocol.value(account, market, slot)
                due += margin_math.maintenance_margin(
                    size * protocol.price(market).price, protocol.tiers(market)
                )
    return equity, due


def test_just_enough_is_taken_off_and_no_margin_released(
    vault: Protocol, trader: str, keeper: str
) -> None:
    vault.push_price(0, 45_200)
    before, account, house = vault.position(trader, 0, 2), vault.account(trader), vault.house()
    (equity, due), earned = vault_of(vault, trader), vault.cash(keeper)
    assert 2 * due < 3 * equity <= 3 * due

    receipt = vault.liquidate_isolated(position_id(trader, 0, 2))

    assert receipt.result == 1
    event = receipt.event("PositionLiquidated")
    price, terms = vault.price(0).price, vault.liquidation_terms(0)
    lots = liquidation_math.partial_size(equity, before.size, price, vault.tiers(0), terms)
    assert event.size == lots
    assert 0.4 < lots / before.size < 0.5  # 71 USD missing of 158 that all would relieve
    penalty, reward, top_up = liquidation_math.split_penalty(equity, lots * price, terms)
    assert (event.penalty, event.reward, event.deficit, top_up) == (penalty, reward, 0, 0)
    left = vault.position(trader, 0, 2)
    assert (left.size, left.generation) == (before.size - lots, before.generation)
    assert left.margin == before.margin + event.realised - penalty
    assert left.funding_index == before.funding_index
    assert vault.account(trader) == account
    assert vault.cash(keeper) == earned + reward
    assert vault.house().insurance == house.insurance + penalty - reward
    assert vault.house().pool_cash == house.pool_cash - event.realised
    after, less = vault_of(vault, trader)
    assert after * PPM >= less * (PPM + terms.buffer)
    assert after * due > equity * less


def test_one_lot_less_would_not_be_enough(vault: Protocol, trader: str) -> None:
    """But for the three quote units that rounding may take."""
    vault.push_price(0, 45_100)
    vault.liquidate_isolated(position_id(trader, 0, 2))
    equity, due = vault_of(vault, trader)
    price, terms = vault.price(0).price, vault.liquidation_terms(0)
    relief = price * (5_000 * (PPM + terms.buffer) - terms.penalty * PPM) // PPM**2
    spare = equity - due * (PPM + terms.buffer) // PPM
    assert 0 <= spare < relief + 3 * FEMTO


def test_the_words_in_the_events_are_the_state_after_them(vault: Protocol, trader: str) -> None:
    vault.push_price(0, 45_200)
    receipt = vault.liquidate_isolated(position_id(trader, 0, 2))
    event = receipt.event("PositionLiquidated")
    read = vault.clearinghouse.read
    assert event.position_word == read("position_word", position_id(trader, 0, 2))
    assert event.account_word == read("account_word", trader)
    settled = receipt.event("MarketSettled")
    assert [settled.market_word, settled.long_word, settled.short_word] == vault.market_words(0)[:3]
    assert receipt.event("LiquidatorPaid").house_word == read("house_word")


def test_what_is_left_is_healthy_until_the_price_moves_on(vault: Protocol, trader: str) -> None:
    vault.push_price(0, 45_200)
    ids = [position_id(trader, 0, 2)] * 3
    assert vault.liquidate_isolated(*ids).result == 1
    vault.push_price(0, 45_170)
    assert vault.liquidate_isolated(*ids).result == 0
    vault.push_price(0, 45_100)
    assert vault.liquidate_isolated(*ids).result == 1
    assert 0 < vault.position(trader, 0, 2).size < BITCOIN


def test_a_short_keeps_a_part_as_well(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 20_000 * USD)
    protocol.trade(trader, 0, BITCOIN, margin_mode=ISOLATED, margin=MARGIN, is_buy=False)
    protocol.push_price(0, 54_740)
    event = protocol.liquidate_isolated(position_id(trader, 0, 3)).event("PositionLiquidated")
    assert 0 < event.size < BITCOIN
    equity, due = vault_of(protocol, trader, ISOLATED_SHORT)
    assert equity * 10 >= due * 12


def test_below_two_thirds_of_maintenance_all_is_closed(vault: Protocol, trader: str) -> None:
    vault.push_price(0, 45_151)  # 151 left, of 225.8 due
    with vault.anchored():
        event = vault.liquidate_isolated(position_id(trader, 0, 2)).event("PositionLiquidated")
        assert event.size < BITCOIN
    vault.push_price(0, 45_150)
    event = vault.liquidate_isolated(position_id(trader, 0, 2)).event("PositionLiquidated")
    assert event.size == BITCOIN
    assert vault.position(trader, 0, 2) == words.Position(0, 0, 0, 1, 0)
    assert vault.account(trader).vaults == 0


def world(**terms: int) -> Protocol:
    """One market whose terms differ from the liquid one's."""
    protocol = Protocol(
        Market("BTC-PERP", 50_000, 10**8, Terms(pool_share=900_000, **terms)),
        pool_cash=10 * PLENTY,
    )
    protocol.deposit(protocol.trader, PLENTY)
    return protocol


def test_a_rest_below_the_minimum_is_closed_too() -> None:
    for minimum, is_whole in ((15_000, False), (40_000, True)):
        protocol = world(min_notional=minimum)
        trader = protocol.trader
        protocol.trade(trader, 0, BITCOIN, margin_mode=ISOLATED, margin=MARGIN)
        protocol.push_price(0, 45_200)
        receipt = protocol.liquidate_isolated(position_id(trader, 0, 2))
        assert (receipt.event("PositionLiquidated").size == BITCOIN) is is_whole
        protocol.check_invariants()


def test_a_part_is_worth_its_keepers_floor_however_little_is_missing() -> None:
    protocol = world(buffer=0, penalty=2_400, side_cap=1_150)
    trader = protocol.trader
    protocol.trade(trader, 0, BITCOIN, margin_mode=ISOLATED, margin=MARGIN)
    protocol.push_price(0, "45226.13")
    event = protocol.liquidate_isolated(position_id(trader, 0, 2)).event("PositionLiquidated")
    notional = event.size * event.price
    assert 10 * 10**15 <= notional < 10 * 10**15 + event.price
    assert event.reward == 12_500 <= event.penalty
    protocol.check_invariants()


# 900 thousand, 4 and 6 million USD: one position in each tier.
@pytest.mark.parametrize("bitcoins", [18, 80, 120])
@pytest.mark.parametrize("is_buy", [True, False])
def test_the_buffer_is_restored_in_every_tier(bitcoins: int, is_buy: bool) -> None:
    protocol = world()
    trader, slot = protocol.trader, ISOLATED_LONG if is_buy else ISOLATED_SHORT
    margin = bitcoins * 5_000 * USD
    protocol.deposit(trader, margin)
    size = bitcoins * BITCOIN
    protocol.trade(trader, 0, size, margin_mode=ISOLATED, margin=margin, is_buy=is_buy)
    sign = 1 if is_buy else -1
    price = 50_000 - sign * 4_000
    while protocol.liquidate_isolated(position_id(trader, 0, slot)).result == 0:
        price -= sign * 20
        protocol.push_price(0, price)
    left = protocol.position(trader, 0, slot)
    assert 0 < left.size < size
    equity, due = vault_of(protocol, trader, slot)
    assert equity * 10 >= due * 12
    protocol.check_invariants()


@pytest.fixture
def book(protocol: Protocol, trader: str) -> Protocol:
    """Cross: long 50,000 USD of BTC, 5,000 of ETH and 20,000 of SOL, on 5,000 USD."""
    protocol.deposit(trader, 5_038_100_000)
    protocol.trade(trader, 0, BITCOIN, leverage=20 * PPM)
    protocol.trade(trader, 1, 2 * 10**7)
    protocol.trade(trader, 2, 200 * 10**5)
    return protocol


def settle(protocol: Protocol, bitcoin: int | str) -> None:
    protocol.push_price(1, 2_500)
    protocol.push_price(2, 100)
    protocol.push_price(0, bitcoin)


def test_a_cross_account_loses_just_enough_in_the_order_of_its_markets(
    book: Protocol, trader: str
) -> None:
    settle(book, 45_340)  # 340 left, of 351.7 due
    legs = [book.position(trader, market, 0) for market in range(3)]
    (equity, due), cash = ledger_of(book, trader), book.cash(trader)
    assert 2 * due < 3 * equity <= 3 * due

    receipt = book.liquidate_cross(trader)

    event = receipt.event("PositionLiquidated")
    assert (event.market, event.slot) == (0, 0)
    assert 0 < event.size < BITCOIN
    left = book.position(trader, 0, 0)
    assert (left.size, left.margin) == (BITCOIN - event.size, 20 * PPM)
    assert [book.position(trader, market, 0) for market in (1, 2)] == legs[1:]
    assert book.cash(trader) == cash + event.realised - event.penalty
    assert event.account_word == book.clearinghouse.read("account_word", trader)
    after, less = ledger_of(book, trader)
    assert 12 * less <= 10 * after < 12 * less + 10 * 10**12
    assert after * due > equity * less
    assert book.liquidate_cross(trader).result == 0


def test_small_legs_close_whole_until_it_is_enough(protocol: Protocol, trader: str) -> None:
    """The first is too small to be parted, the second bears the rest, the third is left alone."""
    protocol.deposit(trader, 5_038_100_000)
    protocol.trade(trader, 0, BITCOIN // 10)
    protocol.trade(trader, 1, 20 * 10**7)
    protocol.trade(trader, 2, 200 * 10**5)
    protocol.push_price(2, 100)
    protocol.push_price(0, 50_000)
    protocol.push_price(1, 2_266)
    receipt = protocol.liquidate_cross(trader)
    first, second = receipt.named("PositionLiquidated")
    assert (first.market, first.size) == (0, BITCOIN // 10)
    assert second.market == 1
    assert 0 < second.size < 20 * 10**7
    assert protocol.position(trader, 2, 0).size == 200 * 10**5
    equity, due = ledger_of(protocol, trader)
    assert equity * 10 >= due * 12


def test_a_small_leg_may_be_enough(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 1_030_000_000)
    protocol.trade(trader, 0, 18 * 10**6)
    protocol.trade(trader, 1, 24 * 10**6)
    protocol.push_price(1, 2_500)
    protocol.push_price(0, 44_700)
    receipt = protocol.liquidate_cross(trader)
    event = receipt.event("PositionLiquidated")
    assert (event.market, event.size) == (0, 18 * 10**6)
    assert protocol.account(trader).legs == words.leg_bit(1, 0)
    equity, due = ledger_of(protocol, trader)
    assert equity * 10 >= due * 12


def test_an_account_below_two_thirds_loses_all_of_its_legs(book: Protocol, trader: str) -> None:
    settle(book, 45_230)  # 230 left, of 351 due
    receipt = book.liquidate_cross(trader)
    assert [event.market for event in receipt.named("PositionLiquidated")] == [0, 1, 2]
    assert book.account(trader).legs == 0


def test_a_silent_leg_stays_and_its_loss_counts(book: Protocol, trader: str) -> None:
    book.push_price(2, "99")  # 200 USD lost, and then nothing is heard of it
    advance(3_700)
    book.push_price(1, 2_500)
    book.push_price(0, 45_540)
    receipt = book.liquidate_cross(trader)
    event = receipt.event("PositionLiquidated")
    assert event.market == 0
    assert 0 < event.size < BITCOIN
    assert book.position(trader, 2, 0).size == 200 * 10**5


def test_parts_and_wholes_share_a_batch(vault: Protocol, trader: str, attacker: str) -> None:
    vault.deposit(attacker, 5_000 * USD)
    vault.trade(attacker, 0, BITCOIN // 10, margin_mode=ISOLATED, margin=500 * USD)
    vault.push_price(0, 45_200)
    receipt = vault.liquidate_isolated(position_id(trader, 0, 2), position_id(attacker, 0, 2))
    assert receipt.result == 2
    part, whole = receipt.named("PositionLiquidated")
    assert part.size < BITCOIN
    assert whole.size == BITCOIN // 10
    assert receipt.event("LiquidatorPaid").amount == part.reward + whole.reward


def test_parts_taken_again_and_again_earn_no_more_than_the_penalty(
    vault: Protocol, trader: str, keeper: str
) -> None:
    """A keeper who steers a falling price gets his share of what was closed, as of one close."""
    start, insurance = vault.cash(keeper), vault.house().insurance
    penalties = closed = 0
    price = 45_220
    while vault.position(trader, 0, 2).size:
        vault.push_price(0, price)
        for event in vault.liquidate_isolated(position_id(trader, 0, 2)).named(
            "PositionLiquidated"
        ):
            penalties += event.penalty
            closed += event.size
        price -= 20
    earned = vault.cash(keeper) - start
    assert closed == BITCOIN
    assert earned <= penalties // 2 + 12_500
    assert vault.house().insurance == insurance + penalties - earned
    assert penalties <= fixed_point.div_up(45_220 * USD * 2_500, PPM)


def test_liquidating_oneself_in_parts_costs_what_insurance_keeps(
    vault: Protocol, trader: str
) -> None:
    vault.push_price(0, 45_200)
    equity = vault_of(vault, trader)[0]
    cash, insurance = vault.cash(trader), vault.house().insurance
    vault.liquidate_isolated(position_id(trader, 0, 2), liquidator=trader)
    lost = equity + cash * FEMTO - vault_of(vault, trader)[0] - vault.cash(trader) * FEMTO
    assert lost >= (vault.house().insurance - insurance) * FEMTO > 0
