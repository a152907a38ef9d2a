"""Ending an order before it fills."""

import pytest

from tests.helpers.chain import advance, refused
from tests.helpers.protocol import CANCELLED, EXECUTED, LIMIT, USD, Order, Protocol

LOTS = 10**7  # 0.1 BTC, 5,000 USD
KEEPER_FEE = USD // 5


@pytest.fixture
def funded(protocol: Protocol, trader: str) -> Protocol:
    protocol.deposit(trader, 5_000 * USD)
    return protocol


def resting(protocol: Protocol, **fields: int) -> Order:
    return protocol.place(
        protocol.trader, 0, LOTS, **{"kind": LIMIT, "acceptable_price": 1} | fields
    )


def test_a_cancelled_order_returns_its_escrow(funded: Protocol, trader: str) -> None:
    order = resting(funded)
    event = funded.cancel(order).event("OrderCancelled")
    assert (event.order_hash, event.account) == (funded.hash_of(order), trader)
    assert (event.receiver, event.keeper_fee) == (trader, KEEPER_FEE)
    assert event.reason == "order: cancelled by owner"
    assert funded.status(order) == CANCELLED
    state = funded.account(trader)
    assert (state.cash, state.escrow) == (5_000 * USD, 0)


def test_cancelling_needs_no_price(funded: Protocol) -> None:
    order = resting(funded)
    advance(10**7)
    funded.cancel(order)


def test_an_operator_cancels_and_the_account_gets_the_escrow(
    funded: Protocol, trader: str, keeper: str
) -> None:
    order = resting(funded)
    with refused("operator: not allowed"):
        funded.cancel(order, sender=keeper)
    funded.set_operator(trader, keeper)
    event = funded.cancel(order, sender=keeper).event("OrderCancelled")
    assert (event.receiver, event.keeper_fee) == (trader, KEEPER_FEE)
    assert funded.cash(trader) == 5_000 * USD
    assert funded.cash(keeper) == 0


def test_a_market_order_binds_until_it_expires(funded: Protocol, trader: str) -> None:
    order = funded.place(trader, 0, LOTS)
    with refused("order: market is binding"):
        funded.cancel(order)
    advance(62)
    with refused("order: market is binding"):
        funded.cancel(order)
    advance(1)
    funded.cancel(order)
    assert funded.cash(trader) == 5_000 * USD


def test_a_cancelled_order_neither_fills_nor_cancels_again(funded: Protocol) -> None:
    order = resting(funded, acceptable_price=2**63)
    funded.cancel(order)
    with refused("order: not pending"):
        funded.cancel(order)
    funded.wait(0)
    with refused("order: not pending"):
        funded.execute(order)


def test_an_executed_order_cannot_be_cancelled(funded: Protocol) -> None:
    order = resting(funded, acceptable_price=2**63)
    assert funded.fill(order).result == EXECUTED
    with refused("order: not pending"):
        funded.cancel(order)


def test_an_order_of_another_content_is_unknown(funded: Protocol) -> None:
    order = resting(funded)
    for forged in (
        order._replace(size=order.size + 1),
        order._replace(account=funded.attacker),
        order._replace(salt=order.salt + 1),
        order._replace(reduce_only=True),
    ):
        with refused("order: not pending"):
            funded.cancel(forged)


def test_an_order_that_only_reduces_returns_nothing(funded: Protocol, trader: str) -> None:
    order = funded.place(trader, 0, LOTS, kind=LIMIT, acceptable_price=1, reduce_only=True)
    assert funded.cancel(order).event("OrderCancelled").keeper_fee == 0
    assert funded.cash(trader) == 5_000 * USD
