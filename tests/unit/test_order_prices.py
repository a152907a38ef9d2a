"""When a price fills an order, and what keeps one waiting: price, or a silent market."""

from typing import Any

import pytest

from tests.helpers.chain import advance, now, refused
from tests.helpers.protocol import (
    BTC,
    CANCELLED,
    EXECUTED,
    ISOLATED,
    LIMIT,
    PENDING,
    REDUCE_ONLY,
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


def waits(protocol: Protocol, order: Order, reason: str) -> None:
    """The order is refused with the reason, and nothing at all has changed."""
    before = protocol.state()
    with refused(reason):
        protocol.execute(order)
    assert protocol.state() == before
    assert protocol.status(order) == PENDING


def test_a_price_from_before_the_delay_does_not_fill(funded: Protocol, trader: str) -> None:
    order = funded.place(trader, 0, LOTS)
    waits(funded, order, "price: too early")
    funded.push_price(0, 50_000)
    waits(funded, order, "price: too early")
    funded.push_price(0, 50_000)
    assert funded.execute(order).result == EXECUTED


def test_time_alone_does_not_make_a_price_later(funded: Protocol, trader: str) -> None:
    order = funded.place(trader, 0, LOTS)
    advance(30)
    waits(funded, order, "price: too early")
    advance(1)
    funded.publish(0, 50_000, now() - 30)
    waits(funded, order, "price: too early")


def test_a_price_older_than_the_trade_age_does_not_fill(funded: Protocol, trader: str) -> None:
    order = funded.place(trader, 0, LOTS, kind=LIMIT, acceptable_price=2**63)
    funded.wait(0)
    advance(60)
    with funded.anchored():
        assert funded.execute(order).result == EXECUTED
    advance(1)
    waits(funded, order, "price: stale")


def test_a_limit_waits_for_its_price(funded: Protocol, trader: str) -> None:
    limit = funded.femto(0, 49_000)
    order = funded.place(trader, 0, LOTS, kind=LIMIT, acceptable_price=limit)
    funded.wait(0, 50_000)
    waits(funded, order, "price: not acceptable")
    funded.push_price(0, 49_000)  # the impact is beyond it
    waits(funded, order, "price: not acceptable")
    funded.push_price(0, "48999")
    assert funded.execute(order).result == EXECUTED


def test_a_selling_limit_mirrors_a_buying_one(funded: Protocol, trader: str) -> None:
    limit = funded.femto(0, 51_000)
    order = funded.place(trader, 0, LOTS, kind=LIMIT, acceptable_price=limit, is_buy=False)
    funded.wait(0, 51_000)
    waits(funded, order, "price: not acceptable")
    funded.push_price(0, "51001")
    assert funded.execute(order).result == EXECUTED


def test_an_acceptable_price_holds_to_the_femto(funded: Protocol, trader: str) -> None:
    # 1e7 lots in an even market of scale 1e15 pay 5e-9 of 5e11 femto: 2,500 femto a lot.
    exact = 5 * 10**11 + 2_500
    order = funded.place(trader, 0, LOTS, acceptable_price=exact - 1)
    funded.wait(0)
    waits(funded, order, "price: not acceptable")
    order = funded.place(trader, 0, LOTS, acceptable_price=exact)
    assert funded.fill(order).result == EXECUTED


@pytest.mark.parametrize(
    ("kind", "is_buy", "quiet", "triggered"),
    [
        (STOP, False, "48000.01", 48_000),
        (STOP, True, "51999.99", 52_000),
        (TAKE_PROFIT, False, "51999.99", 52_000),
        (TAKE_PROFIT, True, "48000.01", 48_000),
    ],
)
@pytest.mark.parametrize("mode", [0, ISOLATED])
def test_a_triggered_order_waits_for_its_price(
    funded: Protocol, trader: str, kind: int, is_buy: bool, quiet: str, triggered: int, mode: int
) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=mode, is_buy=not is_buy)
    order = funded.place(
        trader,
        0,
        0,
        kind=kind,
        margin_mode=mode,
        is_buy=is_buy,
        reduce_only=True,
        trigger_price=funded.femto(0, triggered),
    )
    funded.wait(0, quiet)
    waits(funded, order, "price: not triggered")
    funded.push_price(0, triggered)
    receipt = funded.execute(order)
    assert receipt.result == EXECUTED
    assert receipt.event("PositionDecreased").size == LOTS


