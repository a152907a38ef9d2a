"""What an operation costs does not grow unseen."""

import pytest

from benchmarks import gas

pytestmark = pytest.mark.slow

GROWTH = 2  # percent that a figure may be off before the snapshot must say so


def test_no_operation_costs_more_than_the_snapshot_says() -> None:
    committed, found = gas.snapshot(), gas.measure()
    assert found.keys() == committed.keys()
    grown = {
        name: (committed[name], figure)
        for name, figure in found.items()
        if figure * 100 > committed[name] * (100 + GROWTH)
    }
    assert grown == {}, "if it is meant: python -m benchmarks.gas --snapshot, and docs/gas.md"
