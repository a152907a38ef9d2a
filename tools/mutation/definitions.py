"""What a source file defines, and where: whatever is mutated is a line of one of these."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from vyper import ast as vy_ast

from tools.mutation.places import CONTRACTS

KINDS = (vy_ast.FunctionDef, vy_ast.VariableDecl, vy_ast.StructDef)
COMPOUND = (vy_ast.For, vy_ast.If)
NAME = re.compile(r"[A-Za-z_]\w*")

Line = tuple[str, int]  # a file below contracts/, and where in it


@dataclass(frozen=True, slots=True)
class Definition:
    """A function with its decorators, a struct, a constant, an immutable, a storage variable."""

    name: str
    kind: type
    first: int  # line, from 1
    last: int
    statements: tuple[tuple[int, int], ...]  # the lines of each, of a compound one its head
    blocks: tuple[tuple[int, int], ...]  # the lines of each, of a compound one all

    @property
    def is_function(self) -> bool:
        return self.kind is vy_ast.FunctionDef

    @property
    def is_mutable(self) -> bool:
        """Structs are interfaces: what would compile without a field of theirs, or with another?"""
        return self.kind is not vy_ast.StructDef

    def block(self, line: int) -> tuple[int, int]:
        """The lines of the innermost statement that a line is of, with all that is below it."""
        holding = [
            (last - first, first, last) for first, last in self.blocks if first <= line <= last
        ]
        _, first, last = min(holding, default=(0, self.first, self.last))
        return first, last

    def places(self, path: str, line: int) -> set[Line]:
        """Lines of which a test must run one to notice a change in a line of this.

        They are those of the statement, or of all that this is, or where a constant is named.
        """
        if not self.is_function:
            return _uses(path, self.name)
        holding = [
            (last - first, first, last) for first, last in self.statements if first <= line <= last
        ]
        _, first, last = min(holding, default=(0, self.first, self.last))
        return {(path, one) for one in range(first, last + 1)}


@cache
def source_of(path: str) -> str:
    return (CONTRACTS / path).read_text()


@cache
def definitions(path: str) -> tuple[Definition, ...]:
    """What a file defines, in its order."""
    tree = vy_ast.parse_to_ast(source_of(path))
    return tuple(_definition(node) for node in tree.body if isinstance(node, KINDS))


def _definition(node: Any) -> Definition:
    if not isinstance(node, vy_ast.FunctionDef):
        name = node.name if isinstance(node, vy_ast.StructDef) else node.target.id
        return Definition(name, type(node), node.lineno, node.end_lineno, (), ())
    first = min([node.lineno, *[one.lineno for one in node.decorator_list]])
    found = list(_statements(node.body))
    heads = tuple((one.lineno, _last_of_head(one)) for one in found)
    blocks = tuple((one.lineno, one.end_lineno) for one in found)
    return Definition(node.name, type(node), first, node.end_lineno, heads, blocks)


def _statements(body: list[Any]) -> Iterator[Any]:
    for node in body:
        yield node
        if isinstance(node, COMPOUND):
            yield from _statements(node.body)
            yield from _statements(getattr(node, "orelse", []))


def _last_of_head(node: Any) -> int:
    return int(node.body[0].lineno - 1 if isinstance(node, COMPOUND) else node.end_lineno)


@cache
def _uses(path: str, name: str) -> set[Line]:
    """Where a constant or a variable is read, in its own file and in those that import it."""
    found = set()
    for file in CONTRACTS.rglob("*.vy"):
        other = str(file.relative_to(CONTRACTS))
        full = name if other == path else f"{Path(path).stem}.{name}"
        named = re.compile(rf"(?<!\w){re.escape(full)}\b")
        lines = enumerate(source_of(other).splitlines(), 1)
        found |= {(other, line) for line, text in lines if named.search(text)}
    return found
