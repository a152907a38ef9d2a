"""Ladders and orders over time: they sum exactly, and lie on the tick."""

from dataclasses import replace

import pytest

from bulkhead.order_plans import scale_orders, split, twap_orders
from bulkhead.orders import OrderKind
from tests.sdk.test_orders import ORDER

BUY = replace(ORDER, size=1_003, salt=7, is_buy=True)
SELL = replace(BUY, is_buy=False)


def test_a_scale_sums_to_its_order() -> None:
    found = scale_orders(BUY, 100, 200, 4)
    assert [one.size for one in found] == [251, 251, 251, 250]
    assert sum(one.size for one in found) == BUY.size
    assert [one.salt for one in found] == [7, 8, 9, 10]
    assert {one.kind for one in found} == {OrderKind.LIMIT}
    assert [one.acceptable_price for one in found] == [100, 133, 166, 200]


def test_a_scales_prices_are_on_the_tick_and_never_worse() -> None:
    assert [one.acceptable_price for one in scale_orders(BUY, 100, 200, 4, 10)] == [
        *(100, 130, 160, 200)
    ]
    assert [one.acceptable_price for one in scale_orders(SELL, 100, 200, 4, 10)] == [
        *(100, 140, 170, 200)
    ]
    assert [one.acceptable_price for one in scale_orders(SELL, 200, 100, 3)] == [200, 150, 100]


@pytest.mark.parametrize(("first", "last", "count"), [(100, 200, 1), (101, 200, 2), (100, 201, 2)])
def test_a_scale_that_is_none_is_refused(first: int, last: int, count: int) -> None:
    with pytest.raises(ValueError, match="a scale has at least two"):
        scale_orders(BUY, first, last, count, 10)


def test_an_order_over_time_sums_to_itself() -> None:
    found = twap_orders(BUY, 3, 1_000, 60)
    assert [one.at for one in found] == [1_000, 1_060, 1_120]
    assert [one.order.size for one in found] == [335, 334, 334]
    assert [one.order.salt for one in found] == [7, 8, 9]
    assert {one.order.kind for one in found} == {BUY.kind}
    with pytest.raises(ValueError, match="a second apart"):
        twap_orders(BUY, 3, 1_000, 0)


@pytest.mark.parametrize(("size", "count"), [(1, 1), (5, 5), (2**56 - 1, 7), (17, 4)])
def test_a_split_is_even_and_exact(size: int, count: int) -> None:
    parts = split(size, count)
    assert (sum(parts), len(parts)) == (size, count)
    assert max(parts) - min(parts) <= 1


@pytest.mark.parametrize(("size", "count"), [(0, 1), (3, 4), (1, 0)])
def test_a_part_of_nothing_is_refused(size: int, count: int) -> None:
    with pytest.raises(ValueError, match="do not make"):
        split(size, count)
