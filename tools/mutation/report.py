"""What the verdicts come to."""

from __future__ import annotations

import tomllib
from collections import Counter

from tools.mutation.places import ROOT
from tools.mutation.results import KILLED, SURVIVED, TIMED_OUT, Results

EQUIVALENT = ROOT / "tests" / "mutation" / "equivalent.toml"


def equivalents() -> dict[str, str]:
    """The reason why nobody could notice, by the mutant's id."""
    if not EQUIVALENT.exists():
        return {}
    found: dict[str, str] = tomllib.loads(EQUIVALENT.read_text())
    return found


def report(results: Results) -> str:
    """A line for each file, and every survivor that is not known to be equivalent."""
    excused = equivalents()
    files: dict[str, Counter[str]] = {}
    for one in results.all():
        what = "equivalent" if one.id in excused and one.verdict == SURVIVED else one.verdict
        files.setdefault(one.path, Counter())[what] += 1
    libraries = sum((files[path] for path in files if path.startswith("lib/")), Counter())
    others = sum((files[path] for path in files if not path.startswith("lib/")), Counter())
    lines = [
        f"{'file':<36}{'killed':>8}{'out of time':>12}{'survived':>10}{'equivalent':>12}{'':>8}"
    ]
    lines += [_line(path, files[path]) for path in sorted(files)]
    lines += [_line("all of the libraries", libraries), _line("all of the sample", others)]
    lines += [""]
    lines += [
        f"{one.id} {one.path}:{one.line} ({one.by}) {one.change}"
        for one in sorted(results.all(), key=lambda one: (one.path, one.line))
        if one.verdict == SURVIVED and one.id not in excused
    ]
    return "\n".join(lines)


def _line(name: str, count: Counter[str]) -> str:
    killed = count[KILLED] + count[TIMED_OUT]
    judged = killed + count[SURVIVED]
    share = f"{100 * killed / judged:.1f} %" if judged else ""
    numbers = (
        f"{count[KILLED]:>8}{count[TIMED_OUT]:>12}{count[SURVIVED]:>10}{count['equivalent']:>12}"
    )
    return f"{name:<36}{numbers}{share:>8}"
