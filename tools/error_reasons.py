"""Write and check docs/errors.md: every reason the contracts give, beside what the SDK says of it.

python -m tools.error_reasons             write docs/errors.md
python -m tools.error_reasons --check     exit 1 when sources, SDK and docs do not agree
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import sysconfig
from collections import defaultdict
from pathlib import Path

from bulkhead import errors

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
ARTIFACTS = ROOT / "sdk" / "bulkhead" / "artifacts"
DOCS = ROOT / "docs" / "errors.md"
SNEKMATE = Path(sysconfig.get_path("purelib")) / "snekmate"

# A reason says its subject first, so no other string in the sources looks like one.
REASON = re.compile(r'"([a-z0-9_]+: [^"\n]+)"')
SNEKMATE_IMPORT = re.compile(r"^from (?:snekmate\.|\.\.)(\w+) import (\w+)", re.MULTILINE)
CHUNK = 32  # the compiler splits longer strings

HEAD = """# Why a call is refused

Every reason a contract may revert with, or end an order for, in the contract's own words. In the
SDK each is an exception of its own: "price: stale" raises `bulkhead.errors.PriceStale`, which knows
the columns below and whether the same call may work later (`retryable`, here `later`). All of them
are `bulkhead.errors.Refused`, and that is a `bulkhead.errors.BulkheadError`.

A revert without a reason means that the transaction ran out of gas: no input ends in one.

Written by `python -m tools.error_reasons` from the sources and the SDK's table.

| reason | where | meaning | what to do | |
| --- | --- | --- | --- | --- |
"""


def source_reasons() -> dict[str, list[str]]:
    """Every reason in the contracts and in what of snekmate they deploy, with its files."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in CONTRACTS.rglob("*.vy"):
        for reason in REASON.findall(path.read_text()):
            found[reason].add(path.relative_to(CONTRACTS).as_posix())
    codes = deployed_codes()
    for module in snekmate_modules():
        for reason in REASON.findall((SNEKMATE / f"{module}.vy").read_text()):
            if any(reason.encode()[:CHUNK] in code for code in codes):
                found[reason].add(f"snekmate/{module}.vy")
    return {reason: sorted(paths) for reason, paths in sorted(found.items())}


def snekmate_modules() -> set[str]:
    """The snekmate modules that the contracts import, and those that these import."""
    found: set[str] = set()
    waiting = list(CONTRACTS.rglob("*.vy"))
    while waiting:
        for folder, name in SNEKMATE_IMPORT.findall(waiting.pop().read_text()):
            module = f"{folder}/{name}"
            if module not in found and (SNEKMATE / f"{module}.vy").exists():
                found.add(module)
                waiting.append(SNEKMATE / f"{module}.vy")
    return found


def deployed_codes() -> list[bytes]:
    """The bytecode of every artifact."""
    tables = (json.loads(path.read_text()) for path in sorted(ARTIFACTS.glob("*.json")))
    return [bytes.fromhex(table["bytecode"].removeprefix("0x")) for table in tables]


def render() -> str:
    """The text of docs/errors.md."""
    rows = []
    for reason, paths in source_reasons().items():
        refused = errors.REASONS.get(reason)
        if refused is None:
            continue
        where = ", ".join(f"`{path.removesuffix('.vy')}`" for path in paths)
        later = "later" if refused.retryable else ""
        name = reason.replace("`", "")
        rows.append(f"| `{name}` | {where} | {refused.meaning} | {refused.advice} | {later} |\n")
    return HEAD + "".join(rows)


def problems() -> list[str]:
    """Where sources, SDK and docs do not agree."""
    reasons = source_reasons()
    found = [f"{reason!r} is not in the SDK's table" for reason in reasons.keys() - errors.REASONS]
    found += [f"{reason!r} is in no contract" for reason in errors.REASONS.keys() - reasons]
    if not DOCS.exists() or DOCS.read_text() != render():
        found.append(f"{DOCS.relative_to(ROOT)} is stale: run python -m tools.error_reasons")
    return sorted(found)


def main() -> int:
    """Do what the command line asks."""
    parser = argparse.ArgumentParser(description="Write or check docs/errors.md.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    if not parser.parse_args().check:
        DOCS.parent.mkdir(exist_ok=True)
        DOCS.write_text(render())
    found = problems()
    for problem in found:
        print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
