"""Brackets: an entry and the orders that close what it opens, placed together."""

from typing import Any

import pytest

from bulkhead.protocol.words import CROSS_LONG, CROSS_SHORT, ISOLATED_LONG
from tests.helpers.chain import advance, now, refused
from tests.helpers.protocol import (
    CANCELLED,
    CROSS,
    EXECUTED,
    ISOLATED,
    LIMIT,
    LONG,
    MARKET,
    PENDING,
    SHORT,
    STOP,
    TAKE_PROFIT,
    TRAILING_STOP,
    USD,
    Order,
    Protocol,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
KEEPER_FEE = USD // 5
MODES = pytest.mark.parametrize("mode", [CROSS, ISOLATED])
Bracket = tuple[Order, Order, Order]


@pytest.fixture
def funded(protocol: Protocol, trader: str) -> Protocol:
    protocol.deposit(trader, 10_000 * USD)
    return protocol


def bracket(protocol: Protocol, **fields: Any) -> Bracket:
    """A long of 0.1 BTC with a take-profit at 55,000 and a stop at 48,000."""
    entry = protocol.order(protocol.trader, 0, LOTS, **fields)
    children = (
        protocol.exit_of(entry, kind=TAKE_PROFIT, trigger_price=protocol.femto(0, 55_000)),
        protocol.exit_of(entry, kind=STOP, trigger_price=protocol.femto(0, 48_000)),
    )
    placed = protocol.bracket(entry, *children)
    return placed[0], placed[1], placed[2]


def filled(protocol: Protocol, **fields: Any) -> Bracket:
    found = bracket(protocol, **fields)
    assert protocol.fill(found[0]).result == EXECUTED
    protocol.check_invariants()
    return found


def test_a_bracket_is_placed_in_one_transaction(funded: Protocol, trader: str) -> None:
    entry = funded.order(trader, 0, LOTS)
    stop = funded.exit_of(entry)
    receipt = funded.book.send(trader, "place_bracket", entry, [stop])
    placed = funded.placed_in(receipt)
    assert tuple(receipt.result) == tuple(funded.hash_of(order) for order in placed)
    assert placed[1].group == funded.hash_of(placed[0])
    assert (placed[1].account, placed[1].placer) == (trader, trader)
    child = funded.order_state(placed[1])
    assert (child.status, child.is_child, child.escrowed) == (PENDING, True, False)
    assert not funded.order_state(placed[0]).is_child
    assert funded.account(trader).escrow == KEEPER_FEE, "the entry's alone"


@MODES
def test_the_take_profit_closes_what_the_entry_opened(
    funded: Protocol, trader: str, mode: int
) -> None:
    entry, profit, stop = filled(funded, margin_mode=mode)
    receipt = funded.fill(profit, 55_000)
    event = receipt.event("PositionDecreased")
    assert (event.size, event.order_hash) == (LOTS, funded.hash_of(profit))
    assert funded.position(trader, 0, CROSS_LONG if mode == CROSS else ISOLATED_LONG).size == 0
    funded.check_invariants()
    assert funded.order_state(entry).is_spent
    assert funded.status(stop) == PENDING
    assert funded.execute(stop).event("OrderCancelled").reason == "order: group is done"


def test_the_stop_closes_what_the_entry_opened(funded: Protocol, trader: str) -> None:
    _, profit, stop = filled(funded)
    assert funded.fill(stop, 48_000).result == EXECUTED
    assert funded.position(trader, 0, CROSS_LONG).size == 0
    assert funded.execute(profit).event("OrderCancelled").reason == "order: group is done"
    funded.check_invariants()


def test_a_short_mirrors_a_long(funded: Protocol, trader: str) -> None:
    entry = funded.order(trader, 0, LOTS, is_buy=False)
    stop = funded.exit_of(entry, trigger_price=funded.femto(0, 52_000))
    entry, stop = funded.bracket(entry, stop)
    funded.fill(entry)
    assert funded.fill(stop, 52_000).result == EXECUTED
    assert funded.position(trader, 0, CROSS_SHORT).size == 0


def test_a_child_closes_exactly_what_its_entry_filled(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, 3 * LOTS)
    _, profit, _ = filled(funded)
    funded.trade(trader, 0, LOTS)
    assert funded.fill(profit, 55_000).event("PositionDecreased").size == LOTS
    assert funded.position(trader, 0, CROSS_LONG).size == 4 * LOTS


def test_a_child_of_a_flip_closes_what_it_opened_alone(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS, is_buy=False)
    entry = funded.order(trader, 0, 3 * LOTS)
    entry, stop = funded.bracket(
        entry, funded.exit_of(entry, trigger_price=funded.femto(0, 48_000))
    )
    funded.fill(entry)
    assert funded.order_state(entry).filled == 2 * LOTS
    assert funded.fill(stop, 48_000).event("PositionDecreased").size == 2 * LOTS
    funded.check_invariants()


def test_a_child_of_a_reduced_position_closes_what_is_left(funded: Protocol, trader: str) -> None:
    _, _, stop = filled(funded)
    funded.trade(trader, 0, LOTS // 2, is_buy=False, reduce_only=True)
    assert funded.fill(stop, 48_000).event("PositionDecreased").size == LOTS // 2


def test_children_sleep_until_the_entry_fills(funded: Protocol, trader: str) -> None:
    entry, profit, stop = bracket(funded, kind=LIMIT, acceptable_price=funded.femto(0, 45_000))
    for dollars, child in ((48_000, stop), (55_000, profit)):
        funded.wait(0, dollars)
        before = funded.state()
        with refused("order: entry not filled"):
            funded.execute(child)
        assert funded.book.send(funded.keeper, "execute_orders", [child]).result == (PENDING,)
        assert funded.state() == before
    assert funded.fill(entry, 44_000).result == EXECUTED


def test_a_child_needs_a_later_price_than_its_entrys(funded: Protocol) -> None:
    entry, _, stop = bracket(funded, kind=LIMIT, acceptable_price=funded.femto(0, 47_000))
    funded.fill(entry, 46_000)
    with refused("price: too early"):
        funded.execute(stop)
    funded.push_price(0, 46_000)
    assert funded.execute(stop).result == EXECUTED


def test_children_die_with_an_entry_that_is_cancelled(funded: Protocol, attacker: str) -> None:
    entry, profit, stop = bracket(funded, kind=LIMIT, acceptable_price=1)
    funded.cancel(entry)
    event = funded.execute(stop, keeper=attacker).event("OrderCancelled")
    assert (event.reason, event.keeper_fee) == ("order: group is done", 0)
    assert funded.cancel(profit, sender=attacker).event("OrderCancelled").reason == event.reason


def test_children_die_with_an_entry_that_ends_unfilled(funded: Protocol, trader: str) -> None:
    entry, _, stop = bracket(funded)
    funded.withdraw(trader, funded.cash(trader))
    assert funded.fill(entry).result == CANCELLED
    assert funded.execute(stop).event("OrderCancelled").reason == "order: group is done"


def test_children_die_with_an_entry_that_opens_nothing(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, 2 * LOTS, is_buy=False)
    entry, profit, stop = bracket(funded)
    assert funded.fill(entry).result == EXECUTED
    assert funded.order_state(entry).filled == 0
    for child in (profit, stop):
        assert funded.execute(child).event("OrderCancelled").reason == "position: ended"


def test_an_expired_child_is_cleared_even_while_its_entry_waits(
    funded: Protocol, trader: str
) -> None:
    entry = funded.order(trader, 0, LOTS, kind=LIMIT, acceptable_price=1)
    _, stop = funded.bracket(entry, funded.exit_of(entry, expiry=now() + 10))
    advance(11)
    event = funded.execute(stop).event("OrderCancelled")
    assert (event.reason, event.keeper_fee) == ("order: expired", 0)


def test_a_bracket_in_hedge_mode_names_its_side(funded: Protocol, trader: str) -> None:
    funded.clearinghouse.send(trader, "set_hedge_mode", True)
    funded.trade(trader, 0, LOTS, position_side=SHORT, is_buy=False)
    _, _, stop = filled(funded, position_side=LONG)
    assert funded.fill(stop, 48_000).result == EXECUTED
    assert funded.position(trader, 0, CROSS_LONG).size == 0
    assert funded.position(trader, 0, CROSS_SHORT).size == LOTS
    funded.check_invariants()


def test_an_entry_without_children_is_an_order(funded: Protocol, trader: str) -> None:
    (entry,) = funded.bracket(funded.order(trader, 0, LOTS))
    assert funded.fill(entry).result == EXECUTED


@pytest.mark.parametrize(
    "fields",
    [
        {"is_buy": True},
        {"reduce_only": False},
        {"reduce_only": False, "size": 1},
        {"size": 1},
        {"market": 1},
        {"margin_mode": ISOLATED},
        {"position_side": LONG},
        {"group": b"\1" * 32},
        {"kind": LIMIT, "acceptable_price": 1, "trigger_price": 0},
        {"kind": MARKET, "trigger_price": 0},
        {"account": "0x" + "11" * 20},
    ],
)
def test_a_child_that_is_no_exit_of_its_entry_is_refused(
    funded: Protocol, trader: str, fields: dict[str, Any]
) -> None:
    entry = funded.order(trader, 0, LOTS)
    child = funded.exit_of(entry)._replace(**fields)
    before = funded.state()
    with refused("bracket: child not of its entry"):
        funded.book.send(trader, "place_bracket", entry, [child])
    assert funded.state() == before


def test_an_entry_that_only_reduces_is_refused(funded: Protocol, trader: str) -> None:
    entry = funded.order(trader, 0, LOTS, reduce_only=True)
    with refused("bracket: entry only reduces"):
        funded.book.send(trader, "place_bracket", entry, [funded.exit_of(entry)])


def test_children_obey_the_rules_of_their_kind(funded: Protocol, trader: str) -> None:
    entry = funded.order(trader, 0, LOTS)
    with refused("order: bad trigger price"):
        funded.book.send(trader, "place_bracket", entry, [funded.exit_of(entry, trigger_price=0)])
    trailing = funded.exit_of(entry, kind=TRAILING_STOP, trigger_price=0)
    with refused("order: bad callback rate"):
        funded.book.send(trader, "place_bracket", entry, [trailing])


# A child acts on no later position


def later_position(protocol: Protocol) -> None:
    protocol.trade(protocol.trader, 0, LOTS)
    assert protocol.position(protocol.trader, 0, CROSS_LONG).size == LOTS


def check_dead(protocol: Protocol, child: Order, attacker: str) -> None:
    """It ends when its price comes, and anyone may clear it before."""
    with protocol.anchored():
        protocol.wait(0, 55_000)
        event = protocol.execute(child).event("OrderCancelled")
        assert (event.reason, event.keeper_fee) == ("position: ended", 0)
    event = protocol.cancel(child, sender=attacker).event("OrderCancelled")
    assert event.reason == "position: ended"
    assert protocol.position(protocol.trader, 0, CROSS_LONG).size == LOTS
    protocol.check_invariants()


def test_a_child_never_acts_on_a_position_after_a_close(
    funded: Protocol, trader: str, attacker: str
) -> None:
    _, profit, _ = filled(funded)
    funded.trade(trader, 0, 0, is_buy=False, reduce_only=True)
    later_position(funded)
    check_dead(funded, profit, attacker)


def test_a_child_never_acts_on_a_position_after_a_flip(
    funded: Protocol, trader: str, attacker: str
) -> None:
    _, profit, _ = filled(funded)
    funded.trade(trader, 0, 2 * LOTS, is_buy=False)
    funded.trade(trader, 0, 0, reduce_only=True)
    later_position(funded)
    check_dead(funded, profit, attacker)


def test_a_child_never_acts_on_a_position_after_a_liquidation(
    funded: Protocol, trader: str, attacker: str
) -> None:
    funded.withdraw(trader, 9_000 * USD)
    _, profit, _ = filled(funded)
    funded.push_price(0, 40_000)
    assert funded.liquidate_cross(trader).named("PositionLiquidated")
    funded.deposit(trader, 9_000 * USD)
    later_position(funded)
    check_dead(funded, profit, attacker)


def test_a_living_child_is_nobody_elses_to_cancel(funded: Protocol, attacker: str) -> None:
    entry, _, stop = bracket(funded)
    with refused("operator: not allowed"):
        funded.cancel(stop, sender=attacker)
    funded.fill(entry)
    with refused("operator: not allowed"):
        funded.cancel(stop, sender=attacker)


def test_nobody_passes_an_order_off_as_anothers_child(
    funded: Protocol, trader: str, attacker: str
) -> None:
    entry, profit, stop = bracket(funded)
    funded.deposit(attacker, 5_000 * USD)
    spoof = funded.place(
        *(attacker, 0, LOTS),
        kind=LIMIT,
        acceptable_price=2**63,
        group=funded.hash_of(entry),
    )
    assert not funded.order_state(spoof).is_child
    assert funded.fill(spoof).result == EXECUTED
    assert not funded.order_state(entry).is_spent
    assert funded.execute(entry).result == EXECUTED
    assert funded.fill(stop, 48_000).result == EXECUTED
    with refused("order: not pending"):
        funded.execute(profit._replace(group=funded.hash_of(spoof)))
