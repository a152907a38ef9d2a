"""The mutants of a source file, with names that last as long as what they change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from tools.mutation.definitions import Definition, Line, definitions, source_of
from tools.mutation.generation import generated

SEED = 643


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
    def places(self) -> set[Line]:
        return self.definition.places(self.path, self.line)

    @property
    def rank(self) -> bytes:
        """Its place in the order of judging: a seed's, and no other mutant's business."""
        return sha256(f"{SEED} {self.id}".encode()).digest()


@cache
def mutants(path: str) -> tuple[Mutant, ...]:
    """Every mutant of a file that might compile and is not what another is, in a seeded order."""
    lines = source_of(path).splitlines(keepends=True)
    found = []
    for number, after, rule in generated(path):
        place = next(one for one in definitions(path) if one.first <= number <= one.last)
        block = "".join(lines[place.first - 1 : place.last])
        key = f"{path}\0{block}\0{number - place.first}\0{after}"
        id_ = sha256(key.encode()).hexdigest()[:10]
        found.append(Mutant(id_, path, number, rule, lines[number - 1], after, place))
    return tuple(sorted(found, key=lambda one: one.rank))
