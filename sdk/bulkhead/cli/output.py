"""The one place that writes results: tables for people, or JSON with nothing rounded.

A result is a frozen dataclass. Its plain fields are shown as a list; a field that holds results
becomes a table of its own, under the field's name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from enum import Enum, IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from bulkhead.values import written

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.table import Table

DIGITS = Decimal("1e-6")  # what people are shown; JSON has them all
PRECISION = 100  # digits that rounding for people may meet
PLAIN_WIDTH = 200  # columns where nobody looks: a pipe or a file
MOST_WIDTH = 10_000  # columns that no table needs
JSON_INTEGER = 2**53  # from here on other languages' JSON loses digits


@dataclass(frozen=True)
class Output:
    """Where results go.

    Attributes:
        as_json: Whether they are for programs.
    """

    as_json: bool = False

    def show(self, result: Any) -> None:
        """Writes a result to stdout."""
        if self.as_json:
            click.echo(json.dumps(plain(result), indent=2))
            return
        for part in _parts(result):
            self._out.print(part)

    @contextmanager
    def working(self, what: str, total: float | None = None) -> Iterator[Callable[[float], None]]:
        """A progress bar on stderr, gone at its end; nothing where nobody looks.

        Args:
            what: Is being done.
            total: Of the steps; None where nobody knows how many.

        Yields:
            Takes how many steps are done.
        """
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        is_quiet = self.as_json or not console.is_terminal
        with Progress(*columns, console=console, transient=True, disable=is_quiet) as bar:
            task = bar.add_task(what, total=total)
            yield lambda done: bar.update(task, completed=done)

    @cached_property
    def _out(self) -> Console:
        from rich.console import Console

        console = Console(highlight=False, soft_wrap=False)
        return console if console.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)


def plain(value: Any) -> Any:
    """A value as JSON has it: decimals, bytes and large integers are strings, exact."""
    match value:
        case None | bool():
            return value
        case IntEnum():
            return value.name.lower()
        case Enum():
            return plain(value.value)
        case str():
            return value
        case int():
            return value if abs(value) < JSON_INTEGER else str(value)
        case Decimal():
            return written(value)
        case bytes():
            return f"0x{value.hex()}"
        case Mapping():
            return {str(name): plain(one) for name, one in value.items()}
        case Sequence():
            return [plain(one) for one in value]
        case _ if is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} is no part of a result")


def text_of(value: Any) -> str:
    """A value as people read it."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return _number(value)
        case Sequence() if not isinstance(value, str | bytes):
            return ", ".join(map(text_of, value)) or "-"
    return str(plain(value))


def _short(value: Any) -> str:
    """A value as people read it in a table: of a hash that is not the row's own, both ends."""
    text = text_of(value)
    return f"{text[:6]}…{text[-4:]}" if isinstance(value, bytes) else text


def _number(number: Decimal) -> str:
    if not number.is_finite():
        return "∞"
    with localcontext(prec=PRECISION):
        # Adding zero turns a rounded "-0" into "0".
        rounded = (number.quantize(DIGITS, ROUND_HALF_EVEN) + 0).normalize()
        return f"{rounded:,f}"


def _parts(result: Any) -> Iterator[RenderableType]:
    from rich.text import Text

    if isinstance(result, str) or result == ():
        yield Text(text_of(result))
    elif _is_table(result):
        yield from _rows(result)
    else:
        tables = {one.name: getattr(result, one.name) for one in fields(result)}
        yield _list({name: one for name, one in tables.items() if not _has_parts(one)})
        for name, one in tables.items():
            if _has_parts(one):
                yield Text(f"\n{_title(name)}", style="bold")
                yield from _parts(one)


def _is_table(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and is_dataclass(value[0])


def _has_parts(value: Any) -> bool:
    return is_dataclass(value) or _is_table(value)


def _list(values: Mapping[str, Any]) -> RenderableType:
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for name, value in values.items():
        grid.add_row(_title(name), text_of(value))
    return grid


def _rows(rows: Sequence[Any]) -> Iterator[RenderableType]:
    """A table; rows that hold tables of their own come one after the other."""
    from rich.text import Text

    if any(_has_parts(getattr(rows[0], one.name)) for one in fields(rows[0])):
        for row in rows:
            yield Text()
            yield from _parts(row)
    else:
        yield Rows(rows)


@dataclass(frozen=True)
class Rows:
    """Results in a table; in a list each where that is too wide for the terminal."""

    rows: Sequence[Any]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """What rich prints."""
        table = self._table()
        # What is measured within a width is never wider.
        free = options.update(width=MOST_WIDTH)
        if console.measure(table, options=free).minimum <= options.max_width:
            yield table
            return
        for row in self.rows:
            yield _list({name: getattr(row, name) for name in self._names()})
            yield ""

    def _names(self) -> list[str]:
        """The fields that say anything."""
        names = [field.name for field in fields(self.rows[0])]
        return [name for name in names if any(getattr(row, name) is not None for row in self.rows)]

    def _table(self) -> Table:
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for name in self._names():
            column = [getattr(row, name) for row in self.rows]
            numbers = all(isinstance(one, Decimal | int | None) for one in column)
            table.add_column(
                _title(name),
                justify="right" if numbers else "left",
                no_wrap=not any(" " in text_of(one) for one in column),
            )
        for row in self.rows:
            first, *rest = (getattr(row, name) for name in self._names())
            table.add_row(text_of(first), *map(_short, rest))
        return table


def _title(name: str) -> str:
    return name.replace("_", " ")
