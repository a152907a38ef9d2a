"""The database behind an index: an SQLite file, or PostgreSQL by URL."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Insert,
    Table,
    create_engine,
    event,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert as insert_for_postgres
from sqlalchemy.exc import ArgumentError, DatabaseError

from bulkhead.deployment import Deployment
from bulkhead.errors import IndexBusy, IndexDamaged, IndexUnusable
from bulkhead.index import schema

_WRITER_LOCK = 0x62756C6B68656164  # "bulkhead": our key among a server's advisory locks
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BUSY_SECONDS = 30  # how long a statement waits for another process's


class Store:
    """One database, opened and checked.

    Args:
        location: A path, or a URL as SQLAlchemy takes them.
        deployment: The exchange whose index it is.

    Raises:
        IndexUnusable: If it holds something else.
        IndexDamaged: If it is an SQLite file that is broken.
    """

    def __init__(self, location: str | Path, deployment: Deployment) -> None:
        self.deployment = deployment
        self.engine = _engine_of(str(location))
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writing = self.engine.execution_options(writes=True)
        self._lock: Any = None
        self._turn = Lock()  # a task that is cancelled while it claims leaves a thread that does
        try:
            self._prepare()
        except (DatabaseError, sqlite3.Error) as error:
            self.engine.dispose()
            reason = error.orig if isinstance(error, DatabaseError) else error
            kind = IndexDamaged if is_damage(reason) else IndexUnusable
            raise kind(f"{self.name} can not be opened: {reason}") from error
        except IndexUnusable:
            self.engine.dispose()
            raise

    @property
    def name(self) -> str:
        """Where the index is, without a password."""
        return self.engine.url.render_as_string(hide_password=True)

    def begin(self) -> Any:
        """A transaction: a context manager that gives its connection."""
        return self.engine.begin()

    def write(self) -> Any:
        """A transaction that writes. SQLite's waits for its turn before it reads anything."""
        return self._writing.begin()

    def claim(self) -> None:
        """Becomes the one writer, until the store is closed or the process ends, however it does.

        Raises:
            IndexBusy: If there is another.
        """
        with self._turn:
            if self._lock is None:
                self._lock = self._taken_lock()

    def _taken_lock(self) -> Any:
        if not self.is_sqlite:
            connection = self.engine.connect()
            taken = connection.execute(text(f"SELECT pg_try_advisory_lock({_WRITER_LOCK})"))
            if not taken.scalar_one():
                connection.close()
                raise _busy(self.name)
            connection.commit()
            return connection
        return lock_file(str(self.engine.url.database))

    def close(self) -> None:
        """Lets go of the database."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        self.engine.dispose()

    def insert(self, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
        """Writes new rows, each with all columns of the table."""
        self._write(connection, table.insert(), rows)

    def upsert(self, connection: Connection, rows: list[dict[str, Any]]) -> None:
        """Writes rows of the state's words, over what they held."""
        if self.is_sqlite:
            self._write(connection, schema.words.insert().prefix_with("OR REPLACE"), rows)
        else:
            plain = insert_for_postgres(schema.words)
            over = plain.on_conflict_do_update(
                index_elements=["table", "key"], set_={"value": plain.excluded.value}
            )
            self._write(connection, over, rows)

    def _write(self, connection: Connection, statement: Insert, rows: list[dict[str, Any]]) -> None:
        # Compiled once and handed to the driver: what SQLAlchemy does for each row of plain numbers
        # and texts costs more than to store it.
        if not rows:
            return
        compiled = statement.compile(dialect=self.engine.dialect)
        names = compiled.positiontup
        parameters: Any = rows
        if names is not None:
            parameters = [tuple([row[name] for name in names]) for row in rows]
        connection.exec_driver_sql(str(compiled), parameters)

    def _prepare(self) -> None:
        with self.begin() as connection:
            tables = set(inspect(connection).get_table_names())
        if tables and "meta" not in tables:
            raise IndexUnusable(f"{self.name} holds other tables and no index")
        expected = json.dumps(asdict(self.deployment), sort_keys=True)
        with self._creating() as connection:
            schema.metadata.create_all(connection)
            found = connection.execute(select(schema.meta)).one_or_none()
            if found is None:
                first = self.deployment.block - 1
                connection.execute(
                    schema.meta.insert().values(
                        id=1,
                        version=schema.VERSION,
                        deployment=expected,
                        cursor=first,
                        cursor_hash=None,
                        journal_floor=first,
                    )
                )
                return
        if found.version != schema.VERSION:
            raise IndexUnusable(
                f"{self.name} has version {found.version} of the schema, this package version "
                f"{schema.VERSION}: build the index again, or use the package that wrote it"
            )
        if found.deployment != expected:
            raise IndexUnusable(_difference(self.name, found.deployment, self.deployment))

    @contextmanager
    def _creating(self) -> Iterator[Connection]:
        """A transaction in which two processes never create the same tables."""
        with self.begin() as connection:
            if not self.is_sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK + 1})"))
            yield connection


def lock_file(path: str) -> sqlite3.Connection:
    """The writer's lock of an SQLite index, until it is closed or the process ends.

    It is a lock of SQLite's own on a file beside: the system lifts it.

    Raises:
        IndexBusy: If somebody else has it.
    """
    lock = sqlite3.connect(
        f"{path}-writer", timeout=0, isolation_level=None, check_same_thread=False
    )
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        lock.close()
        raise _busy(path) from None
    return lock


def is_damage(error: BaseException | None) -> bool:
    """Whether an error of SQLite's says that the file is broken."""
    return getattr(error, "sqlite_errorcode", None) in _DAMAGED


def _busy(name: str) -> IndexBusy:
    return IndexBusy(f"another process writes to {name}; any number may read")


def _engine_of(location: str) -> Engine:
    if "://" not in location:
        url = URL.create("sqlite", database=location)
    else:
        try:
            url = make_url(location)
        except ArgumentError:
            raise IndexUnusable("that is no database's URL") from None
    kind = url.get_backend_name()
    if kind in ("postgresql", "postgres"):
        try:
            return create_engine(url.set(drivername="postgresql+psycopg"))
        except ModuleNotFoundError as error:
            raise IndexUnusable(f"{error}: install bulkhead[postgres]") from error
    if url.drivername != "sqlite":
        raise IndexUnusable(f"no database for an index: {url.drivername}; SQLite or PostgreSQL are")
    if url.database in (None, "", ":memory:"):
        raise IndexUnusable("an index needs a file: what is in memory alone survives nothing")
    engine = create_engine(url, connect_args={"check_same_thread": False})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = (
        None  # transactions begin where we say, not where the driver guesses
    )
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _difference(name: str, found: str, deployment: Deployment) -> str:
    table, wanted = json.loads(found), asdict(deployment)
    for field in ("chain_id", "genesis_hash"):
        if table.get(field) != wanted[field]:
            return f"{name} is of another chain: its {field} is {table.get(field)}"
    return f"{name} is of another exchange on this chain: {table.get('clearinghouse')}"
