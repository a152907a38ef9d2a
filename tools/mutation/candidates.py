"""The mutants of a source file: universalmutator's, but for those that change no syntax tree.

Its rules are regular expressions over lines, so most of what they make is a comment changed, a line
that is no Vyper, or the same twice. What is left is given to the compiler, which has the last word.
"""

from __future__ import annotations

import ast
import json
import random
import re
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from vyper import ast as vy_ast
from vyper.ast.pre_parser import PreParser
from vyper.semantics.namespace import get_namespace

from tools.mutation.normal_form import normal
from tools.mutation.places import CONTRACTS, ROOT

PYTHON = ROOT / ".venv-proofs" / "bin" / "python"
STORE = ROOT / ".cache" / "mutants" / "candidates"
MAKERS = ("candidates.py", "normal_form.py", "universal_rules.py", "vyper.rules")
SEED = 643
KINDS = (vy_ast.FunctionDef, vy_ast.VariableDecl, vy_ast.StructDef)
NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Definition:
    """A function with its decorators, a struct, a constant, an immutable, a storage variable."""

    name: str
    kind: type
    first: int  # line, from 1
    last: int
    statements: tuple[tuple[int, int], ...]  # the lines of each, of a compound one its head

    @property
    def is_function(self) -> bool:
        return self.kind is vy_ast.FunctionDef

    @property
    def is_mutable(self) -> bool:
        """Structs are interfaces: what would compile without a field of theirs, or with another?"""
        return self.kind is not vy_ast.StructDef


@dataclass(frozen=True, slots=True)
class Mutant:
    """One line of one file, changed. The id holds as long as its definition stays as it is."""

    id: str
    path: str  # below contracts/
    line: int
    rule: str
    before: str
    after: str
    definition: Definition

    @property
    def source(self) -> str:
        """The whole file, mutated."""
        lines = source_of(self.path).splitlines(keepends=True)
        lines[self.line - 1] = self.after
        return "".join(lines)

    @property
    def places(self) -> set[tuple[str, int]]:
        """Files and lines of which a test must run one to notice.

        They are those of the statement, or of the whole definition, or where a constant is named.
        """
        if not self.definition.is_function:
            return _uses(self.path, self.definition.name)
        holding = [
            (last - first, first, last)
            for first, last in self.definition.statements
            if first <= self.line <= last
        ]
        _, first, last = min(holding, default=(0, self.definition.first, self.definition.last))
        return {(self.path, line) for line in range(first, last + 1)}


@cache
def _uses(path: str, name: str) -> set[tuple[str, int]]:
    """Where a constant or a variable is read, in its own file and in those that import it."""
    found = set()
    for file in CONTRACTS.rglob("*.vy"):
        other = str(file.relative_to(CONTRACTS))
        full = name if other == path else f"{Path(path).stem}.{name}"
        named = re.compile(rf"(?<!\w){re.escape(full)}\b")
        lines = enumerate(source_of(other).splitlines(), 1)
        found |= {(other, line) for line, text in lines if named.search(text)}
    return found


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
        return Definition(name, type(node), node.lineno, node.end_lineno, ())
    first = min([node.lineno, *[one.lineno for one in node.decorator_list]])
    statements = tuple(_statements(node.body))
    return Definition(node.name, type(node), first, node.end_lineno, statements)


def _statements(body: list[Any]) -> Iterator[tuple[int, int]]:
    for node in body:
        if isinstance(node, vy_ast.For | vy_ast.If):
            yield node.lineno, node.body[0].lineno - 1
            yield from _statements(node.body)
            yield from _statements(getattr(node, "orelse", []))
        else:
            yield node.lineno, node.end_lineno


@cache
def mutants(path: str) -> tuple[Mutant, ...]:
    """Every mutant of a file that might compile and is not what another is, in a seeded order."""
    lines = source_of(path).splitlines(keepends=True)
    found = []
    for number, after, rule in _made(path):
        place = next(one for one in definitions(path) if one.first <= number <= one.last)
        block = "".join(lines[place.first - 1 : place.last])
        key = f"{path}\0{block}\0{number - place.first}\0{after}"
        id_ = sha256(key.encode()).hexdigest()[:10]
        found.append(Mutant(id_, path, number, rule, lines[number - 1], after, place))
    random.Random(f"{SEED} {path}").shuffle(found)
    return tuple(found)


def _made(path: str) -> list[tuple[int, str, str]]:
    """Line, mutated line and rule of each; kept until the file or what makes them changes."""
    digest = sha256(source_of(path).encode())
    for maker in MAKERS:
        digest.update(Path(__file__).with_name(maker).read_bytes())
    stored = STORE / f"{digest.hexdigest()[:20]}.json"
    if not stored.exists():
        STORE.mkdir(parents=True, exist_ok=True)
        stored.write_text(json.dumps(_chosen(path)))
    return [tuple(one) for one in json.loads(stored.read_text())]


def _chosen(path: str) -> list[tuple[int, str, str]]:
    """The raw mutants without those that cannot compile or mean what another one means."""
    lines = source_of(path).splitlines(keepends=True)
    known = {*NAME.findall(source_of(path)), *map(str, get_namespace()), "pass", "break"}
    known |= {"continue", "True", "False", "and", "or", "not"}
    found = []
    seen = {_tree(lines, one, 0, "") for one in definitions(path)}
    for number, after, rule in _raw(path):
        before = lines[number - 1]
        place = next((d for d in definitions(path) if d.first <= number <= d.last), None)
        if place is None or not place.is_mutable or before.lstrip().startswith("#"):
            continue
        if not known.issuperset(NAME.findall(after)):
            continue
        tree = _tree(lines, place, number, after)
        if tree is None or tree in seen:
            continue
        seen.add(tree)
        found.append((number, after, rule))
    return found


def _raw(path: str) -> list[tuple[int, str, str]]:
    script = Path(__file__).with_name("universal_rules.py")
    done = subprocess.run(
        [PYTHON, script, CONTRACTS / path], capture_output=True, text=True, check=True
    )
    return [tuple(one) for one in json.loads(done.stdout)]


def _tree(lines: list[str], place: Definition, number: int, after: str) -> str | None:
    """A definition's normal form, one of its lines replaced; None where it is no Vyper."""
    block = lines[place.first - 1 : place.last]
    if number:
        block[number - place.first] = after
    text = "".join(block)
    try:
        parser = PreParser(is_interface=False)
        parser.parse(text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(parser.reformatted_code)
    except Exception:  # noqa: BLE001 - tokens, syntax, the compiler's own: it is no Vyper
        return None
    # Types of loop variables are not part of the tree.
    return f"{normal(tree)} {sorted(map(str, parser.for_loop_annotations.values()))}"
