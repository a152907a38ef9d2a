"""What tests run of the contracts: a plugin of pytest's, `-p tests.helpers.coverage`.

Every process of a run writes the places it has been to in each contract's code, and which way each
jump went, to a file of its own in `build/coverage`; `tools.contract_coverage` reads them all.
"""

import json
import os
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import boa
import pytest

from tests.helpers import chain

FOLDER = chain.ROOT / "build" / "coverage"

_steps: dict[str, set[tuple[int, int]]] = defaultdict(set)  # by contract: a place, and the next


def _take(computation: Any) -> None:
    """Notes where a call, and all that it called, has been."""
    name = chain.deployed.get("0x" + computation.msg.code_address.hex())
    trace: Sequence[int] = computation.code._trace
    if name is not None and trace:
        _steps[name].update(pairwise(trace))
        _steps[name].add((trace[-1], -1))
    for child in computation.children:
        _take(child)


def pytest_configure(config: pytest.Config) -> None:
    execute = boa.env.execute_code

    def noted(*arguments: Any, **options: Any) -> Any:
        computation = execute(*arguments, **options)
        _take(computation)
        return computation

    boa.env.execute_code = noted


def pytest_sessionfinish() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = {name: sorted(steps) for name, steps in _steps.items()}
    (FOLDER / f"{os.getpid()}.json").write_text(json.dumps(found))
