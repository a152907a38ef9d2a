"""Record which test runs which line of the contracts: `python -m tools.mutation.record`."""

from __future__ import annotations

import time

import pytest

from tools.mutation.coverage import Coverage, Tracer
from tools.mutation.session import Tests, in_child, outcomes

SUITES = ("tests/unit", "tests/e2e")
HOURS = 3_600


def record() -> None:
    """Runs every test once."""
    tests = Tests()
    tests.collect(SUITES, lambda: in_child(lambda: _record(list(tests.items.values())), 2 * HOURS))


def _record(items: list[pytest.Item]) -> None:
    coverage, tracer = Coverage(), Tracer()
    with tracer.tracing():
        started = time.monotonic()
        for item, _ in outcomes(items):
            ended = time.monotonic()
            coverage.add(item.nodeid, ended - started, tracer.lines())
            started = time.monotonic()
    coverage.add_contracts()
    coverage.save()


if __name__ == "__main__":
    record()
