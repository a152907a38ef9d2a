"""Closing a vault that can no longer carry itself: that vault alone."""

import pytest

from bulkhead.protocol import liquidation_math, words
from bulkhead.protocol.words import ISOLATED_LONG, ISOLATED_SHORT
from tests.helpers.chain import advance
from tests.helpers.protocol import BTC, ISOLATED, USD, Protocol, position_id

LOTS = 10**7  # 0.1 BTC, 5,000 USD
IMPACT = 25  # quote units paid at opening
MARGIN = 500 * USD


@pytest.fixture
def vault(protocol: Protocol, trader: str) -> Protocol:
    """A long of 5,000 USD on a margin of 500, in the third market another position."""
    protocol.deposit(trader, 5_000 * USD)
    protocol.trade(trader, 0, LOTS, margin_mode=ISOLATED, margin=MARGIN)
    return protocol


def id_of(account: str, slot: int = ISOLATED_LONG) -> int:
    return position_id(account, 0, slot)


def test_a_vault_is_liquidated_where_maintenance_reaches_equity(
    vault: Protocol, trader: str, keeper: str
) -> None:
    # Equity 500 - 25e-6 + 0.1 * (p - 50,000), maintenance 0.5 % of 0.1 p: equal at 45,226.1308 USD.
    vault.push_price(0, "45226.14")
    assert vault.liquidate_isolated(id_of(trader)).result == 0
    vault.push_price(0, "45226.13")
    cash, house = vault.cash(trader), vault.house()
    earned = vault.cash(keeper)

    receipt = vault.liquidate_isolated(id_of(trader))

    assert receipt.result == 1
    event = receipt.event("PositionLiquidated")
    notional = LOTS * vault.price(0).price
    realised = (notional - (5_000 * USD + IMPACT) * 10**9) // 10**9
    equity = MARGIN + realised
    penalty, reward, top_up = liquidation_math.split_penalty(
        equity, notional, vault.liquidation_terms(0)
    )
    assert top_up == 0
    assert (event.account, event.market, event.slot) == (trader, 0, ISOLATED_LONG)
    assert (event.liquidator, event.size) == (keeper, LOTS)
    assert event.price == vault.price(0).price
    assert (event.realised, event.penalty, event.reward) == (realised, penalty, reward)
    assert event.deficit == 0
    assert vault.position(trader, 0, ISOLATED_LONG) == words.Position(0, 0, 0, 1, 0)
    # What is left returns to the trader.
    assert vault.cash(trader) == cash + equity - penalty
    assert vault.account(trader).vaults == 0
    assert vault.cash(keeper) == earned + reward
    assert vault.house().insurance == house.insurance + penalty - reward
    assert vault.house().pool_cash == house.pool_cash - realised
    paid = receipt.event("LiquidatorPaid")
    assert (paid.liquidator, paid.amount) == (keeper, reward)


def test_the_words_in_the_events_are_the_state_after_them(vault: Protocol, trader: str) -> None:
    vault.push_price(0, 45_200)
    receipt = vault.liquidate_isolated(id_of(trader))
    event = receipt.event("PositionLiquidated")
    assert event.position_word == vault.clearinghouse.read("position_word", id_of(trader))
    assert event.account_word == vault.clearinghouse.read("account_word", trader)
    settled = receipt.event("MarketSettled")
    assert settled.market == 0
    assert [settled.market_word, settled.long_word, settled.short_word] == vault.market_words(0)[:3]
    assert receipt.event("LiquidatorPaid").house_word == vault.clearinghouse.read("house_word")


def test_a_short_is_liquidated_as_the_price_rises(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 5_000 * USD)
    protocol.trade(trader, 0, LOTS, margin_mode=ISOLATED, margin=MARGIN, is_buy=False)
    protocol.push_price(0, 54_720)  # above 54,726 it is due
    assert protocol.liquidate_isolated(id_of(trader, ISOLATED_SHORT)).result == 0
    protocol.push_price(0, 54_730)
    assert protocol.liquidate_isolated(id_of(trader, ISOLATED_SHORT)).result == 1
    assert protocol.side(0, False) == words.Side(0, 0)


def test_nothing_else_of_the_account_is_touched(
    vault: Protocol, trader: str, attacker: str
) -> None:
    vault.trade(trader, 0, LOTS)
    vault.trade(trader, 1, 10**7, margin_mode=ISOLATED)
    vault.push_price(0, 44_000)
    before = vault.state()
    vault.liquidate_isolated(id_of(trader))
    changed = {name for name, word in vault.state().items() if word != before[name]}
    assert changed == {
        "house",
        "market 0 0",
        "market 0 1",
        f"account {trader}",
        f"account {vault.keeper}",
        f"position {trader} 0 {ISOLATED_LONG}",
    }
    assert vault.cash(trader) == words.unpack_account(before[f"account {trader}"]).cash


def test_the_penalty_shrinks_rather_than_cause_a_deficit(vault: Protocol, trader: str) -> None:
    # At 45,050 USD equity is 5 USD; the full penalty would be 11.26.
    vault.push_price(0, 45_050)
    cash = vault.cash(trader)
    event = vault.liquidate_isolated(id_of(trader)).event("PositionLiquidated")
    assert event.penalty == 5 * USD - IMPACT
    assert event.deficit == 0
    assert vault.cash(trader) == cash


