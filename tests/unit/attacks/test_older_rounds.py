"""Chainlink: nobody picks between the round that was taken and one that is out."""

import pytest

from bulkhead.protocol.words import ISOLATED_LONG
from tests.helpers.chain import Contract, advance, now, refused
from tests.helpers.protocol import EXECUTED, ISOLATED, LIMIT, PENDING, USD, Protocol, position_id

LOTS = 10**7  # 0.1 BTC, 5,000 USD
LOT = 10**10  # WAD base units: 1e-8


class Feed:
    """A Chainlink feed on market 0, whose rounds come out before anyone takes them."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.aggregator = Contract("mocks/MockAggregator", 8)
        protocol.oracle.send(
            protocol.owner, "set_chainlink_feed", 0, LOT, 60, 3_600, self.aggregator.address
        )
        self.round(50_000)
        self.take()

    def round(self, dollars: int) -> None:
        advance(2)
        self.aggregator.send(self.protocol.owner, "set_answer", dollars * 10**8, now())

    def take(self) -> None:
        advance(1)
        self.protocol.oracle.send(self.protocol.keeper, "update", 0, b"")

    def die(self) -> None:
        self.aggregator.send(self.protocol.owner, "set_dead", True)


@pytest.fixture
def feed(protocol: Protocol) -> Feed:
    return Feed(protocol)


@pytest.fixture
def vault(protocol: Protocol, feed: Feed, trader: str) -> int:
    """5,000 USD long on 500 in a vault: liquidatable below about 45,226 USD."""
    protocol.deposit(trader, 1_000 * USD)
    order = protocol.place(trader, 0, LOTS, margin_mode=ISOLATED)
    feed.round(50_000)
    feed.take()
    assert protocol.execute(order).result == EXECUTED
    return position_id(trader, 0, ISOLATED_LONG)


def test_an_older_round_fills_nothing(
    protocol: Protocol, feed: Feed, trader: str, attacker: str
) -> None:
    """A keeper of his own would let his order take the better of the two."""
    protocol.deposit(trader, 1_000 * USD)
    order = protocol.place(trader, 0, LOTS)
    feed.round(50_000)
    feed.take()
    feed.round(51_000)
    before = protocol.state()
    with refused("price: stale"):
        protocol.execute(order, keeper=attacker)
    assert protocol.book.send(attacker, "execute_orders", [order]).result == (PENDING,)
    assert protocol.state() == before
    feed.take()
    assert protocol.execute(order).event("PositionIncreased").price == 51 * 10**10


def test_an_older_round_triggers_nothing(protocol: Protocol, feed: Feed, vault: int) -> None:
    trader = protocol.trader
    stop = protocol.place(
        trader,
        *(0, 0),
        kind=2,
        is_buy=False,
        reduce_only=True,
        margin_mode=ISOLATED,
        trigger_price=protocol.femto(0, 49_000),
    )
    feed.round(48_000)
    feed.take()
    feed.round(52_000)
    with refused("price: stale"):
        protocol.execute(stop)
    feed.take()
    with refused("price: not triggered"):
        protocol.execute(stop)
    assert protocol.position(trader, 0, ISOLATED_LONG).size == LOTS


def test_an_older_round_liquidates_no_vault(protocol: Protocol, feed: Feed, vault: int) -> None:
    feed.round(45_000)
    feed.take()
    feed.round(45_500)
    before = protocol.state()
    assert protocol.liquidate_isolated(vault).result == 0
    assert protocol.state() == before
    feed.take()
    assert protocol.liquidate_isolated(vault).result == 0
    feed.round(45_100)
    assert protocol.liquidate_isolated(vault).result == 0
    feed.take()
    assert protocol.liquidate_isolated(vault).result == 1


def test_an_older_round_liquidates_no_ledger(protocol: Protocol, feed: Feed, trader: str) -> None:
    protocol.deposit(trader, 502_700_000)
    order = protocol.place(trader, 0, LOTS)
    feed.round(50_000)
    feed.take()
    protocol.execute(order)
    assert protocol.cash(trader) == 500 * USD
    feed.round(45_000)
    feed.take()
    feed.round(45_500)
    before = protocol.state()
    assert protocol.liquidate_cross(trader).result == 0
    assert protocol.state() == before
    feed.round(45_100)
    feed.take()
    assert protocol.liquidate_cross(trader).result == 1


def test_a_batch_skips_whom_an_older_round_would_judge(
    protocol: Protocol, feed: Feed, vault: int, attacker: str
) -> None:
    protocol.deposit(attacker, 1_000 * USD)
    protocol.trade(attacker, 1, 2 * LOTS, margin_mode=ISOLATED)
    feed.round(45_000)
    feed.take()
    feed.round(50_000)
    protocol.push_price(1, 2_200)
    receipt = protocol.liquidate_isolated(vault, position_id(attacker, 1, ISOLATED_LONG))
    assert receipt.result == 1
    assert receipt.event("PositionLiquidated").account == attacker


def test_a_dead_aggregators_last_price_serves_as_long_as_any(
    protocol: Protocol, feed: Feed, vault: int
) -> None:
    trader = protocol.trader
    first = protocol.place(trader, 0, LOTS)
    second = protocol.place(trader, 0, LOTS, kind=LIMIT, acceptable_price=2**63)
    feed.round(45_100)
    feed.take()
    feed.die()
    published_at = protocol.price(0).published_at
    advance(published_at + 60 - now())
    assert protocol.execute(first).result == EXECUTED
    with protocol.anchored():
        assert protocol.liquidate_isolated(vault).result == 1
    advance(1)
    with refused("price: stale"):
        protocol.execute(second)
    assert protocol.liquidate_isolated(vault).result == 0


def test_a_published_price_has_nothing_newer(protocol: Protocol, feed: Feed) -> None:
    assert protocol.oracle.read("is_latest", 0) is True
    assert protocol.oracle.read("is_latest", 1) is True
    assert protocol.oracle.read("is_latest", 3) is True
    feed.round(50_001)
    assert protocol.oracle.read("is_latest", 0) is False
    feed.die()
    assert protocol.oracle.read("is_latest", 0) is True


@pytest.mark.parametrize(("answer", "late"), [(-1, 0), (2**128, 0), (50_000 * 10**8, 2**36)])
def test_a_senseless_answer_stops_nobody_elses_order_or_liquidation(
    protocol: Protocol, feed: Feed, vault: int, attacker: str, answer: int, late: int
) -> None:
    trader = protocol.trader
    protocol.deposit(attacker, 530 * USD)
    protocol.trade(attacker, 1, 2 * LOTS, margin_mode=ISOLATED)
    mine = protocol.place(trader, 0, LOTS, kind=LIMIT, acceptable_price=2**63)
    other = protocol.place(attacker, 1, 0, is_buy=False, reduce_only=True, margin_mode=ISOLATED)
    feed.aggregator.send(protocol.owner, "set_answer", answer, now() + late)
    advance(protocol.markets[1].delay)
    protocol.push_price(1, protocol.dollars(1))
    with protocol.anchored():
        batch = protocol.book.attempt(protocol.keeper, "execute_orders", [mine, other])
        assert (batch.refusal, protocol.status(other)) == (None, EXECUTED)
    protocol.push_price(1, 2_200)
    ids = [vault, position_id(attacker, 1, ISOLATED_LONG)]
    receipt = protocol.clearinghouse.attempt(protocol.keeper, "liquidate_isolated", ids)
    assert (receipt.refusal, receipt.result) == (None, 1)