def test_a_stop_may_open(funded: Protocol, trader: str) -> None:
    order = funded.place(
        trader, 0, LOTS, kind=STOP, trigger_price=funded.femto(0, 51_000), is_buy=True
    )
    assert funded.fill(order, 51_500).event("PositionIncreased").size == LOTS


def test_an_order_fills_up_to_its_expiry(funded: Protocol, trader: str, keeper: str) -> None:
    limit: dict[str, Any] = {"kind": LIMIT, "acceptable_price": 2**63}
    order = funded.place(trader, 0, LOTS, expiry=now() + 100, **limit)
    advance(99)
    funded.push_price(0, 50_000)
    with funded.anchored():
        assert funded.execute(order).result == EXECUTED
    advance(1)
    event = funded.execute(order).event("OrderCancelled")
    assert (event.reason, event.receiver) == ("order: expired", keeper)
    assert event.keeper_fee == funded.cash(keeper) == KEEPER_FEE
    assert funded.status(order) == CANCELLED


def test_anyone_clears_an_expired_market_order_for_its_escrow(
    funded: Protocol, trader: str, attacker: str
) -> None:
    order = funded.place(trader, 0, LOTS)
    advance(63)
    receipt = funded.execute(order, keeper=attacker)
    assert receipt.result == CANCELLED
    assert funded.cash(attacker) == KEEPER_FEE
    assert funded.account(trader).escrow == 0


def test_an_expired_order_that_only_reduces_pays_nobody(
    funded: Protocol, trader: str, attacker: str
) -> None:
    order = funded.place(trader, 0, LOTS, is_buy=False, reduce_only=True)
    advance(63)
    assert funded.execute(order, keeper=attacker).event("OrderCancelled").keeper_fee == 0
    assert funded.cash(attacker) == 0


@pytest.mark.parametrize("mode", [0, ISOLATED])
def test_a_stopped_market_keeps_what_opens_waiting(
    funded: Protocol, trader: str, mode: int
) -> None:
    order = funded.place(trader, 0, LOTS, kind=LIMIT, acceptable_price=2**63, margin_mode=mode)
    funded.clearinghouse.send(funded.guardian, "set_status", 0, REDUCE_ONLY)
    funded.wait(0)
    waits(funded, order, "market: not open")
    funded.clearinghouse.send(funded.owner, "set_status", 0, 0)
    assert funded.execute(order).result == EXECUTED


@pytest.mark.parametrize("mode", [0, ISOLATED])
def test_what_closes_goes_on_in_a_stopped_market(funded: Protocol, trader: str, mode: int) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=mode)
    funded.clearinghouse.send(funded.guardian, "set_status", 0, REDUCE_ONLY)
    funded.clearinghouse.send(funded.guardian, "stop_opening", True)
    receipt = funded.trade(trader, 0, LOTS, margin_mode=mode, is_buy=False)
    assert receipt.event("PositionDecreased").size == LOTS


def test_a_silent_leg_keeps_what_opens_elsewhere_waiting(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 1, 10**7)
    advance(3_600)
    order = funded.place(trader, 0, LOTS)
    vault = funded.place(trader, 0, LOTS, margin_mode=ISOLATED)
    funded.wait(0)
    waits(funded, order, "price: not firm")
    waits(funded, vault, "price: not firm")
    funded.publish(1, 2_500)
    assert funded.execute(order).result == EXECUTED
    assert funded.execute(vault).result == EXECUTED


def test_a_silent_leg_does_not_keep_another_from_closing(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 1, 10**7)
    funded.trade(trader, 0, LOTS)
    advance(10_000)
    receipt = funded.trade(trader, 0, LOTS, is_buy=False, reduce_only=True)
    assert receipt.event("PositionDecreased").size == LOTS


def test_a_close_in_profit_waits_while_the_pool_cannot_pay() -> None:
    protocol = Protocol(BTC, pool_cash=100_000 * USD, insurance=0)
    trader = protocol.trader
    protocol.deposit(trader, 20_000 * USD)
    protocol.trade(trader, 0, 10**8)
    order = protocol.place(trader, 0, 0, is_buy=False, reduce_only=True)
    protocol.wait(0, 160_000)
    waits(protocol, order, "pool: short of cash")
    protocol.fund_insurance(10_000 * USD)
    assert protocol.execute(order).result == EXECUTED
    assert protocol.house().pool_cash < 0
    protocol.check_invariants()
