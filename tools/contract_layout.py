"""List the contracts that mamushi would lay out otherwise than they are.

mamushi cannot read all of Vyper 0.4.3 (a dependency list over several lines, some comments), so
its word is a hint and no gate.

    python -m tools.contract_layout     print one line for each contract that it would change
"""

from __future__ import annotations

import subprocess

from tools.contract_ast import ROOT, own_sources

MAMUSHI = ROOT / ".venv-proofs" / "bin" / "mamushi"
WIDTH = 100
AS_IT_WOULD, OTHERWISE = 0, 1


def main() -> None:
    """Ask about one file after another: one that mamushi cannot read ends a common run."""
    for source in own_sources():
        name = str(source.relative_to(ROOT))
        command = [str(MAMUSHI), "--check", "--quiet", "--line-length", str(WIDTH), name]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if run.returncode == OTHERWISE and not run.stderr.startswith("Traceback"):
            print(f"{name}: mamushi would change it")
        elif run.returncode != AS_IT_WOULD:
            print(f"{name}: mamushi cannot read it")


if __name__ == "__main__":
    main()
