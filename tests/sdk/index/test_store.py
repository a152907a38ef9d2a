"""What an index may be kept in, and what it refuses to touch."""

import dataclasses
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text, update

from bulkhead.errors import IndexUnusable
from bulkhead.index import Index, schema, tables
from bulkhead.replay import Replay
from tests.sdk.index.conftest import Life
from tests.sdk.index.helpers import tables_of


def test_a_newer_schema_is_refused(life: Life, location: str) -> None:
    with Index(location, life.deployment) as index, index._store.begin() as connection:
        connection.execute(update(schema.meta).values(version=schema.VERSION + 1))
    with pytest.raises(IndexUnusable, match=f"version {schema.VERSION + 1}"):
        Index(location, life.deployment)


def test_a_database_of_something_else_is_left_as_it_is(life: Life, location: str) -> None:
    url = location.replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(url if "://" in url else f"sqlite:///{url}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE events (name TEXT)"))
    with pytest.raises(IndexUnusable, match="other tables"):
        Index(location, life.deployment)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT * FROM events")).all() == []
    engine.dispose()


def test_a_file_that_is_no_database_is_left_as_it_is(life: Life, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, " * 100)
    with pytest.raises(IndexUnusable, match="can not be opened"):
        Index(path, life.deployment)
    assert path.read_text() == "not a database, " * 100


def test_a_folder_that_is_not_there_is_named(life: Life, tmp_path: Path) -> None:
    with pytest.raises(IndexUnusable, match="nowhere"):
        Index(tmp_path / "nowhere" / "index.db", life.deployment)


@pytest.mark.parametrize("location", [":memory:", "sqlite://", "sqlite:///:memory:"])
def test_memory_is_refused(life: Life, location: str) -> None:
    with pytest.raises(IndexUnusable, match="file"):
        Index(location, life.deployment)


@pytest.mark.parametrize("location", ["redis://here/1", "sqlite+nothing:///x.db", "://"])
def test_what_is_no_database_s_url_is_refused(life: Life, location: str) -> None:
    with pytest.raises(IndexUnusable, match="no database"):
        Index(location, life.deployment)


def test_a_server_that_is_not_there_is_named_without_its_password(life: Life) -> None:
    with pytest.raises(IndexUnusable, match="can not be opened") as caught:
        Index("postgresql://user:secret@127.0.0.1:1/index", life.deployment)
    assert "secret" not in str(caught.value)


def test_a_depth_below_one_block_is_refused(life: Life, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="depth"):
        Index(tmp_path / "index.db", life.deployment, depth=0)


def test_every_table_of_the_state_is_kept() -> None:
    kept = {*tables._TABLES, *tables._SINGLE, "done_groups", "liquidity_pool", "_fills"}
    assert {one.name for one in dataclasses.fields(Replay)} == kept


def test_no_fill_is_left_open_between_transactions(life: Life) -> None:
    assert life.replay()._fills == {}


def test_rows_bring_the_state_back(life: Life) -> None:
    state = tables.WatchedState(life.deployment.liquidity_pool)
    state.take_all(life.events())
    again = tables.WatchedState(life.deployment.liquidity_pool)
    again.restore(state.rows())
    assert tables_of(again) == tables_of(state) == tables_of(life.replay())
    assert again.take_changes() == []


def test_what_changed_undoes_it(life: Life) -> None:
    events = life.events()
    state = tables.WatchedState(life.deployment.liquidity_pool)
    state.take_all(events[: len(events) // 2])
    state.take_changes()
    rows = sorted(state.rows())
    state.take_all(events[len(events) // 2 :])
    state.restore([tables.row_before(change) for change in state.take_changes()])
    assert sorted(state.rows()) == rows


def test_importing_the_package_does_not_load_sqlalchemy() -> None:
    code = "import sys, bulkhead, bulkhead.index; sys.exit('sqlalchemy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


def test_a_file_is_readable_with_sqlite_alone(life: Life, tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    with Index(path, life.deployment) as index:
        index.catch_up(life.node())
        count = len(list(index.events()))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (count,)
        (size,) = connection.execute(
            "SELECT json_extract(arguments, '$.size') FROM events WHERE name = 'PositionIncreased'"
        ).fetchone()
        assert str(int(size)) == size
