"""What the integer solver says is so: it is held against yices on small random questions."""

import json
import random
import subprocess

from tools.compiling import ROOT
from tools.prove import TOOLS

BITS = 6
QUESTIONS = 40
CHILD = """
import json, sys
from tools.integer_solver import by_integers
for question in json.load(sys.stdin):
    print((by_integers(question, 0.2) or "unknown").split()[0], flush=True)
"""
BINARY = (
    *("bvadd", "bvsub", "bvmul", "bvudiv", "bvurem", "bvsdiv", "bvsrem"),
    *("bvand", "bvor", "bvxor", "bvshl", "bvlshr", "bvashr"),
)
COMPARISONS = ("bvule", "bvult", "bvsle", "bvslt", "=", "distinct")


def term(source: random.Random, depth: int) -> str:
    if depth == 0 or source.random() < 0.1:
        return source.choice(["x", "y", "z", f"(_ bv{source.randrange(2**BITS)} {BITS})"])
    kind = source.randrange(12)
    if kind == 0:
        return (
            f"(ite {claim(source, depth - 1)} {term(source, depth - 1)} {term(source, depth - 1)})"
        )
    if kind == 1:
        return f"({source.choice(['bvnot', 'bvneg'])} {term(source, depth - 1)})"
    if kind == 2:
        low = source.randrange(BITS)
        piece = f"((_ extract {BITS - 1} {low}) {term(source, depth - 1)})"
        return f"((_ {source.choice(['zero_extend', 'sign_extend'])} {low}) {piece})"
    if kind == 3:
        chosen, other = term(source, depth - 1), term(source, depth - 1)
        bit = f"(ite {claim(source, depth - 1)} (_ bv1 {BITS}) (_ bv0 {BITS}))"
        return f"(bvxor {other} (bvmul (bvxor {other} {chosen}) {bit}))"
    if kind == 4:
        half = BITS // 2
        upper = f"((_ extract {BITS - 1} {half}) {term(source, depth - 1)})"
        return f"(concat {upper} ((_ extract {half - 1} 0) {term(source, depth - 1)}))"
    return f"({source.choice(BINARY)} {term(source, depth - 1)} {term(source, depth - 1)})"


def claim(source: random.Random, depth: int) -> str:
    return f"({source.choice(COMPARISONS)} {term(source, depth)} {term(source, depth)})"


def question(source: random.Random) -> str:
    lines = [f"(declare-fun {name} () (_ BitVec {BITS}))" for name in "xyz"]
    for _ in range(source.randrange(2, 7)):
        fact = claim(source, source.randrange(4))
        lines.append(f"(assert {fact})" if source.random() < 0.5 else f"(assert (not {fact}))")
    return "\n".join(["(set-logic QF_BV)", *lines, "(check-sat)", ""])


def by_yices(text: str) -> str:
    run = subprocess.run(
        [TOOLS / "yices-smt2"], input=text, capture_output=True, text=True, timeout=60, check=True
    )
    return run.stdout.split()[0]


def test_integers_refute_nothing_that_bits_satisfy_and_satisfy_nothing_that_bits_refute() -> None:
    source = random.Random(6)
    questions = [question(source) for _ in range(QUESTIONS)]
    run = subprocess.run(
        [TOOLS / "python", "-c", CHILD],
        cwd=ROOT,
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    answers = run.stdout.split()
    assert len(answers) == QUESTIONS
    decided = [
        (a, by_yices(q), q) for a, q in zip(answers, questions, strict=True) if a != "unknown"
    ]
    for answer, truth, text in decided:
        assert answer == truth, text
    assert {answer for answer, _, _ in decided} == {"sat", "unsat"}
    assert len(decided) > QUESTIONS // 2
