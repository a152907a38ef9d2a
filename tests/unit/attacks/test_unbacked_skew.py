"""A matched pair can lose one side at any time: what is left must have had its backing before."""

import pytest

from tests.helpers.protocol import (
    BTC,
    FRICTIONLESS,
    PPM,
    USD,
    Market,
    Protocol,
    Terms,
)

LOTS = 2 * 10**6  # 0.02 BTC, 1,000 USD
POOL = 10_000 * USD
PRICE = 5 * 10**11


@pytest.fixture(scope="module")
def small() -> Protocol:
    """A pool that backs 6,667 USD of skew, and 8,333 of one side."""
    free = Terms(taker_fee=0, maker_fee=0, funding_velocity=0, max_funding_rate=0)
    return Protocol(BTC, Market("FREE-PERP", 50_000, 10**8, free), pool_cash=POOL, insurance=0)


def required(protocol: Protocol, market: int, size: int) -> int:
    terms = protocol.trade_terms(market)
    return size * protocol.price(market).price * terms.reserve_rate * terms.skew_cap


def backing(protocol: Protocol, market: int) -> int:
    terms = protocol.trade_terms(market)
    return protocol.house().pool_cash * terms.pool_share * 10**9 * terms.side_cap


@pytest.mark.parametrize("is_buy", [True, False])
def test_closing_one_side_of_matched_pairs_leaves_a_skew_that_is_backed(
    small: Protocol, is_buy: bool
) -> None:
    with small.anchored() as protocol:
        one, other = protocol.trader, protocol.attacker
        for account in (one, other):
            protocol.deposit(account, 10_000 * USD)
        ended = []
        for _ in range(12):
            for account, buys in ((one, is_buy), (other, not is_buy)):
                receipt = protocol.fill(protocol.place(account, 0, LOTS, is_buy=buys))
                ended += [event.reason for event in receipt.named("OrderCancelled")]
        protocol.trade(other, 0, 0, is_buy=is_buy, reduce_only=True)

        assert set(ended) == {"cap: reserve"}
        left = abs(protocol.skew(0))
        assert left == 8 * LOTS
        assert required(protocol, 0, left) <= backing(protocol, 0)
        assert required(protocol, 0, left + LOTS) > backing(protocol, 0)
        protocol.check_invariants()


@pytest.mark.parametrize("is_buy", [True, False])
def test_a_side_fills_to_the_last_lot_that_is_backed(small: Protocol, is_buy: bool) -> None:
    with small.anchored() as protocol:
        one, other = protocol.trader, protocol.attacker
        for account in (one, other):
            protocol.deposit(account, 10_000 * USD)
        most = backing(protocol, 1) // required(protocol, 1, 1)
        half = most // 2
        protocol.trade(one, 1, half, is_buy=is_buy)
        protocol.trade(other, 1, most, is_buy=not is_buy)
        protocol.trade(one, 1, most - half, is_buy=is_buy)
        assert protocol.side(1, is_buy).size == most
        for account, buys in ((one, is_buy), (other, not is_buy)):
            receipt = protocol.fill(protocol.place(account, 1, 1, is_buy=buys))
            assert receipt.event("OrderCancelled").reason == "cap: reserve"
        protocol.check_invariants()


def test_a_rising_price_takes_backing_away_from_what_comes_but_closes_nothing(
    small: Protocol,
) -> None:
    with small.anchored() as protocol:
        one, other = protocol.trader, protocol.attacker
        for account in (one, other):
            protocol.deposit(account, 10_000 * USD)
        for _ in range(4):
            protocol.trade(one, 1, LOTS)
            protocol.trade(other, 1, LOTS, is_buy=False)
        protocol.push_price(1, 120_000)
        receipt = protocol.fill(protocol.place(one, 1, LOTS))
        assert receipt.event("OrderCancelled").reason == "cap: reserve"
        protocol.trade(other, 1, 0, reduce_only=True)
        protocol.trade(one, 1, 0, is_buy=False, reduce_only=True)
        assert protocol.skew(1) == 0
        protocol.check_invariants()


def test_a_pool_without_cash_backs_nothing() -> None:
    protocol = Protocol(Market("BTC-PERP", 50_000, 10**8, FRICTIONLESS), pool_cash=0, insurance=0)
    protocol.deposit(protocol.trader, 1_000 * USD)
    order = protocol.place(protocol.trader, 0, LOTS, leverage=10 * PPM)
    assert protocol.fill(order).event("OrderCancelled").reason == "cap: reserve"
    protocol.check_invariants()
