"""Replacing an order: cancelled and placed again in one transaction."""

from typing import Any

import pytest

from bulkhead.protocol.words import CROSS_LONG
from tests.helpers.chain import advance, now, refused
from tests.helpers.protocol import (
    CANCELLED,
    CROSS,
    EXECUTED,
    ISOLATED,
    LIMIT,
    LONG,
    PENDING,
    STOP,
    TAKE_PROFIT,
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


def limit(protocol: Protocol, dollars: int, **fields: Any) -> Order:
    return protocol.place(
        *(protocol.trader, 0, LOTS),
        **{"kind": LIMIT, "acceptable_price": protocol.femto(0, dollars)} | fields,
    )


def again(order: Order, **fields: Any) -> Order:
    """The same order under another salt, with some fields changed."""
    return order._replace(salt=order.salt + 10**6, **fields)


def test_the_new_order_takes_the_olds_place(funded: Protocol, trader: str) -> None:
    old = limit(funded, 45_000)
    advance(10)
    receipt = funded.book.send(trader, "replace", old, again(old, size=2 * LOTS))
    (new,) = funded.placed_in(receipt)
    assert receipt.result == funded.hash_of(new)
    assert receipt.event("OrderCancelled").order_hash == funded.hash_of(old)
    assert (funded.status(old), funded.status(new)) == (CANCELLED, PENDING)
    assert funded.order_state(new).executable_from == now() + 2
    assert funded.account(trader).escrow == KEEPER_FEE
    assert funded.fill(new, 44_000).event("PositionIncreased").size == 2 * LOTS
    funded.check_invariants()


def test_what_has_ended_is_not_replaced(funded: Protocol, trader: str) -> None:
    old = limit(funded, 51_000)
    funded.fill(old)
    before = funded.state()
    with refused("order: not pending"):
        funded.replace(old, again(old))
    assert funded.state() == before


def test_a_market_order_binds_against_replacing_too(funded: Protocol, trader: str) -> None:
    old = funded.place(trader, 0, LOTS)
    new = again(old, expiry=0)
    with refused("order: market is binding"):
        funded.replace(old, new)
    advance(100)
    funded.replace(old, new)


def test_only_who_may_cancel_and_place_replaces(
    funded: Protocol, trader: str, attacker: str
) -> None:
    old = limit(funded, 45_000)
    for permissions in (0, 1, 4):
        funded.set_operator(trader, attacker, permissions=permissions, markets=1)
        with refused("operator: not allowed"):
            funded.replace(old, again(old), sender=attacker)
    funded.set_operator(trader, attacker, permissions=5, markets=1)
    assert funded.replace(old, again(old), sender=attacker).placer == attacker


def test_the_dead_are_replaced_by_their_owner_alone(
    funded: Protocol, trader: str, attacker: str
) -> None:
    old = limit(funded, 45_000)
    funded.cancel_all(trader)
    with refused("operator: not allowed"):
        funded.replace(old, again(old), sender=attacker)


@pytest.mark.parametrize(
    "fields",
    [
        {"market": 1},
        {"margin_mode": ISOLATED},
        {"position_side": LONG},
        {"is_buy": False},
        {"reduce_only": True},
        {"group": b"\1" * 32},
        {"account": "0x" + "11" * 20},
    ],
)
def test_a_replacement_is_of_the_same_kind(funded: Protocol, fields: dict[str, Any]) -> None:
    old = limit(funded, 45_000)
    with refused("order: replaces another kind"):
        funded.replace(old, again(old, **fields))


def test_one_of_a_group_stays_in_it(funded: Protocol, trader: str) -> None:
    group = b"\2" * 32
    old, other = limit(funded, 45_000, group=group), limit(funded, 44_000, group=group)
    new = funded.replace(old, again(old, acceptable_price=funded.femto(0, 51_000)))
    assert funded.fill(new).result == EXECUTED
    assert funded.execute(other).event("OrderCancelled").reason == "order: group is done"


def test_a_groups_order_is_replaced_by_its_placer_alone(
    funded: Protocol, trader: str, attacker: str
) -> None:
    funded.set_operator(trader, attacker)
    old = limit(funded, 45_000, group=b"\2" * 32)
    with refused("order: bad group"):
        funded.replace(old, again(old), sender=attacker)


# Children and bound orders


def bracket(protocol: Protocol) -> tuple[Order, Order, Order]:
    entry = protocol.order(protocol.trader, 0, LOTS)
    children = (
        protocol.exit_of(entry, kind=TAKE_PROFIT, trigger_price=protocol.femto(0, 55_000)),
        protocol.exit_of(entry, kind=STOP, trigger_price=protocol.femto(0, 48_000)),
    )
    placed = protocol.bracket(entry, *children)
    return placed[0], placed[1], placed[2]


@pytest.mark.parametrize("is_filled", [False, True])
def test_a_childs_replacement_is_a_child_of_the_same_entry(
    funded: Protocol, trader: str, is_filled: bool
) -> None:
    entry, profit, stop = bracket(funded)
    if is_filled:
        funded.fill(entry)
    new = funded.replace(stop, again(stop, trigger_price=funded.femto(0, 49_000)))
    state = funded.order_state(new)
    assert (state.is_child, state.escrowed) == (True, False)
    assert new.group == funded.hash_of(entry)
    if not is_filled:
        funded.fill(entry)
    assert funded.fill(new, 49_000).event("PositionDecreased").size == LOTS
    assert funded.execute(profit).event("OrderCancelled").reason == "order: group is done"
    funded.check_invariants()


def test_a_childs_replacement_waits_for_a_price_after_itself(funded: Protocol) -> None:
    entry, _, stop = bracket(funded)
    funded.fill(entry)
    funded.wait(0, 47_000)
    new = funded.replace(stop, again(stop))
    with refused("price: too early"):
        funded.execute(new)


def test_a_child_whose_sibling_has_filled_is_not_replaced(funded: Protocol) -> None:
    entry, profit, stop = bracket(funded)
    funded.fill(entry)
    funded.fill(profit, 55_000)
    with refused("order: group is done"):
        funded.replace(stop, again(stop))


@pytest.mark.parametrize("fields", [{"size": 1}, {"kind": LIMIT, "acceptable_price": 1}])
def test_a_childs_replacement_is_an_exit(funded: Protocol, fields: dict[str, Any]) -> None:
    _, _, stop = bracket(funded)
    with refused("order: replaces another kind"):
        funded.replace(stop, again(stop, trigger_price=0, **fields))


def test_an_operator_replaces_a_child_for_its_owner(
    funded: Protocol, trader: str, attacker: str
) -> None:
    funded.set_operator(trader, attacker, permissions=2 | 4, markets=1, notional=0)
    entry, _, stop = bracket(funded)
    funded.fill(entry)
    new = funded.replace(stop, again(stop, trigger_price=funded.femto(0, 49_000)), sender=attacker)
    assert funded.fill(new, 49_000).result == EXECUTED


@pytest.mark.parametrize("margin_mode", [CROSS, ISOLATED])
@pytest.mark.parametrize("is_buy", [True, False])
@pytest.mark.parametrize("market", [0, 1])
def test_a_stop_is_bound_to_the_position_that_is_open(
    funded: Protocol, trader: str, market: int, is_buy: bool, margin_mode: int
) -> None:
    mode = {"margin_mode": margin_mode}
    funded.trade(trader, market, LOTS, is_buy=is_buy, **mode)
    funded.trade(trader, market, 0, is_buy=not is_buy, reduce_only=True, **mode)
    funded.trade(trader, market, LOTS, is_buy=is_buy, **mode)
    closing = {"kind": STOP, "is_buy": not is_buy, "reduce_only": True, **mode}
    trigger = funded.price(market).price
    stop = funded.place(trader, market, 0, trigger_price=trigger, **closing)
    assert (funded.order_state(stop).is_bound, funded.order_state(stop).generation) == (True, 1)
    assert funded.fill(stop).event("PositionDecreased").size == LOTS


def test_a_bound_orders_replacement_keeps_its_position(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS)
    stop = funded.place(*(trader, 0, 0), kind=STOP, trigger_price=1, is_buy=False, reduce_only=True)
    funded.trade(trader, 0, 0, is_buy=False, reduce_only=True)
    funded.trade(trader, 0, LOTS)
    new = funded.replace(stop, again(stop, trigger_price=funded.femto(0, 48_000)))
    assert funded.order_state(new).generation == 0
    assert funded.fill(new, 48_000).event("OrderCancelled").reason == "position: ended"
    assert funded.position(trader, 0, CROSS_LONG).size == LOTS


def test_a_bound_orders_replacement_is_bound(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS)
    stop = funded.place(*(trader, 0, 0), kind=STOP, trigger_price=1, is_buy=False, reduce_only=True)
    with refused("order: replaces another kind"):
        funded.replace(stop, again(stop, kind=LIMIT, trigger_price=0, acceptable_price=1))
