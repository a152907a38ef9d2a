"""A liquidation judges at the edge of a price's confidence that favours the account."""

import pytest

from bulkhead.protocol import words
from tests.helpers.protocol import ISOLATED, LONG, SHORT, USD, Protocol, position_id

LOTS = 10**7  # 0.1 BTC, 5,000 USD
BITCOIN = 10**8
PPM = 10**6


@pytest.fixture
def vault(protocol: Protocol, trader: str) -> Protocol:
    """A long of 5,000 USD on a margin of 500: due below 45,226.13 USD."""
    protocol.deposit(trader, 5_000 * USD)
    protocol.trade(trader, 0, LOTS, margin_mode=ISOLATED, margin=500 * USD)
    return protocol


def id_of(account: str) -> int:
    return position_id(account, 0, 2)


def test_confidence_protects_a_vault_by_what_it_may_be_worth(vault: Protocol, trader: str) -> None:
    vault.push_price(0, 45_200)  # 20.0 USD left, 22.6 due: 2.6 missing, 0.0575 % of 4,520
    vault.requote(0, confidence=576)
    assert vault.liquidate_isolated(id_of(trader)).result == 0
    vault.requote(0, confidence=575)
    assert vault.liquidate_isolated(id_of(trader)).result == 1


def test_it_settles_at_the_price(vault: Protocol, trader: str) -> None:
    vault.push_price(0, 45_100)
    with vault.anchored():
        plain = vault.liquidate_isolated(id_of(trader)).event("PositionLiquidated")
    vault.requote(0, confidence=500)
    wide = vault.liquidate_isolated(id_of(trader)).event("PositionLiquidated")
    assert (wide.price, wide.realised, wide.penalty) == (plain.price, plain.realised, plain.penalty)


def test_confidence_protects_a_ledger(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 502_500_025)
    protocol.trade(trader, 0, LOTS)
    protocol.push_price(0, 45_200)
    protocol.requote(0, confidence=1_000)
    assert protocol.liquidate_cross(trader).result == 0
    protocol.requote(0, confidence=500)
    assert protocol.liquidate_cross(trader).result == 1


def test_what_a_pair_hedges_has_no_band(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 520 * USD)
    protocol.clearinghouse.send(trader, "set_hedge_mode", True)
    protocol.trade(trader, 0, LOTS, position_side=LONG)
    protocol.trade(trader, 0, LOTS, position_side=SHORT, is_buy=False)
    protocol.trade(trader, 1, 2 * 10**7, position_side=LONG)
    protocol.push_price(1, 2_260)
    protocol.push_price(0, 50_000)
    protocol.requote(0, confidence=100_000)
    assert protocol.liquidate_cross(trader).result == 1


@pytest.mark.parametrize("caution", [words.NO_CAUTION, words.NO_OPENING])
def test_a_price_at_which_nothing_opens_still_liquidates(
    vault: Protocol, trader: str, caution: int
) -> None:
    vault.push_price(0, 45_200)
    vault.requote(0, caution=caution)
    assert vault.liquidate_isolated(id_of(trader)).result == 1


def test_in_doubt_only_the_bankrupt_vault_is_liquidated(vault: Protocol, trader: str) -> None:
    vault.push_price(0, "45000.01")
    vault.requote(0, caution=words.ONLY_BANKRUPT)
    assert vault.liquidate_isolated(id_of(trader)).result == 0
    vault.push_price(0, "44999.99")
    vault.requote(0, caution=words.ONLY_BANKRUPT)
    assert vault.liquidate_isolated(id_of(trader)).result == 1


def test_in_doubt_only_the_bankrupt_ledger_is_liquidated(protocol: Protocol, trader: str) -> None:
    """The gravest doubt of all its prices counts."""
    protocol.deposit(trader, 1_005_000_000)
    protocol.trade(trader, 0, LOTS)
    protocol.trade(trader, 1, 2 * 10**7)
    for bitcoin, is_closed in ((40_200, False), (39_900, True)):
        protocol.push_price(0, bitcoin)
        protocol.push_price(1, 2_500)
        protocol.requote(1, caution=words.ONLY_BANKRUPT)
        assert protocol.liquidate_cross(trader).result == is_closed


def test_no_top_up_in_doubt(vault: Protocol, trader: str) -> None:
    vault.set_auto_margin(trader, 0, True, 100 * USD)
    vault.push_price(0, 45_100)
    vault.requote(0, caution=words.ONLY_BANKRUPT)
    assert vault.liquidate_isolated(id_of(trader)).result == 0


def test_a_band_does_not_change_how_much_is_taken_off(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 20_000 * USD)
    protocol.trade(trader, 0, BITCOIN, margin_mode=ISOLATED, margin=5_000 * USD)
    protocol.push_price(0, 45_160)
    with protocol.anchored():
        plain = protocol.liquidate_isolated(id_of(trader)).event("PositionLiquidated")
    protocol.requote(0, confidence=100)
    wide = protocol.liquidate_isolated(id_of(trader)).event("PositionLiquidated")
    assert 0 < wide.size == plain.size < BITCOIN


@pytest.mark.parametrize("hours", [0, 1])
def test_nothing_is_liquidated_in_the_settlement_window(
    vault: Protocol, trader: str, hours: int
) -> None:
    vault.push_price(0, 44_000)
    now = vault.price(0).published_at // 3_600
    vault.requote(0, settles_at=now + hours)
    assert vault.liquidate_isolated(id_of(trader)).result == hours
