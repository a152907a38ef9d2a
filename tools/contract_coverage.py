"""How much of the contracts the tests on titanoboa run, by statement and by branch.

Reads what `tests.helpers.coverage` wrote. A statement counts once however many contracts have it in
them. A branch is one way of an `if`, a choice or an `assert`: a refusal is a branch. What the
compiler adds of its own, overflow checks for one, does not count.

    python -m tools.contract_coverage              a line for every file, worst first
    python -m tools.contract_coverage --missing    and every place that nothing has run
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from vyper import ast as vy_ast

from tools.compiling import ROOT
from tools.contract_ast import CONTRACTS
from tools.contract_code import nodes_by_place

FOLDER = ROOT / "build" / "coverage"
WIDTH = 160
LEAST_STATEMENTS, LEAST_BRANCHES = 95, 90  # percent
JUMPI, PUSH1, PUSH32 = 0x57, 0x60, 0x7F
BRANCHES = (vy_ast.If, vy_ast.IfExp, vy_ast.Assert)
STATEMENTS = (
    vy_ast.AnnAssign,
    vy_ast.Assert,
    vy_ast.Assign,
    vy_ast.AugAssign,
    vy_ast.Expr,
    vy_ast.For,
    vy_ast.If,
    vy_ast.Log,
    vy_ast.Raise,
    vy_ast.Return,
)

Place = tuple[int, int, bool]  # line, column, and which way: always True of a statement
Ways = dict[int, set[int]]  # where a contract's code went, from each place it has been to


@dataclass(slots=True)
class Tally:
    """Places, and whether anything has run each."""

    seen: dict[Place, bool] = field(default_factory=dict)

    def note(self, node: Any, is_run: bool, way: bool = True) -> None:
        """Notes a place: one contract that runs it is enough."""
        place = (node.lineno, node.col_offset, way)
        self.seen[place] = self.seen.get(place, False) or is_run

    @property
    def run(self) -> int:
        """How many were run."""
        return sum(self.seen.values())

    def missing(self) -> set[int]:
        """The lines of those that nothing has run."""
        return {line for (line, _, _), is_run in self.seen.items() if not is_run}


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of one source file."""

    statements: Tally = field(default_factory=Tally)
    branches: Tally = field(default_factory=Tally)


def covered() -> dict[str, Coverage]:
    """What was run of each file in `contracts/`, by its path there."""
    found: dict[str, Coverage] = defaultdict(Coverage)
    for contract, ways in all_ways().items():
        for at, node, is_jump in _nodes_of(contract):
            path = Path(node.module_node.resolved_path)
            if not path.is_relative_to(CONTRACTS) or "mocks" in path.parts:
                continue
            file = found[str(path.relative_to(CONTRACTS))]
            statement = node if isinstance(node, STATEMENTS) else node.get_ancestor(STATEMENTS)
            if statement is not None:
                file.statements.note(statement, at in ways)
            if is_jump and isinstance(node, BRANCHES):
                went = {to == at + 1 for to in ways.get(at, ())}
                for way in (True, False):
                    file.branches.note(node, way in went, way)
    return found


def all_ways() -> dict[str, Ways]:
    """Where any process has been to in each contract, and where it went from there."""
    found: dict[str, Ways] = defaultdict(lambda: defaultdict(set))
    for file in FOLDER.glob("*.json"):
        for contract, steps in json.loads(file.read_text()).items():
            for at, to in steps:
                found[contract][at].add(to)
    return found


def _nodes_of(contract: str) -> Iterator[tuple[int, Any, bool]]:
    """The places in a contract's code that come from somewhere: the node, whether it is a jump."""
    code, nodes = nodes_by_place(contract)
    at = 0
    while at < len(code):
        op = code[at]
        if nodes.get(at) is not None:
            yield at, nodes[at], op == JUMPI
        at += 1 + (op - PUSH1 + 1 if PUSH1 <= op <= PUSH32 else 0)


def share_of(tallies: Iterable[Tally]) -> tuple[int, int, float]:
    """How many were run, how many there are, and percent; all of nothing."""
    every = tuple(tallies)
    run, count = sum(one.run for one in every), sum(len(one.seen) for one in every)
    return run, count, 100 * run / count if count else 100.0


def main() -> None:
    parser = argparse.ArgumentParser(description="How much of the contracts the tests run.")
    parser.add_argument("--missing", action="store_true", help="name the lines that were not run")
    given = parser.parse_args()
    found = covered()
    table = Table("file", "statements", "branches", *(["lines"] * given.missing))
    for name, file in sorted(found.items(), key=lambda item: share_of([item[1].branches])[2]):
        lines = sorted(file.statements.missing() | file.branches.missing())
        shares = (share_of([file.statements]), share_of([file.branches]))
        table.add_row(name, *map(_shown, shares), *([" ".join(map(str, lines))] * given.missing))
    statements = share_of(file.statements for file in found.values())
    branches = share_of(file.branches for file in found.values())
    table.add_row("all", _shown(statements), _shown(branches))
    Console(width=WIDTH).print(table)
    if statements[2] < LEAST_STATEMENTS or branches[2] < LEAST_BRANCHES:
        sys.exit(f"less than {LEAST_STATEMENTS} % of statements, or {LEAST_BRANCHES} % of branches")


def _shown(share: tuple[int, int, float]) -> str:
    run, count, percent = share
    return f"{run:,} / {count:,} = {percent:.1f} %"


if __name__ == "__main__":
    main()
