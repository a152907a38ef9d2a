"""The largest cross account there can be fits in a transaction, whatever is done with it.

Its markets have all tiers there can be, all of them ramping, and push feeds behind proxies, each of
which is asked for a newer round.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from bulkhead.protocol import words
from bulkhead.protocol.words import ISOLATED_LONG
from tests.helpers.chain import Contract, Receipt, advance, now
from tests.helpers.feeds import answer, use_aggregator
from tests.helpers.protocol import (
    CANCELLED,
    EXECUTED,
    ISOLATED,
    LONG,
    ONE_WAY,
    PPM,
    SHORT,
    USD,
    Market,
    Protocol,
    Terms,
    position_id,
)

LEGS = 32
BLOCK = 30_000_000
BOUND = BLOCK * 3 // 10
TRANSACTION = 2**24  # EIP-7825
LOTS = 2 * 10**7  # 0.2 BTC, 10,000 USD
TIERS = tuple((floor, 5_000 + 500 * floor, 10_000 + 1_000 * floor) for floor in range(8))
LATER = tuple((floor, 5_100 + 500 * floor, 10_200 + 1_000 * floor) for floor in range(8))
PRICE = 50_000
VAULT = {"leverage": 100 * PPM}
FALLS = (49_800, 48_800, 48_600, 48_500, 47_200, 47_050)  # USD: from healthy to all closed


class Crowded(Protocol):
    """As many markets as an account may have legs in, and one account in all of them."""

    def __init__(self, is_paired: bool) -> None:
        terms = replace(Terms(), pool_share=28_000, partial_above=10**8)
        count = LEGS // 2 if is_paired else LEGS
        super().__init__(*[Market(f"M{i}-PERP", PRICE, 10**8, terms, TIERS) for i in range(count)])
        self.is_paired = is_paired
        self.count = count
        self.deposit(self.trader, (5_000 if is_paired else 10_000) * USD)
        if is_paired:
            self.clearinghouse.send(self.trader, "set_hedge_mode", True)
        for market in range(count):
            self.add(market, True, LOTS)
            if is_paired:
                self.add(market, False, LOTS // 2)
        self.trade(self.trader, 0, LOTS // 10, margin_mode=ISOLATED, **VAULT, **self.side_of(True))
        self.clearinghouse.send(self.trader, "set_auto_margin", 0, True, 1_000 * USD)
        self.clearinghouse.send(self.trader, "set_leverage", 0, 50 * PPM, True, True)
        for market in range(count):
            self.clearinghouse.send(self.owner, "ramp_tiers", market, LATER, 86_400)
            feed = Contract("mocks/MockAggregator", 8)
            answer(self, feed, PRICE)
            use_aggregator(self, market, Contract("mocks/MockProxy", feed.address))

    def side_of(self, is_long: bool) -> dict[str, int]:
        return {"position_side": (LONG if is_long else SHORT) if self.is_paired else ONE_WAY}

    def add(self, market: int, is_long: bool, lots: int) -> None:
        self.trade(self.trader, market, lots, is_buy=is_long, **self.side_of(is_long))

    def quote(self, dollars: int) -> None:
        """A new price everywhere; the feeds have nothing newer."""
        advance(5)
        price = self.femto(0, dollars)
        for market in range(self.count):
            self.requote(market, price=price, published_at=now())


@pytest.fixture(scope="module", params=[False, True], ids=["32 markets", "16 pairs"])
def crowded(request: pytest.FixtureRequest) -> Crowded:
    return Crowded(request.param)


@pytest.fixture
def protocol(crowded: Crowded) -> Iterator[Crowded]:
    with crowded.anchored():
        yield crowded
        crowded.check_invariants()


def gas_of(contract: Contract, sender: str, function: str, *arguments: Any) -> tuple[int, Receipt]:
    """As a whole transaction."""
    receipt = contract.send(sender, function, *arguments)
    payload = contract.functions[function].calldata(arguments)
    data = sum(16 if byte else 4 for byte in payload)
    return 21_000 + data + receipt.gas_used, receipt


def test_it_holds_as_many_legs_as_there_may_be(protocol: Crowded) -> None:
    assert words.count_bits(protocol.account(protocol.trader).legs) == LEGS
    before = protocol.account(protocol.trader).legs
    if not protocol.is_paired:
        assert before == sum(1 << 2 * market for market in range(LEGS))


def increase(protocol: Crowded) -> int:
    return traded(protocol, LOTS // 10, is_buy=True)


def reduction(protocol: Crowded) -> int:
    return traded(protocol, LOTS // 10, is_buy=False, reduce_only=True)


def vault(protocol: Crowded) -> int:
    """Its margin leaves the ledger."""
    return traded(protocol, LOTS // 10, is_buy=True, margin_mode=ISOLATED)


def unfilled(protocol: Crowded) -> int:
    """Its keeper's fee leaves the ledger."""
    return traded(protocol, 10**9, CANCELLED, is_buy=True)


def traded(protocol: Crowded, lots: int, status: int = EXECUTED, **fields: Any) -> int:
    order = protocol.place(protocol.trader, 0, lots, **fields, **protocol.side_of(True))
    protocol.quote(PRICE)
    gas, receipt = gas_of(protocol.book, protocol.keeper, "execute", order)
    assert receipt.result == status
    return gas


def by_trader(function: str, *arguments: Any) -> Callable[[Crowded], int]:
    def act(protocol: Crowded) -> int:
        protocol.quote(PRICE)
        return gas_of(protocol.clearinghouse, protocol.trader, function, *arguments)[0]

    act.__name__ = function
    return act


def withdrawal(protocol: Crowded) -> int:
    return by_trader("withdraw", USD, protocol.trader)(protocol)


def top_up(protocol: Crowded) -> int:
    """A liquidation of a vault draws on the ledger."""
    protocol.quote(49_600)
    ids = [position_id(protocol.trader, 0, ISOLATED_LONG)]
    gas, receipt = gas_of(protocol.clearinghouse, protocol.keeper, "liquidate_isolated", ids)
    assert receipt.named("MarginToppedUp")
    return gas


def liquidation(protocol: Crowded) -> int:
    """The dearest of all falls, in part or whole."""
    found = []
    for dollars in FALLS:
        with protocol.anchored():
            protocol.quote(dollars)
            gas, receipt = gas_of(
                protocol.clearinghouse, protocol.keeper, "liquidate_cross", [protocol.trader]
            )
            found.append((gas, protocol.account(protocol.trader).legs, receipt.result))
    assert found[0][2] == 0
    assert found[-1][1:] == (0, 1)
    return max(gas for gas, *_ in found)


ACTS = [
    increase,
    reduction,
    vault,
    unfilled,
    withdrawal,
    by_trader("add_margin", 0, True, USD),
    by_trader("set_leverage", 0, 20 * PPM, False, True),
    by_trader("convert_position", 0, True, True, 300 * USD),
    by_trader("convert_position", 0, True, False, 0),
    top_up,
    liquidation,
]


@pytest.mark.parametrize("act", ACTS)
def test_it_fits_in_a_transaction(
    protocol: Crowded,
    act: Callable[[Crowded], int],
    record_property: Callable[[str, object], None],
) -> None:
    gas = act(protocol)
    record_property("gas", gas)  # with --junit-xml: the figures in docs/gas.md
    assert gas < min(BOUND, TRANSACTION)
