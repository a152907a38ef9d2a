"""A vault whose owner lets it draws on the ledger before anything of it is closed."""

import pytest

from bulkhead.protocol import margin_math, words
from bulkhead.protocol.words import ISOLATED_LONG
from tests.helpers.chain import advance, refused
from tests.helpers.protocol import CROSS, ISOLATED, USD, Protocol, position_id

LOTS = 10**7  # 0.1 BTC, 5,000 USD
MARGIN = 500 * USD
FLOOR = 12_500  # the keeper's
FEMTO = 10**9
DUE = "45200"  # 20 USD left, of 22.6; 45.2 is the initial margin


@pytest.fixture
def vault(protocol: Protocol, trader: str) -> Protocol:
    """A long of 5,000 USD on a margin of 500, that may draw 100 of the 1,000 in the ledger."""
    protocol.deposit(trader, 1_502_700_000)
    protocol.trade(trader, 0, LOTS, margin_mode=ISOLATED, margin=MARGIN)
    protocol.set_auto_margin(trader, 0, True, 100 * USD)
    assert protocol.cash(trader) == 1_000 * USD
    return protocol


def id_of(account: str, slot: int = ISOLATED_LONG) -> int:
    return position_id(account, 0, slot)


def equity(protocol: Protocol, account: str, slot: int = ISOLATED_LONG) -> int:
    """Femto."""
    margin = protocol.position(account, 0, slot).margin
    return margin * FEMTO + protocol.value(account, 0, slot)


def initial(protocol: Protocol, account: str, slot: int = ISOLATED_LONG) -> int:
    notional = protocol.position(account, 0, slot).size * protocol.price(0).price
    return margin_math.initial_margin(notional, 0, protocol.tiers(0))


