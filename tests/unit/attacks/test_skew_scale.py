"""The impact a position paid comes back at the scale it was paid at."""

import pytest

from tests.helpers.chain import refused
from tests.helpers.protocol import ISOLATED, USD, Protocol

LOTS = 10**7  # 0.1 BTC, 5,000 USD
SCALE = 10**15


@pytest.fixture
def funded(protocol: Protocol, trader: str, attacker: str) -> Protocol:
    for account in (trader, attacker):
        protocol.deposit(account, 1_000_000 * USD)
    return protocol


@pytest.mark.parametrize("scale", [SCALE // 100, SCALE - 1, SCALE + 1, 2**56 - 1])
def test_no_scale_changes_under_an_open_position(funded: Protocol, trader: str, scale: int) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=ISOLATED)
    words = funded.market_words(0)
    with refused("skew: scale fixed while open"):
        funded.set_terms(0, skew_scale=scale)
    assert funded.market_words(0) == words


def test_no_scale_changes_under_a_matched_pair(
    funded: Protocol, trader: str, attacker: str
) -> None:
    funded.trade(trader, 0, LOTS)
    funded.trade(attacker, 0, LOTS, is_buy=False)
    assert funded.skew(0) == 0
    with refused("skew: scale fixed while open"):
        funded.set_terms(0, skew_scale=SCALE // 2)
    funded.trade(trader, 0, 0, is_buy=False, reduce_only=True)
    with refused("skew: scale fixed while open"):
        funded.set_terms(0, skew_scale=SCALE // 2)


def test_a_trip_across_a_change_of_scale_earns_nothing(
    funded: Protocol, trader: str, attacker: str
) -> None:
    """Who rebalances at a small scale is paid more for the skew than its maker paid."""
    money = funded.cash(trader) + funded.cash(attacker) + funded.cash(funded.keeper)
    house = funded.house()
    funded.trade(trader, 0, 10**9)
    for scale in (SCALE // 100, SCALE // 10):
        with refused("skew: scale fixed while open"):
            funded.set_terms(0, skew_scale=scale)
    funded.trade(attacker, 0, 10**9, is_buy=False)
    funded.trade(trader, 0, 0, is_buy=False, reduce_only=True)
    funded.trade(attacker, 0, 0, reduce_only=True)
    left = funded.cash(trader) + funded.cash(attacker) + funded.cash(funded.keeper)
    assert left <= money
    assert funded.house().pool_cash + funded.house().insurance > house.pool_cash + house.insurance


def test_other_terms_change_while_positions_are_open(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS)
    funded.set_terms(0, taker_fee=400, skew_cap=900)
    terms = funded.trade_terms(0)
    assert (terms.taker_fee, terms.skew_cap, terms.skew_scale) == (400, 900, SCALE)


def test_a_flat_market_may_have_another_scale(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS)
    funded.trade(trader, 0, 0, is_buy=False, reduce_only=True)
    funded.set_terms(0, skew_scale=SCALE // 10)
    assert funded.trade_terms(0).skew_scale == SCALE // 10
    event = funded.trade(trader, 0, LOTS).event("PositionIncreased")
    assert event.impact == LOTS * event.price * LOTS // (2 * (SCALE // 10))
