"""Filling many orders at once: each ends as it would alone, and none stops another."""

import pytest

from tests.helpers.chain import advance, refused
from tests.helpers.protocol import (
    CANCELLED,
    EXECUTED,
    LIMIT,
    PENDING,
    UNKNOWN,
    USD,
    Order,
    Protocol,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
KEEPER_FEE = USD // 5


@pytest.fixture
def funded(protocol: Protocol, trader: str) -> Protocol:
    protocol.deposit(trader, 10_000 * USD)
    return protocol


def execute(protocol: Protocol, *orders: Order) -> list[int]:
    return list(protocol.book.send(protocol.keeper, "execute_orders", orders).result)


def test_each_order_says_what_became_of_it(
    funded: Protocol, trader: str, attacker: str, keeper: str
) -> None:
    funded.deposit(attacker, 10 * USD)
    good = funded.place(trader, 0, LOTS)
    waiting = funded.place(trader, 0, LOTS, kind=LIMIT, acceptable_price=1)
    unaffordable = funded.place(attacker, 0, LOTS)
    unknown = funded.order(trader, 0, LOTS)
    forged = good._replace(size=2 * LOTS)
    nothing = funded.place(trader, 1, 0, is_buy=False, reduce_only=True)
    silent = funded.place(trader, 2, 10**5)
    last = funded.place(trader, 1, 10**7)
    advance(2)
    funded.push_price(0, 50_000)
    funded.publish(1, 2_500)

    orders = (good, waiting, unaffordable, unknown, forged, nothing, silent, last, good)
    receipt = funded.book.send(keeper, "execute_orders", orders)

    assert list(receipt.result) == [
        EXECUTED,
        PENDING,
        CANCELLED,
        UNKNOWN,
        UNKNOWN,
        CANCELLED,
        PENDING,
        EXECUTED,
        EXECUTED,
    ]
    filled = [event.order_hash for event in receipt.named("OrderExecuted")]
    assert filled == [funded.hash_of(good), funded.hash_of(last)]
    reasons = [event.reason for event in receipt.named("OrderCancelled")]
    assert reasons == ["margin: below initial", "position: nothing to reduce"]
    assert funded.position(trader, 0, 0).size == LOTS
    assert funded.cash(keeper) == 3 * KEEPER_FEE


def test_an_empty_batch_does_nothing(funded: Protocol) -> None:
    assert execute(funded) == []


def test_a_duplicate_fills_once(funded: Protocol, trader: str) -> None:
    order = funded.place(trader, 0, LOTS)
    funded.wait(0)
    assert execute(funded, order, order) == [EXECUTED, EXECUTED]
    assert funded.position(trader, 0, 0).size == LOTS


def test_orders_of_one_account_see_each_other(funded: Protocol, trader: str) -> None:
    opens = funded.place(trader, 0, LOTS)
    closes = funded.place(trader, 0, 0, is_buy=False, reduce_only=True)
    funded.wait(0)
    assert execute(funded, opens, closes) == [EXECUTED, EXECUTED]
    assert funded.position(trader, 0, 0).size == 0


def test_an_expired_order_is_cleared_in_a_batch(funded: Protocol, trader: str) -> None:
    order = funded.place(trader, 0, LOTS)
    advance(63)
    assert execute(funded, order) == [CANCELLED]


def test_a_waiting_order_is_left_exactly_as_it_was(funded: Protocol, trader: str) -> None:
    order = funded.place(trader, 0, LOTS)
    before = funded.state()
    assert execute(funded, order) == [PENDING]
    assert funded.state() == before


def test_thirty_two_orders_fill_at_once(funded: Protocol, trader: str) -> None:
    orders = [funded.place(trader, 0, 10**5) for _ in range(32)]
    funded.wait(0)
    with refused(""):
        execute(funded, *orders, orders[0])
    assert execute(funded, *orders) == [EXECUTED] * 32
    assert funded.position(trader, 0, 0).size == 32 * 10**5
