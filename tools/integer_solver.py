"""Answer halmos's questions about long multiplications and divisions.

A solver of bit-vectors takes a division apart into bits and drowns. Over the integers the same
question is short: `n / d` is a `q` with `n = q * d + r` and `0 <= r < d`, and where the ranges of
its terms say that nothing wraps, no modulus is left. So a query goes to yices for a moment, which
ends where bits decide, then to z3 as a question about integers (`integer_terms`), and to yices
again for what time is left.

What integers refute is refuted: every translated term is either exact or free to be anything. What
they satisfy counts only after the original question, with all inputs fixed, agrees.

    .venv-proofs/bin/python -m tools.integer_solver FILE.smt2     sat with a model, unsat or unknown
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import z3

from tools.integer_terms import Translation

YICES = Path(sys.executable).with_name("yices-smt2")
# Seconds, together less than `prove` gives a statement.
FIRST_LOOK, LAST_LOOK = 1, 30  # for yices
INTEGERS = 40  # for z3, with products as variables, and once more with products as products
DECLARED = re.compile(
    r"\(declare-fun f_evm_(bvmul|bvudiv|bvurem|bvsdiv|bvsrem)_(\d+)"
    r" \(\(_ BitVec \2\) \(_ BitVec \2\)\) \(_ BitVec \2\)\)"
)


def defined(smt: str) -> str:
    """A query in which the EVM's operations, left open by halmos at first, mean what they do."""

    def meaning(match: re.Match[str]) -> str:
        operation, bits = match.groups()
        body = f"({operation} x y)"
        if operation != "bvmul":
            body = f"(ite (= y (_ bv0 {bits})) (_ bv0 {bits}) {body})"
        word = f"(_ BitVec {bits})"
        return f"(define-fun f_evm_{operation}_{bits} ((x {word}) (y {word})) {word} {body})"

    return DECLARED.sub(meaning, smt)


def by_bits(query: Path, seconds: int) -> str | None:
    """What yices says of a query, if it says it in time."""
    try:
        run = subprocess.run(
            [str(YICES), str(query)], capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    return run.stdout if run.stdout.startswith(("sat", "unsat")) else None


def by_integers(smt: str, seconds: float) -> str | None:
    """What z3 says of a query over the integers, if it says it in time."""
    assertions = list(z3.parse_smt2_string(smt))
    translation = Translation(assertions)
    solver = z3.Solver()
    solver.set("timeout", int(seconds * 1000))
    solver.add(translation.constraints())
    found = solver.check()
    if found != z3.unsat:
        solver.add(translation.products())
        found = solver.check()
    if found == z3.unsat:
        return "unsat\n"
    if found == z3.sat:
        return _confirmed(assertions, translation.inputs(solver.model()))
    return None


def _confirmed(assertions: list[z3.BoolRef], inputs: dict[z3.BitVecRef, int]) -> str | None:
    """The model, if the original question holds with these inputs."""
    solver = z3.Solver()
    solver.set("timeout", 5_000)
    solver.add(assertions)
    solver.add([variable == value for variable, value in inputs.items()])
    if solver.check() != z3.sat:
        return None
    lines = [
        f"(define-fun {variable.decl().name()} () (_ BitVec {variable.size()})"
        f" #b{value:0{variable.size()}b})"
        for variable, value in inputs.items()
    ]
    return "\n".join(["sat", *lines, ""])


def main() -> None:
    """Print the answer."""
    query = Path(sys.argv[1])
    smt = defined(query.read_text())
    meant = query.with_suffix(".meant.smt2")
    meant.write_text(smt)
    answer = by_bits(meant, FIRST_LOOK) or by_integers(smt, INTEGERS) or by_bits(meant, LAST_LOOK)
    sys.stdout.write(answer or "unknown\n")


if __name__ == "__main__":
    main()
