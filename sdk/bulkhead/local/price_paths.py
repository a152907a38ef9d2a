"""Where prices go in a local world: nowhere, at random, or as a file says. Pure.

A path is asked once a tick and answers from the prices there are, so a price that somebody sets by
hand holds, and the path goes on from it. Prices are WAD USD per base unit.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Protocol, TypeAlias

from bulkhead.protocol.fixed_point import PPM
from bulkhead.values import to_wad

Prices: TypeAlias = Mapping[str, int]

VOLATILITY = 1_000  # ppm a tick, where none is given
COMMON = 6  # tenths of a move that are the market's; the other 8 are its own: 0.6² + 0.8² = 1
OWN = 8
REACH = 2  # a walk stays between its beginning divided and multiplied by this
DIGITS = 7  # that a price has
_DRAW_MEAN = 4_080  # of the sum of 32 bytes
_DRAW_DEVIATION = 418


class PricePath(Protocol):
    """Says where prices go."""

    def step(self, tick: int, prices: Prices) -> dict[str, int]:
        """The prices of a tick.

        Args:
            tick: The first is 0.
            prices: Every market's, as they are.
        """


class Fixed:
    """Prices stay as they are, and fresh."""

    def step(self, tick: int, prices: Prices) -> dict[str, int]:  # noqa: ARG002 - a path's
        """The same prices."""
        return dict(prices)


class Walk:
    """A random walk: the same seed, the same walk. Markets move a little together.

    Args:
        seed: Any number.
        volatility: A standard deviation a tick, ppm, by market.
    """

    def __init__(self, seed: int, volatility: Mapping[str, int]) -> None:
        self._seed = seed
        self._volatility = volatility
        self._last: dict[str, int] = {}
        self._start: dict[str, int] = {}

    def step(self, tick: int, prices: Prices) -> dict[str, int]:
        """Every price moved; one that would leave its bounds moves the other way instead."""
        common = self._draw(tick, "")
        for symbol, price in prices.items():
            if not _is_same(price, self._last.get(symbol)):
                self._start[symbol] = price
            volatility = self._volatility.get(symbol, VOLATILITY)
            draw = COMMON * common + OWN * self._draw(tick, symbol)
            move = volatility * draw // (10 * _DRAW_DEVIATION)
            start = self._start[symbol]
            moved = _moved(price, move)
            if not start <= moved * REACH <= start * REACH**2:
                moved = _moved(price, -move)
            self._last[symbol] = moved
        return {symbol: self._last[symbol] for symbol in prices}

    def _draw(self, tick: int, symbol: str) -> int:
        """A number around 0, nearly normal, of deviation `_DRAW_DEVIATION`."""
        return sum(sha256(f"{self._seed}/{tick}/{symbol}".encode()).digest()) - _DRAW_MEAN


class Script:
    """Prices as they are written down, a step a tick; after the last they stay.

    Args:
        steps: The prices that each sets; a market that one leaves out stays as it is.
    """

    def __init__(self, steps: Iterable[Prices]) -> None:
        self.steps = tuple(steps)

    def step(self, tick: int, prices: Prices) -> dict[str, int]:
        """The prices of a step; those it leaves out are as they were."""
        return {**prices, **(self.steps[tick] if tick < len(self.steps) else {})}

    @classmethod
    def load(cls, path: Path, symbols: Iterable[str]) -> Script:
        """The steps in a file.

        A .csv file has a line of markets, and a line of prices for each step; an empty cell leaves
        a price as it is. A .toml file has a `[[step]]` for each, with `MARKET = "PRICE"` lines.

        Args:
            path: The file.
            symbols: The markets there are.

        Raises:
            ValueError: Naming file, step and market, if it is not so.
        """
        readers = {".csv": _csv_steps, ".toml": _toml_steps}
        if path.suffix not in readers:
            raise ValueError(f"{path}: prices are in a .csv or a .toml file")
        known = set(symbols)
        steps = []
        for number, step in enumerate(readers[path.suffix](path), 1):
            for symbol in step:
                if symbol not in known:
                    raise ValueError(f"{path}, step {number}: there is no market {symbol!r}")
            where = f"{path}, step {number}"
            steps.append({symbol: _price(step[symbol], f"{where}, {symbol}") for symbol in step})
        if not steps:
            raise ValueError(f"{path}: no steps")
        return cls(steps)


def _is_same(price: int, last: int | None) -> bool:
    # A lot that is no power of ten may round what was published.
    return last is not None and abs(price - last) * PPM <= last


def _moved(price: int, move: int) -> int:
    moved = max(price * (PPM + move) // PPM, 1)
    unit: int = 10 ** max(len(str(moved)) - DIGITS, 0)
    return moved // unit * unit


def _price(written: object, where: str) -> int:
    if not isinstance(written, str | int | Decimal) or isinstance(written, bool):
        raise ValueError(f"{where}: {written!r} is not a price")
    price = to_wad(written, where)
    if price <= 0:
        raise ValueError(f"{where}: a price is above zero")
    return price


def _csv_steps(path: Path) -> Iterator[dict[str, object]]:
    with path.open(newline="") as file:
        rows = csv.reader(file)
        header = [cell.strip() for cell in next(rows, [])]
        if len(set(header)) != len(header):
            raise ValueError(f"{path}: a market is named twice")
        for row in rows:
            if len(row) != len(header):
                raise ValueError(f"{path}, line {rows.line_num}: not {len(header)} cells")
            cells = zip(header, (cell.strip() for cell in row), strict=True)
            yield {symbol: cell for symbol, cell in cells if cell}


def _toml_steps(path: Path) -> Iterator[dict[str, object]]:
    try:
        table = tomllib.loads(path.read_text(), parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: {error}") from error
    steps = table.pop("step", [])
    if table:
        raise ValueError(f"{path}: {next(iter(table))!r} is no [[step]]")
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise ValueError(f"{path}: 'step' is no [[step]]")
    yield from steps
