"""Trailing stops: they follow the price at a distance, as far as somebody shows it to them."""

from decimal import Decimal
from typing import Any

import pytest

from bulkhead.protocol import words
from bulkhead.protocol.words import CROSS_LONG
from tests.helpers.chain import advance, refused
from tests.helpers.protocol import (
    BTC,
    EXECUTED,
    LIMIT,
    PENDING,
    TRAILING_STOP,
    USD,
    Order,
    Protocol,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
RATE = 50_000  # 5 %


@pytest.fixture
def funded(protocol: Protocol, trader: str) -> Protocol:
    protocol.deposit(trader, 10_000 * USD)
    return protocol


def dollars(price: int) -> Decimal:
    """Femto per lot as USD per BTC."""
    return Decimal(price * BTC.lots) / 10**15


def trailing(protocol: Protocol, **fields: Any) -> Order:
    """Closes the trader's long once the price has come back."""
    known = {
        "kind": TRAILING_STOP,
        "callback_rate": RATE,
        "is_buy": False,
        "reduce_only": True,
    }
    return protocol.place(protocol.trader, 0, 0, **known | fields)


def following(protocol: Protocol, **fields: Any) -> Order:
    protocol.trade(protocol.trader, 0, LOTS)
    order = trailing(protocol, **fields)
    protocol.wait(0)
    return order


def show(protocol: Protocol, order: Order, quoted: int) -> int:
    """Publishes a price, shows it, and says what the best one is now, USD."""
    protocol.push_price(0, quoted)
    protocol.ratchet(order)
    return int(dollars(protocol.order_state(order).extreme))


def test_it_follows_the_best_price(funded: Protocol) -> None:
    order = following(funded)
    assert [show(funded, order, d) for d in (50_000, 52_000, 51_000, 53_000)] == [
        *(50_000, 52_000, 52_000, 53_000)
    ]


def test_a_ratchet_logs_the_word_it_left(funded: Protocol) -> None:
    order = following(funded)
    receipt = funded.ratchet(order)
    assert receipt.result == 1
    event = receipt.event("OrderRatcheted")
    assert event.order_hash == funded.hash_of(order)
    assert words.unpack_order_state(event.order_word) == funded.order_state(order)
    receipt = funded.ratchet(order)
    assert (receipt.result, receipt.events) == (0, [])


def test_it_closes_once_the_price_has_come_back(funded: Protocol, trader: str) -> None:
    order = following(funded)
    show(funded, order, 60_000)
    funded.push_price(0, "57000.001")
    with refused("price: not triggered"):
        funded.execute(order)
    funded.push_price(0, 57_000)
    assert funded.execute(order).result == EXECUTED
    assert funded.position(trader, 0, CROSS_LONG).size == 0
    funded.check_invariants()


@pytest.mark.parametrize(
    ("is_buy", "extreme", "rate", "first"),
    [
        # 333,333,333,333 less a third, and more by it: not a whole price
        (False, 333_333_333_333, 333_333, 222_222_333_333),
        (True, 333_333_333_333, 333_333, 444_444_333_333),
        (False, 500_000_000_001, 1, 499_999_500_000),
        (True, 500_000_000_001, 1, 500_000_500_002),
    ],
)
def test_it_triggers_not_a_unit_early(
    funded: Protocol, trader: str, is_buy: bool, extreme: int, rate: int, first: int
) -> None:
    sign = 1 if is_buy else -1
    assert sign * first * 10**6 >= sign * extreme * (10**6 + sign * rate)
    assert sign * (first - sign) * 10**6 < sign * extreme * (10**6 + sign * rate)
    order = funded.place(*(trader, 0, LOTS), kind=TRAILING_STOP, callback_rate=rate, is_buy=is_buy)
    funded.wait(0, dollars(extreme))
    funded.ratchet(order)
    assert funded.order_state(order).extreme == extreme
    funded.push_price(0, dollars(first - sign))
    with refused("price: not triggered"):
        funded.execute(order)
    funded.push_price(0, dollars(first))
    funded.execute(order)


def test_one_that_has_seen_no_price_waits(funded: Protocol) -> None:
    order = following(funded)
    for quoted in (50_000, 10_000):
        funded.push_price(0, quoted)
        with refused("price: not triggered"):
            funded.execute(order)


def test_it_begins_at_its_activation_price(funded: Protocol) -> None:
    order = following(funded, trigger_price=funded.femto(0, 55_000))
    assert [show(funded, order, d) for d in (54_999, 40_000, 55_000, 54_000)] == [
        *(0, 0, 55_000, 55_000)
    ]


def test_a_buy_mirrors_a_sale(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS, is_buy=False)
    order = trailing(funded, is_buy=True, trigger_price=funded.femto(0, 49_000))
    funded.wait(0)
    assert [show(funded, order, d) for d in (49_001, 49_000, 48_000, 48_500)] == [
        *(0, 49_000, 48_000, 48_000)
    ]
    funded.push_price(0, "50399.99")
    with refused("price: not triggered"):
        funded.execute(order)
    funded.push_price(0, 50_400)
    assert funded.execute(order).result == EXECUTED


def test_prices_from_before_its_commit_do_not_count(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS)
    funded.push_price(0, 60_000)
    order = trailing(funded)
    assert funded.ratchet(order).result == 0
    advance(2)
    assert funded.ratchet(order).result == 0, "the price is older than the delay's end"


def test_stale_prices_do_not_count(funded: Protocol) -> None:
    order = following(funded)
    advance(61)
    assert funded.ratchet(order).result == 0


def test_a_bracket_child_follows_from_its_entrys_price_on(funded: Protocol, trader: str) -> None:
    entry = funded.order(trader, 0, LOTS)
    child = funded.exit_of(entry, kind=TRAILING_STOP, trigger_price=0, callback_rate=RATE)
    entry, child = funded.bracket(entry, child)
    funded.wait(0, 60_000)
    assert funded.ratchet(child).result == 0, "its entry waits"
    funded.push_price(0, 50_000)
    funded.execute(entry)
    assert funded.ratchet(child).result == 0, "the entry's own price"
    assert show(funded, child, 51_000) == 51_000
    funded.push_price(0, 48_450)
    assert funded.execute(child).event("PositionDecreased").size == LOTS


def test_what_does_not_follow_is_left_as_it_was(funded: Protocol, trader: str) -> None:
    limit = funded.place(trader, 0, LOTS, kind=LIMIT, acceptable_price=1)
    order = following(funded)
    ended = trailing(funded)
    funded.cancel(ended)
    unknown = order._replace(salt=10**9)
    receipt = funded.ratchet(limit, ended, unknown, order, order)
    assert receipt.result == 1
    assert funded.status(limit) == PENDING
    assert funded.order_state(ended).extreme == 0


def test_it_may_open_a_position_too(funded: Protocol, trader: str) -> None:
    order = funded.place(trader, 0, LOTS, kind=TRAILING_STOP, callback_rate=RATE)
    funded.wait(0)
    show(funded, order, 40_000)
    funded.push_price(0, 42_000)
    assert funded.execute(order).event("PositionIncreased").size == LOTS


def test_it_ends_with_its_position(funded: Protocol, trader: str) -> None:
    order = following(funded)
    show(funded, order, 60_000)
    funded.trade(trader, 0, 0, is_buy=False, reduce_only=True)
    funded.trade(trader, 0, LOTS)
    funded.push_price(0, 50_000)
    assert funded.execute(order).event("OrderCancelled").reason == "position: ended"


def test_a_replacement_looks_anew(funded: Protocol) -> None:
    order = following(funded)
    show(funded, order, 60_000)
    new = funded.replace(order, order._replace(salt=10**9, callback_rate=10_000))
    assert funded.order_state(new).extreme == 0
