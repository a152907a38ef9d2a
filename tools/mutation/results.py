"""What became of every mutant, in one committed file: a run goes on where the last one stopped."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from tools.mutation.candidates import Mutant

KILLED, TIMED_OUT, SURVIVED = "killed", "timed out", "survived"
INVALID, SAME, DUPLICATE = "invalid", "same", "duplicate"  # no mutants: dropped
VALID = (KILLED, TIMED_OUT, SURVIVED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A line of the file. Of what was dropped it holds no more than that."""

    path: str
    id: str
    verdict: str
    line: int = 0
    by: str = ""  # the test that killed it, or the last judge that did not
    fingerprint: str = ""  # of its code: no other mutant of the file has the same
    rule: str = ""
    change: str = ""

    @property
    def is_valid(self) -> bool:
        return self.verdict in VALID


def verdict_on(mutant: Mutant, verdict: str, by: str = "", fingerprint: str = "") -> Verdict:
    if verdict not in VALID:
        return Verdict(mutant.path, mutant.id, verdict)
    change = f"{mutant.before.strip()} ==> {mutant.after.strip()}".replace("\n", "\\n")
    return Verdict(
        mutant.path, mutant.id, verdict, mutant.line, by, fingerprint, mutant.rule, change
    )


class Results:
    """Verdicts by mutant; written out often, and sorted, so that the file's changes are few.

    Two runs at once, each with another judge, share the file: what one of them did not judge or
    forget is left as the other wrote it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._verdicts = {one.id: one for one in _read(path)}
        self._own: dict[str, Verdict] = {}
        self._forgotten: set[str] = set()

    def __getitem__(self, mutant: str) -> Verdict | None:
        return self._verdicts.get(mutant)

    def add(self, verdict: Verdict) -> None:
        self._verdicts[verdict.id] = self._own[verdict.id] = verdict

    def of(self, path: str) -> list[Verdict]:
        return [one for one in self._verdicts.values() if one.path == path]

    def all(self) -> list[Verdict]:
        return list(self._verdicts.values())

    def keep(self, path: str, ids: set[str]) -> None:
        """Forgets the mutants of a file's code that is no more."""
        gone = {one.id for one in self.of(path)} - ids
        self._forgotten |= gone
        for id_ in gone:
            del self._verdicts[id_]

    def save(self) -> None:
        with self._path.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            kept = {one.id: one for one in _read(self._path) if one.id not in self._forgotten}
            self._verdicts = kept | self._own
            lines = ["\t".join(map(str, _told(one))) for one in self.all()]
            file.truncate(0)
            file.write("\n".join(sorted(lines)) + "\n")


def _told(verdict: Verdict) -> tuple[str | int, ...]:
    """Of what is no mutant there is nothing to say but that."""
    fields = astuple(verdict)
    return fields if verdict.is_valid else fields[:3]


def _read(path: Path) -> Iterator[Verdict]:
    if not path.exists():
        return
    for text in path.read_text().splitlines():
        file, id_, verdict, *rest = text.split("\t")
        if rest:
            line, by, fingerprint, rule, change = rest
            yield Verdict(file, id_, verdict, int(line), by, fingerprint, rule, change)
        else:
            yield Verdict(file, id_, verdict)
