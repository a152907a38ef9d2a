"""Takes events into the database, and takes them back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from threading import Lock
from typing import Any, Protocol

from sqlalchemy import Connection, delete, func, select, update

from bulkhead.contracts import Contracts
from bulkhead.errors import IndexBusy
from bulkhead.index import schema
from bulkhead.index.arguments import from_json, to_json
from bulkhead.index.ledger import CashEntry, FillEntry, entries_of, funding_indices
from bulkhead.index.store import Store
from bulkhead.index.tables import Row, WatchedState, row_before
from bulkhead.interfaces import Event

CONTRACTS = ("clearinghouse", "order_book", "price_oracle", "liquidity_pool")
"""Whose logs the index keeps, by their names in a deployment."""

_PAGE = 10_000  # rows read at once where all are
_MAX_COLUMN = 2**63 - 1
_FILL_FIELDS = tuple(one.name for one in fields(FillEntry))
_CASH_FIELDS = tuple(one.name for one in fields(CashEntry))


@dataclass(frozen=True, slots=True)
class Header:
    """What the index needs of a block."""

    number: int
    hash: str
    timestamp: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """A range of blocks, all that was logged in it, and the headers of those that logged.

    Attributes:
        after: The cursor that it follows.
        last: The range's last block.
        headers: Of the blocks with events, ascending.
        events: In their order.
        is_final: Whether no reorg is expected to reach it: no journal is kept.
    """

    after: int
    last: Header
    headers: tuple[Header, ...]
    events: tuple[Event, ...]
    is_final: bool


class Companion(Protocol):
    """What keeps tables of its own beside the index, and changes them in its transactions."""

    def attach(self, store: Store) -> None:
        """Makes its tables in a database that has just been opened."""

    def apply(self, connection: Connection, chunk: Chunk) -> None:
        """Takes in what the index takes in, once the cursor has moved."""

    def roll_back(self, connection: Connection, block: int) -> None:
        """Forgets what it was told of blocks above one."""


class Writer:
    """The state in memory and its image in the database, which change together or not at all.

    Args:
        store: The database.
        contracts: The exchange.
        depth: How many blocks of changes the journal keeps.
        companions: Who else changes with them.
    """

    def __init__(
        self,
        store: Store,
        contracts: Contracts,
        depth: int,
        companions: Sequence[Companion] = (),
    ) -> None:
        self.store = store
        self.depth = depth
        self.companions = companions
        self.contracts = contracts
        self.names = {getattr(contracts, name).address: name for name in CONTRACTS}
        self._state: WatchedState | None = None
        self._cursor = 0
        # A task that is cancelled leaves a thread behind that has not finished yet.
        self._turn = Lock()

    @property
    def cursor(self) -> int:
        """The last block that is in the index."""
        with self.store.begin() as connection:
            return int(connection.execute(select(schema.meta.c.cursor)).scalar_one())

    def state(self) -> WatchedState:
        """The state at the cursor: loaded once, then kept.

        Raises:
            IndexBusy: If somebody else has moved the cursor. The next call loads it again.
        """
        if self._state is not None and self.cursor != self._cursor:
            self._state = None
            raise self._overtaken()
        if self._state is None:
            with self.store.begin() as connection:
                self._cursor, self._state = load_state(connection, self._empty())
        return self._state

    def apply(self, chunk: Chunk) -> None:
        """Takes in what follows the cursor, in one transaction.

        Raises:
            IndexBusy: If somebody else has moved the cursor.
        """
        with self._turn:
            self._apply(chunk)

    def _apply(self, chunk: Chunk) -> None:
        state, rows = self.state(), _Rows(self.names)
        if chunk.after != self._cursor:
            raise self._overtaken()
        changed: dict[tuple[str, Any], None] = {}  # in the order of their first change
        journal: list[dict[str, Any]] = []
        # Whatever goes wrong on the way, the database is right: the state is loaded from it again.
        self._state = None
        for number, block in groupby(chunk.events, key=lambda event: event.block):
            rows.fold(state, list(block))
            if not chunk.is_final:
                changes = state.take_changes()
                changed |= dict.fromkeys((name, key) for name, key, _ in changes)
                journal += [_journal_row(number, row_before(change)) for change in changes]
        changed |= dict.fromkeys((name, key) for name, key, _ in state.take_changes())
        headers = {header.number: (header, True) for header in chunk.headers}
        headers.setdefault(chunk.last.number, (chunk.last, False))
        floor = chunk.last.number if chunk.is_final else chunk.last.number - self.depth
        with self.store.write() as connection:
            self._move(connection, chunk.last, floor)
            self.store.insert(
                connection, schema.blocks, [_block_row(*one) for one in headers.values()]
            )
            self.store.insert(connection, schema.events, rows.events)
            self.store.insert(connection, schema.fills, rows.fills)
            self.store.insert(connection, schema.entries, rows.entries)
            self.store.upsert(connection, [_word_row(*state.row(*place)) for place in changed])
            self.store.insert(connection, schema.journal, journal)
            _prune(connection)
            for companion in self.companions:
                companion.apply(connection, chunk)
        self._state, self._cursor = state, chunk.last.number

    def checkpoint(self, limit: int) -> Header | None:
        """The last block up to a number whose hash is known; None if there is none."""
        blocks = schema.blocks
        query = select(blocks).where(blocks.c.number <= limit).order_by(blocks.c.number.desc())
        with self.store.begin() as connection:
            found = connection.execute(query.limit(1)).first()
        return None if found is None else Header(found.number, found.hash, found.timestamp)

    def roll_back(self, to: Header | None) -> None:
        """Abandons all blocks above a checkpoint, in one transaction.

        Where the journal does not reach so far, the state is built again from the events below.

        Args:
            to: The checkpoint; None for everything.
        """
        with self._turn:
            self._roll_back(to)

    def _roll_back(self, to: Header | None) -> None:
        state = self.state()
        self._state = None
        number = self.store.deployment.block - 1 if to is None else to.number
        with self.store.write() as connection:
            floor = connection.execute(select(schema.meta.c.journal_floor)).scalar_one()
            undone = _changes_above(connection, number)
            self._move(connection, to, number)
            for table in (schema.events, schema.fills, schema.entries, schema.journal):
                connection.execute(delete(table).where(table.c.block > number))
            connection.execute(delete(schema.blocks).where(schema.blocks.c.number > number))
            connection.execute(schema.rollbacks.insert().values(block=number))
            for companion in self.companions:
                companion.roll_back(connection, number)
            if number >= floor:
                self._undo(connection, undone)
                state.restore(undone)
            else:
                state = self._rebuild(connection)
        self._state, self._cursor = state, number

    def _empty(self) -> WatchedState:
        return WatchedState(self.contracts.liquidity_pool.address)

    def _move(self, connection: Connection, to: Header | None, floor: int) -> None:
        """Moves the cursor, if it is where this writer left it."""
        number = self.store.deployment.block - 1 if to is None else to.number
        found = connection.execute(select(schema.meta.c.journal_floor)).scalar_one()
        is_back = number < self._cursor
        moved = connection.execute(
            update(schema.meta)
            .where(schema.meta.c.cursor == self._cursor)
            .values(
                cursor=number,
                cursor_hash=None if to is None else to.hash,
                journal_floor=min(found, floor) if is_back else max(found, floor),
            )
        )
        if moved.rowcount != 1:
            raise self._overtaken()

    def _overtaken(self) -> IndexBusy:
        return IndexBusy(f"somebody else has written to {self.store.name} meanwhile")

    def _undo(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Sets rows of words back."""
        for table, key, before in rows:
            if before is None:
                words = schema.words
                connection.execute(delete(words).where(words.c.table == table, words.c.key == key))
        kept = [_word_row(table, key, before) for table, key, before in rows if before is not None]
        self.store.upsert(connection, kept)

    def _rebuild(self, connection: Connection) -> WatchedState:
        """The state from all events that are left, in memory and in the database."""
        state = self._empty()
        for event in read_events(connection, self.contracts):
            state.take(event)
        state.take_changes()
        connection.execute(delete(schema.words))
        self.store.insert(connection, schema.words, [_word_row(*row) for row in state.rows()])
        return state


