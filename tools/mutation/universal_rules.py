"""What universalmutator makes of a Vyper file, as JSON: [line number, mutated line, rule] of each.

It runs in the venv of the proofs, by its path; nothing here imports it.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

from universalmutator.mutator import mutants_regexp

# What its own command line takes for Vyper, and a few of ours: its own for Vyper are none.
RULES = ["universal.rules", "vyper.rules", "python.rules", "solidity.rules"]
RULES.append(str(Path(__file__).with_name("vyper.rules")))

source = Path(sys.argv[1]).read_text().splitlines(keepends=True)
with contextlib.redirect_stdout(io.StringIO()):
    found = mutants_regexp(source, ruleFiles=RULES, ignorePatterns=[], ignoreStringOnly=True)
json.dump([[line, text, rule] for line, text, (rule, _), _ in found], sys.stdout)
