"""Judges a mutant of any file by the tests that run its statement, on contracts built with it."""

from __future__ import annotations

import re
from functools import cache
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from shutil import copyfile

import pytest

from tests.helpers import chain
from tools.mutation.candidates import Mutant
from tools.mutation.coverage import Coverage
from tools.mutation.places import CONTRACTS, deployed
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

SECONDS = 600
ASKED = ("Lens", "OrderLens", "RiskLens", "Simulator", "WordLens")  # few tests deploy them
ENOUGH = 30  # seconds of tests, as they were recorded: all but few mutants die in the first of them
THOROUGH = 300  # of one that survived


class ContractJudge:
    """Writes the mutant into the sources of the copy that it runs in, and takes it out again."""

    name = "contract"

    def __init__(
        self, tests: Tests, first: re.Pattern[str] | None, *, is_thorough: bool = False
    ) -> None:
        """A thorough one is for survivors. What the pattern finds comes before all other tests."""
        self._items = tests.items
        self._first = first
        self._is_thorough = is_thorough
        self._coverage = Coverage.load()
        self._trust = Trust()
        for name in deployed():
            chain.compiled(name)  # what is not mutated is not compiled again

    def judge(self, mutant: Mutant, known: set[str]) -> Verdict:
        tests, built = self._tests(mutant), self._built(mutant)
        original = (CONTRACTS / mutant.path).read_text()
        stored = set(chain.CACHE.iterdir())
        (CONTRACTS / mutant.path).write_text(mutant.source)
        try:
            found = in_child(lambda: _judge(mutant, built, known, tests), SECONDS)
        finally:
            (CONTRACTS / mutant.path).write_text(original)
            for left in set(chain.CACHE.iterdir()) - stored:
                left.unlink()
        verdict = verdict_on(mutant, *(found or (TIMED_OUT, self.name)))
        if verdict.verdict == KILLED and not self._trust(self._items[verdict.by], SECONDS):
            del self._items[verdict.by]
            return self.judge(mutant, known)
        return verdict

    def _built(self, mutant: Mutant) -> list[str]:
        """The contracts that the statement has code in."""
        lines = self._coverage.contracts
        names = set().union(*(lines.get(place, set()) for place in mutant.places))
        return [name for name in importers(mutant.path) if name in names or not names]

    def _tests(self, mutant: Mutant) -> list[pytest.Item]:
        """Those that run the statement; if none is known to, those that run its definition.

        A world that many tests share was built in the first one's name: what a constructor has
        left behind is noticed by all that run its file.

        First those that run what few others run of it and of what is below it, then the fastest;
        in the end those that came after the record. A survivor meets these at once: they are there
        because of survivors.
        """
        place = mutant.definition
        names = self._coverage.of(mutant.places)
        names = names or self._coverage.of(
            {(mutant.path, line) for line in range(place.first, place.last + 1)}
        )
        if place.name == "__init__":
            names = names | self._coverage.of_file(mutant.path)
        seconds = self._coverage.seconds
        rarity = self._coverage.rarity(mutant.path, *place.block(mutant.line))
        order = sorted(names, key=lambda name: (-round(rarity[name], 3), seconds[name]))
        enough = THOROUGH if self._is_thorough else ENOUGH
        spent_by_then = accumulate(seconds[name] for name in order)
        known = [
            self._items[name]
            for name, spent in zip(order, spent_by_then, strict=True)
            if spent < enough and name in self._items
        ]
        later = [item for name, item in self._items.items() if name not in seconds]
        named = [
            item for name, item in self._items.items() if self._first and self._first.search(name)
        ]
        return [*named, *later, *known] if self._is_thorough else [*named, *known, *later]


def _judge(
    mutant: Mutant, built: list[str], known: set[str], tests: list[pytest.Item]
) -> tuple[str, ...]:
    originals = {name: _code(name) for name in importers(mutant.path)}
    files = {name: _stored(name) for name in originals}
    for forgotten in (chain.compiled, chain._sources_hash, chain._imported):
        forgotten.cache_clear()
    for name in files.keys() - set(built):
        # Their sources are others, their code is not.
        copyfile(files[name], _stored(name))
    fingerprint = ""
    try:
        for name in built:
            if (code := _code(name)) != originals[name]:
                fingerprint = sha256(name.encode() + code).hexdigest()[:10]
                break
    except Exception:  # noqa: BLE001 - the compiler refuses in many ways, or breaks
        return (INVALID,)
    if not fingerprint:
        return (SAME,)
    if fingerprint in known:
        return (DUPLICATE,)
    killer = first_failure(tests)
    return (KILLED if killer else SURVIVED), killer or ContractJudge.name, fingerprint


@cache
def importers(path: str) -> tuple[str, ...]:
    """The deployed contracts that have a file in them: what every test has, the smallest first."""
    found = [name for name in deployed() if CONTRACTS / path in chain._imported(_source(name))]
    return tuple(
        sorted(found, key=lambda name: (name in ASKED, len(chain.compiled(name).initcode)))
    )


def _source(name: str) -> Path:
    return CONTRACTS / f"{name}.vy"


def _stored(name: str) -> Path:
    return chain.CACHE / f"{chain._sources_hash(name)}-{name}.json"


def _code(name: str) -> bytes:
    """A contract's initcode without what the compiler says of itself: it hashes the sources."""
    code = chain.compiled(name).initcode
    return code[: -int.from_bytes(code[-2:], "big")]
