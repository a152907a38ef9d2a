"""A preview says what placing and executing then do, to the unit."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from bulkhead.protocol import words
from tests.helpers.chain import Contract, Refused, advance, refused
from tests.helpers.protocol import (
    BTC,
    CROSS,
    ETH,
    ISOLATED,
    LIMIT,
    LONG,
    ONE_WAY,
    PPM,
    SHORT,
    STOP,
    USD,
    Order,
    Protocol,
    Terms,
)
from tests.unit.test_lens import Lens, check_account, check_position, named

BIT = 10**8
NOBODY = "0x" + "0" * 40
EXPIRED = 22
TINY = Terms(pool_share=700, skew_cap=500, skew_scale=10**12)
LANDMARKS = (1, 10**4, 10**6, BIT // 10, BIT, 3 * BIT)


class OrderLens:
    def __init__(self, protocol: Protocol) -> None:
        core = (protocol.clearinghouse.address, protocol.oracle.address)
        self.lens = Lens(protocol)
        self.simulator = Contract("Simulator", *core)
        self.contract = Contract(
            "OrderLens",
            *(*core, protocol.book.address, self.lens.contract.address, self.simulator.address),
        )
        self._protocol = protocol

    def preview(self, order: Order) -> Any:
        """Called, not sent: but even if it is sent, nothing stays."""
        with self._protocol.anchored():
            receipt = self.contract.send(self._protocol.attacker, "preview_order", order)
        assert not receipt.logs
        output = next(e for e in self.contract.abi if e.get("name") == "preview_order")["outputs"]
        return named(output[0], receipt.result)


@pytest.fixture(scope="module")
def world() -> Protocol:
    protocol = Protocol(BTC, replace(ETH, terms=TINY))
    for actor in (protocol.trader, protocol.attacker, protocol.actor("hedger")):
        protocol.deposit(actor, 100_000 * USD)
    protocol.clearinghouse.send(protocol.actor("hedger"), "set_hedge_mode", True)
    return protocol


@pytest.fixture(scope="module")
def views(world: Protocol) -> OrderLens:
    return OrderLens(world)


@pytest.fixture
def protocol(world: Protocol) -> Iterator[Protocol]:
    with world.anchored():
        yield world


def figures(preview: Any) -> dict[str, Any]:
    """A preview without the order's own fields."""
    return {name: value for name, value in vars(preview).items() if name != "order"}


def check_execution(protocol: Protocol, views: OrderLens, order: Order) -> Any:
    """Executes a pending order and compares everything with its preview at the same moment."""
    preview = views.preview(order)
    before = protocol.account(protocol.keeper).cash
    receipt = protocol.book.attempt(protocol.keeper, "execute", order)
    assert protocol.account(protocol.keeper).cash - before == preview.keeper_fee * (
        preview.waits_for == 0
    )
    if preview.waits_for == EXPIRED or (preview.waits_for == 0 and preview.reason != 0):
        if receipt.refusal is None:
            assert receipt.event("OrderCancelled").reason == preview.text
        else:
            assert receipt.refusal == preview.text
    elif preview.waits_for:
        assert receipt.refusal == preview.text
    else:
        assert receipt.event("OrderExecuted").keeper_fee == preview.keeper_fee
        check_fill(protocol, preview, receipt)
    if preview.waits_for == 0:
        check_account(protocol, preview.account, order.account)
        position = preview.position
        if position.size:
            check_position(protocol, position, order.account, order.market, position.slot)
        stored = protocol.position(order.account, order.market, position.slot)
        assert (position.size, position.generation) == (stored.size, stored.generation)
        assert position == views.lens.position(order.account, order.market, position.slot)
    return preview


