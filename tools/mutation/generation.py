"""What universalmutator makes of a source file, without what means nothing or the same twice.

Its rules are regular expressions over lines, so most of what they make is a comment changed, a line
that is no Vyper, or one mutant again. What is left is for the compiler, which has the last word.
"""

from __future__ import annotations

import ast
import json
import subprocess
import warnings
from hashlib import sha256
from pathlib import Path

from vyper.ast.pre_parser import PreParser
from vyper.semantics.namespace import get_namespace

from tools.mutation.definitions import NAME, Definition, definitions, source_of
from tools.mutation.normal_form import normal
from tools.mutation.places import CONTRACTS, ROOT

PYTHON = ROOT / ".venv-proofs" / "bin" / "python"
STORE = ROOT / ".cache" / "mutants" / "candidates"
MAKERS = (
    "definitions.py",
    "generation.py",
    "normal_form.py",
    "universal_rules.py",
    "vyper.rules",
)


def generated(path: str) -> list[tuple[int, str, str]]:
    """Line, mutated line and rule of each; kept until the file or what makes them changes."""
    digest = sha256(source_of(path).encode())
    for maker in MAKERS:
        digest.update(Path(__file__).with_name(maker).read_bytes())
    stored = STORE / f"{digest.hexdigest()[:20]}.json"
    if not stored.exists():
        STORE.mkdir(parents=True, exist_ok=True)
        stored.write_text(json.dumps(_chosen(path)))
    return [tuple(one) for one in json.loads(stored.read_text())]


def _chosen(path: str) -> list[tuple[int, str, str]]:
    """The raw mutants without those that cannot compile or mean what another one means."""
    lines = source_of(path).splitlines(keepends=True)
    known = {*NAME.findall(source_of(path)), *map(str, get_namespace()), "pass", "break"}
    known |= {"continue", "True", "False", "and", "or", "not"}
    found = []
    seen = {_tree(lines, one, 0, "") for one in definitions(path)}
    for number, after, rule in _raw(path):
        before = lines[number - 1]
        place = next((d for d in definitions(path) if d.first <= number <= d.last), None)
        if place is None or not place.is_mutable or before.lstrip().startswith("#"):
            continue
        if not known.issuperset(NAME.findall(after)):
            continue
        tree = _tree(lines, place, number, after)
        if tree is None or tree in seen:
            continue
        seen.add(tree)
        found.append((number, after, rule))
    return found


def _raw(path: str) -> list[tuple[int, str, str]]:
    script = Path(__file__).with_name("universal_rules.py")
    done = subprocess.run(
        [PYTHON, script, CONTRACTS / path], capture_output=True, text=True, check=True
    )
    return [tuple(one) for one in json.loads(done.stdout)]


def _tree(lines: list[str], place: Definition, number: int, after: str) -> str | None:
    """A definition's normal form, one of its lines replaced; None where it is no Vyper."""
    block = lines[place.first - 1 : place.last]
    if number:
        block[number - place.first] = after
    text = "".join(block)
    try:
        parser = PreParser(is_interface=False)
        parser.parse(text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(parser.reformatted_code)
    except Exception:  # noqa: BLE001 - tokens, syntax, the compiler's own: it is no Vyper
        return None
    # Types of loop variables are not part of the tree.
    return f"{normal(tree)} {sorted(map(str, parser.for_loop_annotations.values()))}"
