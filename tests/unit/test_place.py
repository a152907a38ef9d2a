"""Committing an order: what is resolved, what is escrowed, what is refused."""

from typing import Any

import pytest

from bulkhead.protocol import words
from tests.helpers.chain import account_named, advance, now, refused
from tests.helpers.protocol import (
    CROSS,
    ISOLATED,
    LIMIT,
    LONG,
    MARKET,
    PENDING,
    PPM,
    STOP,
    TAKE_PROFIT,
    TRAILING_STOP,
    USD,
    Order,
    Protocol,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
KEEPER_FEE = USD // 5
ACCOUNT = account_named("builder")


@pytest.fixture
def funded(protocol: Protocol, trader: str) -> Protocol:
    protocol.deposit(trader, 5_000 * USD)
    return protocol


def test_a_placed_order_is_one_word_under_its_hash(funded: Protocol, trader: str) -> None:
    order = funded.order(trader, 0, LOTS, kind=LIMIT, acceptable_price=5 * 10**11)
    receipt = funded.book.send(trader, "place", order)
    event = receipt.event("OrderPlaced")
    placed = Order(*event.order)

    assert placed == order
    assert receipt.result == event.order_hash == funded.hash_of(placed)
    assert event.account == trader
    state = words.OrderState(now() + 2, PENDING, KEEPER_FEE, True)
    assert words.unpack_order_state(event.order_word) == funded.order_state(placed) == state


def test_the_keepers_fee_moves_from_cash_to_escrow(funded: Protocol, trader: str) -> None:
    funded.place(trader, 0, LOTS)
    funded.place(trader, 0, LOTS)
    state = funded.account(trader)
    assert (state.cash, state.escrow) == (5_000 * USD - 2 * KEEPER_FEE, 2 * KEEPER_FEE)


def test_an_order_that_only_reduces_escrows_nothing(protocol: Protocol, trader: str) -> None:
    order = protocol.place(trader, 0, LOTS, reduce_only=True)
    assert protocol.order_state(order) == words.OrderState(now() + 2, PENDING, KEEPER_FEE, False)
    assert protocol.account(trader).escrow == 0


def test_a_market_order_expires_after_its_window(funded: Protocol, trader: str) -> None:
    assert funded.place(trader, 0, LOTS).expiry == now() + 2 + 60


def test_a_resting_order_keeps_its_own_expiry(funded: Protocol, trader: str) -> None:
    limit: dict[str, Any] = {"kind": LIMIT, "acceptable_price": 1}
    assert funded.place(trader, 0, LOTS, **limit).expiry == 0
    assert funded.place(trader, 0, LOTS, expiry=now() + 1, **limit).expiry == now() + 1


def test_the_placer_is_whoever_commits(funded: Protocol, trader: str, keeper: str) -> None:
    funded.set_operator(trader, keeper)
    order = funded.order(trader, 0, LOTS, placer=trader)
    placed = Order(*funded.book.send(keeper, "place", order).event("OrderPlaced").order)
    assert placed.placer == keeper


def test_the_same_order_twice_is_refused(funded: Protocol, trader: str) -> None:
    order = funded.order(trader, 0, LOTS)
    funded.commit(order)
    with refused("order: already placed"):
        funded.commit(order)
    assert funded.account(trader).escrow == KEEPER_FEE


def test_a_hash_once_used_stays_used(funded: Protocol, trader: str) -> None:
    order = funded.order(trader, 0, LOTS, kind=LIMIT, acceptable_price=1)
    funded.cancel(funded.commit(order))
    with refused("order: already placed"):
        funded.commit(order)
    order = funded.order(trader, 0, LOTS, kind=LIMIT, acceptable_price=2**63)
    funded.fill(funded.commit(order))
    with refused("order: already placed"):
        funded.commit(order)


def test_an_account_without_the_keepers_fee_cannot_place(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, KEEPER_FEE - 1)
    with refused("balance: below keeper fee"):
        protocol.place(trader, 0, LOTS)
    protocol.deposit(trader, 1)
    protocol.place(trader, 0, LOTS)


def test_each_position_mode_has_its_own_orders(funded: Protocol, trader: str) -> None:
    with refused("order: wrong position mode"):
        funded.place(trader, 0, LOTS, position_side=LONG)
    funded.clearinghouse.send(trader, "set_hedge_mode", True)
    with refused("order: wrong position mode"):
        funded.place(trader, 0, LOTS)
    funded.place(trader, 0, LOTS, position_side=LONG)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"market": 3}, "market: unknown"),
        ({"market": 2**256 - 1}, "market: unknown"),
        ({"kind": 5}, "order: unknown kind"),
        ({"kind": 2**256 - 1}, "order: unknown kind"),
        ({"margin_mode": 3}, "order: unknown margin mode"),
        ({"position_side": 3}, "order: unknown side"),
        ({"position_side": 2**256 - 1}, "order: unknown side"),
        ({"size": 0}, "size: zero"),
        ({"size": 2**56}, "size: too large"),
        ({"size": 2**256 - 1}, "size: too large"),
        ({"kind": STOP}, "order: bad trigger price"),
        ({"kind": TAKE_PROFIT}, "order: bad trigger price"),
        ({"kind": MARKET, "trigger_price": 1}, "order: bad trigger price"),
        ({"kind": LIMIT, "trigger_price": 1}, "order: bad trigger price"),
        ({"kind": STOP, "trigger_price": 2**64}, "price: too large"),
        ({"acceptable_price": 2**256 - 1}, "price: too large"),
        ({"kind": TRAILING_STOP}, "order: bad callback rate"),
        ({"kind": TRAILING_STOP, "callback_rate": 500_001}, "order: bad callback rate"),
        ({"kind": STOP, "trigger_price": 1, "callback_rate": 1}, "order: bad callback rate"),
        ({"kind": MARKET, "callback_rate": 1}, "order: bad callback rate"),
        ({"kind": TRAILING_STOP, "callback_rate": 1, "trigger_price": 2**64}, "price: too large"),
        ({"group": b"\1" * 32}, "order: bad group"),
        ({"builder": ACCOUNT}, "builder: bad fee"),
        ({"builder_fee": 1}, "builder: bad fee"),
        ({"builder": ACCOUNT, "builder_fee": 1}, "builder: fee not approved"),
        ({"kind": LIMIT}, "order: no limit price"),
        ({"kind": MARKET, "expiry": 2**40}, "order: bad expiry"),
        ({"kind": LIMIT, "acceptable_price": 1, "expiry": 1}, "order: expired"),
        ({"margin_mode": ISOLATED, "margin": 2**56}, "margin: too large"),
        ({"margin_mode": CROSS, "margin": 1}, "margin: not for cross"),
        (
            {"margin_mode": ISOLATED, "margin": 1, "reduce_only": True},
            "margin: not for reduce-only",
        ),
        ({"leverage": PPM - 1}, "leverage: out of range"),
        ({"leverage": 2**28}, "leverage: out of range"),
        ({"leverage": 2**256 - 1}, "leverage: out of range"),
    ],
)
def test_what_no_price_could_fill_is_refused(
    funded: Protocol, trader: str, fields: dict[str, Any], reason: str
) -> None:
    before = funded.state()
    order = funded.order(trader, 0, LOTS)._replace(**fields)
    with refused(reason):
        funded.book.send(trader, "place", order)
    assert funded.state() == before


