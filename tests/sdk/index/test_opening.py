"""A database file that is damaged is set aside, and the index built again from the chain."""

import logging
import os
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from bulkhead.errors import IndexBusy, IndexDamaged, IndexUnusable
from bulkhead.index import Index, open_index
from tests.sdk.index.conftest import Life
from tests.sdk.index.helpers import content_of


@pytest.fixture(scope="module")
def whole(life: Life, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an index that was closed in order."""
    path = tmp_path_factory.mktemp("whole") / "index.db"
    with Index(path, life.deployment) as index:
        index.catch_up(life.node())
    return path


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path / "index.db"))


def cut(file: Path, size: int) -> None:
    with file.open("r+b") as opened:
        opened.truncate(size)


@pytest.mark.parametrize("part", [0.02, 0.1, 0.25, 0.5, 0.75, 0.99])
@pytest.mark.parametrize("page", [4_096, 1])
def test_a_file_that_was_cut_is_built_again(
    life: Life, path: Path, whole: Path, part: float, page: int, caplog: pytest.LogCaptureFixture
) -> None:
    cut(path, int(path.stat().st_size * part) // page * page)
    size = path.stat().st_size
    with caplog.at_level(logging.WARNING), open_index(path, life.deployment) as index:
        index.catch_up(life.node())
        with Index(whole, life.deployment) as expected:
            assert content_of(index) == content_of(expected)
    if size:
        aside = path.with_name("index.db.damaged-1")
        assert aside.stat().st_size == size
        assert aside.name in caplog.text


def test_one_of_fewer_bytes_than_a_header_is_built_again(life: Life, path: Path) -> None:
    for size in (0, 1, 15, 50, 99):
        cut(path, size)
        with open_index(path, life.deployment) as index:
            index.catch_up(life.node())
            assert list(index.events()) == life.events()


def test_one_that_was_overwritten_in_the_middle_is_built_again(life: Life, path: Path) -> None:
    with path.open("r+b") as opened:
        opened.seek(path.stat().st_size // 2)
        opened.write(b"\xff" * 16_384)
    with open_index(path, life.deployment) as index:
        assert index.block == life.deployment.block - 1
    assert path.with_name("index.db.damaged-1").exists()


def test_what_belongs_to_the_file_is_set_aside_with_it(life: Life, path: Path) -> None:
    cut(path, path.stat().st_size // 2)
    for part in ("-wal", "-shm"):
        Path(f"{path}{part}").write_bytes(b"old")
    open_index(path, life.deployment).close()
    for part in ("-wal", "-shm"):
        # SQLite may have made its own of what it could not read.
        assert not Path(f"{path}{part}").exists() or Path(f"{path}{part}").read_bytes() != b"old"
    with open_index(path, life.deployment) as index:
        index.catch_up(life.node())
    assert not path.with_name("index.db.damaged-2").exists()


def test_a_log_of_writes_that_was_cut_costs_only_what_it_held(life: Life, tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    node = life.node()
    half = node.head // 2
    child = os.fork()
    if not child:
        try:
            index = Index(path, life.deployment)
            index.catch_up(node.until(half))
            index.catch_up(node.until(node.head))
        finally:
            os._exit(0)  # without closing: the log of writes stays
    os.waitpid(child, 0)
    log = Path(f"{path}-wal")
    cut(log, log.stat().st_size // 2)
    with open_index(path, life.deployment) as index:
        index.catch_up(life.node())
        assert list(index.events()) == life.events()
    assert not path.with_name("index.db.damaged-1").exists()


def test_a_whole_one_is_left_as_it_is(life: Life, path: Path) -> None:
    with open_index(path, life.deployment) as index:
        assert list(index.events()) == life.events()
    assert [one.name for one in path.parent.glob("*damaged*")] == []


def test_what_never_was_a_database_is_left_as_it_is(life: Life, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text('{"crypto": {"kdf": "scrypt", "and": "more than a header has"}}' * 10)
    with pytest.raises(IndexUnusable, match="no database"):
        open_index(path, life.deployment)
    assert [one.name for one in tmp_path.iterdir()] == ["key.json"]


def test_a_folder_is_refused(life: Life, tmp_path: Path) -> None:
    with pytest.raises(IndexUnusable):
        open_index(tmp_path, life.deployment)


def test_one_that_somebody_writes_to_is_left_to_them(life: Life, path: Path) -> None:
    writer = sqlite3.connect(f"{path}-writer", isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    cut(path, path.stat().st_size // 2)
    with pytest.raises(IndexBusy):
        open_index(path, life.deployment)
    writer.close()
    open_index(path, life.deployment).close()
    assert path.with_name("index.db.damaged-1").exists()


def test_who_opens_it_as_it_is_is_told(life: Life, path: Path) -> None:
    cut(path, 50)
    with pytest.raises(IndexDamaged):
        Index(path, life.deployment)


def test_the_index_of_another_exchange_is_not_set_aside(life: Life, path: Path) -> None:
    with pytest.raises(IndexUnusable, match="another chain"):
        open_index(path, replace(life.deployment, chain_id=life.deployment.chain_id + 1))
    assert [one.name for one in path.parent.glob("*damaged*")] == []
