"""What is read off z3's terms of bit-vectors: their parts, bounds and shape."""

from __future__ import annotations

from collections.abc import Iterator

import z3

from tools.integer_numbers import Term

# Whether it is signed, with its sides swapped, strict.
COMPARISONS: dict[int, tuple[bool, bool, bool]] = {
    z3.Z3_OP_ULEQ: (False, False, False),
    z3.Z3_OP_ULT: (False, False, True),
    z3.Z3_OP_UGEQ: (False, True, False),
    z3.Z3_OP_UGT: (False, True, True),
    z3.Z3_OP_SLEQ: (True, False, False),
    z3.Z3_OP_SLT: (True, False, True),
    z3.Z3_OP_SGEQ: (True, True, False),
    z3.Z3_OP_SGT: (True, True, True),
}


def conjuncts(assertion: Term) -> Iterator[Term]:
    if z3.is_and(assertion):
        for part in assertion.children():
            yield from conjuncts(part)
    elif z3.is_not(assertion) and z3.is_or(assertion.arg(0)):
        for part in assertion.arg(0).children():
            yield from conjuncts(z3.Not(part))
    elif z3.is_not(assertion) and z3.is_not(assertion.arg(0)):
        yield from conjuncts(assertion.arg(0).arg(0))
    else:
        yield assertion


def value_of(term: Term, signed: bool) -> int:
    value: int = term.as_signed_long() if signed else term.as_long()
    return value


def range_of(bits: int, signed: bool) -> tuple[int, int]:
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)


def bit_of(term: Term) -> Term | None:
    """The condition of which a term is the bit, if it is one."""
    if term.decl().kind() == z3.Z3_OP_ITE:
        yes, no = term.arg(1), term.arg(2)
        if z3.is_bv_value(yes) and z3.is_bv_value(no):
            if (yes.as_long(), no.as_long()) == (1, 0):
                return term.arg(0)
            if (yes.as_long(), no.as_long()) == (0, 1):
                return z3.Not(term.arg(0))
    return None


def masked_by(term: Term) -> tuple[Term, Term] | None:
    """A term times a bit, as the bit's condition and the term."""
    if term.decl().kind() != z3.Z3_OP_BMUL or term.num_args() != 2:
        return None
    for factor, bit in (term.children(), term.children()[::-1]):
        condition = bit_of(bit)
        if condition is not None:
            return condition, factor
    return None


def odd_parts(term: Term) -> list[Term]:
    """What is left of nested exclusive ors once pairs have gone."""
    if term.decl().kind() != z3.Z3_OP_BXOR:
        return [term]
    left: dict[int, Term] = {}
    for child in term.children():
        for part in odd_parts(child):
            if left.pop(part.get_id(), None) is None:
                left[part.get_id()] = part
    return list(left.values())


def depth_of(term: Term, known: dict[int, int] | None = None) -> int:
    known = {} if known is None else known
    if term.get_id() not in known:
        known[term.get_id()] = 1 + max(
            [depth_of(part, known) for part in term.children()], default=0
        )
    return known[term.get_id()]


def runs(mask: int) -> Iterator[tuple[int, int]]:
    """The runs of ones in a mask, each as its top and bottom bit."""
    bottom = 0
    while mask >> bottom:
        if mask >> bottom & 1:
            top = bottom
            while mask >> (top + 1) & 1:
                top += 1
            yield top, bottom
            bottom = top
        bottom += 1
