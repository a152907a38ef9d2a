"""Reads what the index holds: events and what they did, each in the order of the chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeAlias

from eth_utils.address import to_checksum_address
from sqlalchemy import Connection, Select, and_, func, or_, select

from bulkhead.contracts import Contracts
from bulkhead.index import schema
from bulkhead.index.history import Listed
from bulkhead.index.ledger import CashEntry, Entry, EntryKind, FillEntry, FillKind
from bulkhead.index.store import Store
from bulkhead.index.tables import WatchedState
from bulkhead.index.writer import event_of
from bulkhead.interfaces import Event

Moment: TypeAlias = datetime | int
"""A time with its zone, or seconds since 1970."""

PAGE = 1_000  # events read at once by those that wait for more

_MISSED = 2**31 - 1  # a log index behind all of a block's
_MAX_NUMBER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are wanted; None for any.

    Attributes:
        names: Of what names.
        account: Of whose account; events of an order are its account's.
        market: Of which market, by id.
        first: From which block on.
        last: Up to which block.
    """

    names: tuple[str, ...] | None = None
    account: str | None = None
    market: int | None = None
    first: int | None = None
    last: int | None = None

    def applied(self, query: Select[Any]) -> Select[Any]:
        """The query for those alone."""
        columns = schema.events.c
        if self.names is not None:
            query = query.where(columns.name.in_(self.names))
        if self.account is not None:
            query = query.where(columns.account == to_checksum_address(self.account))
        if self.market is not None:
            query = query.where(columns.market == _number(self.market, "market"))
        if self.first is not None:
            query = query.where(columns.block >= _number(self.first, "first"))
        if self.last is not None:
            query = query.where(columns.block <= _number(self.last, "last"))
        return query


@dataclass(frozen=True, slots=True)
class Place:
    """How far a reader who waits for more has read.

    Attributes:
        block: The last event's block, or the last block that is read whole.
        log_index: The last event's place in it.
        rollbacks: How many rollbacks it knows of.
    """

    block: int
    log_index: int
    rollbacks: int


@dataclass(frozen=True, slots=True)
class Rollback:
    """Tells a reader that the chain has abandoned what it was given above a block.

    Attributes:
        block: The last block that still counts. What follows is of the chain as it is now.
    """

    block: int


