"""Judges a mutant of a library by the library's own tests, on the functions that it changes."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tests.helpers import libraries
from tools.mutation import slices
from tools.mutation.candidates import Mutant
from tools.mutation.results import (
    DUPLICATE,
    INVALID,
    KILLED,
    SAME,
    SURVIVED,
    TIMED_OUT,
    Verdict,
    verdict_on,
)
from tools.mutation.session import Tests, Trust, first_failure, in_child

SUITE = "tests/unit/lib"
MIRROR = f"{SUITE}/test_mirror.py"
FEW = 500  # inputs that the mirror is first asked for: they kill nine in ten
SECONDS = 240
TARGET = "0x" + "c0de" * 10
GAS = 10**9  # of a thousand calls; a loop without an end is found out in seconds


class LibraryJudge:
    """Keeps the libraries on a chain of their own, where each mutant lies beside them."""

    name = "library"

    def __init__(self, tests: Tests) -> None:
        self._items = tests.items
        # Sets the session's libraries up, here, for all children.
        first_failure(self._found(f"{MIRROR}::test_structs_have_the_same_fields_in_the_same_order"))
        self._libraries: dict[str, libraries.Library] = tests.fixtures["libraries"]
        self._trust = Trust()

    @staticmethod
    def takes(mutant: Mutant) -> bool:
        return mutant.path.startswith("lib/") and _library(mutant) in libraries.LIBRARIES

    def judge(self, mutant: Mutant, known: set[str]) -> Verdict:
        slices.original(mutant.path, mutant.definition.name)  # once for all children
        found = in_child(lambda: self._judge(mutant, known), SECONDS)
        verdict = verdict_on(mutant, *(found or (TIMED_OUT, self.name)))
        if verdict.by in self._items and not self._trust(self._items[verdict.by], SECONDS):
            del self._items[verdict.by]
            return self.judge(mutant, known)
        return verdict

    def _judge(self, mutant: Mutant, known: set[str]) -> tuple[str, ...]:
        try:
            mutated = slices.mutated(mutant)
        except Exception:  # noqa: BLE001 - the compiler refuses in many ways, or breaks
            return (INVALID,)
        fingerprint = mutated.fingerprint
        if fingerprint == slices.original(mutant.path, mutant.definition.name).fingerprint:
            return (SAME,)
        if fingerprint in known:
            return (DUPLICATE,)
        libraries.GAS = GAS
        try:
            self._libraries[_library(mutant)].deploy(mutated.compiled, TARGET)
        except AssertionError:
            return KILLED, "a constant that cannot be read", fingerprint
        killer = self._killer(_library(mutant), sorted(mutated.exposed))
        return (KILLED if killer else SURVIVED), killer or self.name, fingerprint

    def _killer(self, library: str, exposed: list[str]) -> str | None:
        """The mirror on a few inputs, the library's own tests, the mirror on all inputs."""
        agrees = f"{MIRROR}::test_the_mirror_agrees_with_the_contract"
        mirror = self._found(f"{MIRROR}::test_constants_are_the_same[{library}]")
        mirror += self._found(*[f"{agrees}[{library}-{name}]" for name in exposed])
        own = [
            one for id_, one in self._items.items() if id_.startswith(f"{SUITE}/test_{library}.")
        ]
        if library == "words":
            packed = [name.removeprefix("pack_") for name in exposed if name.startswith("pack_")]
            some = f"{MIRROR}::test_packing_refuses_some_structs_and_takes_others"
            own += self._found(*[f"{some}[{name}]" for name in packed])
        module = cast(Any, mirror[0]).module
        module.INPUTS, many = FEW, module.INPUTS
        killer = first_failure(mirror)
        module.INPUTS = many
        return killer or first_failure([*own, *mirror])

    def _found(self, *ids: str) -> list[pytest.Item]:
        return [self._items[id_] for id_ in ids if id_ in self._items]


def _library(mutant: Mutant) -> str:
    return mutant.path.removeprefix("lib/").removesuffix(".vy")
