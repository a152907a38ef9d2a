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
    NOBODY,
    ONE_WAY,
    PPM,
    SHORT,
    STOP,
    TAKE_PROFIT,
    TRAILING_STOP,
    USD,
    Order,
    Protocol,
    Terms,
)
from tests.unit.test_lens import Lens, check_account, check_position, named

BIT = 10**8
EXPIRED = 26
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
    shown = (1, state.executable_from, USD // 5, True, 0, False, False, False, 0, 0, 0)
    assert views.contract.read("order", protocol.hash_of(order)) == shown
    unknown = (0, 0, 0, False, 0, False, False, False, 0, 0, 0)
    assert views.contract.read("order", b"\1" * 32) == unknown


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
    protocol.set_operator(protocol.trader, protocol.attacker)
    order = protocol.order(protocol.trader, 0, BIT, placer=protocol.attacker)
    assert views.preview(order).reason == 0
    placed = protocol.commit(order)
    protocol.set_operator(protocol.trader, protocol.attacker, permissions=0)
    protocol.wait(0)
    assert check_execution(protocol, views, placed).text == "operator: not allowed"


def test_a_bracket_is_previewed_as_it_lives(protocol: Protocol, views: OrderLens) -> None:
    entry = protocol.order(protocol.trader, 0, BIT)
    stop = protocol.exit_of(entry, trigger_price=protocol.femto(0, 48_000))
    profit = protocol.exit_of(entry, kind=TAKE_PROFIT, trigger_price=protocol.femto(0, 55_000))
    entry, stop, profit = protocol.bracket(entry, stop, profit)
    assert views.preview(stop).text == "order: entry not filled"
    protocol.fill(entry)
    assert views.preview(stop).text == "price: too early"
    protocol.wait(0, 48_000)
    preview = check_execution(protocol, views, stop)
    assert (preview.reduced, preview.position.size) == (BIT, 0)
    assert views.preview(profit).text == "order: group is done"


def test_a_bound_stop_is_previewed_for_its_position(protocol: Protocol, views: OrderLens) -> None:
    exit_fields: dict[str, Any] = {
        "kind": STOP,
        "is_buy": False,
        "reduce_only": True,
        "trigger_price": protocol.femto(0, 60_000),
    }
    protocol.trade(protocol.trader, 0, BIT)
    unplaced = protocol.order(protocol.trader, 0, 0, **exit_fields)
    stop = protocol.place(protocol.trader, 0, 0, **exit_fields)
    protocol.trade(protocol.trader, 0, 0, is_buy=False, reduce_only=True)
    protocol.trade(protocol.trader, 0, BIT)
    protocol.wait(0)
    assert views.preview(unplaced).text == ""
    assert check_execution(protocol, views, stop).text == "position: ended"


def test_what_its_owner_has_ended_is_previewed_so(protocol: Protocol, views: OrderLens) -> None:
    order = protocol.place(
        protocol.trader, 0, BIT, kind=LIMIT, acceptable_price=protocol.femto(0, 51_000)
    )
    protocol.cancel_all(protocol.trader)
    protocol.wait(0)
    assert views.preview(order).text == "order: cancelled by owner"


def test_a_builder_s_fee_is_previewed(protocol: Protocol, views: OrderLens) -> None:
    order = protocol.order(protocol.trader, 0, BIT, builder=protocol.attacker, builder_fee=1_000)
    with refused("builder: fee not approved"):
        views.preview(order)
    protocol.book.send(protocol.trader, "approve_builder", protocol.attacker, 1_000)
    expected = BIT * protocol.price(0).price // 10**12
    assert views.preview(order).builder_fee == expected
    placed = protocol.commit(order)
    protocol.wait(0)
    preview = views.preview(placed)
    assert protocol.execute(placed).event("BuilderPaid").builder_fee == preview.builder_fee


def test_refusals_to_group_and_to_spend_are_the_book_s(
    protocol: Protocol, views: OrderLens
) -> None:
    group: dict[str, Any] = {"kind": LIMIT, "acceptable_price": 2**63, "group": b"\1" * 32}
    protocol.fill(protocol.place(protocol.trader, 0, BIT, **group))
    protocol.set_operator(protocol.trader, protocol.attacker, notional=USD)
    order = protocol.order(protocol.trader, 0, BIT)
    for changed, reason in (
        (order._replace(**group), "order: group is done"),
        (order._replace(placer=protocol.attacker), "operator: notional spent"),
        (order._replace(placer=protocol.attacker, size=1), "operator: order too small"),
    ):
        with refused(reason):
            views.preview(changed)


@pytest.mark.parametrize("is_long", [True, False])
def test_a_stop_is_shown_beside_the_liquidation_price(
    protocol: Protocol, views: OrderLens, is_long: bool
) -> None:
    slot = words.ISOLATED_LONG if is_long else words.ISOLATED_SHORT
    protocol.trade(protocol.trader, 0, BIT, margin_mode=ISOLATED, is_buy=is_long)
    position = views.lens.position(protocol.trader, 0, slot)
    name = "lower_liquidation_price" if is_long else "upper_liquidation_price"
    liquidation = getattr(position, name)
    assert liquidation
    outside = -1 if is_long else 1
    for kind, beyond in ((STOP, True), (TAKE_PROFIT, False)):
        for trigger, expected in (
            (liquidation, beyond),
            (liquidation + outside, beyond),
            (liquidation - outside, False),
        ):
            order = protocol.order(
                *(protocol.trader, 0, 0),
                kind=kind,
                margin_mode=ISOLATED,
                is_buy=not is_long,
                reduce_only=True,
                trigger_price=trigger,
            )
            shown = views.contract.read("exit", order)
            assert shown == (slot, trigger, liquidation, expected)


def test_a_trailing_stop_shows_where_it_is(protocol: Protocol, views: OrderLens) -> None:
    order = protocol.place(
        *(protocol.trader, 0, 0),
        kind=TRAILING_STOP,
        callback_rate=100_000,
        is_buy=False,
        reduce_only=True,
    )
    assert views.contract.read("exit", order)[1] == 0
    protocol.wait(0)
    protocol.ratchet(order)
    assert views.contract.read("exit", order)[1] == protocol.femto(0, 45_000)


def test_running_the_simulator_leaves_nothing(protocol: Protocol, views: OrderLens) -> None:
    order = protocol.place(protocol.trader, 0, BIT)
    _, trade = protocol.book.read("trade_of", order, NOBODY)
    receipt = views.simulator.send(protocol.attacker, "simulate", trade, True)
    assert receipt.result[0] == 0
    assert receipt.logs == []
    assert not any(views.simulator.storage(slot) for slot in range(40))
    with refused("market: unknown"):
        views.simulator.send(protocol.attacker, "simulate", (trade[0], 2, *trade[2:]), True)


def test_the_book_tells_the_trade_of_a_pending_order_alone(protocol: Protocol) -> None:
    order = protocol.place(protocol.trader, 0, BIT, kind=LIMIT, acceptable_price=1)
    protocol.cancel(order)
    for unknown in (order, order._replace(salt=order.salt + 1)):
        with refused("order: not pending"):
            protocol.book.read("trade_of", unknown, NOBODY)


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
