"""Every mutant that has no verdict, to its judge: the libraries' first, theirs is the fastest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from tools.mutation import plan
from tools.mutation.candidates import Mutant, mutants
from tools.mutation.contract_judge import ContractJudge
from tools.mutation.library_judge import LibraryJudge
from tools.mutation.report import equivalents
from tools.mutation.results import SURVIVED, Results, Verdict
from tools.mutation.session import Tests


def verdicts(
    tests: Tests,
    results: Results,
    files: re.Pattern[str],
    only: str | None,
    again: re.Pattern[str] | None,
    first: re.Pattern[str] | None,
) -> Iterator[Verdict]:
    """Of the files that are named. The caller enters each before it asks for the next."""
    library = cache(lambda: LibraryJudge(tests))
    contract = cache(lambda: ContractJudge(tests, first))
    for path in (*plan.library_paths(), *plan.SAMPLED):
        results.keep(path, {one.id for one in mutants(path)})
    if again:
        thorough = cache(lambda: ContractJudge(tests, first, is_thorough=True))
        for mutant in _survivors(results, again):
            yield _judged(library() if LibraryJudge.takes(mutant) else thorough(), mutant, results)
    of_libraries = [one for one in plan.library_mutants() if files.search(one.path)]
    if only != ContractJudge.name:
        for mutant in of_libraries:
            if results[mutant.id] is None and LibraryJudge.takes(mutant):
                yield _judged(library(), mutant, results)
    if only != LibraryJudge.name:
        for mutant in plan.sample(results, files):
            yield _judged(contract(), mutant, results)
        excused = equivalents()
        for mutant in of_libraries:
            verdict = results[mutant.id]
            is_survivor = verdict is not None and verdict.by == LibraryJudge.name
            if verdict is None or (is_survivor and mutant.id not in excused):
                yield _judged(contract(), mutant, results)


def _judged(judge: LibraryJudge | ContractJudge, mutant: Mutant, results: Results) -> Verdict:
    """A survivor of both judges is the second one's."""
    known = {
        one.fingerprint
        for one in results.of(mutant.path)
        if one.fingerprint and one.id != mutant.id
    }
    verdict = judge.judge(mutant, known)
    before = results[mutant.id]
    if before and before.is_valid and not verdict.is_valid:
        # Whether it is a mutant at all has been found out.
        return replace(before, by=judge.name)
    return verdict


def _survivors(results: Results, paths: re.Pattern[str]) -> Iterator[Mutant]:
    excused = equivalents()
    for verdict in results.all():
        is_open = verdict.verdict == SURVIVED and verdict.id not in excused
        if is_open and paths.search(verdict.path):
            yield from (one for one in mutants(verdict.path) if one.id == verdict.id)
