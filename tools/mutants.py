"""Mutants of the contracts, and whether a test notices them: docs/mutation.md.

    python -m tools.mutants                 judge what has no verdict yet, until all is judged
    python -m tools.mutants --minutes 30    and stop then
    python -m tools.mutants --report        say how many were killed, and which survived
    python -m tools.mutants --again REGEX   judge survivors of a file again: a test is new

Mutants are built in a private copy of the project; verdicts are kept in tests/mutation/results.tsv.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from shutil import copytree, ignore_patterns

from tools.mutation.places import ROOT
from tools.mutation.report import report
from tools.mutation.results import SURVIVED, Results
from tools.mutation.session import Tests

KEPT = Path("tests/mutation/results.tsv")
COPIED = ("contracts", "tests", "tools", "sdk", ".cache/contracts")
MADE = (".cache/mutants/coverage.json", ".cache/mutants/candidates")
LINKED = (".venv", ".venv-proofs", "node_modules", *MADE)
SUITES = ("tests/unit", "tests/e2e")
LIBRARY, CONTRACT = "library", "contract"
SAVED = 5  # verdicts between two writings of the file


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after them")
    parser.add_argument("--count", type=int, default=None, help="stop after so many verdicts")
    parser.add_argument("--again", metavar="REGEX", help="survivors of these files have none")
    parser.add_argument(
        "--first", metavar="REGEX", help="tests that a contract's mutant meets first"
    )
    parser.add_argument("--only", choices=(LIBRARY, CONTRACT), help="one judge")
    parser.add_argument("--files", metavar="REGEX", default="", help="judge no others")
    parser.add_argument("--report", action="store_true", help="judge nothing")
    parser.add_argument("--results", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.report:
        print(report(Results(ROOT / KEPT)))
    elif arguments.results is None:
        if arguments.only != LIBRARY:
            record_once()
        sys.exit(judge_in_copy(sys.argv[1:]))
    else:
        judge(arguments)


def record_once() -> None:
    """Which test runs which line: all but the libraries' own tests are chosen by it."""
    if not (ROOT / ".cache/mutants/coverage.json").exists():
        print("recording which test runs which line of the contracts: some ten minutes", flush=True)
        subprocess.run([sys.executable, "-m", "tools.mutation.record"], cwd=ROOT, check=True)


def judge_in_copy(arguments: list[str]) -> int:
    """Runs this again where it may write what it likes."""
    (ROOT / ".cache/mutants/candidates").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder)
        for name in COPIED:
            ignored = ignore_patterns("__pycache__")
            if (ROOT / name).exists():
                copytree(ROOT / name, copy / name, ignore=ignored)
        for name in LINKED:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).symlink_to(ROOT / name)
        (copy / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
        (ROOT / KEPT).parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "tools.mutants", "--results", str(ROOT / KEPT), *arguments]
        environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONHASHSEED": "0"}
        return subprocess.run(command, cwd=copy, env=environment, check=False).returncode


def judge(arguments: argparse.Namespace) -> None:
    """Goes on where the last run stopped."""
    tests = Tests()
    tests.collect(SUITES, lambda: _judge(arguments, tests))


def _judge(arguments: argparse.Namespace, tests: Tests) -> None:
    # They load boa, which must not come before pytest.
    from tools.mutation.judging import verdicts

    started = time.monotonic()
    results = Results(arguments.results)
    again = re.compile(arguments.again) if arguments.again else None
    files = re.compile(arguments.files)
    first = re.compile(arguments.first) if arguments.first else None
    found = verdicts(tests, results, files, arguments.only, again, first)
    try:
        for done, verdict in enumerate(islice(found, arguments.count), 1):
            results.add(verdict)
            if verdict.is_valid:
                print(verdict.verdict, f"{verdict.path}:{verdict.line}", verdict.by, flush=True)
                if verdict.verdict == SURVIVED:
                    print("   ", verdict.change, flush=True)
            if done % SAVED == 0:
                results.save()
            if time.monotonic() - started > arguments.minutes * 60:
                break
    finally:
        results.save()
    print(report(results))


if __name__ == "__main__":
    main()
