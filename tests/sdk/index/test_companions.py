"""What goes with an index changes in its transactions, or not at all."""

from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, func, select

from bulkhead.index import Index
from bulkhead.index.store import Store
from bulkhead.index.writer import Chunk
from tests.sdk.index.conftest import Life

METADATA = MetaData()
NOTES = Table("notes", METADATA, Column("block", Integer))


class Notes:
    """Remembers each chunk's last block, until told otherwise."""

    breaks = False

    def attach(self, store: Store) -> None:
        with store.write() as connection:
            METADATA.create_all(connection)

    def apply(self, connection: Connection, chunk: Chunk) -> None:
        connection.execute(NOTES.insert().values(block=chunk.last.number))
        if self.breaks:
            raise RuntimeError("broken")

    def roll_back(self, connection: Connection, block: int) -> None:
        connection.execute(NOTES.delete().where(NOTES.c.block > block))
        connection.execute(NOTES.insert().values(block=block))
        if self.breaks:
            raise RuntimeError("broken")


def last_note(index: Index) -> int:
    with index._store.begin() as connection:
        return int(connection.execute(select(func.max(NOTES.c.block))).scalar_one())


def test_it_hears_of_every_chunk_and_of_every_rollback(life: Life, tmp_path: Path) -> None:
    node = life.node()
    middle = node.head // 2
    with Index(tmp_path / "index.db", life.deployment, companions=[Notes()]) as index:
        index.catch_up(node.until(middle))
        assert last_note(index) == index.block == middle
        progress = index.catch_up(life.node().fork(middle - 5).until(middle - 1))
        assert progress.rolled_back_to is not None
        assert last_note(index) == index.block


def test_if_it_breaks_the_index_stays_where_it_was(life: Life, tmp_path: Path) -> None:
    node, notes = life.node(), Notes()
    middle = node.head // 2
    with Index(tmp_path / "index.db", life.deployment, companions=[notes]) as index:
        index.catch_up(node.until(middle))
        notes.breaks = True
        with pytest.raises(RuntimeError):
            index.catch_up(node.until(middle + 5))
        assert last_note(index) == index.block == middle
        with pytest.raises(RuntimeError):
            index.catch_up(life.node().fork(middle - 5).until(middle + 5))
        assert last_note(index) == index.block == middle
        notes.breaks = False
        index.catch_up(life.node())
        assert list(index.events()) == life.events()
