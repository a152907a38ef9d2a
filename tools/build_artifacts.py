"""Compile the deployed contracts into the JSON files the SDK ships.

A PascalCase file in `contracts/` or `contracts/mocks/` is deployed; all else is a module or a
library and lives inside what imports it. Bytecode is built without the compiler's metadata trailer,
which hashes the sources: editing a comment leaves an artifact as it is.

    python -m tools.build_artifacts             write sdk/bulkhead/artifacts
    python -m tools.build_artifacts --check     exit 1 when a written artifact is not what compiles
    python -m tools.build_artifacts --sizes     exit 1 when a contract is larger than its budget
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
ARTIFACTS = ROOT / "sdk" / "bulkhead" / "artifacts"
BUDGETS = ROOT / "tools" / "size_budgets.json"
PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract."""

    name: str
    abi: list[dict[str, Any]]
    bytecode: str
    code_size: int
    immutables_size: int

    @property
    def runtime_size(self) -> int:
        """Bytes that land on chain: the constructor writes the immutables behind the code."""
        return self.code_size + self.immutables_size

    def to_json(self) -> str:
        """The text of the artifact file, the same for the same contract on every machine."""
        fields = {
            "abi": self.abi,
            "bytecode": self.bytecode,
            "immutables_size": self.immutables_size,
            "runtime_size": self.runtime_size,
        }
        return json.dumps(fields, sort_keys=True, separators=(",", ":")) + "\n"


def deployed_sources() -> list[Path]:
    """Every contract that is deployed, relative to the project, largest file first."""
    found = [*CONTRACTS.glob("[A-Z]*.vy"), *(CONTRACTS / "mocks").glob("[A-Z]*.vy")]
    names = [path.stem for path in found]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        sys.exit(f"two contracts share a name: {', '.join(repeated)}")
    # A pool finishes sooner when the longest jobs start first.
    found.sort(key=lambda path: (-path.stat().st_size, path.name))
    return [path.relative_to(ROOT) for path in found]


def compile_contract(source: Path) -> Artifact:
    """Compile one contract; imports resolve beside it, from the project root and site-packages."""
    from vyper.cli.vyper_compile import compile_files

    with warnings.catch_warnings():
        # An over-size contract is a warning to the compiler; --sizes makes it an error.
        warnings.simplefilter("ignore")
        output = compile_files(
            [str(source)],
            ["abi", "bytecode", "bytecode_runtime", "layout"],
            no_bytecode_metadata=True,
        )[source]
    return Artifact(
        name=source.stem,
        abi=output["abi"],
        bytecode=output["bytecode"],
        code_size=len(output["bytecode_runtime"].removeprefix("0x")) // 2,
        immutables_size=_section_size(output["layout"].get("code_layout", {})),
    )


def _section_size(layout: dict[str, Any]) -> int:
    """Bytes of the data section; the layout nests one table per imported module."""
    return sum(
        entry["length"] if isinstance(entry.get("length"), int) else _section_size(entry)
        for entry in layout.values()
    )


def compile_all(sources: list[Path]) -> list[Artifact]:
    """Compile every source and sort by name."""
    with ProcessPoolExecutor(PROCESSES) as pool:
        return sorted(pool.map(compile_contract, sources), key=lambda artifact: artifact.name)


def write(artifacts: list[Artifact]) -> None:
    """Make the artifact folder hold these contracts and no others."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    for name in _leftovers(artifacts):
        (ARTIFACTS / f"{name}.json").unlink()
    for artifact in artifacts:
        (ARTIFACTS / f"{artifact.name}.json").write_text(artifact.to_json())
    print(f"{len(artifacts)} artifacts in {ARTIFACTS.relative_to(ROOT)}")


def check(artifacts: list[Artifact]) -> bool:
    """Whether the folder holds exactly what compiles; names what does not."""
    problems = [f"{name}: no such contract" for name in _leftovers(artifacts)]
    for artifact in artifacts:
        path = ARTIFACTS / f"{artifact.name}.json"
        if not path.exists():
            problems.append(f"{artifact.name}: missing")
        elif path.read_text() != artifact.to_json():
            problems.append(f"{artifact.name}: stale")
    for problem in problems:
        print(f"artifact of {problem}; run `make artifacts`")
    if not problems:
        print(f"{len(artifacts)} artifacts are up to date")
    return not problems


def check_sizes(artifacts: list[Artifact]) -> bool:
    """Print deployed sizes beside their budgets; whether all fit."""
    table = json.loads(BUDGETS.read_text())
    limit: int = table["limit"]
    budgets: dict[str, int] = table["budgets"]
    fits = True
    print(f"{'contract':<28}{'code':>8}{'data':>7}{'total':>8}{'budget':>8}{'left':>8}")
    for artifact in artifacts:
        budget = min(budgets.get(artifact.name, limit), limit)
        left = budget - artifact.runtime_size
        fits &= left >= 0
        print(
            f"{artifact.name:<28}{artifact.code_size:>8,}{artifact.immutables_size:>7,}"
            f"{artifact.runtime_size:>8,}{budget:>8,}{left:>8,}{'' if left >= 0 else '  OVER'}"
        )
    for name in sorted(budgets.keys() - {artifact.name for artifact in artifacts}):
        fits = False
        print(f"{BUDGETS.relative_to(ROOT)} names {name}, which is no contract")
    return fits


def _leftovers(artifacts: list[Artifact]) -> list[str]:
    known = {artifact.name for artifact in artifacts}
    return sorted(path.stem for path in ARTIFACTS.glob("*.json") if path.stem not in known)


def main() -> int:
    """Do what the command line asks."""
    parser = argparse.ArgumentParser(description="Compile contracts into the SDK's artifacts.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--sizes", action="store_true", help="hold sizes against their budgets")
    arguments = parser.parse_args()

    os.chdir(ROOT)
    sources = deployed_sources()
    if not sources:
        print("contracts/ holds no contract yet: nothing to compile")
        return 0
    artifacts = compile_all(sources)
    if not arguments.check and not arguments.sizes:
        write(artifacts)
        return 0
    up_to_date = check(artifacts) if arguments.check else True
    fits = check_sizes(artifacts) if arguments.sizes else True
    return 0 if up_to_date and fits else 1


if __name__ == "__main__":
    sys.exit(main())
