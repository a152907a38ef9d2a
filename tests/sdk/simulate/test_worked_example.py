"""The numbers of `tests/e2e/test_worked_example.py`, without a chain."""

import pytest

from bulkhead.orders import MarginMode, OrderKind
from bulkhead.protocol.words import CROSS_LONG, ISOLATED_LONG, ISOLATED_SHORT
from tests.e2e.test_worked_example import FREE_BTC, FREE_ETH, ONE_ETH, ROUNDING, TENTH
from tests.helpers.offline import Offline
from tests.helpers.protocol import EXECUTED, FRICTIONLESS, PPM, USD, position_id

ISOLATED = MarginMode.ISOLATED


@pytest.fixture
def offline() -> Offline:
    exchange = Offline(FREE_BTC, FREE_ETH)
    exchange.engine.deposit(exchange.trader, exchange.trader, 5_000 * USD)
    return exchange


def test_two_vaults_and_a_jump_of_twelve_percent(offline: Offline) -> None:
    engine, trader, keeper = offline.engine, offline.trader, offline.keeper
    vault = {"margin_mode": ISOLATED}
    offline.trade(trader, 0, 2 * TENTH, margin=1_000 * USD, leverage=10 * PPM, **vault)
    offline.trade(trader, 1, ONE_ETH, margin=500 * USD, leverage=5 * PPM, **vault)
    ids = [position_id(trader, market, ISOLATED_LONG) for market in range(2)]
    assert offline.cash(trader) == 3_500 * USD
    assert engine.liquidate_isolated(keeper, ids).value == 0
    before = engine.state.house

    offline.push_prices(44_000, 2_500)
    done = engine.liquidate_isolated(keeper, ids)

    assert done.value == 1
    (event,) = done.named("PositionLiquidated")
    assert (event["account"], event["market"], event["slot"]) == (trader, 0, ISOLATED_LONG)
    assert event["realised"] == -1_200 * USD - ROUNDING
    assert event["deficit"] == 200 * USD + ROUNDING
    assert event["penalty"] == 0
    assert engine.state.house.insurance == before.insurance - event["deficit"] - event["reward"]
    assert engine.state.house.pool_cash == before.pool_cash + 1_200 * USD + ROUNDING
    assert offline.cash(keeper) == event["reward"] == FRICTIONLESS.keeper_floor
    assert offline.cash(trader) == 3_500 * USD
    assert offline.position(trader, 1, ISOLATED_LONG).size == ONE_ETH

    offline.trade(trader, 1, 0, margin_mode=ISOLATED, is_buy=False, reduce_only=True)
    assert offline.cash(trader) == 4_000 * USD - ROUNDING
    engine.withdraw(trader, offline.cash(trader), trader)
    assert offline.cash(trader) == 0


def test_the_same_positions_in_cross(offline: Offline) -> None:
    engine, trader, keeper = offline.engine, offline.trader, offline.keeper
    offline.trade(trader, 0, 2 * TENTH, leverage=10 * PPM)
    offline.trade(trader, 1, ONE_ETH, leverage=5 * PPM)
    assert offline.cash(trader) == 5_000 * USD

    for price in (44_000, 25_250):
        offline.push_prices(price, 2_500)
        assert engine.liquidate_cross(keeper, [trader]).value == 0
    offline.push_prices(25_150, 2_500)
    done = engine.liquidate_cross(keeper, [trader])

    assert done.value == 1
    (closed,) = done.named("PositionLiquidated")
    assert closed["market"] == 0
    assert offline.position(trader, 0, CROSS_LONG).size == 0
    assert offline.position(trader, 1, CROSS_LONG).size == ONE_ETH
    assert offline.cash(trader) == 30 * USD - ROUNDING - closed["penalty"]
    assert engine.liquidate_cross(keeper, [trader]).value == 0


def test_long_in_cross_and_short_in_a_vault_with_a_stop_before_liquidation(
    offline: Offline,
) -> None:
    engine, keeper, third = offline.engine, offline.keeper, "0x" + "33" * 20
    engine.deposit(third, third, 3_000 * USD)
    offline.trade(third, 0, 2 * TENTH, leverage=10 * PPM)
    short = {"margin_mode": ISOLATED, "margin": 500 * USD, "leverage": 10 * PPM, "is_buy": False}
    offline.trade(third, 0, TENTH, **short)
    assert offline.position(third, 0, CROSS_LONG).size == 2 * TENTH
    assert offline.position(third, 0, ISOLATED_SHORT).size == TENTH
    assert offline.cash(third) == 2_500 * USD
    trigger = engine.market(0).market.price_exact(40_000)
    stop = offline.place(
        third, 0, 0, kind=OrderKind.STOP, is_buy=False, reduce_only=True, trigger_price=trigger
    )

    engine.advance(2)
    offline.push_prices(39_900, 2_500)
    assert engine.liquidate_cross(keeper, [third]).value == 0
    done = engine.execute(keeper, stop)

    assert done.value == EXECUTED
    (event,) = done.named("PositionDecreased")
    assert (event["slot"], event["size"]) == (CROSS_LONG, 2 * TENTH)
    assert abs(event["realised"] + 2_020 * USD) <= 2 * ROUNDING
    assert abs(offline.cash(third) - 480 * USD) <= 2 * ROUNDING
    assert offline.position(third, 0, ISOLATED_SHORT).size == TENTH
