"""A process that dies between any two statements leaves what the next one goes on from."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import event

from bulkhead.errors import IndexBusy
from bulkhead.index import Index
from tests.sdk.index.conftest import Life, NewLocation
from tests.sdk.index.helpers import content_of, tables_of
from tests.sdk.index.recording import Node

SPAN = 10  # blocks in a chunk
SECONDS = 10  # for the server to notice that a client is gone


def catch_up(index: Index, node: Node, heads: Sequence[int]) -> None:
    index._follower._span = SPAN
    for head in heads:
        index.catch_up(node.until(head))


def on_each_write(index: Index, act: Callable[[], None]) -> None:
    """Acts before every statement that writes, and before the commits of those."""
    has_written = False

    def before_statement(_: Any, __: Any, statement: str, *rest: Any) -> None:
        nonlocal has_written
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            has_written = True
            act()

    def before_commit(_: Any) -> None:
        nonlocal has_written
        if has_written:
            has_written = False
            act()

    event.listen(index._store.engine, "before_cursor_execute", before_statement)
    event.listen(index._store.engine, "commit", before_commit)


def killed_before(number: int, make: Callable[[], Index], run: Callable[[Index], None]) -> None:
    """Runs something in a process that kills itself right before its n-th write or commit."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status)
        assert os.WTERMSIG(status) == signal.SIGKILL
        return
    left = number

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        index = make()
        on_each_write(index, count)
        run(index)
    finally:
        os._exit(0)


def claim(index: Index) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return index._store.claim()
        except IndexBusy:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["filling", "rolling back", "rebuilding"])
def test_killed_before_any_write_it_goes_on(
    life: Life, new_location: NewLocation, kind: str
) -> None:
    old = life.node()
    middle = old.head // 2
    fork = old.fork(middle - 4)
    depth = 2 if kind == "rebuilding" else 30
    before = [middle - 20] if kind == "filling" else list(range(middle - 6, middle + 1))
    chain, end = (old, middle) if kind == "filling" else (fork, middle + 1)

    def opened(location: str) -> Index:
        return Index(location, life.deployment, depth=depth)

    def step(index: Index) -> None:
        catch_up(index, chain, [end])

    origin = new_location()
    with opened(origin) as index:
        catch_up(index, old, before)
    writes = 0

    def count() -> None:
        nonlocal writes
        writes += 1

    with opened(new_location(origin)) as index:
        on_each_write(index, count)
        step(index)
        expected, state = content_of(index), tables_of(index.state())
    assert state == tables_of(life.replay(chain))

    assert writes > 10
    reached = set()
    for number in range(1, writes + 1):
        location = new_location(origin)
        killed_before(number, lambda location=location: opened(location), step)  # type: ignore[misc]
        with opened(location) as index:
            claim(index)
            reached.add(index.block)
            step(index)
            assert content_of(index) == expected, number
            assert tables_of(index.state()) == state
    assert len(reached) > 1
