"""The tables of the keeper's journal, beside the index's in its database.

Fees are wei per unit of gas, times are the chain's, seconds. Whoever changes a table raises the
version of the index's schema, as both are built together.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

transactions = Table(
    "keeper_transactions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("signer", String(42), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("job", String(20)),  # none where it only fills a nonce
    Column("to", String(42), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("value", String(80), nullable=False),  # wei, decimal text
    Column("gas", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),
    Column("since", BigInteger),  # it waits since this block; none right after a reorg
    Column("block", BigInteger),  # where it ended; none while it is on its way
    Column("block_hash", String(66)),  # of the block that has it; none if none has
    Index("keeper_transactions_by_state", "state", "block"),
)

versions = Table(
    "keeper_versions",
    metadata,
    Column("transaction", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),  # in the order of signing
    Column("hash", String(66), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("most", BigInteger, nullable=False),
    Column("tip", BigInteger),  # none on chains without a base fee
    Column("block", BigInteger, nullable=False),  # the head when it was signed
    Column("is_cancel", Boolean, nullable=False),
    Index("keeper_versions_by_hash", "hash"),
)

intents = Table(
    "keeper_intents",
    metadata,
    Column("transaction", Integer, primary_key=True, autoincrement=False),
    Column("job", String(20), primary_key=True),
    Column("key", String(80), primary_key=True),
    Column("state", String(10), nullable=False),
    Column("block", BigInteger),  # where it ended; none before
    Column("reason", Text, nullable=False),
    Index("keeper_intents_by_state", "state"),
)

poison = Table(
    "keeper_poison",
    metadata,
    Column("job", String(20), primary_key=True),
    Column("key", String(80), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("until", BigInteger, nullable=False),
)
