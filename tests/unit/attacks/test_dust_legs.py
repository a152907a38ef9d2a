"""A leg that is worth less than a keeper's fee can be closed by its owner all the same."""

import pytest

from tests.helpers.protocol import USD, Protocol

LOTS = 10**7  # 0.1 BTC, 5,000 USD
DUST = 40_000  # 0.004 ETH, 10 USD
KEEPER_FEE = USD // 5


@pytest.fixture
def dusty(protocol: Protocol, trader: str) -> Protocol:
    """Long 5,000 USD of BTC and 10 USD of ETH on 100 USD."""
    protocol.deposit(trader, 100 * USD)
    protocol.trade(trader, 0, LOTS)
    protocol.trade(trader, 1, DUST)
    return protocol


def settle(protocol: Protocol, dollars: int) -> None:
    protocol.push_price(0, dollars)
    protocol.push_price(1, 2_500)
    assert protocol.liquidate_cross(protocol.trader).result == 0


# 97.1 USD less the loss; 49.8 and 24.9 are the initial and the maintenance margin.
@pytest.mark.parametrize("dollars", [49_400, 49_290])
@pytest.mark.parametrize("keeper_fee", [KEEPER_FEE, 10 * USD])
def test_dust_near_maintenance_is_closed_without_a_keepers_fee(
    dusty: Protocol, trader: str, keeper: str, dollars: int, keeper_fee: int
) -> None:
    dusty.book.send(dusty.owner, "set_order_terms", 1, keeper_fee, 2, 60, 0)
    settle(dusty, dollars)
    cash, earned = dusty.cash(trader), dusty.cash(keeper)
    order = dusty.place(trader, 1, 0, is_buy=False, reduce_only=True)

    receipt = dusty.fill(order)

    assert receipt.event("OrderExecuted").keeper_fee == 0
    event = receipt.event("PositionDecreased")
    assert (event.size, event.deficit) == (DUST, 0)
    assert dusty.position(trader, 1, 0).size == 0
    assert dusty.cash(trader) == cash + event.realised - event.fee
    assert dusty.cash(keeper) == earned
    dusty.push_price(0, dollars)
    assert dusty.liquidate_cross(trader).result == 0


def test_dust_of_a_sound_account_pays_its_keeper(dusty: Protocol, trader: str, keeper: str) -> None:
    settle(dusty, 50_000)
    earned = dusty.cash(keeper)
    receipt = dusty.trade(trader, 1, 0, is_buy=False, reduce_only=True)
    assert receipt.event("OrderExecuted").keeper_fee == KEEPER_FEE
    assert dusty.cash(keeper) == earned + KEEPER_FEE


def test_a_large_leg_near_maintenance_pays_its_keeper(
    dusty: Protocol, trader: str, keeper: str
) -> None:
    settle(dusty, 49_290)
    earned = dusty.cash(keeper)
    dusty.push_price(1, 2_500)
    receipt = dusty.trade(trader, 0, 0, is_buy=False, reduce_only=True)
    assert receipt.event("OrderExecuted").keeper_fee == KEEPER_FEE
    assert dusty.cash(keeper) == earned + KEEPER_FEE


def test_forgiving_the_fee_lets_no_leg_grow(dusty: Protocol, trader: str) -> None:
    settle(dusty, 49_290)
    order = dusty.order(trader, 1, DUST)
    receipt = dusty.book.attempt(trader, "place", order)
    if receipt.refusal is None:
        receipt = dusty.fill(type(order)(*receipt.event("OrderPlaced").order))
        assert receipt.event("OrderCancelled").reason == "margin: below initial"
    assert dusty.position(trader, 1, 0).size == DUST