class Records:
    """Reads one store."""

    def __init__(self, store: Store, contracts: Contracts) -> None:
        self._store = store
        self._contracts = contracts

    def events(self, wanted: Filter) -> Iterator[Event]:
        """All events that are wanted, as of one moment: nothing that is written meanwhile."""
        with self._store.begin() as connection:
            query = wanted.applied(_in_order(select(schema.events), schema.events))
            for row in connection.execute(query.execution_options(yield_per=PAGE)):
                yield event_of(row, self._contracts)

    def place_before(self, first: int | None) -> Place:
        """Where a reader begins who wants everything from a block on."""
        with self._snapshot() as connection:
            known = connection.execute(select(func.max(schema.rollbacks.c.id))).scalar_one()
        return Place(-1 if first is None else first - 1, _MISSED, known or 0)

    def page(self, wanted: Filter, after: Place) -> tuple[Rollback | None, list[Event], Place]:
        """What follows a place: what it must forget first, some events, and where they end."""
        rollback: Rollback | None = None
        with self._snapshot() as connection:
            ids = schema.rollbacks.c
            query = select(func.max(ids.id), func.min(ids.block)).where(ids.id > after.rollbacks)
            known, block = connection.execute(query).one()
            if known is not None:
                if block < after.block:
                    rollback = Rollback(block)
                    after = Place(block, _MISSED, known)
                after = Place(after.block, after.log_index, known)
            columns = schema.events.c
            behind = or_(
                columns.block > after.block,
                and_(columns.block == after.block, columns.log_index > after.log_index),
            )
            query = wanted.applied(_in_order(select(schema.events), schema.events))
            rows = connection.execute(query.where(behind).limit(PAGE)).all()
        if rows:
            after = Place(rows[-1].block, rows[-1].log_index, after.rollbacks)
        return rollback, [event_of(row, self._contracts) for row in rows], after

    def fills(
        self,
        account: str | None,
        start: Moment | None,
        end: Moment | None,
        kinds: Sequence[FillKind] | None = None,
    ) -> list[tuple[Any, FillEntry]]:
        """Fills, each with its row: `timestamp`, `block`, `log_index`, `transaction`."""
        with self._store.begin() as connection:
            query = _selected(schema.fills, account, start, end)
            if kinds is not None:
                query = query.where(schema.fills.c.kind.in_([kind.value for kind in kinds]))
            return [(row, _fill_entry(row)) for row in connection.execute(query)]

    def changes(
        self, account: str, start: Moment | None, end: Moment | None
    ) -> list[tuple[int, Entry]]:
        """All that changed an account's collateral, and when: seconds."""
        found: list[tuple[tuple[int, int, int], int, Entry]] = []
        with self._snapshot() as connection:
            for row in connection.execute(_selected(schema.fills, account, start, end)):
                place = (row.block, row.log_index, row.part)
                found.append((place, row.timestamp, _fill_entry(row)))
            for row in connection.execute(_selected(schema.entries, account, start, end)):
                cash = CashEntry(row.account, EntryKind(row.kind), row.amount, row.market)
                found.append(((row.block, row.log_index, row.part), row.timestamp, cash))
        return [(timestamp, entry) for _, timestamp, entry in sorted(found, key=lambda one: one[0])]

    def listed(self) -> dict[int, Listed]:
        """Every market's symbol and lot size."""
        with self._store.begin() as connection:
            tables = ("symbols", "lot_sizes")
            query = select(schema.words).where(schema.words.c.table.in_(tables))
            rows = connection.execute(query).all()
        state = WatchedState("")
        state.restore((row.table, row.key, row.value) for row in rows)
        return {
            market: Listed(symbol, state.lot_sizes[market])
            for market, symbol in state.symbols.items()
        }

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        """A transaction whose queries all see the same moment."""
        level = {} if self._store.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        connected = self._store.engine.connect().execution_options(**level)
        with connected as connection, connection.begin():
            yield connection


def _selected(
    table: Any, account: str | None, start: Moment | None, end: Moment | None
) -> Select[Any]:
    blocks = schema.blocks
    query = select(table, blocks.c.timestamp).join(blocks, blocks.c.number == table.c.block)
    if account is not None:
        query = query.where(table.c.account == to_checksum_address(account))
    if start is not None:
        query = query.where(blocks.c.timestamp >= _seconds(start, "start"))
    if end is not None:
        query = query.where(blocks.c.timestamp < _seconds(end, "end"))
    return _in_order(query, table)


def _in_order(query: Select[Any], table: Any) -> Select[Any]:
    order = [table.c.block, table.c.log_index]
    return query.order_by(*order, table.c.part) if "part" in table.c else query.order_by(*order)


def _fill_entry(row: Any) -> FillEntry:
    table = {name: getattr(row, name) for name in _FILL_FIELDS}
    table["kind"] = FillKind(row.kind)
    table["price"] = int(row.price)
    if row.order_hash is not None:
        table["order_hash"] = bytes.fromhex(row.order_hash[2:])
    return FillEntry(**table)


_FILL_FIELDS = tuple(one.name for one in fields(FillEntry))


def _number(number: int, name: str) -> int:
    if not 0 <= number <= _MAX_NUMBER:
        raise ValueError(f"{name}: {number} is none")
    return number


def _seconds(moment: Moment, name: str) -> int:
    if isinstance(moment, int):
        return _number(moment, name)
    if moment.tzinfo is None:
        raise ValueError(f"{name}: which zone's {moment}? Give it a tzinfo")
    return int(moment.timestamp())
