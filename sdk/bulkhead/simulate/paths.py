"""Price paths to feed a simulation with: steps of seconds and prices. Exact, no float anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from itertools import groupby
from operator import itemgetter
from random import Random
from typing import TypeAlias

from bulkhead.values import Amount, from_units, to_ppm, to_wad

Step: TypeAlias = tuple[int, Mapping[str, Amount | None]]
"""Seconds from the beginning of a run, and prices in USD by symbol. None is no price: silence."""

WAD_DECIMALS = 18
_PPM = 10**6


def linear(
    symbol: str, first: Amount, last: Amount, *, seconds: int, interval: int
) -> Iterator[Step]:
    """A straight line from one price to another, both of them among the steps.

    Args:
        symbol: The market's.
        first: USD, at second 0.
        last: USD, at the last step.
        seconds: How long it takes, a multiple of the interval.
        interval: Seconds between steps.
    """
    start, end, steps = to_wad(first), to_wad(last), _steps(seconds, interval)
    for step in range(steps + 1):
        yield _step(symbol, step * interval, start + (end - start) * step // steps)


def shock(
    symbol: str, before: Amount, after: Amount, *, at: int, seconds: int, interval: int
) -> Iterator[Step]:
    """One price up to a moment, and another from that moment on.

    Args:
        symbol: The market's.
        before: USD.
        after: USD.
        at: Seconds: the first step with the new price is this or the next.
        seconds: How long it goes on, a multiple of the interval.
        interval: Seconds between steps.
    """
    prices = to_wad(before), to_wad(after)
    for step in range(_steps(seconds, interval) + 1):
        time = step * interval
        yield _step(symbol, time, prices[time >= at])


def random_walk(
    symbol: str, first: Amount, *, most: Amount, seconds: int, interval: int, seed: int
) -> Iterator[Step]:
    """A price that each step moves by up to a ratio, either way, all moves as likely.

    Args:
        symbol: The market's.
        first: USD, at second 0.
        most: The largest move of one step: 0.01 is one percent.
        seconds: How long it goes on, a multiple of the interval.
        interval: Seconds between steps.
        seed: The same seed walks the same way.
    """
    random, price, reach = Random(seed), to_wad(first), to_ppm(most, "most")
    if not 0 <= reach < _PPM:
        raise ValueError("most: a move is below the whole price")
    for step in range(_steps(seconds, interval) + 1):
        yield _step(symbol, step * interval, price)
        price = price * (_PPM + random.randint(-reach, reach)) // _PPM


def together(*paths: Iterable[Step]) -> Iterator[Step]:
    """Several paths as one: the steps of one second become one step."""
    for time, steps in groupby(merge(*paths, key=itemgetter(0)), key=itemgetter(0)):
        prices: dict[str, Amount | None] = {}
        for _, more in steps:
            prices |= more
        yield time, prices


def _steps(seconds: int, interval: int) -> int:
    if interval < 1 or seconds < interval or seconds % interval:
        raise ValueError(f"{seconds} seconds are not one or more times {interval}")
    return seconds // interval


def _step(symbol: str, time: int, wad: int) -> Step:
    return time, {symbol: from_units(wad, WAD_DECIMALS)}
