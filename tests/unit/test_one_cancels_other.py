"""Groups: the first of them that fills ends the others."""

from typing import Any

import pytest

from bulkhead.protocol.words import CROSS_LONG
from tests.helpers.chain import refused
from tests.helpers.protocol import (
    EXECUTED,
    LIMIT,
    PENDING,
    STOP,
    TAKE_PROFIT,
    USD,
    Order,
    Protocol,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
KEEPER_FEE = USD // 5
GROUP = b"\x07" * 32


@pytest.fixture
def funded(protocol: Protocol, trader: str, attacker: str) -> Protocol:
    protocol.deposit(trader, 10_000 * USD)
    protocol.deposit(attacker, 10_000 * USD)
    return protocol


def limit(protocol: Protocol, dollars: int, account: str | None = None, **more: Any) -> Order:
    fields: dict[str, Any] = {
        "kind": LIMIT,
        "acceptable_price": protocol.femto(0, dollars),
        "group": GROUP,
    }
    return protocol.place(account or protocol.trader, 0, LOTS, **fields | more)


def test_the_first_that_fills_ends_the_other(funded: Protocol, trader: str, keeper: str) -> None:
    one, other = limit(funded, 51_000), limit(funded, 49_000)
    assert funded.fill(one).result == EXECUTED
    event = funded.execute(other).event("OrderCancelled")
    assert event.reason == "order: group is done"
    assert (event.receiver, event.keeper_fee) == (trader, KEEPER_FEE), "its fee is not the keeper's"
    assert funded.account(trader).escrow == 0
    assert funded.cash(keeper) == KEEPER_FEE
    funded.check_invariants()


def test_two_of_a_group_never_fill_in_one_batch(funded: Protocol, trader: str) -> None:
    one, other = limit(funded, 51_000), limit(funded, 52_000)
    funded.wait(0)
    receipt = funded.book.send(funded.keeper, "execute_orders", [one, other])
    assert len(receipt.named("OrderExecuted")) == len(receipt.named("OrderCancelled")) == 1
    assert funded.position(trader, 0, CROSS_LONG).size == LOTS


def test_one_that_is_cancelled_leaves_the_other(funded: Protocol) -> None:
    one, other = limit(funded, 51_000), limit(funded, 51_000)
    funded.cancel(one)
    assert funded.fill(other).result == EXECUTED


def test_one_that_ends_unfilled_leaves_the_other(funded: Protocol, trader: str) -> None:
    one = limit(funded, 51_000, reduce_only=True)
    other = limit(funded, 51_000)
    assert funded.fill(one).event("OrderCancelled").reason == "position: nothing to reduce"
    assert funded.execute(other).result == EXECUTED


def test_what_a_done_group_has_left_anyone_ends(funded: Protocol, trader: str, keeper: str) -> None:
    one, other = limit(funded, 51_000), limit(funded, 1)
    with refused("operator: not allowed"):
        funded.cancel(other, sender=keeper)
    funded.fill(one)
    event = funded.cancel(other, sender=keeper).event("OrderCancelled")
    assert (event.reason, event.receiver) == ("order: group is done", trader)


def test_a_group_once_done_stays_done(funded: Protocol) -> None:
    funded.fill(limit(funded, 51_000))
    with refused("order: group is done"):
        limit(funded, 51_000)


def test_a_group_is_its_accounts(funded: Protocol, attacker: str) -> None:
    order = limit(funded, 51_000)
    spoof = limit(funded, 51_000, attacker)
    assert funded.fill(spoof).result == EXECUTED
    assert funded.status(order) == PENDING
    assert funded.execute(order).result == EXECUTED


def test_an_operator_ends_no_order_of_the_owners_by_its_group(
    funded: Protocol, trader: str, attacker: str
) -> None:
    funded.set_operator(trader, attacker, permissions=1, markets=1 << 1)
    order = limit(funded, 51_000)
    spoof = funded.place(
        *(trader, 1, 10**7),
        placer=attacker,
        kind=LIMIT,
        acceptable_price=funded.femto(1, 2_600),
        group=GROUP,
    )
    funded.wait(1)
    funded.refresh()
    assert funded.execute(spoof).result == EXECUTED
    assert funded.execute(order).result == EXECUTED


def test_an_operators_group_ends_its_own_orders(
    funded: Protocol, trader: str, attacker: str
) -> None:
    funded.set_operator(trader, attacker, permissions=1, markets=1)
    one, other = limit(funded, 51_000, placer=attacker), limit(funded, 51_000, placer=attacker)
    owners = limit(funded, 51_000)
    assert funded.fill(one).result == EXECUTED
    assert funded.execute(other).event("OrderCancelled").reason == "order: group is done"
    assert funded.execute(owners).result == EXECUTED


def test_protection_of_a_position_is_a_pair(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS)
    exit_fields: dict[str, Any] = {"is_buy": False, "reduce_only": True, "group": GROUP}
    profit = funded.place(
        *(trader, 0, 0), kind=TAKE_PROFIT, trigger_price=funded.femto(0, 55_000), **exit_fields
    )
    stop = funded.place(
        *(trader, 0, 0), kind=STOP, trigger_price=funded.femto(0, 48_000), **exit_fields
    )
    assert funded.fill(stop, 47_000).result == EXECUTED
    assert funded.position(trader, 0, CROSS_LONG).size == 0
    assert funded.execute(profit).event("OrderCancelled").reason == "order: group is done"
    funded.check_invariants()


# Orders that are bound to a position


def stop_of(protocol: Protocol, **fields: Any) -> Order:
    known: dict[str, Any] = {
        "kind": STOP,
        "is_buy": False,
        "reduce_only": True,
        "trigger_price": protocol.femto(0, 48_000),
    }
    return protocol.place(protocol.trader, 0, 0, **known | fields)


def test_a_stop_ends_with_the_position_it_was_placed_for(
    funded: Protocol, trader: str, keeper: str
) -> None:
    funded.trade(trader, 0, LOTS)
    stop = stop_of(funded)
    state = funded.order_state(stop)
    assert (state.is_bound, state.generation) == (True, 0)
    funded.trade(trader, 0, 0, is_buy=False, reduce_only=True)
    funded.trade(trader, 0, LOTS)
    with funded.anchored():
        event = funded.cancel(stop, sender=keeper).event("OrderCancelled")
        assert event.reason == "position: ended"
    event = funded.fill(stop, 48_000).event("OrderCancelled")
    assert (event.reason, event.keeper_fee) == ("position: ended", 0)
    assert funded.position(trader, 0, CROSS_LONG).size == LOTS


def test_a_stop_placed_ahead_is_for_the_next_position(
    funded: Protocol, trader: str, keeper: str
) -> None:
    funded.trade(trader, 0, LOTS)
    funded.trade(trader, 0, 0, is_buy=False, reduce_only=True)
    stop = stop_of(funded)
    with refused("operator: not allowed"):
        funded.cancel(stop, sender=keeper)
    funded.trade(trader, 0, LOTS)
    assert funded.fill(stop, 48_000).result == EXECUTED


def test_a_bound_order_lives_as_long_as_its_position(
    funded: Protocol, trader: str, keeper: str
) -> None:
    funded.trade(trader, 0, 2 * LOTS)
    stop = stop_of(funded)
    funded.trade(trader, 0, LOTS, is_buy=False, reduce_only=True)
    funded.trade(trader, 0, LOTS)
    with refused("operator: not allowed"):
        funded.cancel(stop, sender=keeper)
    assert funded.fill(stop, 48_000).event("PositionDecreased").size == 2 * LOTS


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": LIMIT, "trigger_price": 0, "acceptable_price": 1},
        {"kind": 0, "trigger_price": 0},
        {"reduce_only": False, "size": LOTS},
    ],
)
def test_other_orders_are_bound_to_no_position(funded: Protocol, fields: dict[str, Any]) -> None:
    order = funded.order(funded.trader, 0, 0, is_buy=False, reduce_only=True)
    order = funded.commit(order._replace(**{"kind": STOP, "trigger_price": 1} | fields))
    assert not funded.order_state(order).is_bound
