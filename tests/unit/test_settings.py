"""What an account chooses: leverage, default margin mode, position mode, operators."""

import pytest

from bulkhead.protocol import words
from tests.helpers.chain import advance, refused
from tests.helpers.protocol import (
    CROSS,
    DEFAULT,
    ISOLATED,
    LONG,
    PPM,
    SHORT,
    USD,
    Protocol,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD


@pytest.fixture
def funded(protocol: Protocol, trader: str) -> Protocol:
    protocol.deposit(trader, 5_000 * USD)
    return protocol


# set_leverage


@pytest.mark.parametrize(
    ("is_isolated", "is_long", "field"),
    [
        (True, True, "isolated_long_leverage"),
        (True, False, "isolated_short_leverage"),
        (False, True, "cross_leverage"),
        (False, False, "cross_leverage"),
    ],
)
def test_each_leverage_is_its_own(
    protocol: Protocol, trader: str, is_isolated: bool, is_long: bool, field: str
) -> None:
    receipt = protocol.clearinghouse.send(trader, "set_leverage", 1, 7 * PPM, is_isolated, is_long)
    event = receipt.event("SettingsChanged")
    settings = protocol.settings(trader, 1)
    assert settings == words.unpack_settings(event.settings_word)
    assert (event.account, event.market) == (trader, 1)
    unset = words.unpack_settings(0)
    for name in ("isolated_long_leverage", "isolated_short_leverage", "cross_leverage"):
        expected = 7 * PPM if name == field else getattr(unset, name)
        assert getattr(settings, name) == expected
    assert protocol.settings(trader, 0) == unset


@pytest.mark.parametrize("leverage", [1, PPM - 1, 2**28, 2**256 - 1])
def test_a_leverage_out_of_range_is_refused(protocol: Protocol, trader: str, leverage: int) -> None:
    with refused("leverage: out of range"):
        protocol.clearinghouse.send(trader, "set_leverage", 0, leverage, True, True)


@pytest.mark.parametrize("leverage", [0, PPM, 2**28 - 1])
def test_a_leverage_at_its_bound_is_taken(protocol: Protocol, trader: str, leverage: int) -> None:
    protocol.clearinghouse.send(trader, "set_leverage", 0, leverage, False, True)
    assert protocol.settings(trader, 0).cross_leverage == leverage


@pytest.mark.parametrize("market", [3, 2**256 - 1])
def test_settings_of_an_unknown_market_are_refused(
    protocol: Protocol, trader: str, market: int
) -> None:
    with refused("market: unknown"):
        protocol.clearinghouse.send(trader, "set_leverage", market, PPM, True, True)
    with refused("market: unknown"):
        protocol.clearinghouse.send(trader, "set_default_margin_mode", market, True)


@pytest.mark.parametrize(("is_buy", "slot"), [(True, words.CROSS_LONG), (False, words.CROSS_SHORT)])
def test_an_open_cross_leg_takes_its_leverage_at_once(
    funded: Protocol, trader: str, is_buy: bool, slot: int
) -> None:
    funded.trade(trader, 0, LOTS, leverage=5 * PPM, is_buy=is_buy)
    receipt = funded.clearinghouse.send(trader, "set_leverage", 0, 20 * PPM, False, False)
    event = receipt.event("CrossLeverageChanged")
    assert (event.account, event.market, event.slot) == (trader, 0, slot)
    assert words.unpack_position(event.position_word).margin == 20 * PPM
    assert funded.position(trader, 0, slot).margin == 20 * PPM


def test_a_leverage_that_initial_margin_does_not_bear_is_refused(
    funded: Protocol, trader: str
) -> None:
    funded.trade(trader, 0, 2 * LOTS, leverage=5 * PPM)
    with refused("margin: below initial"):
        funded.clearinghouse.send(trader, "set_leverage", 0, PPM, False, True)
    assert funded.position(trader, 0, words.CROSS_LONG).margin == 5 * PPM


def test_relevering_an_open_leg_needs_firm_prices(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS)
    advance(61)
    with refused("price: not firm"):
        funded.clearinghouse.send(trader, "set_leverage", 0, 5 * PPM, False, True)


def test_an_orders_leverage_comes_from_the_settings(funded: Protocol, trader: str) -> None:
    funded.clearinghouse.send(trader, "set_leverage", 0, 4 * PPM, True, True)
    funded.clearinghouse.send(trader, "set_leverage", 0, 5 * PPM, True, False)
    funded.clearinghouse.send(trader, "set_leverage", 0, 6 * PPM, False, False)
    assert funded.place(trader, 0, LOTS, margin_mode=ISOLATED).leverage == 4 * PPM
    sold = funded.place(trader, 0, LOTS, margin_mode=ISOLATED, is_buy=False)
    assert sold.leverage == 5 * PPM
    assert funded.place(trader, 0, LOTS, margin_mode=CROSS).leverage == 6 * PPM
    assert funded.place(trader, 1, LOTS, margin_mode=ISOLATED).leverage == 10 * PPM
    assert funded.place(trader, 1, LOTS, margin_mode=CROSS).leverage == 0


# set_default_margin_mode


def test_the_default_margin_mode_is_cross_until_it_is_set(funded: Protocol, trader: str) -> None:
    assert funded.place(trader, 0, LOTS, margin_mode=DEFAULT).margin_mode == CROSS
    receipt = funded.clearinghouse.send(trader, "set_default_margin_mode", 0, True)
    event = receipt.event("SettingsChanged")
    assert words.unpack_settings(event.settings_word).isolated_by_default
    assert funded.place(trader, 0, LOTS, margin_mode=DEFAULT).margin_mode == ISOLATED
    assert funded.place(trader, 1, LOTS, margin_mode=DEFAULT).margin_mode == CROSS
    assert funded.place(trader, 0, LOTS, margin_mode=CROSS).margin_mode == CROSS
    funded.clearinghouse.send(trader, "set_default_margin_mode", 0, False)
    assert funded.place(trader, 0, LOTS, margin_mode=DEFAULT).margin_mode == CROSS


def test_settings_live_side_by_side(protocol: Protocol, trader: str) -> None:
    protocol.clearinghouse.send(trader, "set_default_margin_mode", 0, True)
    protocol.clearinghouse.send(trader, "set_leverage", 0, 2 * PPM, True, True)
    protocol.clearinghouse.send(trader, "set_leverage", 0, 3 * PPM, True, False)
    protocol.clearinghouse.send(trader, "set_leverage", 0, 4 * PPM, False, True)
    assert protocol.settings(trader, 0) == words.Settings(True, 2 * PPM, 3 * PPM, 4 * PPM, 0, 0)


# set_hedge_mode


def test_a_flat_account_switches_its_position_mode(protocol: Protocol, trader: str) -> None:
    event = protocol.clearinghouse.send(trader, "set_hedge_mode", True).event("PositionModeChanged")
    assert event.account == trader
    assert words.unpack_account(event.account_word).flags == words.FLAG_HEDGE
    assert protocol.account(trader).flags == words.FLAG_HEDGE
    protocol.clearinghouse.send(trader, "set_hedge_mode", False)
    assert protocol.account(trader).flags == 0


@pytest.mark.parametrize("margin_mode", [CROSS, ISOLATED])
def test_an_account_with_a_position_cannot_switch(
    funded: Protocol, trader: str, margin_mode: int
) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=margin_mode)
    with refused("account: not flat"):
        funded.clearinghouse.send(trader, "set_hedge_mode", True)


@pytest.mark.parametrize("margin_mode", [CROSS, ISOLATED])
def test_in_hedge_mode_long_and_short_live_side_by_side(
    funded: Protocol, trader: str, margin_mode: int
) -> None:
    funded.clearinghouse.send(trader, "set_hedge_mode", True)
    mode = {"margin_mode": margin_mode}
    funded.trade(trader, 0, LOTS, position_side=LONG, **mode)
    funded.trade(trader, 0, 2 * LOTS, is_buy=False, position_side=SHORT, **mode)
    first = 0 if margin_mode == CROSS else 2
    assert funded.position(trader, 0, first).size == LOTS
    assert funded.position(trader, 0, first + 1).size == 2 * LOTS
    funded.trade(trader, 0, LOTS, is_buy=False, position_side=LONG, **mode)
    assert funded.position(trader, 0, first).size == 0
    assert funded.position(trader, 0, first + 1).size == 2 * LOTS
