"""The example everyone knows, with zero fees and no impact worth a quote unit: exact numbers."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bulkhead.protocol.words import CROSS_LONG, ISOLATED_LONG, ISOLATED_SHORT
from tests.helpers.protocol import (
    BTC,
    ETH,
    EXECUTED,
    FRICTIONLESS,
    ISOLATED,
    PPM,
    STOP,
    USD,
    Protocol,
    position_id,
)

# Coarse lots, so that the impact of a trade is far below a quote unit.
FREE_BTC = replace(BTC, lots=10**5, terms=FRICTIONLESS, keeper_fee=0)
FREE_ETH = replace(ETH, lots=10**4, terms=FRICTIONLESS, keeper_fee=0)
TENTH = 10**4  # lots of BTC
ONE_ETH = 10**4  # lots
ROUNDING = 1  # quote unit: an entry is rounded up, however small its impact


@pytest.fixture(scope="module")
def frictionless() -> Protocol:
    return Protocol(FREE_BTC, FREE_ETH)


@pytest.fixture
def protocol(frictionless: Protocol) -> Iterator[Protocol]:
    with frictionless.anchored() as protocol:
        protocol.deposit(protocol.trader, 5_000 * USD)
        yield protocol
        protocol.check_invariants()


def test_two_vaults_and_a_jump_of_twelve_percent(protocol: Protocol) -> None:
    trader, keeper = protocol.trader, protocol.keeper
    vault = {"margin_mode": ISOLATED}
    protocol.trade(trader, 0, 2 * TENTH, margin=1_000 * USD, leverage=10 * PPM, **vault)
    protocol.trade(trader, 1, ONE_ETH, margin=500 * USD, leverage=5 * PPM, **vault)
    bitcoin, ether = position_id(trader, 0, ISOLATED_LONG), position_id(trader, 1, ISOLATED_LONG)
    assert protocol.cash(trader) == 3_500 * USD
    assert protocol.position(trader, 0, ISOLATED_LONG).margin == 1_000 * USD
    assert protocol.position(trader, 1, ISOLATED_LONG).margin == 500 * USD
    assert protocol.liquidate_isolated(bitcoin, ether).result == 0
    insurance, pool_cash = protocol.house().insurance, protocol.house().pool_cash

    protocol.push_price(0, 44_000)
    protocol.publish(1, 2_500)
    receipt = protocol.liquidate_isolated(bitcoin, ether)

    assert receipt.result == 1
    event = receipt.event("PositionLiquidated")
    assert (event.account, event.market, event.slot) == (trader, 0, ISOLATED_LONG)
    assert event.realised == -1_200 * USD - ROUNDING
    assert event.deficit == 200 * USD + ROUNDING
    assert event.penalty == 0
    house = protocol.house()
    assert house.insurance == insurance - event.deficit - event.reward
    assert house.pool_cash == pool_cash + 1_200 * USD + ROUNDING
    assert protocol.cash(keeper) == event.reward == FRICTIONLESS.keeper_floor
    assert protocol.cash(trader) == 3_500 * USD
    ether_position = protocol.position(trader, 1, ISOLATED_LONG)
    assert ether_position.size == ONE_ETH
    assert protocol.cash(trader) + ether_position.margin == 4_000 * USD

    protocol.trade(trader, 1, 0, margin_mode=ISOLATED, is_buy=False, reduce_only=True)
    assert protocol.cash(trader) == 4_000 * USD - ROUNDING
    protocol.withdraw(trader, protocol.cash(trader))


def test_the_same_positions_in_cross(protocol: Protocol) -> None:
    trader = protocol.trader
    protocol.trade(trader, 0, 2 * TENTH, leverage=10 * PPM)
    protocol.trade(trader, 1, ONE_ETH, leverage=5 * PPM)
    assert protocol.cash(trader) == 5_000 * USD

    protocol.push_price(0, 44_000)
    protocol.publish(1, 2_500)
    assert protocol.liquidate_cross(trader).result == 0
    assert protocol.position(trader, 0, CROSS_LONG).size == 2 * TENTH

    # All 5,000 backs both: at 25,250 USD a coin 50 USD are left, and 37.75 due.
    protocol.push_price(0, 25_250)
    protocol.publish(1, 2_500)
    assert protocol.liquidate_cross(trader).result == 0
    protocol.push_price(0, 25_150)
    protocol.publish(1, 2_500)
    receipt = protocol.liquidate_cross(trader)
    assert receipt.result == 1
    # Closing the first leg is enough: the other goes on, and what is left backs it.
    (closed,) = receipt.named("PositionLiquidated")
    assert closed.market == 0
    assert protocol.position(trader, 0, CROSS_LONG).size == 0
    assert protocol.position(trader, 1, CROSS_LONG).size == ONE_ETH
    assert protocol.cash(trader) == 30 * USD - ROUNDING - closed.penalty
    assert protocol.liquidate_cross(trader).result == 0


def test_long_in_cross_and_short_in_a_vault_with_a_stop_before_liquidation(
    protocol: Protocol,
) -> None:
    third = protocol.actor("third account")
    protocol.deposit(third, 3_000 * USD)
    protocol.trade(third, 0, 2 * TENTH, leverage=10 * PPM)
    protocol.trade(
        third, 0, TENTH, margin_mode=ISOLATED, margin=500 * USD, leverage=10 * PPM, is_buy=False
    )
    assert protocol.position(third, 0, CROSS_LONG).size == 2 * TENTH
    assert protocol.position(third, 0, ISOLATED_SHORT).size == TENTH
    assert protocol.cash(third) == 2_500 * USD
    stop = protocol.place(
        *(third, 0, 0),
        kind=STOP,
        is_buy=False,
        reduce_only=True,
        trigger_price=protocol.femto(0, 40_000),
    )

    protocol.wait(0, "39900")
    assert protocol.liquidate_cross(third).result == 0
    receipt = protocol.execute(stop)

    assert receipt.result == EXECUTED
    event = receipt.event("PositionDecreased")
    assert (event.slot, event.size) == (CROSS_LONG, 2 * TENTH)
    assert abs(event.realised + 2_020 * USD) <= 2 * ROUNDING
    assert abs(protocol.cash(third) - 480 * USD) <= 2 * ROUNDING
    assert protocol.position(third, 0, ISOLATED_SHORT).size == TENTH
    protocol.push_price(0, 30_000)
    assert protocol.liquidate_cross(third).result == 0
    assert protocol.account(third).legs == 0