def load_state(connection: Connection, empty: WatchedState) -> tuple[int, WatchedState]:
    """The cursor and the state that belongs to it."""
    cursor = connection.execute(select(schema.meta.c.cursor)).scalar_one()
    words = schema.words
    found = connection.execute(select(words.c.table, words.c.key, words.c.value))
    empty.restore((row.table, row.key, row.value) for row in found)
    return int(cursor), empty


def read_events(connection: Connection, contracts: Contracts) -> Iterator[Event]:
    """All events that are in the index, in their order."""
    query = select(schema.events).order_by(schema.events.c.block, schema.events.c.log_index)
    for row in connection.execute(query.execution_options(yield_per=_PAGE)):
        yield event_of(row, contracts)


def event_of(row: Any, contracts: Contracts) -> Event:
    """A decoded event again from its row."""
    contract = getattr(contracts, row.contract)
    arguments = from_json(contract.interface.inputs_of(row.name), row.arguments)
    return Event(row.name, arguments, contract.address, row.block, row.transaction, row.log_index)


class _Rows:
    """The rows of events and of what they did."""

    def __init__(self, names: dict[str, str]) -> None:
        self.events: list[dict[str, Any]] = []
        self.fills: list[dict[str, Any]] = []
        self.entries: list[dict[str, Any]] = []
        self._names = names

    def fold(self, state: WatchedState, block: Sequence[Event]) -> None:
        """Takes a block's events into the state, and writes down what each did."""
        for _, found in groupby(block, key=lambda event: event.transaction):
            transaction = list(found)
            indices = funding_indices(transaction)
            for event in transaction:
                self._write_entries(state, event, indices)
                state.take(event)
                self._write_event(state, event)

    def _write_event(self, state: WatchedState, event: Event) -> None:
        arguments = event.arguments
        account, market = arguments.get("account"), arguments.get("market")
        if "order_hash" in arguments and (account is None or market is None):
            placed = state.placements[arguments["order_hash"]]
            account, market = placed.account, placed.market
        self.events.append(
            {
                "block": event.block,
                "log_index": event.index,
                "transaction": event.transaction,
                "contract": self._names[event.address],
                "name": event.name,
                "account": account,
                "market": market if market is None or market <= _MAX_COLUMN else None,
                "arguments": to_json(arguments),
            }
        )

    def _write_entries(self, state: WatchedState, event: Event, indices: dict[int, int]) -> None:
        for part, entry in enumerate(entries_of(state, event, indices)):
            names = _FILL_FIELDS if isinstance(entry, FillEntry) else _CASH_FIELDS
            row: dict[str, Any] = {name: getattr(entry, name) for name in names}
            row |= {"block": event.block, "log_index": event.index, "part": part}
            row["kind"] = entry.kind.value
            if isinstance(entry, FillEntry):
                row["transaction"] = event.transaction
                row["price"] = str(entry.price)
                if entry.order_hash is not None:
                    row["order_hash"] = "0x" + entry.order_hash.hex()
                self.fills.append(row)
            else:
                self.entries.append(row)


