"""A test session that runs what it is told to, in children of its own.

pytest collects once; every mutant is judged in a fork of that process, which has all modules loaded
and can be thrown away, whatever the mutant did to it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import zip_longest
from typing import Any, cast

import pytest
from _pytest.runner import runtestprotocol


class Tests:
    """What pytest has collected, by node id, and the fixtures that were set up in this process."""

    def __init__(self) -> None:
        self.items: dict[str, pytest.Item] = {}
        self.fixtures: dict[str, Any] = {}
        self._work: Callable[[], None] = lambda: None

    def collect(self, paths: Sequence[str], work: Callable[[], None]) -> None:
        """Collects, and works in place of running."""
        self._work = work
        # Nobody reads why a test failed, and telling it takes longer than most tests.
        silent = ["-p", "no:ape_test", "-o", "addopts=", "--tb", "native", "-s", "-q"]
        silent += ["--import-mode", "importlib"]
        options = ["-p", "no:cacheprovider", "-p", "no:xdist", *silent]
        status = pytest.main([*options, *paths], plugins=[self])
        if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            sys.exit(f"pytest ended with {status!r}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        self._work()
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, Any, Any]:
        value = yield
        self.fixtures[fixturedef.argname] = value
        return value


def outcomes(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, bool]]:
    """Runs tests one by one: each, and whether it failed. What a session shares stays alive."""
    for item, following in zip_longest(items, items[1:]):
        # What only the session needs is what is needed after the last.
        reports = runtestprotocol(item, log=False, nextitem=following or cast(Any, item.session))
        yield item, any(report.failed for report in reports)


def first_failure(items: Sequence[pytest.Item]) -> str | None:
    """The first test that fails; those behind it do not run."""
    return next((item.nodeid for item, failed in outcomes(items) if failed), None)


class Trust:
    """A kill counts where the killer passes without the mutant: asked once for each killer."""

    def __init__(self) -> None:
        self._known: dict[str, bool] = {}

    def __call__(self, item: pytest.Item, seconds: float) -> bool:
        if item.nodeid not in self._known:
            failed = in_child(lambda: first_failure([item]) is not None, seconds)
            self._known[item.nodeid] = failed is False
            if failed is not False:
                print("not to be trusted, it fails without a mutant:", item.nodeid, flush=True)
        return self._known[item.nodeid]


def in_child(work: Callable[[], Any], seconds: float) -> Any:
    """What a function answers in a fork of this process; None where the time ran out."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        try:
            answer = json.dumps({"answer": work()})
        except BaseException as error:  # noqa: BLE001 - it goes to the parent, which raises
            answer = json.dumps({"error": repr(error)})
        with os.fdopen(writing, "w") as pipe:
            pipe.write(answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        ended, _, _ = select.select([pipe], [], [], seconds)
        text = pipe.read() if ended else ""
        # Whatever the child has started ends with it.
        _kill(child)
        os.waitpid(child, 0)
    if not ended:
        return None
    found = json.loads(text)
    if "error" in found:
        raise RuntimeError(found["error"])
    return found["answer"]


def _kill(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(group, signal.SIGKILL)
