"""Price bounds against the definition, over the whole range of their words."""

from typing import Any

import boa
import pytest

from bulkhead.protocol import margin_math, words
from bulkhead.protocol.market_math import INDEX_DENOMINATOR
from tests.helpers.draw import Draw

SOURCE = """
# pragma version 0.4.3
from contracts.lib import margin_math
from contracts.lib import price_bounds

@external
@pure
def bounds(
    exposure: price_bounds.Exposure, tiers: margin_math.Tiers
) -> (uint256, uint256, uint256):
    lower: uint256 = 0
    upper: uint256 = 0
    lower, upper = price_bounds.liquidation_prices(exposure, tiers)
    return lower, upper, price_bounds.bankruptcy_price(exposure)
"""

NO_PRICE = 2**256 - 1
Exposure = tuple[int, int, int, int, int]


@pytest.fixture(scope="module")
def library() -> Any:
    return boa.loads(SOURCE)


def equity_at(exposure: Exposure, price: int) -> int:
    long, short, equity, start, area = exposure
    return (long - short) * (price - start - area * price // INDEX_DENOMINATOR) + equity


def is_liquidatable(exposure: Exposure, tiers: margin_math.Tiers, price: int) -> bool:
    notional = max(exposure[:2]) * price
    return margin_math.maintenance_margin(notional, tiers) >= equity_at(exposure, price)


def draw_exposure(draw: Draw, area: int) -> Exposure:
    long = draw.integer(1, words.MAX_SIZE)
    short = draw.random.choice((0, long, max(long - 1, 0), draw.unsigned(56)))
    if draw.boolean():
        long, short = short, long
    price = draw.integer(1, words.MAX_PRICE)
    near = max(long, short) * price // draw.random.choice((3, 10, 100))
    equity = (short - long) * price + draw.random.choice((near, draw.signed(120)))
    return long, short, equity, draw.signed(64, 10**13), area


@pytest.mark.parametrize("has_funding", [False, True])
def test_bounds_hold_to_the_unit(library: Any, has_funding: bool) -> None:
    draw = Draw(f"bounds {has_funding}")
    found = 0
    for _ in range(250):
        tiers = draw.tiers()
        area = draw.random.randint(-(10**16), 10**16) if has_funding else 0
        exposure = draw_exposure(draw, area)
        given = (tiers.maintenance_rate, tiers.initial_rate, tiers.first, tiers.second)
        lower, upper, bankruptcy = library.bounds(exposure, given)
        if lower + 1 >= upper:
            continue  # liquidatable everywhere
        if lower:
            assert is_liquidatable(exposure, tiers, lower)
        if lower < words.MAX_PRICE:
            assert not is_liquidatable(exposure, tiers, lower + 1)
        if upper != NO_PRICE:
            assert is_liquidatable(exposure, tiers, upper)
            assert not is_liquidatable(exposure, tiers, upper - 1)
        found += lower != 0 or upper != NO_PRICE
        if exposure[0] == exposure[1]:
            assert bankruptcy == NO_PRICE
        elif 0 < bankruptcy < words.MAX_PRICE:
            beyond = bankruptcy + (-1 if exposure[0] > exposure[1] else 1)
            assert equity_at(exposure, bankruptcy) >= 0 > equity_at(exposure, beyond)
    assert found >= 80
