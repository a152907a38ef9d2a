"""Every job does its work, and none that is switched off does."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from bulkhead import LiquidityProvider, MarginMode, OrderKind, OrderState
from bulkhead.keeper.work import Job
from bulkhead.liquidity import LAPSE
from bulkhead.local import advance_time
from bulkhead.protocol import price_validity, words
from bulkhead.world import COOLDOWN
from tests.keeper.stage import Stage, staged

pytestmark = pytest.mark.anvil

BTC_PERP = "BTC-PERP"
ISOLATED = MarginMode.ISOLATED
HOUR, DAY = 3_600, 86_400


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path, names=("alice", "bob")) as stage:
        yield stage


def run(stage: Stage, **jobs: bool) -> int:
    """Runs a keeper, and says how many tasks it has done."""
    return stage.run(f"keeper{len(jobs)}", jobs=jobs).done


def off(stage: Stage, *jobs: Job) -> int:
    """What is done with some jobs switched off."""
    return run(stage, **dict.fromkeys(jobs, False))


def open_vault(stage: Stage) -> None:
    stage.traders[0].place(BTC_PERP, "0.1", is_buy=True, margin_mode=ISOLATED, leverage=10)
    stage.world.fill()


def test_expired_orders_are_cleared(stage: Stage) -> None:
    handle = stage.traders[0].place(BTC_PERP, "0.1", is_buy=True)
    advance_time(stage.world.reader.chain.w3, HOUR)
    assert off(stage, Job.CLEAR_EXPIRED) == 0
    assert run(stage) == 1
    assert handle.state() is OrderState.EXPIRED
    assert stage.world.reader.account(handle.order.account).escrow == 0


def test_trailing_stops_are_shown_a_better_price(stage: Stage) -> None:
    open_vault(stage)
    alice = stage.traders[0]
    handle = alice.place(
        BTC_PERP,
        0,
        is_buy=False,
        margin_mode=ISOLATED,
        reduce_only=True,
        kind=OrderKind.TRAILING_STOP,
        callback_rate="0.05",
    )
    stage.world.set_prices({BTC_PERP: 110_000})
    assert off(stage, Job.TRAIL_STOPS) == 0
    assert run(stage) == 1
    stage.world.set_prices({BTC_PERP: 104_000})
    assert run(stage) == 1
    assert handle.state() is OrderState.EXECUTED


def test_margin_is_added_where_its_owner_lets_it(stage: Stage) -> None:
    open_vault(stage)
    alice = stage.traders[0]
    alice.set_auto_margin(BTC_PERP, 5_000, is_long=True)
    stage.world.set_prices({BTC_PERP: 90_300})
    assert off(stage, Job.TOP_UP) == 0
    assert run(stage) == 1
    (position,) = stage.world.reader.account(alice.address).isolated
    assert position.margin > 1_000
    assert not position.is_liquidatable


def test_cross_accounts_are_liquidated(stage: Stage) -> None:
    bob = stage.traders[1]
    bob.withdraw(49_500)
    bob.place(BTC_PERP, "0.1", is_buy=True)
    stage.world.fill()
    stage.world.set_prices({BTC_PERP: 95_000})
    assert off(stage, Job.LIQUIDATE_CROSS) == 0
    assert run(stage) == 1
    assert stage.world.reader.account(bob.address).positions == ()


def test_mature_requests_are_fixed(stage: Stage) -> None:
    provider = stage.world.liquidity_provider
    provider.request_redeem(1_000)
    assert run(stage) == 0
    advance_time(stage.world.reader.chain.w3, COOLDOWN)
    stage.world.refresh_prices()
    assert off(stage, Job.FIX_REQUESTS) == 0
    assert run(stage) == 1
    assert provider.claimable() > 0


def test_requests_that_nobody_fixed_in_time_are_returned(stage: Stage) -> None:
    provider: LiquidityProvider = stage.world.liquidity_provider
    before = provider.shares()
    provider.request_redeem(1_000)
    advance_time(stage.world.reader.chain.w3, COOLDOWN + LAPSE + 60)
    assert run(stage) == 1
    assert provider.shares() == before


def test_a_market_s_end_is_fixed_and_its_positions_are_closed(stage: Stage) -> None:
    open_vault(stage)
    w3, admin, reader = stage.world.reader.chain.w3, stage.world.admin, stage.world.reader
    hour = reader.now() // HOUR + 26
    admin.announce_settlement(BTC_PERP, hour)
    advance_time(w3, hour * HOUR + 60 - reader.now())
    admin.set_price(BTC_PERP, 101_000)
    advance_time(w3, HOUR)
    assert off(stage, Job.SETTLE) == 0
    assert run(stage) == 2
    assert price_validity.is_settled(reader.market_state(BTC_PERP).price)
    assert reader.account(stage.traders[0].address).positions == ()


def test_a_market_whose_feed_is_long_dead_is_settled(stage: Stage) -> None:
    open_vault(stage)
    advance_time(stage.world.reader.chain.w3, 8 * DAY)
    assert run(stage) == 2
    state = stage.world.reader.market_state(BTC_PERP)
    assert state.price.kind == words.SETTLED


def test_winners_are_taken_off_where_a_market_owes_more_than_its_share(tmp_path: Path) -> None:
    names = ("alice", "bob", "carol")
    with staged(tmp_path, names=names, pool=220_000, insurance=10_000) as stage:
        alice, bob, carol = stage.traders
        bob.withdraw(30_000)
        carol.deposit(10_000)
        alice.place(BTC_PERP, "1", is_buy=True, margin_mode=ISOLATED, leverage=10)
        bob.place(BTC_PERP, "0.8", is_buy=True)
        carol.place(BTC_PERP, "1.8", is_buy=False)
        stage.world.fill()
        stage.world.set_prices({BTC_PERP: 55_000})
        assert off(stage, Job.DELEVERAGE) == 2  # the liquidations that leave her the only winner
        assert run(stage) == 1
        (position,) = stage.world.reader.account(carol.address).positions
        assert Decimal("1.3") < position.size < Decimal("1.35")
