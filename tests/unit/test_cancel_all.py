"""Cancelling all, and many: at once, whoever holds the keys."""

from typing import Any

import pytest

from bulkhead.protocol import words
from bulkhead.protocol.words import CROSS_LONG
from tests.helpers.chain import refused
from tests.helpers.protocol import (
    CANCELLED,
    EXECUTED,
    LIMIT,
    PENDING,
    STOP,
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


def limit(protocol: Protocol, dollars: int = 51_000, **fields: Any) -> Order:
    return protocol.place(
        *(protocol.trader, 0, LOTS),
        **{"kind": LIMIT, "acceptable_price": protocol.femto(0, dollars)} | fields,
    )


def test_all_that_rests_is_dead_at_once(funded: Protocol, trader: str, keeper: str) -> None:
    orders = [limit(funded) for _ in range(3)]
    event = funded.cancel_all(trader).event("EpochAdvanced")
    assert words.unpack_account(event.account_word).epoch == 1 == funded.account(trader).epoch
    for order in orders:
        event = funded.fill(order).event("OrderCancelled")
        assert event.reason == "order: cancelled by owner"
        assert (event.receiver, event.keeper_fee) == (trader, KEEPER_FEE)
    assert (funded.cash(trader), funded.cash(keeper)) == (10_000 * USD, 0)
    funded.check_invariants()


def test_anyone_returns_the_fees_of_what_is_dead(
    funded: Protocol, trader: str, attacker: str
) -> None:
    order = limit(funded)
    with refused("operator: not allowed"):
        funded.cancel(order, sender=attacker)
    funded.cancel_all(trader)
    event = funded.cancel(order, sender=attacker).event("OrderCancelled")
    assert (event.reason, event.receiver) == ("order: cancelled by owner", trader)
    assert funded.cash(trader) == 10_000 * USD


def test_what_is_placed_later_lives(funded: Protocol, trader: str, attacker: str) -> None:
    funded.cancel_all(trader)
    order = limit(funded)
    with refused("operator: not allowed"):
        funded.cancel(order, sender=attacker)
    assert funded.fill(order).result == EXECUTED


def test_a_market_order_binds(funded: Protocol, trader: str, attacker: str) -> None:
    order = funded.place(trader, 0, LOTS)
    funded.cancel_all(trader)
    with refused("operator: not allowed"):
        funded.cancel(order, sender=attacker)
    with refused("order: market is binding"):
        funded.cancel(order)
    assert funded.fill(order).result == EXECUTED


def test_the_children_of_a_bracket_die_with_the_rest(
    funded: Protocol, trader: str, attacker: str
) -> None:
    entry = funded.order(trader, 0, LOTS)
    entry, stop = funded.bracket(
        entry, funded.exit_of(entry, trigger_price=funded.femto(0, 48_000))
    )
    funded.cancel_all(trader)
    with funded.anchored():
        event = funded.cancel(stop, sender=attacker).event("OrderCancelled")
        assert event.reason == "order: cancelled by owner"
    assert funded.fill(entry).result == EXECUTED, "a market order binds"
    event = funded.fill(stop, 48_000).event("OrderCancelled")
    assert (event.reason, event.keeper_fee) == ("order: cancelled by owner", 0)
    assert funded.position(trader, 0, CROSS_LONG).size == LOTS


def test_a_bound_stop_dies_with_the_rest(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS)
    stop = funded.place(
        *(trader, 0, 0),
        kind=STOP,
        trigger_price=funded.femto(0, 48_000),
        is_buy=False,
        reduce_only=True,
    )
    funded.cancel_all(trader)
    assert funded.fill(stop, 48_000).event("OrderCancelled").reason == "order: cancelled by owner"


def test_only_the_account_and_who_may_cancel_everywhere(
    funded: Protocol, trader: str, attacker: str
) -> None:
    for permissions in (0, 4, 8, 3 | 8):
        funded.set_operator(trader, attacker, permissions=permissions, markets=2**128 - 1)
        with refused("operator: not allowed"):
            funded.cancel_all(trader, sender=attacker)
    funded.set_operator(trader, attacker, permissions=4 | 8)
    funded.cancel_all(trader, sender=attacker)
    assert funded.account(trader).epoch == 1


def test_epochs_advance_through_the_book_alone(funded: Protocol, trader: str) -> None:
    with refused("caller: not allowed"):
        funded.clearinghouse.send(trader, "advance_epoch", trader)


# cancel_orders


def test_many_are_cancelled_in_one_call(funded: Protocol, trader: str) -> None:
    orders = [limit(funded) for _ in range(32)]
    receipt = funded.book.send(trader, "cancel_orders", orders)
    assert len(receipt.named("OrderCancelled")) == 32
    assert funded.cash(trader) == 10_000 * USD
    funded.check_invariants()


def test_those_that_are_not_pending_are_skipped(funded: Protocol, trader: str) -> None:
    done, resting = limit(funded), limit(funded, 1)
    unknown = funded.order(trader, 0, LOTS)
    funded.fill(done)
    receipt = funded.book.send(trader, "cancel_orders", [done, unknown, resting, resting])
    assert len(receipt.named("OrderCancelled")) == 1
    assert (funded.status(done), funded.status(resting)) == (EXECUTED, CANCELLED)


def test_others_orders_stay(funded: Protocol, attacker: str) -> None:
    order = limit(funded)
    with refused("operator: not allowed"):
        funded.book.send(attacker, "cancel_orders", [order])
    assert funded.status(order) == PENDING
