"""Operators: what another key may do for an account, and what it never may."""

from typing import Any

import boa
import pytest

from bulkhead.protocol import words
from bulkhead.protocol.words import CROSS_LONG
from tests.helpers.chain import advance, now, refused
from tests.helpers.protocol import (
    EXECUTED,
    ISOLATED,
    LIMIT,
    NOBODY,
    STOP,
    USD,
    Order,
    Protocol,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
KEEPER_FEE = USD // 5
OPEN, REDUCE, CANCEL, EVERYWHERE = 1, 2, 4, 8


@pytest.fixture
def operator(protocol: Protocol) -> str:
    return protocol.actor("operator")


@pytest.fixture
def funded(protocol: Protocol, trader: str) -> Protocol:
    protocol.deposit(trader, 10_000 * USD)
    return protocol


def place(
    protocol: Protocol, operator: str, size: int = LOTS, market: int = 0, **more: Any
) -> Order:
    return protocol.place(protocol.trader, market, size, placer=operator, **more)


def rights_of(protocol: Protocol, operator: str) -> words.Operator:
    return words.unpack_operator(protocol.book.read("operator_word", protocol.trader, operator))


def close(protocol: Protocol, operator: str, **more: Any) -> Order:
    return place(protocol, operator, 0, is_buy=False, reduce_only=True, **more)


def test_rights_are_one_word(funded: Protocol, trader: str, operator: str) -> None:
    event = funded.set_operator(
        trader, operator, permissions=5, markets=6, notional=7, expiry=8
    ).event("OperatorSet")
    assert (event.account, event.operator) == (trader, operator)
    expected = words.Operator(expiry=8, permissions=5, notional=7, markets=6)
    assert words.unpack_operator(event.operator_word) == rights_of(funded, operator) == expected


def test_the_right_to_open_opens(funded: Protocol, trader: str, operator: str) -> None:
    funded.set_operator(trader, operator, permissions=OPEN, markets=1)
    order = place(funded, operator)
    assert (order.account, order.placer) == (trader, operator)
    assert funded.fill(order).result == EXECUTED
    assert funded.position(trader, 0, CROSS_LONG).size == LOTS
    with refused("operator: not allowed"):
        close(funded, operator)
    waiting = place(funded, operator, kind=LIMIT, acceptable_price=1)
    with refused("operator: not allowed"):
        funded.cancel(waiting, sender=operator)


def test_the_right_to_reduce_only_reduces(funded: Protocol, trader: str, operator: str) -> None:
    funded.trade(trader, 0, LOTS)
    funded.set_operator(trader, operator, permissions=REDUCE, markets=1, notional=0)
    with refused("operator: not allowed"):
        place(funded, operator)
    assert funded.fill(close(funded, operator)).result == EXECUTED
    assert funded.position(trader, 0, CROSS_LONG).size == 0


def test_the_right_to_cancel_only_cancels(funded: Protocol, trader: str, operator: str) -> None:
    funded.set_operator(trader, operator, permissions=CANCEL, markets=1)
    for placing in (place, close):
        with refused("operator: not allowed"):
            placing(funded, operator)
    order = funded.place(trader, 0, LOTS, kind=LIMIT, acceptable_price=1)
    funded.cancel(order, sender=operator)
    assert funded.cash(trader) == 10_000 * USD


def test_rights_are_for_the_markets_named(funded: Protocol, trader: str, operator: str) -> None:
    funded.set_operator(trader, operator, permissions=7, markets=1 << 1)
    with refused("operator: not allowed"):
        place(funded, operator)
    place(funded, operator, 10**7, 1)
    funded.set_operator(trader, operator, permissions=7 | EVERYWHERE)
    place(funded, operator)
    place(funded, operator, 10**7, 1)


def test_rights_end_with_their_time(funded: Protocol, trader: str, operator: str) -> None:
    funded.set_operator(trader, operator, expiry=now() + 10)
    advance(10)
    place(funded, operator)
    advance(1)
    with refused("operator: not allowed"):
        place(funded, operator)


def test_revoking_works_at_once(funded: Protocol, trader: str, operator: str) -> None:
    funded.set_operator(trader, operator)
    waiting = place(funded, operator, kind=LIMIT, acceptable_price=funded.femto(0, 45_000))
    funded.set_operator(trader, operator, permissions=0)
    with refused("operator: not allowed"):
        place(funded, operator)
    with refused("operator: not allowed"):
        funded.cancel(waiting, sender=operator)
    funded.wait(0)
    with refused("price: not acceptable"):
        funded.execute(waiting)
    assert funded.fill(waiting, 44_000).event("OrderCancelled").reason == "operator: not allowed"
    funded.check_invariants()


def test_a_right_lost_is_judged_by_what_the_order_needs(
    funded: Protocol, trader: str, operator: str
) -> None:
    funded.trade(trader, 0, LOTS)
    funded.set_operator(trader, operator)
    order = close(funded, operator)
    funded.set_operator(trader, operator, permissions=REDUCE, markets=1)
    assert funded.fill(order).result == EXECUTED


# The notional


def test_orders_that_open_spend_notional(funded: Protocol, trader: str, operator: str) -> None:
    funded.set_operator(trader, operator, notional=12_000 * USD)
    receipt = funded.book.send(operator, "place", funded.order(trader, 0, LOTS, placer=operator))
    left = words.unpack_operator(receipt.event("OperatorSet").operator_word)
    assert left == rights_of(funded, operator)
    assert left.notional == 7_000 * USD
    place(funded, operator)
    with refused("operator: notional spent"):
        place(funded, operator)
    place(funded, operator, 4 * 10**6)
    assert rights_of(funded, operator).notional == 0


@pytest.mark.parametrize(
    ("fields", "notional"),
    [
        ({"kind": LIMIT, "acceptable_price": 40_000}, 5_000),
        ({"kind": LIMIT, "acceptable_price": 60_000}, 6_000),
        ({"kind": LIMIT, "acceptable_price": 60_000, "is_buy": False}, 6_000),
        ({"kind": STOP, "trigger_price": 70_000}, 7_000),
        ({"kind": STOP, "trigger_price": 40_000, "is_buy": False}, 5_000),
        ({"margin_mode": ISOLATED, "margin": 6_000 * USD}, 6_000),
    ],
)
def test_an_order_spends_the_most_it_may_open(
    funded: Protocol, trader: str, operator: str, fields: dict[str, Any], notional: int
) -> None:
    prices = ("acceptable_price", "trigger_price")
    known = {k: funded.femto(0, v) if k in prices else v for k, v in fields.items()}
    funded.set_operator(trader, operator, notional=notional * USD - 1)
    with refused("operator: notional spent"):
        place(funded, operator, **known)
    funded.set_operator(trader, operator, notional=notional * USD)
    place(funded, operator, **known)


def test_notional_is_rounded_up(funded: Protocol, trader: str, operator: str) -> None:
    funded.push_price(0, "50000.0000003")
    funded.set_operator(trader, operator, notional=5_000 * USD)
    with refused("operator: notional spent"):
        place(funded, operator)


def test_notional_is_not_given_back(funded: Protocol, trader: str, operator: str) -> None:
    funded.set_operator(trader, operator, notional=5_000 * USD)
    funded.cancel(place(funded, operator, kind=LIMIT, acceptable_price=1), sender=operator)
    assert rights_of(funded, operator).notional == 0


def test_reducing_spends_nothing(funded: Protocol, trader: str, operator: str) -> None:
    funded.trade(trader, 0, LOTS)
    funded.set_operator(trader, operator, notional=0)
    close(funded, operator)
    place(funded, operator, LOTS, is_buy=False, reduce_only=True)


def test_what_an_operator_places_is_worth_its_fees(
    funded: Protocol, trader: str, operator: str
) -> None:
    """Else it could be the keeper of dust, and carry the account off fee by fee."""
    funded.set_operator(trader, operator)
    least = 40_000  # lots: 20 USD, a hundred keeper's fees
    for more in ({}, {"is_buy": False, "reduce_only": True}):
        with refused("operator: order too small"):
            place(funded, operator, least - 1, **more)
        place(funded, operator, least, **more)
    funded.place(trader, 0, 1)


def test_an_operator_of_a_market_without_a_price_only_closes(
    funded: Protocol, trader: str, operator: str
) -> None:
    funded.set_operator(trader, operator)
    funded.book.send(funded.owner, "set_order_terms", 2, 0, 2, 60, 0)
    boa.env.set_storage(funded.oracle.address, funded.oracle.slots["_prices"] + 2, 0)
    with refused("operator: no price"):
        place(funded, operator, 10**5, 2)
    close(funded, operator, market=2)


# What an operator can never do


def test_an_operator_touches_no_money_and_no_rights(
    funded: Protocol, trader: str, operator: str, attacker: str
) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=ISOLATED)
    funded.set_operator(trader, operator)
    before = funded.state()
    house, book = funded.clearinghouse, funded.book
    with refused("balance: not withdrawable"):
        house.send(operator, "withdraw", USD, operator)
    for verb in ("remove_margin", "add_margin"):
        assert house.attempt(operator, verb, 0, True, USD).refusal is not None
    book.send(operator, "set_operator", attacker, 15, 0, 2**64 - 1, 2**40 - 1)
    assert not words.unpack_operator(book.read("operator_word", trader, attacker)).permissions
    book.send(operator, "approve_builder", operator, 1_000)
    assert book.read("max_builder_fee", trader, operator) == 0
    assert funded.state() == before


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((NOBODY, 1, 0, 0, 0), "operator: bad address"),
        (("self", 1, 0, 0, 0), "operator: bad address"),
        (("other", 16, 0, 0, 0), "operator: unknown permission"),
        (("other", 2**256 - 1, 0, 0, 0), "operator: unknown permission"),
        (("other", 1, 2**128, 0, 0), "word: out of range"),
        (("other", 1, 0, 2**64, 0), "word: out of range"),
        (("other", 1, 0, 0, 2**40), "word: out of range"),
    ],
)
def test_rights_out_of_range_are_refused(
    funded: Protocol, trader: str, operator: str, arguments: tuple[Any, ...], reason: str
) -> None:
    who = {"self": trader, "other": operator}.get(arguments[0], arguments[0])
    with refused(reason):
        funded.book.send(trader, "set_operator", who, *arguments[1:])


def test_an_operator_brackets_with_both_rights(
    funded: Protocol, trader: str, operator: str
) -> None:
    entry = funded.order(trader, 0, LOTS, placer=operator)
    stop = funded.exit_of(entry, trigger_price=funded.femto(0, 48_000))
    for permissions in (OPEN, REDUCE):
        funded.set_operator(trader, operator, permissions=permissions, markets=1)
        with refused("operator: not allowed"):
            funded.bracket(entry, stop)
    funded.set_operator(trader, operator, permissions=OPEN | REDUCE, markets=1)
    entry, stop = funded.bracket(entry, stop)
    assert stop.placer == operator
    assert funded.fill(entry).result == EXECUTED
    assert funded.fill(stop, 48_000).result == EXECUTED
    funded.check_invariants()
