"""Many plain orders out of one: ladders of limits, and orders spread over time. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from bulkhead.orders import Order, OrderKind


class TimedOrder(NamedTuple):
    """An order and when to place it.

    Attributes:
        at: Seconds.
        order: What to place then.
    """

    at: int
    order: Order


def scale_orders(
    order: Order, first: int, last: int, count: int, tick: int = 1
) -> tuple[Order, ...]:
    """Limit orders from one price to another, of sizes that sum to the order's exactly.

    Args:
        order: What they have in common; their salts count up from its own.
        first: Femto per lot, of the first order; on the tick.
        last: Femto per lot, of the last; on the tick.
        count: How many, at least two.
        tick: Femto per lot; prices between the two are multiples of it, never worse than exact.
    """
    if count < 2 or first % tick or last % tick:
        raise ValueError("a scale has at least two orders, and both ends on the tick")
    sizes = split(order.size, count)
    found: list[Order] = []
    for index, size in enumerate(sizes):
        exact = first * (count - 1 - index) + last * index  # times count - 1
        steps = exact // (tick * (count - 1))
        if not order.is_buy:
            steps = -(-exact // (tick * (count - 1)))
        found.append(
            replace(
                order,
                kind=int(OrderKind.LIMIT),
                size=size,
                acceptable_price=steps * tick,
                salt=order.salt + index,
            )
        )
    return tuple(found)


def twap_orders(order: Order, count: int, start: int, interval: int) -> tuple[TimedOrder, ...]:
    """An order in equal parts at equal intervals, of sizes that sum to its own exactly.

    Args:
        order: What they have in common; their salts count up from its own.
        count: How many.
        start: Seconds, when to place the first.
        interval: Seconds between two.
    """
    if interval < 1:
        raise ValueError("the parts are placed at least a second apart")
    return tuple(
        TimedOrder(start + index * interval, replace(order, size=size, salt=order.salt + index))
        for index, size in enumerate(split(order.size, count))
    )


def split(size: int, count: int) -> tuple[int, ...]:
    """A size in parts that differ by a lot at most, the larger first.

    Raises:
        ValueError: If a part would be nothing.
    """
    if count < 1 or size < count:
        raise ValueError(f"{size} lots do not make {count} orders")
    part, rest = divmod(size, count)
    return tuple(part + (index < rest) for index in range(count))
