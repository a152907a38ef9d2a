"""What the verdicts come to."""

from __future__ import annotations

import tomllib
from collections import Counter

from tools.mutation.places import ROOT
from tools.mutation.results import KILLED, SURVIVED, TIMED_OUT, Results

EXCUSED = "equivalent"
EQUIVALENT = ROOT / "tests" / "mutation" / "equivalent.toml"


def equivalents() -> dict[str, str]:
    """The reason why nobody could notice, by the mutant's id."""
    if not EQUIVALENT.exists():
        return {}
    found: dict[str, str] = tomllib.loads(EQUIVALENT.read_text())
    return found


def by_file(results: Results) -> dict[str, Counter[str]]:
    """How many verdicts of each kind, and how many survivors are known to be equivalent."""
    excused = equivalents()
    files: dict[str, Counter[str]] = {}
    for one in results.all():
        what = EXCUSED if one.id in excused and one.verdict == SURVIVED else one.verdict
        files.setdefault(one.path, Counter())[what] += 1
    return files


def by_group(files: dict[str, Counter[str]]) -> dict[str, Counter[str]]:
    """The same of the libraries, and of the sample."""
    groups: dict[str, Counter[str]] = {"libraries": Counter(), "sample": Counter()}
    for path, count in files.items():
        groups["libraries" if path.startswith("lib/") else "sample"] += count
    return groups


def killed(count: Counter[str]) -> int:
    return count[KILLED] + count[TIMED_OUT]


def share(count: Counter[str]) -> str:
    """Killed of those that are not equivalent."""
    judged = killed(count) + count[SURVIVED]
    return f"{100 * killed(count) / judged:.1f} %" if judged else ""


def report(results: Results) -> str:
    """A line for each file, and every survivor that is not known to be equivalent."""
    excused = equivalents()
    files = by_file(results)
    lines = [
        f"{'file':<36}{'killed':>8}{'out of time':>12}{'survived':>10}{'equivalent':>12}{'':>8}"
    ]
    lines += [_line(path, files[path]) for path in sorted(files)]
    lines += [_line(f"all of the {name}", count) for name, count in by_group(files).items()]
    lines += [""]
    lines += [
        f"{one.id} {one.path}:{one.line} ({one.by}) {one.change}"
        for one in sorted(results.all(), key=lambda one: (one.path, one.line))
        if one.verdict == SURVIVED and one.id not in excused
    ]
    return "\n".join(lines)


def _line(name: str, count: Counter[str]) -> str:
    numbers = f"{count[KILLED]:>8}{count[TIMED_OUT]:>12}{count[SURVIVED]:>10}{count[EXCUSED]:>12}"
    return f"{name:<36}{numbers}{share(count):>8}"
