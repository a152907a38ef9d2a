"""However little gas a keeper brings, an order is executed or left untouched, never cancelled."""

from collections.abc import Callable

import pytest

from tests.helpers.protocol import (
    EXECUTED,
    ISOLATED,
    PENDING,
    STOP,
    USD,
    Order,
    Protocol,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
STEP = 600  # gas


def opens_cross(protocol: Protocol) -> Order:
    return protocol.place(protocol.trader, 0, LOTS)


def opens_vault(protocol: Protocol) -> Order:
    return protocol.place(protocol.trader, 0, LOTS, margin_mode=ISOLATED)


def stops_loss(protocol: Protocol) -> Order:
    """A stop on a cross long, with another leg to value."""
    trader = protocol.trader
    protocol.trade(trader, 0, LOTS)
    protocol.trade(trader, 1, 10**7)
    return protocol.place(
        *(trader, 0, 0),
        kind=STOP,
        is_buy=False,
        reduce_only=True,
        trigger_price=protocol.femto(0, 60_000),
    )


def flips_vault(protocol: Protocol) -> Order:
    trader = protocol.trader
    protocol.trade(trader, 0, LOTS, margin_mode=ISOLATED)
    return protocol.place(trader, 0, 2 * LOTS, margin_mode=ISOLATED, is_buy=False)


@pytest.mark.parametrize("verb", ["execute", "execute_orders"])
@pytest.mark.parametrize("prepare", [opens_cross, opens_vault, stops_loss, flips_vault])
def test_too_little_gas_leaves_an_order_as_it_was(
    protocol: Protocol, verb: str, prepare: Callable[[Protocol], Order]
) -> None:
    protocol.deposit(protocol.trader, 10_000 * USD)
    order = prepare(protocol)
    protocol.wait(0)
    argument = order if verb == "execute" else [order]
    before = protocol.state()
    with protocol.anchored():
        enough = protocol.book.send(protocol.keeper, verb, argument).gas_used

    executed = untouched = 0
    for gas in range(1_000, enough + 12_000, STEP):
        with protocol.anchored():
            receipt = protocol.book.attempt(protocol.keeper, verb, argument, gas=gas)
            status = protocol.status(order)
            if status == EXECUTED:
                executed += 1
                assert receipt.result in (EXECUTED, (EXECUTED,), [EXECUTED])
            else:
                untouched += 1
                assert status == PENDING
                assert protocol.state() == before
                # Out of gas at the top has no words; a failure inside is named.
                assert receipt.refusal in (None, "", "order: execution failed")
    assert executed > 10
    assert untouched > 50


def test_a_starved_batch_leaves_its_later_orders_alone(protocol: Protocol) -> None:
    protocol.deposit(protocol.trader, 10_000 * USD)
    orders = [opens_cross(protocol) for _ in range(3)]
    protocol.wait(0)
    seen = set()
    with protocol.anchored():
        enough = protocol.book.send(protocol.keeper, "execute_orders", orders).gas_used
    for gas in range(1_000, enough + 60_000, 4 * STEP):
        with protocol.anchored():
            protocol.book.attempt(protocol.keeper, "execute_orders", orders, gas=gas)
            statuses = [protocol.status(order) for order in orders]
            assert set(statuses) <= {PENDING, EXECUTED}
            seen.add(tuple(statuses))
            protocol.check_invariants()
    assert (PENDING,) * 3 in seen
    assert (EXECUTED,) * 3 in seen
