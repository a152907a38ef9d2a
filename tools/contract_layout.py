"""The layout of the contracts is mamushi's: tell which files differ from it, or rewrite them.

    python -m tools.contract_layout           name the contracts that are laid out otherwise
    python -m tools.contract_layout --write   lay them out

Nothing else of a contract changes: mamushi compares the syntax trees before it answers.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.compiling import ROOT
from tools.contract_ast import own_sources

MAMUSHI = ROOT / ".venv-proofs" / "bin" / "mamushi"
WIDTH = 100
# mamushi cannot read a list over several lines here, not even one that it wrote itself.
DEPENDENCIES = re.compile(r"(?<=^initializes: )(\w+)(\[[^\]]*\])", re.MULTILINE)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--write", action="store_true", help="rewrite what differs")
    is_writing = parser.parse_args().write
    sources = own_sources()
    differing = [(one, text) for one, text in zip(sources, laid_out(sources), strict=True) if text]
    for source, text in differing:
        print(f"{source.relative_to(ROOT)}: not as mamushi lays it out; `make format` does")
        if is_writing:
            source.write_text(text)
    sys.exit(bool(differing) and not is_writing)


def laid_out(sources: list[Path]) -> list[str]:
    """The text that each file should have; empty where it has it already."""
    texts = [source.read_text() for source in sources]
    with tempfile.TemporaryDirectory(prefix="layout-") as folder:
        copies = [Path(folder) / f"{index}.vy" for index in range(len(sources))]
        for copy, text in zip(copies, texts, strict=True):
            copy.write_text(DEPENDENCIES.sub(r"\1", text))
        command = [str(MAMUSHI), "--quiet", "--line-length", str(WIDTH), *map(str, copies)]
        subprocess.run(command, check=True)
        found = []
        for copy, text in zip(copies, texts, strict=True):
            formatted = _with_dependencies(copy.read_text(), text)
            found.append("" if formatted == text else formatted)
    return found


def _with_dependencies(text: str, original: str) -> str:
    for name, dependencies in DEPENDENCIES.findall(original):
        line = f"initializes: {name}\n"
        text = text.replace(line, f"{line[:-1]}{dependencies}\n", 1)
    return text


if __name__ == "__main__":
    main()
