"""The tables of the index.

Amounts are quote units (1e-6 USD) and fit 64 bits, as the contracts' words do; what may not fit is
decimal text. Times are the chain's, seconds.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

VERSION = 1
"""Of the schema. An index of another version is not opened: it is built again."""

metadata = MetaData()


def _place() -> tuple[Column[int], Column[int]]:
    return (
        Column("block", BigInteger, primary_key=True, autoincrement=False),
        Column("log_index", Integer, primary_key=True, autoincrement=False),
    )


meta = Table(
    "meta",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1: there is one row
    Column("version", Integer, nullable=False),
    Column("deployment", Text, nullable=False),  # JSON: chain, genesis and every address
    Column("cursor", BigInteger, nullable=False),  # the last block that is in the index
    Column("cursor_hash", String(66)),  # none before the first
    Column("journal_floor", BigInteger, nullable=False),  # the journal reaches back to this block
)

blocks = Table(
    "blocks",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", String(66), nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("has_events", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    metadata,
    *_place(),
    Column("transaction", String(66), nullable=False),
    Column("contract", String(20), nullable=False),  # its name in a deployment
    Column("name", String(40), nullable=False),
    Column("account", String(42)),
    Column("market", BigInteger),
    Column("arguments", Text, nullable=False),  # JSON, integers as decimal text
    Index("events_by_account", "account", "block", "log_index"),
    Index("events_by_name", "name", "block", "log_index"),
    sqlite_with_rowid=False,
)

fills = Table(
    "fills",
    metadata,
    *_place(),
    Column("part", Integer, primary_key=True, autoincrement=False),  # of the event: a pair has two
    Column("transaction", String(66), nullable=False),
    Column("account", String(42), nullable=False),
    Column("market", BigInteger, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("size", BigInteger, nullable=False),  # lots
    Column("price", String(20), nullable=False),  # femto per lot: 64 bits without a sign
    Column("impact", BigInteger, nullable=False),
    Column("pnl", BigInteger, nullable=False),
    Column("funding", BigInteger, nullable=False),
    Column("fee", BigInteger, nullable=False),
    Column("penalty", BigInteger, nullable=False),
    Column("deficit", BigInteger, nullable=False),
    Column("reward", BigInteger, nullable=False),
    Column("order_hash", String(66)),
    Column("liquidator", String(42)),
    Index("fills_by_account", "account", "block", "log_index"),
    sqlite_with_rowid=False,
)

entries = Table(
    "entries",
    metadata,
    *_place(),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("account", String(42), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("market", BigInteger),
    Index("entries_by_account", "account", "block", "log_index"),
    sqlite_with_rowid=False,
)

words = Table(
    "words",
    metadata,
    Column("table", String(20), primary_key=True),
    Column("key", String(160), primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

journal = Table(
    "journal",
    metadata,
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("table", String(20), primary_key=True),
    Column("key", String(160), primary_key=True),
    Column("before", Text),  # what the row held before the block; none if it was not there
    sqlite_with_rowid=False,
)

rollbacks = Table(
    "rollbacks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("block", BigInteger, nullable=False),  # all above it was abandoned
)
