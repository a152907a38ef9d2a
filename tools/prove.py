"""Prove what `tests/proofs` states of the contracts, for every input and not for samples.

halmos runs a contract's `check_*` functions on symbols; one fails where any input makes it revert
with Panic(1). It was made for forge: what it reads of a build is written here straight from the
compiler. A proof that could not fail proves nothing, so each family of statements also runs against
contracts doctored to break it, its controls, and must fail there.

    python -m tools.prove               all proofs and controls
    python -m tools.prove --match Words   those whose contract's name begins with a text
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vyper.compiler import compile_from_file_input
from vyper.compiler.input_bundle import FileInput, FilesystemInputBundle

from tools.compiling import ROOT
from tools.contract_ast import CONTRACTS
from tools.word_proofs import word_proofs

PROOFS = ROOT / "tests" / "proofs"
BUILD = ROOT / "build" / "proofs"
TOOLS = ROOT / ".venv-proofs" / "bin"
FORMATS = ("abi", "bytecode", "bytecode_runtime", "method_identifiers")
PASSED, COUNTEREXAMPLE, OPEN = 0, 1, 2  # as halmos counts
SECONDS = 120  # for one statement


@dataclass(frozen=True, slots=True)
class Control:
    """A file of the contracts with one rule taken out, and the proof that must notice."""

    name: str
    proof: str
    library: str  # its path, without the ending
    rule: str  # a regular expression
    instead: str
    statements: str  # a part of the names of those that must fail


CONTROLS = (
    Control(
        name="WordsThatFitAnyway",
        proof="Words",
        library="lib/words",
        rule=r"assert excess == 0, .*",
        instead="pass",
        statements="_fits_exactly",
    ),
    Control(
        name="WordsWithAWrongBit",
        proof="Words",
        library="lib/words",
        rule=r"(def pack_\w+\([^)]*\) -> uint256:(?:\n    .*)*?\n    return )",
        instead=r"\g<1>1 ^ ",
        statements="_comes_back",
    ),
    Control(
        name="ShortcutsThatFitAnyway",
        proof="WordShortcuts",
        library="lib/words",
        rule=r"assert excess == 0, .*",
        instead="pass",
        statements="_where_it_fits",
    ),
    Control(
        name="DivisionsTheOtherWay",
        proof="Divisions",
        library="lib/fixed_point",
        rule=r"unsafe_(add|sub)\(numerator, unsafe_sub\(denominator, 1\)\)",
        instead="numerator",
        statements="(ceiling|div_down_is_the_floor|quote_down_is_the_floor)",
    ),
    Control(
        name="RequirementsRoundedDown",
        proof="Margins",
        library="lib/fixed_point",
        rule=r"unsafe_add\(numerator, unsafe_sub\(denominator, 1\)\)",
        instead="numerator",
        statements="_is_rounded_up",
    ),
    Control(
        name="TradesRoundedTheOtherWay",
        proof="Trades",
        library="lib/fixed_point",
        rule=r"unsafe_(add|sub)\(numerator, unsafe_sub\(denominator, 1\)\)",
        instead="numerator",
        statements="(impact|builder|entry|mean)",
    ),
    Control(
        name="FeesThatAppear",
        proof="Charges",
        library="lib/house_math",
        rule=r"unsafe_sub\(unsafe_sub\(fee, to_insurance\), to_treasury\)",
        instead="unsafe_sub(fee, to_insurance)",
        statements="_shared_whole",
    ),
    Control(
        name="PenaltiesBeyondEquity",
        proof="Charges",
        library="lib/liquidation_math",
        rule=r"penalty = min\(full, .*\)",
        instead="penalty = full",
        statements="_no_more_than_equity",
    ),
    Control(
        name="LedgerThatWritesTheNextSlot",
        proof="Isolation",
        library="modules/ledger",
        rule=r"    self\._positions\[id\] = word",
        instead=r"\g<0>\n    self._positions[id ^ 1] = word",
        statements="no_other_position",
    ),
    Control(
        name="LedgerThatWritesOtherAccounts",
        proof="Isolation",
        library="modules/ledger",
        rule=r"    self\._house = word",
        instead=r"\g<0>\n    self._accounts[empty(address)] = word",
        statements="no_other_account",
    ),
)


@dataclass(frozen=True, slots=True)
class Job:
    """One contract for halmos: a proof, or one as its control."""

    name: str
    source: str
    control: Control | None = None


def jobs() -> list[Job]:
    """The proofs, then the controls."""
    sources = {path.stem: path.read_text() for path in sorted(PROOFS.glob("*.vy"))}
    sources["Words"] = word_proofs()
    proofs = [Job(name, source) for name, source in sources.items()]
    return proofs + [Job(c.name, sources[c.proof], c) for c in CONTROLS]


def write_build(job: Job, folder: Path) -> None:
    """Write what forge would have built of a contract."""
    search = _doctored(job.control, folder / "doctored") if job.control else ROOT
    bundle = FilesystemInputBundle([Path(sysconfig.get_path("purelib")), search])
    path = Path(f"{job.name}.vy")
    given = FileInput(source_id=-1, path=path, resolved_path=search / path, contents=job.source)
    output = compile_from_file_input(given, input_bundle=bundle, output_formats=FORMATS)
    selectors = {
        name: code.removeprefix("0x").zfill(8)
        for name, code in output["method_identifiers"].items()
    }
    definition = {"nodeType": "ContractDefinition", "name": job.name, "contractKind": "contract"}
    built = {
        "abi": output["abi"],
        "ast": {"absolutePath": str(path), "nodes": [definition]},
        "bytecode": {"object": output["bytecode"], "linkReferences": {}},
        "deployedBytecode": {"object": output["bytecode_runtime"], "linkReferences": {}},
        "methodIdentifiers": selectors,
        "metadata": {"compiler": {"version": "0.4.3"}, "output": {"devdoc": {"methods": {}}}},
    }
    target = folder / "out" / f"{job.name}.sol"
    target.mkdir(parents=True)
    (target / f"{job.name}.json").write_text(json.dumps(built))


def run_halmos(job: Job, seconds: int) -> dict[str, int]:
    """The exit code of each statement, by name."""
    folder = BUILD / job.name
    statements = job.control.statements if job.control else ""
    shutil.rmtree(folder, ignore_errors=True)
    write_build(job, folder)
    # halmos calls forge to build, and there is nothing left to build.
    (folder / "bin").mkdir()
    (folder / "bin" / "forge").symlink_to(shutil.which("true") or "/bin/true")
    answer = folder / "answer.json"
    command = [
        str(TOOLS / "halmos"),
        *("--root", str(folder)),
        *("--storage-layout", "generic"),
        *("--function", f"check_\\w*{statements}"),
        *("--solver-command", f"{TOOLS / 'python'} -m tools.integer_solver"),
        *("--solver-threads", "1"),
        *("--solver-timeout-assertion", f"{seconds}s"),
        *("--loop", "256"),
        *("--json-output", str(answer)),
        "--no-status",
    ]
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    with (folder / "log.txt").open("w") as log:
        subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
            check=False,
        )
    if not answer.exists():
        sys.exit(f"halmos ended without an answer: see {folder / 'log.txt'}")
    results: dict[str, list[dict[str, Any]]] = json.loads(answer.read_text())["test_results"]
    # A loop cut short has paths that nobody has seen.
    return {
        result["name"].split("(")[0]: OPEN if result["num_bounded_loops"] else result["exitcode"]
        for contract in results.values()
        for result in contract
    }


def problems_of(job: Job, codes: dict[str, int]) -> list[str]:
    """What is not as it must be: a statement open or refuted, or a control that noticed nothing."""
    if not codes:
        return [f"{job.name}: no statement"]
    wanted = COUNTEREXAMPLE if job.control else PASSED
    verdicts = {PASSED: "holds", COUNTEREXAMPLE: "is refuted"}
    return [
        f"{job.name}.{name} {verdicts.get(code, 'stays open')}"
        for name, code in codes.items()
        if code != wanted
    ]


def _doctored(control: Control, root: Path) -> Path:
    """A copy of the contracts, one of them without its rule."""
    shutil.copytree(CONTRACTS, root / "contracts")
    library = root / "contracts" / f"{control.library}.vy"
    text = library.read_text()
    doctored, count = re.subn(control.rule, control.instead, text)
    if count == 0:
        sys.exit(f"{control.name}: the rule it takes out is not in {control.library}")
    library.write_text(doctored)
    return root


def main() -> None:
    """Run the proofs and their controls; exit 1 unless all end as they must."""
    parser = argparse.ArgumentParser(description="Prove what tests/proofs states.")
    parser.add_argument("--match", default="", help="the beginning of a contract's name")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="for one statement")
    args = parser.parse_args()
    failed = False
    for job in jobs():
        if not job.name.startswith(args.match):
            continue
        codes = run_halmos(job, args.seconds)
        problems = problems_of(job, codes)
        failed |= bool(problems)
        for problem in problems:
            print(problem)
        if not problems:
            verdict = "refuted, as they must be" if job.control else "proved"
            print(f"{job.name}: {len(codes)} {verdict}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