def test_a_deficit_is_insurances(vault: Protocol, trader: str, keeper: str) -> None:
    vault.push_price(0, 44_000)
    cash, house = vault.cash(trader), vault.house()
    event = vault.liquidate_isolated(id_of(trader)).event("PositionLiquidated")
    assert event.deficit == 100 * USD + IMPACT
    assert event.penalty == 0
    assert event.reward == 12_500  # the floor, from insurance
    assert vault.cash(trader) == cash
    assert vault.house().insurance == house.insurance - event.deficit - event.reward
    assert vault.house().pool_cash == house.pool_cash + 600 * USD + IMPACT


@pytest.mark.parametrize("deficit", [0, 1])
def test_a_deficit_begins_with_its_first_unit(vault: Protocol, trader: str, deficit: int) -> None:
    vault.clearinghouse.send(trader, "add_margin", 0, True, 100 * USD + IMPACT - deficit)
    vault.push_price(0, 44_000)
    cash = vault.cash(trader)
    event = vault.liquidate_isolated(id_of(trader)).event("PositionLiquidated")
    assert (event.deficit, event.penalty) == (deficit, 0)
    assert vault.cash(trader) == cash


def test_what_insurance_cannot_pay_is_the_pools() -> None:
    protocol = Protocol(BTC, insurance=0)
    trader = protocol.trader
    protocol.deposit(trader, 5_000 * USD)
    protocol.trade(trader, 0, LOTS, margin_mode=ISOLATED, margin=MARGIN)
    house = protocol.house()
    assert house.insurance == 250_000  # its share of the fee
    protocol.push_price(0, 44_000)
    event = protocol.liquidate_isolated(id_of(trader)).event("PositionLiquidated")
    # The reward's floor comes out of insurance first, the rest of it pays for the deficit.
    assert protocol.house().insurance == 0
    assert event.reward == 12_500
    uncovered = event.deficit - 237_500
    assert protocol.house().pool_cash == house.pool_cash - event.realised - uncovered
    protocol.check_invariants()


def test_a_batch_skips_what_is_healthy_unknown_or_closed(
    vault: Protocol, trader: str, attacker: str
) -> None:
    vault.deposit(attacker, 5_000 * USD)
    vault.trade(attacker, 0, LOTS, margin_mode=ISOLATED, margin=1_000 * USD)
    vault.trade(attacker, 0, LOTS)
    vault.push_price(0, 45_000)
    ids = [
        id_of(attacker),
        id_of(attacker, 0),
        0,
        2**256 - 1,
        id_of(trader) | 1 << 200,
        id_of(trader),
        id_of(trader),
        id_of(trader, ISOLATED_SHORT),
        position_id(trader, 2**24 - 1, 255),
    ]
    receipt = vault.liquidate_isolated(*ids)
    assert receipt.result == 1
    assert [event.account for event in receipt.named("PositionLiquidated")] == [trader]


def test_one_payment_rewards_a_whole_batch(vault: Protocol, trader: str, attacker: str) -> None:
    vault.deposit(attacker, 5_000 * USD)
    vault.trade(attacker, 0, LOTS, margin_mode=ISOLATED, margin=MARGIN)
    vault.push_price(0, 45_150)
    receipt = vault.liquidate_isolated(id_of(trader), id_of(attacker))
    assert receipt.result == 2
    rewards = [event.reward for event in receipt.named("PositionLiquidated")]
    assert receipt.event("LiquidatorPaid").amount == sum(rewards)


def test_a_batch_of_nothing_pays_nobody(vault: Protocol, trader: str) -> None:
    receipt = vault.liquidate_isolated()
    assert (receipt.result, receipt.events) == (0, [])
    receipt = vault.liquidate_isolated(id_of(trader))
    assert (receipt.result, receipt.events) == (0, [])


def test_an_old_price_does_not_liquidate(vault: Protocol, trader: str) -> None:
    vault.push_price(0, 44_000)
    advance(61)
    assert vault.liquidate_isolated(id_of(trader)).result == 0
    vault.push_price(0, 44_000)
    assert vault.liquidate_isolated(id_of(trader)).result == 1


def test_an_owner_may_liquidate_his_own_vault(vault: Protocol, trader: str) -> None:
    vault.push_price(0, 45_150)
    cash = vault.cash(trader)
    receipt = vault.liquidate_isolated(id_of(trader), liquidator=trader)
    event = receipt.event("PositionLiquidated")
    left = MARGIN + event.realised - event.penalty
    assert vault.cash(trader) == cash + left + event.reward


def test_liquidation_goes_on_where_opening_has_stopped(
    vault: Protocol, trader: str, guardian: str
) -> None:
    vault.clearinghouse.send(guardian, "stop_opening", True)
    vault.clearinghouse.send(guardian, "set_status", 0, 1)
    vault.push_price(0, 45_150)
    assert vault.liquidate_isolated(id_of(trader)).result == 1


def test_the_reward_stays_below_its_cap() -> None:
    protocol = Protocol(BTC)
    protocol.deposit(protocol.trader, 300_000 * USD)
    protocol.trade(
        protocol.trader, 0, 20 * 10**8, margin_mode=ISOLATED, margin=100_000 * USD
    )  # 1,000,000 USD
    protocol.push_price(0, 45_120)  # below two thirds of maintenance margin
    event = protocol.liquidate_isolated(id_of(protocol.trader)).event("PositionLiquidated")
    assert event.penalty > 1_000 * USD
    assert event.reward == 100 * USD
    protocol.check_invariants()
