"""A library cut down to what one of its definitions touches: compiling that takes a tenth.

A function of a library is compiled alone: where a definition changes, only the functions that lead
to it do. So a wrapper of those, over libraries without the functions that none of them calls, has
the same code for them as any contract, and tells whether a mutant is one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Any

from tests.helpers.libraries import wrapper_source
from tools.compiling import compiler_of
from tools.mutation.candidates import Mutant
from tools.mutation.definitions import NAME, Definition, definitions, source_of
from tools.mutation.places import CONTRACTS, ROOT

SCRATCH = ROOT / ".cache" / "mutants" / "slice"


@dataclass(frozen=True, slots=True)
class Slice:
    """Compiled: what of the library it has, and the fingerprint of its code."""

    exposed: frozenset[str]
    compiled: Any

    @property
    def fingerprint(self) -> str:
        names = " ".join(sorted(self.exposed))
        return sha256(names.encode() + self.compiled.bytecode_runtime).hexdigest()[:10]


def mutated(mutant: Mutant) -> Slice:
    """The slice of a mutant. The compiler raises what it does not like."""
    return _compiled(mutant.path, mutant.definition.name, mutant.source)


@cache
def original(path: str, definition: str) -> Slice:
    """What the same slice is without the mutation."""
    return _compiled(path, definition, source_of(path))


def _compiled(path: str, definition: str, source: str) -> Slice:
    library = path.removeprefix("lib/").removesuffix(".vy")
    exposed = frozenset(
        one.name
        for one in definitions(path)
        if one.is_mutable and not one.name.startswith("_") and definition in _needs(path, one.name)
    )
    needed = frozenset().union(*(_reached(path, name) for name in exposed))
    rmtree(SCRATCH, ignore_errors=True)
    for file in sorted((CONTRACTS / "lib").glob("*.vy")):
        name = f"lib/{file.name}"
        text = source if name == path else source_of(name)
        unneeded = [one for one in definitions(name) if (name, one.name) not in needed]
        target = SCRATCH / "contracts" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_without(text, unneeded))
    data = compiler_of(Path("wrapper.vy"), wrapper_source(library, exposed), SCRATCH)
    assert data.bytecode_runtime
    return Slice(exposed, data)


def _without(text: str, unneeded: list[Definition]) -> str:
    lines = text.splitlines()
    for one in unneeded:
        lines[one.first - 1 : one.last] = [""] * (one.last - one.first + 1)
    return "\n".join(lines) + "\n"


@cache
def _needs(path: str, name: str) -> frozenset[str]:
    """What of its own file a definition comes to, itself included."""
    return frozenset(found for file, found in _reached(path, name) if file == path)


@cache
def _reached(path: str, name: str) -> frozenset[tuple[str, str]]:
    """Every definition of any library that a definition comes to, itself included."""
    found: set[tuple[str, str]] = set()
    waiting = [(path, name)]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += _mentioned(*one)
    return frozenset(found)


@cache
def _mentioned(path: str, name: str) -> tuple[tuple[str, str], ...]:
    place = next(one for one in definitions(path) if one.name == name)
    text = "\n".join(source_of(path).splitlines()[place.first - 1 : place.last])
    own = {one.name for one in definitions(path)}
    found = [(path, word) for word in NAME.findall(text) if word in own]
    for module, word in re.findall(r"\b(\w+)\.(\w+)", text):
        file = f"lib/{module}.vy"
        if (CONTRACTS / file).exists() and word in {one.name for one in definitions(file)}:
            found.append((file, word))
    return tuple(found)
