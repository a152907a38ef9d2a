"""Which test runs which line of the contracts, and how long it takes: recorded once, for choosing.

boa's chain keeps the program counters of every call. Here they are gathered by the code that ran,
and the compiler's source map turns them into lines. What is recorded only orders and picks tests: a
stale record costs time, or lets a mutant survive until it is recorded again, and kills none.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from tools.contract_code import nodes_by_place
from tools.mutation.definitions import Line
from tools.mutation.places import CONTRACTS, ROOT, deployed

RECORD = ROOT / ".cache" / "mutants" / "coverage.json"


@dataclass(slots=True)
class Coverage:
    """Seconds of every test, by its node id; its lines, and the contracts that these are in."""

    seconds: dict[str, float] = field(default_factory=dict)
    tests: dict[Line, set[str]] = field(default_factory=lambda: defaultdict(set))
    contracts: dict[Line, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, test: str, seconds: float, lines: set[Line]) -> None:
        """What one run of a test took and touched."""
        self.seconds[test] = round(seconds, 3)
        for line in lines:
            self.tests[line].add(test)

    def of(self, lines: set[Line]) -> set[str]:
        """The tests that run any of these lines."""
        return set().union(*(self.tests.get(line, set()) for line in lines))

    def of_file(self, path: str) -> set[str]:
        """The tests that run any line of a file."""
        return self.of({line for line in self.tests if line[0] == path})

    def rarity(self, path: str, first: int, last: int) -> dict[str, float]:
        """How much a test runs that few others do, between two lines."""
        found: dict[str, float] = defaultdict(float)
        for line in range(first, last + 1):
            tests = self.tests.get((path, line), set())
            for test in tests:
                found[test] += 1 / len(tests)
        return found

    def add_contracts(self) -> None:
        """Enters every line that has code in a contract."""
        for name, _, table in _tables():
            for line in table.values():
                self.contracts[line].add(name)

    def save(self, path: Path = RECORD) -> None:
        """Tests are numbered: a line names hundreds of them."""
        number = {test: i for i, test in enumerate(self.seconds)}
        lines = [
            [*line, sorted(number[test] for test in tests)] for line, tests in self.tests.items()
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        contracts = [[*line, sorted(names)] for line, names in sorted(self.contracts.items())]
        found = {"seconds": self.seconds, "lines": sorted(lines), "contracts": contracts}
        path.write_text(json.dumps(found))

    @classmethod
    def load(cls, path: Path = RECORD) -> Coverage:
        found = json.loads(path.read_text())
        names = list(found["seconds"])
        coverage = cls(seconds=found["seconds"])
        for file, line, tests in found["lines"]:
            coverage.tests[file, line] = {names[i] for i in tests}
        for file, line, contracts in found["contracts"]:
            coverage.contracts[file, line] = set(contracts)
        return coverage


class Tracer:
    """The program counters that ran since the last look, under the code that they are of."""

    def __init__(self) -> None:
        self._counters: dict[bytes, set[int]] = defaultdict(set)

    @contextmanager
    def tracing(self) -> Iterator[None]:
        import boa

        kind: Any = boa.env.evm.vm.state.computation_class
        inherited = kind.apply_computation.__func__

        def traced(cls: Any, *arguments: Any, **options: Any) -> Any:
            computation = inherited(cls, *arguments, **options)
            code = computation.code
            self._counters[code._raw_code_bytes].update(code._trace)
            return computation

        kind.apply_computation = classmethod(traced)
        try:
            yield
        finally:
            del kind.apply_computation

    def lines(self) -> set[Line]:
        """What ran since the last look."""
        found: set[Line] = set()
        for code, counters in self._counters.items():
            table = _lines_of(code)
            found.update(table[counter] for counter in counters if counter in table)
        self._counters.clear()
        return found


@cache
def _lines_of(code: bytes) -> dict[int, Line]:
    """The line behind each program counter of a code; none of what is not ours."""
    for _, known, table in _tables():
        # Immutables follow what is deployed, arguments what deploys it.
        if code.startswith(known):
            return table
    return {}


@cache
def _tables() -> list[tuple[str, bytes, dict[int, Line]]]:
    tables = []
    for name, creation in product(deployed(), (False, True)):
        code, nodes = nodes_by_place(name, creation=creation)
        table = {}
        for counter, node in nodes.items():
            path = Path(node.module_node.resolved_path)
            if path.is_relative_to(CONTRACTS):
                table[counter] = (str(path.relative_to(CONTRACTS)), node.lineno)
        tables.append((name, code, table))
    return tables
