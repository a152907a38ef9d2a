"""While the price says no, nothing ends an order: no keeper may take its fee before."""

from collections.abc import Callable

import pytest

from tests.helpers.chain import advance, now, refused
from tests.helpers.protocol import (
    CANCELLED,
    ISOLATED,
    LIMIT,
    PENDING,
    STOP,
    USD,
    Order,
    Protocol,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
KEEPER_FEE = USD // 5
Scenario = Callable[[Protocol], Order]


def limit(protocol: Protocol, dollars: int) -> dict[str, int]:
    return {"kind": LIMIT, "acceptable_price": protocol.femto(0, dollars)}


def wrong_mode(protocol: Protocol) -> Order:
    order = protocol.place(protocol.trader, 0, LOTS, **limit(protocol, 45_000))
    protocol.clearinghouse.send(protocol.trader, "set_hedge_mode", True)
    return order


def wrong_mode_of_a_hedge(protocol: Protocol) -> Order:
    protocol.clearinghouse.send(protocol.trader, "set_hedge_mode", True)
    order = protocol.place(protocol.trader, 0, LOTS, position_side=1, **limit(protocol, 45_000))
    protocol.clearinghouse.send(protocol.trader, "set_hedge_mode", False)
    return order


def expired_operator(protocol: Protocol) -> Order:
    protocol.set_operator(protocol.trader, protocol.attacker, expiry=now() + 1)
    order = protocol.place(
        protocol.trader, 0, LOTS, placer=protocol.attacker, **limit(protocol, 45_000)
    )
    advance(2)
    return order


def revoked_operator(protocol: Protocol) -> Order:
    protocol.set_operator(protocol.trader, protocol.attacker)
    order = protocol.place(
        protocol.trader, 0, LOTS, placer=protocol.attacker, **limit(protocol, 45_000)
    )
    protocol.set_operator(protocol.trader, protocol.attacker, permissions=0)
    return order


def nothing_to_reduce(protocol: Protocol) -> Order:
    return protocol.place(protocol.trader, 0, LOTS, reduce_only=True, **limit(protocol, 45_000))


def below_minimum(protocol: Protocol) -> Order:
    return protocol.place(protocol.trader, 0, 10_000, **limit(protocol, 45_000))


def below_initial(protocol: Protocol) -> Order:
    return protocol.place(protocol.trader, 0, 10**9, **limit(protocol, 45_000))


def beyond_the_balance(protocol: Protocol) -> Order:
    return protocol.place(
        protocol.trader, 0, 10**9, margin_mode=ISOLATED, **limit(protocol, 45_000)
    )


REASONS: list[tuple[Scenario, str]] = [
    (wrong_mode, "order: wrong position mode"),
    (wrong_mode_of_a_hedge, "order: wrong position mode"),
    (expired_operator, "operator: not allowed"),
    (revoked_operator, "operator: not allowed"),
    (nothing_to_reduce, "position: nothing to reduce"),
    (below_minimum, "size: below minimum"),
    (below_initial, "margin: below initial"),
    (beyond_the_balance, "balance: not withdrawable"),
]


@pytest.mark.parametrize(("scenario", "reason"), REASONS)
def test_an_order_ends_only_once_the_price_says_yes(
    protocol: Protocol, attacker: str, scenario: Scenario, reason: str
) -> None:
    protocol.deposit(protocol.trader, 1_000 * USD)
    order = scenario(protocol)
    escrow = protocol.account(protocol.trader).escrow
    for dollars in (50_000, 45_001):
        protocol.wait(0, dollars)
        before = protocol.state()
        with refused("price: not acceptable"):
            protocol.execute(order, keeper=attacker)
        assert protocol.book.send(attacker, "execute_orders", [order]).result == (PENDING,)
        assert protocol.state() == before
        assert protocol.cash(attacker) == 0

    protocol.wait(0, 44_000)
    receipt = protocol.execute(order, keeper=attacker)

    assert receipt.result == CANCELLED == protocol.status(order)
    event = receipt.event("OrderCancelled")
    assert (event.reason, event.receiver) == (reason, attacker)
    assert event.keeper_fee == escrow == protocol.cash(attacker)
    assert protocol.account(protocol.trader).escrow == 0


@pytest.mark.parametrize(("scenario", "reason"), REASONS)
def test_the_owner_takes_back_an_order_that_waits(
    protocol: Protocol, trader: str, attacker: str, scenario: Scenario, reason: str
) -> None:
    protocol.deposit(trader, 1_000 * USD)
    order = scenario(protocol)
    protocol.wait(0, 50_000)
    with refused("price: not acceptable"):
        protocol.execute(order, keeper=attacker)
    protocol.cancel(order)
    assert protocol.status(order) == CANCELLED
    assert protocol.cash(trader) == 1_000 * USD


def test_a_stop_outlives_what_ends_it_until_it_triggers(
    protocol: Protocol, trader: str, attacker: str
) -> None:
    protocol.deposit(trader, 1_000 * USD)
    order = protocol.place(trader, 0, LOTS, kind=STOP, trigger_price=protocol.femto(0, 55_000))
    protocol.clearinghouse.send(trader, "set_hedge_mode", True)
    protocol.wait(0, 54_999)
    with refused("price: not triggered"):
        protocol.execute(order, keeper=attacker)
    protocol.wait(0, 55_000)
    event = protocol.execute(order, keeper=attacker).event("OrderCancelled")
    assert (event.reason, event.keeper_fee) == ("order: wrong position mode", KEEPER_FEE)


def test_a_mode_switched_back_in_time_fills_the_order(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 1_000 * USD)
    order = wrong_mode(protocol)
    protocol.wait(0, 46_000)
    with refused("price: not acceptable"):
        protocol.execute(order)
    protocol.clearinghouse.send(trader, "set_hedge_mode", False)
    receipt = protocol.fill(order, 44_000)
    assert receipt.event("PositionIncreased").size == LOTS