def test_an_order_that_expires_now_is_refused(funded: Protocol, trader: str) -> None:
    with refused("order: expired"):
        funded.place(trader, 0, LOTS, kind=LIMIT, acceptable_price=1, expiry=now())


def test_orders_go_on_where_opening_has_stopped(funded: Protocol, trader: str) -> None:
    funded.clearinghouse.send(funded.guardian, "stop_opening", True)
    funded.place(trader, 0, LOTS)


def test_only_the_order_book_moves_escrow(protocol: Protocol, trader: str) -> None:
    with refused("caller: not allowed"):
        protocol.clearinghouse.send(trader, "escrow_order", trader, 0, 1, False)
    with refused("caller: not allowed"):
        protocol.clearinghouse.send(trader, "release_escrow", trader, trader, 1)


# The market's longest rest


def aged(protocol: Protocol) -> None:
    protocol.book.send(protocol.owner, "set_order_terms", 0, KEEPER_FEE, 2, 60, 3_600)


def test_a_resting_order_expires_at_the_markets_maximum_age(funded: Protocol, trader: str) -> None:
    aged(funded)
    limit: dict[str, Any] = {"kind": LIMIT, "acceptable_price": 1}
    assert funded.place(trader, 0, LOTS, **limit).expiry == now() + 3_600
    assert funded.place(trader, 0, LOTS, expiry=now() + 3_599, **limit).expiry == now() + 3_599
    assert funded.place(trader, 0, LOTS, expiry=now() + 3_600, **limit).expiry == now() + 3_600
    with refused("order: expires too late"):
        funded.place(trader, 0, LOTS, expiry=now() + 3_601, **limit)


def test_a_market_order_has_its_window_whatever_the_maximum_age(
    funded: Protocol, trader: str
) -> None:
    aged(funded)
    assert funded.place(trader, 0, LOTS).expiry == now() + 2 + 60


def test_an_order_of_the_maximum_age_is_cleared_for_its_fee(
    funded: Protocol, trader: str, keeper: str
) -> None:
    aged(funded)
    order = funded.place(trader, 0, LOTS, kind=LIMIT, acceptable_price=1)
    advance(3_601)
    event = funded.execute(order, keeper=keeper).event("OrderCancelled")
    assert (event.reason, event.receiver) == ("order: expired", keeper)
    assert funded.cash(keeper) == KEEPER_FEE
    funded.check_invariants()


# set_order_terms


def test_order_terms_are_the_owners(protocol: Protocol, owner: str, attacker: str) -> None:
    event = protocol.book.send(owner, "set_order_terms", 0, 7, 3, 50, 86_400).event("OrderTermsSet")
    assert (event.market, event.keeper_fee, event.delay, event.window) == (0, 7, 3, 50)
    assert event.max_age == 86_400
    word = protocol.book.read("order_terms_word", 0)
    assert words.unpack_order_terms(word) == words.OrderTerms(7, 3, 50, 86_400)
    with refused("caller: not the owner"):
        protocol.book.send(attacker, "set_order_terms", 0, 7, 3, 50, 86_400)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((1_024, 0, 1, 1, 0), "market: unknown"),
        ((2**256 - 1, 0, 1, 1, 0), "market: unknown"),
        ((0, 100 * USD + 1, 1, 1, 0), "keeper: fee too high"),
        ((0, 2**256 - 1, 1, 1, 0), "keeper: fee too high"),
        ((0, 0, 0, 1, 0), "order: bad delay"),
        ((0, 0, 2**16, 1, 0), "order: bad delay"),
        ((0, 0, 2**256 - 1, 1, 0), "order: bad delay"),
        ((0, 0, 1, 0, 0), "order: bad window"),
        ((0, 0, 1, 2**16, 0), "order: bad window"),
    ],
)
def test_order_terms_out_of_range_are_refused(
    protocol: Protocol, owner: str, arguments: tuple[int, ...], reason: str
) -> None:
    with refused(reason):
        protocol.book.send(owner, "set_order_terms", *arguments)