def _block_row(header: Header, has_events: bool) -> dict[str, Any]:
    return {
        "number": header.number,
        "hash": header.hash,
        "timestamp": header.timestamp,
        "has_events": has_events,
    }


def _word_row(table: str, key: str, value: str | None) -> dict[str, Any]:
    return {"table": table, "key": key, "value": value}


def _journal_row(block: int, row: Row) -> dict[str, Any]:
    table, key, before = row
    return {"block": block, "table": table, "key": key, "before": before}


def _changes_above(connection: Connection, number: int) -> list[Row]:
    """What every row held at a block that has changed since, by the journal."""
    journal = schema.journal
    first = (
        select(journal.c.table, journal.c.key, func.min(journal.c.block).label("block"))
        .where(journal.c.block > number)
        .group_by(journal.c.table, journal.c.key)
        .subquery()
    )
    query = select(journal.c.table, journal.c.key, journal.c.before).join(
        first,
        (journal.c.table == first.c.table)
        & (journal.c.key == first.c.key)
        & (journal.c.block == first.c.block),
    )
    return [(row.table, row.key, row.before) for row in connection.execute(query)]


def _prune(connection: Connection) -> None:
    """Drops what no rollback needs any more."""
    floor = connection.execute(select(schema.meta.c.journal_floor)).scalar_one()
    connection.execute(delete(schema.journal).where(schema.journal.c.block <= floor))
    empty = ~schema.blocks.c.has_events
    connection.execute(delete(schema.blocks).where(empty, schema.blocks.c.number < floor))
