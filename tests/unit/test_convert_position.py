"""A position moves between cross and isolated margin while it is open."""

import pytest

from bulkhead.protocol import margin_math, words
from bulkhead.protocol.words import CROSS_LONG, CROSS_SHORT, ISOLATED_LONG, ISOLATED_SHORT
from tests.helpers.chain import advance, refused
from tests.helpers.doctored import doctor_account
from tests.helpers.protocol import (
    CROSS,
    FEMTO,
    ISOLATED,
    LONG,
    PPM,
    REDUCE_ONLY,
    SHORT,
    STOP,
    USD,
    Protocol,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
NOTIONAL = 5_000 * USD


@pytest.fixture
def leg(protocol: Protocol, trader: str) -> Protocol:
    """The trader holds a cross long of 5,000 USD and about 4,000 USD of cash."""
    protocol.deposit(trader, 4_000 * USD)
    protocol.trade(trader, 0, LOTS)
    return protocol


@pytest.fixture
def vault(protocol: Protocol, trader: str) -> Protocol:
    """The trader holds an isolated long of 5,000 USD with 1,000 USD of margin."""
    protocol.deposit(trader, 4_000 * USD)
    protocol.trade(trader, 0, LOTS, margin_mode=ISOLATED, margin=1_000 * USD)
    return protocol


def isolate(protocol: Protocol, account: str, amount: int = 0, market: int = 0) -> object:
    return protocol.clearinghouse.send(
        account, "convert_position", market, True, True, amount
    ).event("PositionConverted")


def pool(protocol: Protocol, account: str, market: int = 0) -> object:
    return protocol.clearinghouse.send(account, "convert_position", market, True, False, 0).event(
        "PositionConverted"
    )


def worth(protocol: Protocol, account: str, market: int = 0) -> int:
    """All that an account holds in a market and in cash, femto."""
    state = protocol.account(account)
    total = (state.cash + state.escrow) * FEMTO
    for slot in range(4):
        position = protocol.position(account, market, slot)
        if position.size:
            total += protocol.value(account, market, slot)
            total += position.margin * FEMTO if slot >= ISOLATED_LONG else 0
    return total


def test_an_account_has_255_vaults(leg: Protocol, trader: str) -> None:
    with leg.anchored():
        doctor_account(leg, trader, vaults=254)
        isolate(leg, trader)
        assert leg.account(trader).vaults == 255
    with leg.anchored():
        doctor_account(leg, trader, vaults=255)
        with refused("account: too many vaults"):
            isolate(leg, trader)


def test_a_leg_becomes_a_vault_of_the_same_size_entry_and_funding(
    leg: Protocol, trader: str
) -> None:
    before, cash = leg.position(trader, 0, CROSS_LONG), leg.cash(trader)
    value = leg.value(trader, 0, CROSS_LONG)
    assert value < 0
    event = isolate(leg, trader)
    after = leg.position(trader, 0, ISOLATED_LONG)
    assert (after.size, after.entry_notional, after.funding_index) == (
        before.size,
        before.entry_notional,
        before.funding_index,
    )
    # A tenth of the notional, as no leverage was set, and the loss.
    assert after.margin == -(-(NOTIONAL * FEMTO // 10 - value) // FEMTO)
    assert leg.account(trader) == words.Account(cash - after.margin, 0, 1, 0, 0, 0)
    assert leg.position(trader, 0, CROSS_LONG) == words.Position(0, 0, 0, 1, 0)
    assert (event.slot, event.size, event.margin) == (CROSS_LONG, LOTS, after.margin)  # type: ignore[attr-defined]


def test_a_vault_becomes_a_leg_and_its_margin_cash(vault: Protocol, trader: str) -> None:
    before, cash = vault.position(trader, 0, ISOLATED_LONG), vault.cash(trader)
    event = pool(vault, trader)
    after = vault.position(trader, 0, CROSS_LONG)
    assert (after.size, after.entry_notional) == (before.size, before.entry_notional)
    assert after.margin == 0  # the leverage, which was never set
    assert vault.account(trader) == words.Account(
        cash + 1_000 * USD, words.leg_bit(0, CROSS_LONG), 0, 0, 0, 0
    )
    assert vault.position(trader, 0, ISOLATED_LONG).generation == 1
    assert (event.slot, event.margin) == (ISOLATED_LONG, 1_000 * USD)  # type: ignore[attr-defined]


@pytest.mark.parametrize("dollars", [48_500, 50_000, 51_500])
def test_there_and_back_changes_nothing_that_the_account_is_worth(
    leg: Protocol, trader: str, dollars: int
) -> None:
    leg.push_price(0, dollars)
    before = worth(leg, trader)
    isolate(leg, trader)
    assert worth(leg, trader) == before
    pool(leg, trader)
    assert worth(leg, trader) == before


def test_a_short_converts_too(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 4_000 * USD)
    protocol.trade(trader, 0, LOTS, is_buy=False)
    protocol.clearinghouse.send(trader, "convert_position", 0, False, True, 0)
    assert protocol.position(trader, 0, ISOLATED_SHORT).size == LOTS
    assert protocol.position(trader, 0, CROSS_SHORT).size == 0


def test_sizes_merge_with_what_the_target_holds(leg: Protocol, trader: str) -> None:
    advance(3_000)
    leg.push_price(0, 50_100)
    leg.trade(trader, 0, 2 * LOTS, margin_mode=ISOLATED, margin=1_500 * USD)
    old = [leg.position(trader, 0, slot) for slot in (CROSS_LONG, ISOLATED_LONG)]
    assert old[0].funding_index != old[1].funding_index
    before = worth(leg, trader)
    margin = isolate(leg, trader).margin  # type: ignore[attr-defined]
    merged = leg.position(trader, 0, ISOLATED_LONG)
    assert merged.size == 3 * LOTS
    assert merged.entry_notional == old[0].entry_notional + old[1].entry_notional
    assert merged.margin == 1_500 * USD + margin
    # The mean of two indices is rounded against the account, by less than a femto a lot.
    assert before - 3 * LOTS < worth(leg, trader) <= before
    assert leg.account(trader).vaults == 1


def test_the_owner_may_move_more_than_the_least(leg: Protocol, trader: str) -> None:
    isolate(leg, trader, 2_000 * USD)
    assert leg.position(trader, 0, ISOLATED_LONG).margin == 2_000 * USD


def test_less_than_initial_margin_and_the_loss_is_refused(leg: Protocol, trader: str) -> None:
    leg.push_price(0, 49_000)
    least = 490 * USD + 100 * USD
    with refused("margin: below initial"):
        isolate(leg, trader, least)
    isolate(leg, trader, least + USD)


def test_the_vaults_leverage_decides_how_much_moves(leg: Protocol, trader: str) -> None:
    leg.clearinghouse.send(trader, "set_leverage", 0, 4 * PPM, True, True)
    margin = isolate(leg, trader).margin  # type: ignore[attr-defined]
    assert NOTIONAL // 4 < margin < NOTIONAL // 4 + 10 * USD


def test_profit_of_the_leg_does_not_pay_its_own_margin(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 200 * USD)
    protocol.trade(trader, 0, LOTS)
    protocol.push_price(0, 58_000)
    assert protocol.value(trader, 0, CROSS_LONG) > 790 * USD * FEMTO
    with refused("balance: not withdrawable"):
        isolate(protocol, trader)


def test_profit_of_another_leg_does_not_pay_it_either(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 300 * USD)
    protocol.trade(trader, 0, LOTS)
    protocol.trade(trader, 1, 10**7)
    protocol.push_price(1, 3_000)
    protocol.push_price(0, 50_000)
    with refused("balance: not withdrawable"):
        isolate(protocol, trader)


def test_what_stays_in_cross_keeps_its_initial_margin(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 1_000 * USD)
    protocol.clearinghouse.send(trader, "set_leverage", 1, 5 * PPM, False, True)
    protocol.trade(trader, 0, LOTS)
    protocol.trade(trader, 1, 10**7)  # 2,500 USD at 5x: 500 USD of initial margin
    protocol.push_price(0, 50_000)
    with refused("balance: not withdrawable"):
        isolate(protocol, trader)
    protocol.deposit(trader, 20 * USD)
    isolate(protocol, trader)


def test_a_vault_goes_to_cross_only_where_cross_holds_initial_margin(
    protocol: Protocol, trader: str
) -> None:
    protocol.deposit(trader, 1_100 * USD)
    protocol.trade(trader, 0, LOTS, margin_mode=ISOLATED, margin=500 * USD)
    protocol.clearinghouse.send(trader, "set_leverage", 0, 2 * PPM, False, True)
    with refused("margin: below initial"):
        pool(protocol, trader)
    protocol.clearinghouse.send(trader, "set_leverage", 0, 5 * PPM, False, True)
    pool(protocol, trader)
    assert protocol.position(trader, 0, CROSS_LONG).margin == 5 * PPM


def test_one_way_mode_keeps_its_target_from_holding_both_sides(
    protocol: Protocol, trader: str
) -> None:
    protocol.deposit(trader, 4_000 * USD)
    protocol.trade(trader, 0, LOTS)
    protocol.trade(trader, 0, LOTS, margin_mode=ISOLATED, is_buy=False)
    for is_long, to_isolated in ((True, True), (False, False)):
        with refused("position: other side open"):
            protocol.clearinghouse.send(trader, "convert_position", 0, is_long, to_isolated, 0)


def test_hedge_mode_lets_both_sides_be_in_one_mode(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 4_000 * USD)
    protocol.clearinghouse.send(trader, "set_hedge_mode", True)
    protocol.clearinghouse.send(trader, "set_leverage", 0, 20 * PPM, False, True)
    protocol.trade(trader, 0, LOTS, position_side=LONG)
    protocol.clearinghouse.send(trader, "set_leverage", 0, 30 * PPM, False, True)
    protocol.trade(trader, 0, LOTS // 2, margin_mode=ISOLATED, is_buy=False, position_side=SHORT)
    protocol.clearinghouse.send(trader, "convert_position", 0, False, False, 0)
    pair = [protocol.position(trader, 0, slot) for slot in (CROSS_LONG, CROSS_SHORT)]
    assert [one.size for one in pair] == [LOTS, LOTS // 2]
    assert pair[0].margin == pair[1].margin == 30 * PPM
    isolate(protocol, trader)
    assert protocol.position(trader, 0, CROSS_SHORT).size == LOTS // 2


def test_an_old_or_doubted_price_is_refused(leg: Protocol, trader: str) -> None:
    advance(61)
    with refused("price: not firm"):
        isolate(leg, trader)


def test_another_legs_old_price_is_refused(leg: Protocol, trader: str) -> None:
    leg.trade(trader, 1, 10**7)
    advance(61)
    leg.push_price(0, 50_000)
    with refused("price: not firm"):
        isolate(leg, trader)
    leg.push_price(1, 2_500)
    isolate(leg, trader)


def test_a_reduce_only_market_lets_positions_convert(leg: Protocol, trader: str) -> None:
    leg.clearinghouse.send(leg.owner, "set_status", 0, REDUCE_ONLY)
    isolate(leg, trader)


@pytest.mark.parametrize(
    ("market", "is_long", "to_isolated", "amount", "reason"),
    [
        (0, False, True, 0, "position: not open"),
        (0, True, False, 0, "position: not open"),
        (1, True, True, 0, "position: not open"),
        (3, True, True, 0, "market: unknown"),
        (2**256 - 1, True, True, 0, "market: unknown"),
        (2**256 - 1, True, False, 0, "market: isolated only"),
        (0, True, False, 1, "margin: not for cross"),
        (0, True, True, 2**255, "balance: not withdrawable"),
    ],
)
def test_a_senseless_conversion_is_refused(
    leg: Protocol,
    trader: str,
    market: int,
    is_long: bool,
    to_isolated: bool,
    amount: int,
    reason: str,
) -> None:
    with refused(reason):
        leg.clearinghouse.send(trader, "convert_position", market, is_long, to_isolated, amount)


def test_a_stop_of_the_leg_does_not_act_on_the_vault(leg: Protocol, trader: str) -> None:
    trigger = leg.femto(0, 49_000)
    stop = leg.place(
        trader,
        0,
        0,
        kind=STOP,
        is_buy=False,
        reduce_only=True,
        margin_mode=CROSS,
        trigger_price=trigger,
    )
    isolate(leg, trader)
    event = leg.fill(stop, 48_900).event("OrderCancelled")
    assert event.reason in ("position: ended", "position: nothing to reduce")
    assert leg.position(trader, 0, ISOLATED_LONG).size == LOTS


def test_an_allowance_for_the_vault_dies_with_it(vault: Protocol, trader: str) -> None:
    vault.clearinghouse.send(trader, "set_auto_margin", 0, True, 300 * USD)
    assert vault.position(trader, 0, ISOLATED_LONG).auto_margin
    pool(vault, trader)
    assert not vault.position(trader, 0, CROSS_LONG).auto_margin
    isolate(vault, trader)
    assert not vault.position(trader, 0, ISOLATED_LONG).auto_margin


def test_the_tiers_bind_the_whole_vault(protocol: Protocol, trader: str) -> None:
    """Two halves each below a tier's floor, together above it: the sum pays the tier's rate."""
    protocol.deposit(trader, 400_000 * USD)
    protocol.clearinghouse.send(trader, "set_leverage", 0, 100 * PPM, True, True)
    half = 15 * 10**8 + 10**7  # 15.1 BTC, 755,000 USD; the second tier begins at a million
    protocol.trade(trader, 0, half, margin_mode=ISOLATED)
    protocol.trade(trader, 0, half)
    protocol.push_price(0, 50_000)
    before = protocol.position(trader, 0, ISOLATED_LONG)
    both = 2 * half * protocol.price(0).price
    required = margin_math.initial_margin(both, 100 * PPM, protocol.tiers(0))
    least = 7_550 * USD
    assert (before.margin + least) * FEMTO < required
    with refused("margin: below initial"):
        isolate(protocol, trader, least + 5_000 * USD)
    isolate(protocol, trader, 60_000 * USD)