def test_margin_is_added_up_to_initial_margin_and_nothing_closed(
    vault: Protocol, trader: str, keeper: str
) -> None:
    vault.push_price(0, DUE)
    before, sides, house = vault.position(trader, 0, 2), vault.side(0, True), vault.house()
    missing, earned = initial(vault, trader) - equity(vault, trader), vault.cash(keeper)

    receipt = vault.liquidate_isolated(id_of(trader))

    assert receipt.result == 1
    assert receipt.named("PositionLiquidated") == receipt.named("MarketSettled") == []
    event = receipt.event("MarginToppedUp")
    amount = -(-missing // FEMTO)
    assert (event.account, event.market, event.slot) == (trader, 0, ISOLATED_LONG)
    assert (event.liquidator, event.amount, event.reward) == (keeper, amount, FLOOR)
    after = vault.position(trader, 0, 2)
    assert (after.size, after.margin) == (before.size, before.margin + amount)
    assert after.auto_margin
    assert 0 <= equity(vault, trader) - initial(vault, trader) < FEMTO
    assert vault.cash(trader) == 1_000 * USD - amount - FLOOR
    assert vault.settings(trader, 0).long_allowance == 100 * USD - amount - FLOOR
    assert vault.cash(keeper) == earned + FLOOR
    assert vault.side(0, True) == sides
    assert vault.house() == house
    assert receipt.event("LiquidatorPaid").amount == FLOOR
    assert vault.liquidate_isolated(id_of(trader)).result == 0


def test_the_words_in_the_event_are_the_state_after_it(vault: Protocol, trader: str) -> None:
    vault.push_price(0, DUE)
    event = vault.liquidate_isolated(id_of(trader)).event("MarginToppedUp")
    read = vault.clearinghouse.read
    assert event.position_word == read("position_word", id_of(trader))
    assert event.account_word == read("account_word", trader)
    assert event.settings_word == read("settings_word", trader, 0)


def test_a_short_draws_on_its_own_allowance(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 1_502_700_000)
    protocol.trade(trader, 0, LOTS, margin_mode=ISOLATED, margin=MARGIN, is_buy=False)
    protocol.set_auto_margin(trader, 0, False, 100 * USD)
    protocol.push_price(0, 54_750)
    assert protocol.liquidate_isolated(id_of(trader, 3)).event("MarginToppedUp").slot == 3
    settings = protocol.settings(trader, 0)
    assert settings.long_allowance == 0
    assert 0 < settings.short_allowance < 100 * USD


def test_it_is_drawn_on_until_the_allowance_does_not_reach(vault: Protocol, trader: str) -> None:
    """Every draw is whole; the one that would not be is a liquidation."""
    price, draws = 45_200, 0
    while True:
        vault.push_price(0, price)
        receipt = vault.liquidate_isolated(id_of(trader))
        if receipt.named("PositionLiquidated"):
            break
        draws += len(receipt.named("MarginToppedUp"))
        price -= 20
    assert draws >= 2
    assert vault.cash(trader) >= 900 * USD
    assert vault.position(trader, 0, 2).size == 0


@pytest.mark.parametrize("short_of", [0, 1])
def test_the_allowance_bears_the_keepers_fee_too(
    vault: Protocol, trader: str, short_of: int
) -> None:
    vault.push_price(0, DUE)
    need = -(-(initial(vault, trader) - equity(vault, trader)) // FEMTO) + FLOOR
    vault.set_auto_margin(trader, 0, True, need - short_of)
    receipt = vault.liquidate_isolated(id_of(trader))
    assert len(receipt.named("MarginToppedUp")) == 1 - short_of
    assert len(receipt.named("PositionLiquidated")) == short_of


@pytest.mark.parametrize("short_of", [0, 1])
def test_it_takes_what_is_withdrawable_or_nothing(
    vault: Protocol, trader: str, short_of: int
) -> None:
    vault.push_price(0, DUE)
    need = -(-(initial(vault, trader) - equity(vault, trader)) // FEMTO) + FLOOR
    vault.withdraw(trader, 1_000 * USD - need + short_of)
    receipt = vault.liquidate_isolated(id_of(trader))
    assert len(receipt.named("MarginToppedUp")) == 1 - short_of
    if not short_of:
        assert vault.cash(trader) == 0


def test_what_backs_cross_legs_is_not_drawn_on(vault: Protocol, trader: str) -> None:
    vault.trade(trader, 1, 36 * 10**7, leverage=100 * 10**6)  # 90,000 USD ask for 900
    vault.push_price(0, DUE)
    leg, cash = vault.position(trader, 1, 0), vault.cash(trader)
    assert cash > 950 * USD
    vault.set_auto_margin(trader, 0, True, 20 * USD)
    vault.push_price(1, 2_500)
    receipt = vault.liquidate_isolated(id_of(trader))
    assert receipt.named("MarginToppedUp") == []
    assert vault.position(trader, 1, 0) == leg


def test_unrealised_profit_is_not_drawn_on(vault: Protocol, trader: str) -> None:
    vault.trade(trader, 1, 2 * 10**7)
    vault.withdraw(trader, vault.cash(trader) - 110 * USD)  # 100 of initial margin at the end
    vault.push_price(1, 5_000)
    vault.push_price(0, DUE)
    assert vault.value(trader, 1, 0) > 4_000 * 10**15
    receipt = vault.liquidate_isolated(id_of(trader))
    assert receipt.named("MarginToppedUp") == []


@pytest.mark.parametrize("changes", [{"caution": words.NO_OPENING}, {}])
def test_a_ledger_that_cannot_be_valued_counts_as_nothing(
    vault: Protocol, trader: str, changes: dict[str, int]
) -> None:
    """And the liquidation goes on."""
    vault.trade(trader, 1, 10**7)
    if changes:
        vault.requote(1, **changes)
    else:
        advance(61)
    vault.push_price(0, DUE)
    receipt = vault.liquidate_isolated(id_of(trader))
    assert receipt.named("MarginToppedUp") == []
    assert len(receipt.named("PositionLiquidated")) == 1


def test_a_fresh_ledger_with_legs_is_drawn_on(vault: Protocol, trader: str) -> None:
    vault.trade(trader, 1, 10**7)
    vault.push_price(0, DUE)
    assert len(vault.liquidate_isolated(id_of(trader)).named("MarginToppedUp")) == 1


def test_a_bankrupt_vault_gets_nothing(vault: Protocol, trader: str) -> None:
    vault.push_price(0, 44_999)
    cash = vault.cash(trader)
    receipt = vault.liquidate_isolated(id_of(trader))
    assert receipt.named("MarginToppedUp") == []
    assert receipt.event("PositionLiquidated").deficit > 0
    assert vault.cash(trader) == cash


def test_a_healthy_vault_draws_on_nothing(vault: Protocol, trader: str) -> None:
    vault.push_price(0, 45_230)
    before = vault.state()
    assert vault.liquidate_isolated(id_of(trader)).result == 0
    assert vault.state() == before


def test_it_ends_with_the_position(vault: Protocol, trader: str) -> None:
    vault.trade(trader, 0, LOTS, margin_mode=ISOLATED, is_buy=False, reduce_only=True)
    vault.trade(trader, 0, LOTS, margin_mode=ISOLATED, margin=MARGIN)
    assert vault.settings(trader, 0).long_allowance == 100 * USD
    assert not vault.position(trader, 0, 2).auto_margin
    vault.push_price(0, DUE)
    assert vault.liquidate_isolated(id_of(trader)).named("MarginToppedUp") == []


def test_it_outlives_a_part_taken_off(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 10_000 * USD)
    protocol.trade(trader, 0, 10 * LOTS, margin_mode=ISOLATED, margin=5_000 * USD)
    protocol.set_auto_margin(trader, 0, True, USD)
    protocol.push_price(0, DUE)
    assert len(protocol.liquidate_isolated(id_of(trader)).named("PositionLiquidated")) == 1
    assert protocol.position(trader, 0, 2).size > 0
    assert protocol.position(trader, 0, 2).auto_margin


def test_nothing_else_is_touched(vault: Protocol, trader: str) -> None:
    vault.trade(trader, 0, LOTS)
    vault.trade(trader, 1, 10**7, margin_mode=ISOLATED)
    vault.push_price(0, DUE)
    before = vault.state()
    vault.liquidate_isolated(id_of(trader))
    changed = {name for name, word in vault.state().items() if word != before[name]}
    assert changed == {
        f"account {trader}",
        f"account {vault.keeper}",
        f"position {trader} 0 {ISOLATED_LONG}",
        f"settings {trader} 0",
    }


def test_an_owner_who_sends_it_pays_himself(vault: Protocol, trader: str) -> None:
    vault.push_price(0, DUE)
    event = vault.liquidate_isolated(id_of(trader), liquidator=trader).event("MarginToppedUp")
    assert vault.cash(trader) == 1_000 * USD - event.amount


def test_top_ups_and_closes_share_a_batch(vault: Protocol, trader: str, attacker: str) -> None:
    vault.deposit(attacker, 5_000 * USD)
    vault.trade(attacker, 0, LOTS, margin_mode=ISOLATED, margin=MARGIN)
    vault.push_price(0, DUE)
    receipt = vault.liquidate_isolated(id_of(trader), id_of(attacker), id_of(trader))
    assert receipt.result == 2
    closed = receipt.event("PositionLiquidated")
    assert receipt.event("LiquidatorPaid").amount == FLOOR + closed.reward


def test_no_more_than_the_fee_moves_between_accounts(
    vault: Protocol, trader: str, attacker: str
) -> None:
    """Whoever draws on his own ledger again and again pays a friend a keeper's floor each time."""
    cash, margin = vault.cash(trader), vault.position(trader, 0, 2).margin
    draws = 0
    for price in range(45_200, 44_800, -10):
        vault.push_price(0, price)
        receipt = vault.liquidate_isolated(id_of(trader), liquidator=attacker)
        draws += len(receipt.named("MarginToppedUp"))
        if receipt.named("PositionLiquidated"):
            break
        moved = vault.position(trader, 0, 2).margin - margin
        assert vault.cash(trader) == cash - moved - draws * FLOOR
        assert vault.cash(attacker) == draws * FLOOR
    assert draws >= 2


def test_a_stopped_market_still_tops_up(vault: Protocol, trader: str, guardian: str) -> None:
    vault.clearinghouse.send(guardian, "stop_opening", True)
    vault.push_price(0, DUE)
    assert len(vault.liquidate_isolated(id_of(trader)).named("MarginToppedUp")) == 1


def test_cross_legs_have_no_allowance(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 1_000 * USD)
    protocol.trade(trader, 0, LOTS, margin_mode=CROSS)
    with refused("position: not open"):
        protocol.set_auto_margin(trader, 0, True, USD)
