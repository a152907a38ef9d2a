"""One at a time on a local node: whoever moves prices, time or the chain itself."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bulkhead.deployment import FOLDER


@contextmanager
def turn(chain_id: int, folder: Path = FOLDER) -> Iterator[None]:
    """Waits until no other process has its turn on a chain, and keeps them waiting meanwhile.

    A price set by hand would else fall between the reading of a running world and its publication,
    and be lost.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{chain_id}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