def check_fill(protocol: Protocol, preview: Any, receipt: Any) -> None:
    down, up = receipt.named("PositionDecreased"), receipt.named("PositionIncreased")
    parts = [*down, *up]
    assert preview.reduced == sum(part.size for part in down)
    assert preview.increased == sum(part.size for part in up)
    assert preview.impact == sum(part.impact for part in parts)
    assert preview.fee == sum(part.fee for part in parts)
    assert preview.realised == sum(part.realised for part in down)
    assert preview.deficit == sum(part.deficit for part in down)
    assert preview.position.slot == parts[-1].slot
    assert preview.mark_price == parts[0].price
    size = preview.reduced + preview.increased
    if preview.order.is_buy:
        assert preview.fill_price == -(-(size * preview.mark_price + preview.impact) // size)
    else:
        assert preview.fill_price == (size * preview.mark_price - preview.impact) // size


# One behaviour each


def test_preview_of_an_opening_equals_its_execution(protocol: Protocol, views: OrderLens) -> None:
    for mode in (CROSS, ISOLATED):
        order = protocol.place(protocol.trader, 0, BIT, margin_mode=mode)
        protocol.wait(0)
        preview = check_execution(protocol, views, order)
        assert (preview.reason, preview.increased, preview.reduced) == (0, BIT, 0)
        assert (preview.margin > 0) == (mode == ISOLATED)


def test_preview_of_a_flip_shows_both_parts(protocol: Protocol, views: OrderLens) -> None:
    protocol.trade(protocol.trader, 0, BIT, margin_mode=ISOLATED)
    order = protocol.place(protocol.trader, 0, 3 * BIT // 2, margin_mode=ISOLATED, is_buy=False)
    protocol.wait(0, 51_000)
    preview = check_execution(protocol, views, order)
    assert (preview.reduced, preview.increased) == (BIT, BIT // 2)
    assert preview.position.slot == words.ISOLATED_SHORT
    assert preview.realised > 0
    assert preview.margin < 0


def test_refusal_names_its_reason_and_still_shows_the_fill(
    protocol: Protocol, views: OrderLens
) -> None:
    order = protocol.place(protocol.trader, 0, 60 * BIT, leverage=2 * PPM)
    protocol.wait(0)
    preview = check_execution(protocol, views, order)
    assert preview.text == "margin: below initial"
    assert (preview.increased, preview.position.size) == (60 * BIT, 0)


def test_unplaced_order_is_resolved_as_placing_would(protocol: Protocol, views: OrderLens) -> None:
    protocol.clearinghouse.send(protocol.trader, "set_default_margin_mode", 0, True)
    protocol.clearinghouse.send(protocol.trader, "set_leverage", 0, 7 * PPM, True, True)
    order = protocol.order(protocol.trader, 0, BIT, margin_mode=0, placer=NOBODY)
    resolved = views.preview(order).order
    placed = protocol.commit(order._replace(placer=protocol.trader))
    assert vars(resolved) == placed._asdict()
    assert resolved.leverage == 7 * PPM


def test_what_waits_says_for_what(protocol: Protocol, views: OrderLens) -> None:
    protocol.push_price(0, 50_000)
    early = protocol.place(protocol.trader, 0, BIT)
    assert views.preview(early).text == "price: too early"
    stop = protocol.order(
        protocol.trader, 0, BIT, kind=STOP, trigger_price=protocol.femto(0, 51_000)
    )
    assert views.preview(stop).text == "price: not triggered"
    limit = protocol.order(
        protocol.trader, 0, BIT, kind=LIMIT, acceptable_price=protocol.femto(0, 49_000)
    )
    assert views.preview(limit).text == "price: not acceptable"
    advance(61)
    assert views.preview(protocol.order(protocol.trader, 0, BIT)).text == "price: stale"
    advance(100)
    assert views.preview(early).text == "order: expired"


def test_state_of_an_order_is_unpacked(protocol: Protocol, views: OrderLens) -> None:
    order = protocol.place(protocol.trader, 0, BIT)
    state = protocol.order_state(order)
    assert views.contract.read("order", protocol.hash_of(order)) == (
        1,
        state.executable_from,
        USD // 5,
        True,
    )
    assert views.contract.read("order", b"\1" * 32) == (0, 0, 0, False)


def test_refusals_to_place_are_the_book_s(protocol: Protocol, views: OrderLens) -> None:
    trader, poor = protocol.trader, protocol.actor("poor")
    good = protocol.order(trader, 0, BIT)
    done = protocol.place(trader, 0, BIT)
    protocol.fill(done)
    for order, reason in (
        (good._replace(market=2), "market: unknown"),
        (good._replace(market=2**256 - 1), "market: unknown"),
        (good._replace(kind=9), "order: unknown kind"),
        (good._replace(size=0), "size: zero"),
        (good._replace(size=2**256 - 1), "size: too large"),
        (good._replace(margin=USD), "margin: not for cross"),
        (good._replace(position_side=LONG), "order: wrong position mode"),
        (good._replace(placer=protocol.attacker), "operator: not allowed"),
        (good._replace(account=poor, placer=poor), "balance: below keeper fee"),
        (good._replace(trigger_price=1), "order: bad trigger price"),
        (done, "order: not pending"),
    ):
        with refused(reason):
            views.preview(order)
    protocol.commit(good)
    with refused("order: already placed"):
        views.preview(good)


def test_operator_s_order_is_previewed(protocol: Protocol, views: OrderLens) -> None:
    protocol.clearinghouse.send(protocol.trader, "set_operator", protocol.attacker, 2**40)
    order = protocol.order(protocol.trader, 0, BIT, placer=protocol.attacker)
    assert views.preview(order).reason == 0
    placed = protocol.commit(order)
    protocol.clearinghouse.send(protocol.trader, "set_operator", protocol.attacker, 0)
    protocol.wait(0)
    assert check_execution(protocol, views, placed).text == "operator: not allowed"


def test_running_the_simulator_leaves_nothing(protocol: Protocol, views: OrderLens) -> None:
    terms = (protocol.trader, protocol.trader, 0, False, 0, True, False, BIT, 0, 0, 0)
    price = protocol.oracle.read("price_word", 0)
    trade: tuple[Any, ...] = (*terms, bytes(32), NOBODY, 0, False, price)
    receipt = views.simulator.send(protocol.attacker, "simulate", trade, True)
    assert receipt.result[0] == 0
    assert receipt.logs == []
    assert not any(views.simulator.storage(slot) for slot in range(40))
    with refused("market: unknown"):
        views.simulator.send(protocol.attacker, "simulate", (*trade[:2], 2, *trade[3:]), True)


# Any order


def draw_order(protocol: Protocol, random: Random, account: str) -> Order:
    market = random.choice((0, 0, 0, 1))
    price = protocol.price(market).price
    size = random.choice(
        (random.randint(1, 200_000) * 10**15 // price + 1, random.choice(LANDMARKS))
    )
    is_buy = random.random() < 0.5
    is_isolated = random.random() < 0.5
    reduce_only = random.random() < 0.15
    is_hedge = protocol.account(account).flags & words.FLAG_HEDGE
    worse = price * random.choice((995, 1_000, 1_010)) // 1_000
    return protocol.order(
        account,
        market,
        0 if reduce_only and random.random() < 0.4 else size,
        is_buy=is_buy,
        reduce_only=reduce_only,
        margin_mode=ISOLATED if is_isolated else CROSS,
        position_side=random.choice((LONG, SHORT)) if is_hedge else ONE_WAY,
        margin=random.choice((0, 0, 500 * USD)) if is_isolated and not reduce_only else 0,
        leverage=random.choice((0, 2 * PPM, 20 * PPM, 100 * PPM)),
        acceptable_price=random.choice((0, 0, 0, worse)),
    )


def arrive(protocol: Protocol, dollars: list[Decimal], fresh: tuple[int, ...]) -> None:
    """The delay passes and prices come in."""
    advance(3)
    for market in fresh:
        protocol.publish(market, dollars[market])


@pytest.mark.parametrize("seed", range(4))
def test_preview_of_any_order_equals_its_execution(
    protocol: Protocol, views: OrderLens, seed: int
) -> None:
    random = Random(f"preview {seed}")
    ends: dict[str, int] = {}
    accounts = [protocol.trader, protocol.attacker, protocol.actor("hedger")]
    for _ in range(30):
        account = random.choice(accounts)
        if protocol.cash(account) < USD:
            protocol.deposit(account, 20_000 * USD)
        order = draw_order(protocol, random, account)
        dollars = [protocol.dollars(market) for market in range(2)]
        dollars[order.market] = dollars[order.market] * random.randint(9_600, 10_400) / 10_000
        fresh = (0, 1) if random.random() < 0.9 else (order.market,)
        with protocol.anchored():
            arrive(protocol, dollars, fresh)
            unplaced: Any = None
            with suppress(Refused):
                unplaced = views.preview(order)
        placed = protocol.commit(order)
        arrive(protocol, dollars, fresh)
        preview = check_execution(protocol, views, placed)
        assert unplaced is not None
        assert figures(unplaced) == figures(preview)
        ends[preview.text] = ends.get(preview.text, 0) + 1
        if preview.reduced and preview.increased:
            ends["flip"] = ends.get("flip", 0) + 1
        protocol.check_invariants()
    assert ends[""] >= 8, ends
    assert len(ends) >= 4, ends
