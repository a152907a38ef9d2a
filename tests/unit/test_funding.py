"""Funding over time: what accrues, and what a silent feed does to it."""

from fractions import Fraction

import pytest

from bulkhead.protocol.words import ISOLATED_LONG
from tests.helpers.chain import advance, now
from tests.helpers.protocol import ISOLATED, USD, Protocol

LOTS = 10**7  # 0.1 BTC, 5,000 USD
HOUR = 3_600  # also how long a price lives
DAY = 86_400


@pytest.fixture
def skewed(protocol: Protocol, trader: str) -> Protocol:
    """One long and no short: the longs' rate rises from zero."""
    protocol.deposit(trader, 10_000 * USD)
    protocol.trade(trader, 0, LOTS, margin_mode=ISOLATED, leverage=2 * 10**6)
    return protocol


def index_after(protocol: Protocol, elapsed: int) -> Fraction:
    """The exact index after so many seconds of a rate that drifts from zero, at the price now."""
    drift = protocol.market(0).funding_drift
    days = Fraction(elapsed, DAY)
    return drift * days**2 / 2 * protocol.price(0).price / 10**12


def test_longs_owe_the_area_under_the_rate_times_the_price(skewed: Protocol, trader: str) -> None:
    started = skewed.market(0)
    for _ in range(24):
        advance(HOUR // 2)
        skewed.push_price(0, 50_000)
    elapsed = now() - started.accrued_at
    index = skewed.accrued(0).funding_index
    assert abs(index_after(skewed, elapsed) - index) < Fraction(index, 10**3)
    owed = -LOTS * index
    assert abs(skewed.value(trader, 0, ISOLATED_LONG) - owed) < 10**5 * 10**9


def test_a_silence_adds_nothing_and_takes_nothing_away(skewed: Protocol, trader: str) -> None:
    started = skewed.market(0).accrued_at
    for _ in range(24):
        advance(HOUR // 2)
        skewed.push_price(0, 50_000)
    advance(HOUR)
    live = now() - started
    at_the_end = skewed.accrued(0)

    advance(DAY)
    assert skewed.accrued(0) == at_the_end
    skewed.push_price(0, 50_000)
    resumed = skewed.accrued(0)
    assert resumed.funding_index == at_the_end.funding_index
    assert abs(index_after(skewed, live) - resumed.funding_index) < resumed.funding_index // 10**3

    advance(HOUR // 2)
    assert skewed.accrued(0).funding_index > resumed.funding_index
    skewed.trade(trader, 0, 0, is_buy=False, reduce_only=True, margin_mode=ISOLATED)
    skewed.check_invariants()
