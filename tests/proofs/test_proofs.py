"""The proofs that end in seconds, and the controls that show that they could fail.

`make prove` runs them all: `docs/proofs.md`.
"""

import pytest

from tools.prove import COUNTEREXAMPLE, OPEN, PASSED, SECONDS, Job, jobs, problems_of, run_halmos

QUICK = ("WordShortcuts", "ShortcutsThatFitAnyway", "Isolation", "LedgerThatWritesTheNextSlot")


def named(name: str) -> Job:
    (job,) = [job for job in jobs() if job.name == name]
    return job


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_a_proof_holds_and_its_control_does_not(name: str) -> None:
    job = named(name)
    assert problems_of(job, run_halmos(job, SECONDS)) == []


def test_a_statement_left_open_is_a_problem() -> None:
    proof = named("Isolation")
    assert problems_of(proof, {"check_it": PASSED}) == []
    assert problems_of(proof, {"check_it": OPEN}) == ["Isolation.check_it stays open"]
    assert problems_of(proof, {}) == ["Isolation: no statement"]


def test_a_control_that_notices_nothing_is_a_problem() -> None:
    control = named("LedgerThatWritesTheNextSlot")
    assert problems_of(control, {"check_it": COUNTEREXAMPLE}) == []
    assert problems_of(control, {"check_it": PASSED}) == [
        "LedgerThatWritesTheNextSlot.check_it holds"
    ]


def test_every_proof_has_a_control() -> None:
    proved = {job.source for job in jobs() if job.control is None}
    assert proved == {job.source for job in jobs() if job.control is not None}
