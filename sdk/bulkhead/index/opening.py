"""Opens an index whose file may be damaged: what can be read from the chain is not worth a stop."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from itertools import count
from pathlib import Path

from bulkhead.deployment import Deployment
from bulkhead.errors import IndexUnusable
from bulkhead.index.index import DEPTH, Index
from bulkhead.index.store import is_damage, lock_file
from bulkhead.index.writer import Companion

_MAGIC = b"SQLite format 3\0"
_PARTS = ("", "-wal", "-shm")  # of one SQLite database
_log = logging.getLogger(__name__)


def open_index(
    path: str | Path,
    deployment: Deployment,
    *,
    depth: int = DEPTH,
    companions: Sequence[Companion] = (),
) -> Index:
    """An index in an SQLite file, built anew if the file is damaged.

    The damaged one is kept beside it, as `<name>.damaged-<n>`. Arguments as of `Index`.

    Raises:
        IndexBusy: If it is damaged, and another process still writes to it.
        IndexUnusable: If it is the index of something else, or no database at all.
    """
    file = Path(path)
    damage = _damage_of(file)
    if damage is not None:
        # What never was a database is somebody's file, given by mistake.
        with file.open("rb") as opened:
            if not _MAGIC.startswith(opened.read(len(_MAGIC))):
                raise IndexUnusable(f"{file} is no database, and is left as it is")
        aside = _set_aside(file)
        _log.warning("%s: %s; it is kept as %s, and built again", file, damage, aside)
    return Index(file, deployment, depth=depth, companions=companions)


def _damage_of(file: Path) -> str | None:
    """What is broken in a file; None if nothing is. All of it is read, once."""
    if not file.exists():
        return None
    try:
        with closing(sqlite3.connect(file)) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return str(error)
        raise IndexUnusable(f"{file} can not be read: {error}") from error
    return None if found == "ok" else str(found)


def _set_aside(file: Path) -> Path:
    """Renames a database whole, so that it can still be looked at."""
    lock = lock_file(str(file))
    try:
        names = (Path(f"{file}.damaged-{number}") for number in count(1))
        aside = next(name for name in names if not name.exists())
        for part in _PARTS:
            whole = Path(f"{file}{part}")
            if whole.exists():
                whole.rename(f"{aside}{part}")
    finally:
        lock.close()
    return aside
