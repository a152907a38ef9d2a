"""What the risk lens foretells is what happens."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from bulkhead.protocol.funding_bounds import NEVER
from bulkhead.protocol.words import CROSS_LONG, ISOLATED_LONG
from tests.helpers.chain import Contract, advance, now, refused
from tests.helpers.protocol import (
    BTC,
    ISOLATED,
    LONG,
    SHORT,
    USD,
    Market,
    Protocol,
    Terms,
    position_id,
)

BITCOIN = 10**8  # lots, 50,000 USD
LOTS = 10**7  # 0.1 BTC, 5,000 USD
PPM = 10**6
TERMS = Terms(reserve_rate=100_000, skew_scale=10**11, skew_cap=1_000, side_cap=1_250)


class RiskLens:
    """The lens of one protocol."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.contract = Contract(
            "RiskLens", protocol.clearinghouse.address, protocol.oracle.address
        )

    def risk(self, account: str, slot: int, market: int = 0) -> Any:
        (found,) = self.contract.read("risks", [position_id(account, market, slot)])
        names = ("market", "slot", "size", "time", "rank", "deleverage_size")
        return SimpleNamespace(**dict(zip(names, found, strict=True)))

    def market(self, market: int = 0) -> Any:
        found = self.contract.read("market_risk", market)
        names = ("market", "owed", "backing", "is_deleveraging", "excess")
        return SimpleNamespace(**dict(zip(names, found, strict=True)))


@pytest.fixture(scope="module")
def small() -> RiskLens:
    """A pool that one market's traders can win too much of."""
    return RiskLens(
        Protocol(Market("BTC-PERP", BTC.price, BTC.lots, TERMS), pool_cash=100_000 * USD)
    )


@pytest.fixture
def lens(small: RiskLens) -> Iterator[RiskLens]:
    with small.protocol.anchored() as protocol:
        yield small
        protocol.check_invariants()


def live_until(protocol: Protocol, moment: int) -> None:
    """Time passes, the price stands still, and its feed never falls silent."""
    while moment - now() > 3_000:
        advance(3_000)
        protocol.publish(0, 50_000)
    advance(moment - now())
    protocol.publish(0, 50_000)


def thin_vault(protocol: Protocol) -> int:
    """An isolated long near maintenance, which pays funding."""
    protocol.deposit(protocol.trader, 1_000 * USD)
    protocol.trade(protocol.trader, 0, LOTS, margin_mode=ISOLATED, margin=55 * USD, leverage=0)
    return position_id(protocol.trader, 0, ISOLATED_LONG)


def test_funding_liquidates_a_vault_in_the_very_second_foretold(lens: RiskLens) -> None:
    protocol = lens.protocol
    vault = thin_vault(protocol)
    seconds = lens.risk(protocol.trader, ISOLATED_LONG).time
    assert 3_600 < seconds < 30 * 86_400
    moment = now() + seconds
    live_until(protocol, moment - 1)
    assert protocol.liquidate_isolated(vault).result == 0
    assert lens.risk(protocol.trader, ISOLATED_LONG).time == 1
    live_until(protocol, moment)
    assert lens.risk(protocol.trader, ISOLATED_LONG).time == 0
    assert protocol.liquidate_isolated(vault).result == 1


def test_funding_liquidates_a_cross_account_in_the_very_second_foretold(lens: RiskLens) -> None:
    protocol = lens.protocol
    protocol.deposit(protocol.trader, 56 * USD)
    protocol.trade(protocol.trader, 0, LOTS)
    seconds = lens.risk(protocol.trader, CROSS_LONG).time
    assert 3_600 < seconds < 30 * 86_400
    moment = now() + seconds
    live_until(protocol, moment - 1)
    assert protocol.liquidate_cross(protocol.trader).result == 0
    live_until(protocol, moment)
    assert protocol.liquidate_cross(protocol.trader).result == 1


def test_who_is_paid_funding_and_whose_feed_is_silent_is_safe_from_it(lens: RiskLens) -> None:
    protocol = lens.protocol
    thin_vault(protocol)
    protocol.deposit(protocol.attacker, 1_000 * USD)
    protocol.trade(protocol.attacker, 0, LOTS // 2, margin_mode=ISOLATED, is_buy=False)
    assert lens.risk(protocol.attacker, 3).time == NEVER
    advance(3_601)
    assert lens.risk(protocol.trader, ISOLATED_LONG).time == NEVER


def test_a_closed_slot_has_no_risk(lens: RiskLens) -> None:
    seen = lens.risk(lens.protocol.trader, ISOLATED_LONG)
    assert (seen.size, seen.time, seen.rank, seen.deleverage_size) == (0, NEVER, 0, 0)


def test_an_unknown_market_has_none(lens: RiskLens) -> None:
    with refused("market: unknown"):
        lens.market(1)
    with refused("market: unknown"):
        lens.risk(lens.protocol.trader, 0, 1)


@pytest.fixture
def crowd(lens: RiskLens) -> Protocol:
    """Longs of 1.5 BTC: the attacker's bought at 50,000, the trader's at 55,000."""
    protocol = lens.protocol
    for account in (protocol.attacker, protocol.trader):
        protocol.deposit(account, 60_000 * USD)
    protocol.trade(protocol.attacker, 0, BITCOIN // 2, margin_mode=ISOLATED)
    protocol.trade(protocol.trader, 0, BITCOIN // 2, 55_000)
    return protocol


def test_the_rank_tells_who_is_in_line(lens: RiskLens, crowd: Protocol) -> None:
    crowd.push_price(0, 60_000)
    early, late = lens.risk(crowd.attacker, ISOLATED_LONG), lens.risk(crowd.trader, CROSS_LONG)
    assert early.rank > PPM > late.rank > 0
    crowd.push_price(0, 52_000)
    assert lens.risk(crowd.trader, CROSS_LONG).rank == 0


def test_what_may_be_taken_off_is_what_deleveraging_takes(lens: RiskLens, crowd: Protocol) -> None:
    crowd.push_price(0, 60_000)
    seen = lens.market()
    assert not seen.is_deleveraging
    assert lens.risk(crowd.attacker, ISOLATED_LONG).deleverage_size == 0
    with refused("market: within its share"):
        crowd.auto_deleverage(0, position_id(crowd.attacker, 0, ISOLATED_LONG))
    crowd.push_price(0, 90_000)
    seen = lens.market()
    assert seen.is_deleveraging
    assert seen.backing == crowd.house().pool_cash * crowd.trade_terms(0).pool_share // PPM
    assert 0 <= seen.excess - (seen.owed - seen.backing * 9 // 10) <= 1
    foretold = lens.risk(crowd.attacker, ISOLATED_LONG).deleverage_size
    assert lens.risk(crowd.trader, CROSS_LONG).deleverage_size == 0
    receipt = crowd.auto_deleverage(0, position_id(crowd.attacker, 0, ISOLATED_LONG))
    assert receipt.event("PositionDeleveraged").size == foretold > 0


def test_a_matched_pair_is_not_in_line(lens: RiskLens) -> None:
    protocol = lens.protocol
    protocol.deposit(protocol.trader, 60_000 * USD)
    protocol.clearinghouse.send(protocol.trader, "set_hedge_mode", True)
    protocol.trade(protocol.trader, 0, BITCOIN // 2, position_side=LONG)
    protocol.trade(protocol.trader, 0, BITCOIN // 2, is_buy=False, position_side=SHORT)
    protocol.push_price(0, 60_000)
    assert lens.risk(protocol.trader, CROSS_LONG).rank == 0
    assert lens.risk(protocol.trader, CROSS_LONG).time == NEVER
