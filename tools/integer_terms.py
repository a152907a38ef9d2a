"""Turn a question about bit-vectors into one about integers.

A bit-vector of `w` bits becomes a `Number`: an integer that equals it modulo 2**w, with bounds.
Sums of numbers then need no modulus; it comes in where bits are read (a comparison, a division, a
shift to the right), and only if the bounds do not say that nothing has wrapped. What has no
translation becomes an integer of which nothing is known but its bits: the question gets weaker by
that, so what is refuted stays refuted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import z3

from tools.bit_terms import (
    COMPARISONS,
    bit_of,
    conjuncts,
    depth_of,
    masked_by,
    odd_parts,
    range_of,
    runs,
    value_of,
)
from tools.integer_numbers import Number, Term, choice, constant


class Translation:
    """The translated assertions of one question."""

    def __init__(self, assertions: list[Term]) -> None:
        self._facts: list[Term] = []
        self._inputs: dict[int, tuple[Term, Term]] = {}
        self._numbers: dict[int, Number] = {}
        self._truths: dict[int, tuple[Term, Term]] = {}
        self._unsigned: dict[int, Number] = {}
        self._signed: dict[int, Number] = {}
        self._quotients: dict[tuple[int, int, bool], tuple[Number, Number]] = {}
        self._products: dict[tuple[int, ...], tuple[Number, Term, Term]] = {}
        self._bounds: dict[tuple[int, bool], tuple[int, int]] = {}
        self._fresh = 0
        self._assertions = [part for assertion in assertions for part in conjuncts(assertion)]
        for part in self._assertions:
            self._learn(part)

    def constraints(self) -> list[Term]:
        """What is asserted, with products of variables as if they were variables themselves."""
        translated = [self.truth(part) for part in self._assertions]
        return self._facts + translated

    def products(self) -> list[Term]:
        """What those products are."""
        return [product.term == a * b for product, a, b in self._products.values()]

    def inputs(self, model: Any) -> dict[Any, int]:
        """The bit-vectors that a model of the integers stands for."""
        return {
            variable: model.eval(term, model_completion=True).as_long() % 2 ** variable.size()
            for variable, term in self._inputs.values()
        }

    # What is asserted of a term as a whole bounds it everywhere.

    def _learn(self, fact: Term) -> None:
        holds = not z3.is_not(fact)
        atom = fact if holds else fact.arg(0)
        if atom.num_args() != 2 or not z3.is_bv(atom.arg(0)):
            return
        left, right = atom.children()
        kind = atom.decl().kind()
        if kind in COMPARISONS:
            signed, swapped, strict = COMPARISONS[kind]
            if not holds:
                swapped, strict = not swapped, not strict
            if swapped:
                left, right = right, left
            below = -1 if strict else 0
            if z3.is_bv_value(right):
                self._bound(left, signed, None, value_of(right, signed) + below)
            if z3.is_bv_value(left):
                self._bound(right, signed, value_of(left, signed) - below, None)
        elif kind == z3.Z3_OP_EQ:
            if z3.is_bv_value(left):
                left, right = right, left
            if not z3.is_bv_value(right) or z3.is_bv_value(left):
                return
            value = value_of(right, signed=False)
            if holds:
                self._bound(left, False, value, value)
                if left.decl().kind() == z3.Z3_OP_EXTRACT and value == 0:
                    top, bottom = left.params()
                    if top == left.arg(0).size() - 1:
                        self._bound(left.arg(0), False, None, 2**bottom - 1)
            elif value == 0:
                self._bound(left, False, 1, None)

    def _bound(self, term: Term, signed: bool, low: int | None, high: int | None) -> None:
        least, most = range_of(term.size(), signed)
        known = self._bounds.get((term.get_id(), signed), (least, most))
        self._bounds[term.get_id(), signed] = (
            known[0] if low is None else max(known[0], low),
            known[1] if high is None else min(known[1], high),
        )

    def _variable(self, low: int, high: int) -> Number:
        self._fresh += 1
        term = z3.Int(f"number!{self._fresh}")
        self._facts += [term >= low, term <= high]
        return Number(term, low, high)

    # Numbers

    def number(self, term: Term) -> Number:
        """An integer equal to a bit-vector modulo its width."""
        known = self._numbers.get(term.get_id())
        if known is None:
            known = self._narrowed(term, self._number(term))
            self._numbers[term.get_id()] = known
        return known

    def _narrowed(self, term: Term, number: Number) -> Number:
        for signed in (False, True):
            bounds = self._bounds.get((term.get_id(), signed))
            if bounds and not number.within(*bounds):
                narrow = self._folded(number, term.size(), signed)
                low, high = max(narrow.low, bounds[0]), min(narrow.high, bounds[1])
                if low > high:
                    self._facts.append(z3.BoolVal(False))
                    return narrow
                number = Number(narrow.term, low, high)
        return number

    def _folded(self, number: Number, bits: int, signed: bool) -> Number:
        """The same number modulo 2**bits in its usual range."""
        least, most = range_of(bits, signed)
        first, last = ((bound - least) >> bits for bound in (number.low, number.high))
        if first == last:
            return number if first == 0 else number + constant(-(first << bits))
        if last == first + 1:
            edge = least + (last << bits)
            term = z3.If(
                number.term >= edge, number.term - (last << bits), number.term - (first << bits)
            )
            return Number(term, least, most)
        folded, wraps = self._variable(least, most), self._variable(first, last)
        self._facts.append(number.term == folded.term + wraps.term * 2**bits)
        return folded

    def unsigned(self, term: Term) -> Number:
        known = self._unsigned.get(term.get_id())
        if known is None:
            known = self._narrowed(term, self._folded(self.number(term), term.size(), False))
            known = self._folded(known, term.size(), False)
            self._unsigned[term.get_id()] = known
        return known

    def signed(self, term: Term) -> Number:
        known = self._signed.get(term.get_id())
        if known is None:
            known = self._folded(self.number(term), term.size(), True)
            self._signed[term.get_id()] = known
        return known

    def _number(self, term: Term) -> Number:
        if z3.is_bv_value(term):
            return constant(value_of(term, signed=True))
        kind = term.decl().kind()
        if kind == z3.Z3_OP_UNINTERPRETED and term.num_args() == 0:
            number = self._input(term)
            self._inputs[term.get_id()] = (term, number.term)
            return number
        translate = NUMBERS.get(kind)
        found = translate(self, term) if translate else None
        return found or self._variable(*range_of(term.size(), signed=False))

    def _input(self, term: Term) -> Number:
        low, high = self._bounds.get((term.get_id(), False), range_of(term.size(), False))
        least, most = self._bounds.get((term.get_id(), True), range_of(term.size(), True))
        if high - low <= most - least:
            return self._variable(low, max(low, high))
        return self._variable(least, max(least, most))

    def _if(self, term: Term) -> Number:
        condition, yes, no = term.children()
        return choice(self.truth(condition), self.number(yes), self.number(no))

    def _sum(self, term: Term) -> Number:
        first, *rest = [self.number(part) for part in term.children()]
        for part in rest:
            first = first + part
        return first

    def _difference(self, term: Term) -> Number:
        first, *rest = [self.number(part) for part in term.children()]
        for part in rest:
            first = first + -part
        return first

    def _product(self, term: Term) -> Number | None:
        chosen: Number | None = None
        for part in term.children():
            condition = bit_of(part)
            if condition is not None:
                other = [child for child in term.children() if not child.eq(part)]
                if len(other) == 1:
                    return choice(self.truth(condition), self.number(other[0]), constant(0))
            number = self.number(part)
            chosen = self._times(chosen, number) if chosen else number
        return chosen

    def _times(self, a: Number, b: Number) -> Number:
        for one, other in ((a, b), (b, a)):
            if one.low == one.high:
                return other.scaled(one.low)
        key = tuple(sorted((a.term.get_id(), b.term.get_id())))
        if key not in self._products:
            corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
            product = self._variable(min(corners), max(corners))
            self._products[key] = (product, a.term, b.term)
        return self._products[key][0]

    def _divided(self, a: Term, b: Term, signed: bool) -> tuple[Number, Number]:
        key = (a.get_id(), b.get_id(), signed)
        if key not in self._quotients:
            read = self.signed if signed else self.unsigned
            self._quotients[key] = self._division(read(a), read(b))
        return self._quotients[key]

    def _division(self, a: Number, b: Number) -> tuple[Number, Number]:
        """Quotient, toward zero, and remainder; of a division by zero both may be anything."""
        if a.low == a.high and b.low == b.high and b.low != 0:
            whole = abs(a.low) // abs(b.low) * (1 if (a.low < 0) == (b.low < 0) else -1)
            return constant(whole), constant(a.low - whole * b.low)
        size = max(abs(a.low), abs(a.high))
        least = b.low if b.low > 0 else 1
        if a.low >= 0 and b.low >= 0:
            quotient = self._variable(a.low // max(b.high, 1), a.high // least)
            remainder = self._variable(0, min(a.high, max(b.high - 1, 0)))
        else:
            quotient = self._variable(-(size // least), size // least)
            most = max(abs(b.low), abs(b.high), 1) - 1
            remainder = self._variable(
                -min(most, size) if a.low < 0 else 0, min(most, size) if a.high > 0 else 0
            )
        exact = [a.term == self._times(quotient, b).term + remainder.term]
        if b.low >= 0:
            exact.append(
                z3.And(remainder.term < b.term, remainder.term > -b.term)
                if a.low < 0
                else remainder.term < b.term
            )
        else:
            exact.append(z3.And(remainder.term * remainder.term < b.term * b.term))
        if a.low < 0:
            exact.append(z3.If(a.term >= 0, remainder.term >= 0, remainder.term <= 0))
        if b.within(1, b.high) or b.high < 0:
            self._facts += exact
        else:
            self._facts.append(z3.Implies(b.term != 0, z3.And(exact)))
        return quotient, remainder

    def _quotient(self, term: Term) -> Number:
        """SMT's: all ones where the divisor is zero."""
        a, b = term.children()
        quotient, _ = self._divided(a, b, signed=False)
        return self._guarded(self.unsigned(b), quotient, constant(2 ** term.size() - 1))

    def _remainder(self, term: Term) -> Number:
        a, b = term.children()
        _, remainder = self._divided(a, b, signed=False)
        return self._guarded(self.unsigned(b), remainder, self.unsigned(a))

    def _signed_quotient(self, term: Term) -> Number:
        a, b = term.children()
        quotient, _ = self._divided(a, b, signed=True)
        none = choice(self.signed(a).term >= 0, constant(-1), constant(1))
        return self._guarded(self.signed(b), quotient, none)

    def _signed_remainder(self, term: Term) -> Number:
        a, b = term.children()
        _, remainder = self._divided(a, b, signed=True)
        return self._guarded(self.signed(b), remainder, self.signed(a))

    def _guarded(self, divisor: Number, usual: Number, by_zero: Number) -> Number:
        if divisor.low > 0 or divisor.high < 0:
            return usual
        return choice(divisor.term != 0, usual, by_zero)

    def _shifted_left(self, term: Term) -> Number | None:
        if not z3.is_bv_value(term.arg(1)):
            return None
        places = value_of(term.arg(1), signed=False)
        return self.number(term.arg(0)).scaled(2**places if places < term.size() else 0)

    def _shifted_right(self, term: Term) -> Number | None:
        if not z3.is_bv_value(term.arg(1)):
            return None
        return self._without_low(self.unsigned(term.arg(0)), value_of(term.arg(1), signed=False))

    def _shifted_right_signed(self, term: Term) -> Number | None:
        if not z3.is_bv_value(term.arg(1)):
            return None
        places = min(value_of(term.arg(1), signed=False), term.size() - 1)
        return self._without_low(self.signed(term.arg(0)), places)

    def _without_low(self, number: Number, places: int) -> Number:
        """The number shifted to the right, down."""
        if places == 0:
            return number
        low, high = number.low >> places, number.high >> places
        if low == high:
            return constant(low)
        upper, lower = self._variable(low, high), self._variable(0, 2**places - 1)
        self._facts.append(number.term == upper.term * 2**places + lower.term)
        return upper

    def _slice(self, number: Number, top: int, bottom: int, bits: int) -> Number:
        """Bits of an unsigned number of so many bits, from the bottom on."""
        shifted = self._without_low(number, bottom)
        return shifted if top == bits - 1 else self._folded(shifted, top - bottom + 1, False)

    def _extract(self, term: Term) -> Number:
        top, bottom = term.params()
        (whole,) = term.children()
        if bottom == 0:
            return self.number(whole)
        return self._slice(self.unsigned(whole), top, bottom, whole.size())

    def _joined(self, term: Term) -> Number:
        # What the first one has beyond its bits is beyond the whole's, too.
        first, *rest = term.children()
        joined = self.number(first)
        for part in rest:
            joined = joined.scaled(2 ** part.size()) + self.unsigned(part)
        return joined

    def _zero_extended(self, term: Term) -> Number:
        return self.unsigned(term.arg(0))

    def _sign_extended(self, term: Term) -> Number:
        return self.signed(term.arg(0))

    def _negative(self, term: Term) -> Number:
        return -self.number(term.arg(0))

    def _not(self, term: Term) -> Number:
        return constant(-1) + -self.number(term.arg(0))

    def _and(self, term: Term) -> Number | None:
        values = [part for part in term.children() if z3.is_bv_value(part)]
        others = [part for part in term.children() if not z3.is_bv_value(part)]
        if len(values) == 1 and len(others) == 1:
            whole = self.unsigned(others[0])
            masked = constant(0)
            for top, bottom in runs(value_of(values[0], signed=False)):
                part = self._slice(whole, top, bottom, term.size())
                masked = masked + part.scaled(2**bottom)
            return masked
        numbers = [self.unsigned(part) for part in term.children()]
        if all(number.high <= 1 for number in numbers):
            return choice(
                z3.And([number.term == 1 for number in numbers]), constant(1), constant(0)
            )
        return self._variable(0, min(number.high for number in numbers))

    def _or(self, term: Term) -> Number:
        numbers = [self.unsigned(part) for part in term.children()]
        if all(number.high <= 1 for number in numbers):
            return choice(z3.Or([number.term == 1 for number in numbers]), constant(1), constant(0))
        high = 2 ** max(number.high for number in numbers).bit_length() - 1
        either = self._variable(max(number.low for number in numbers), high)
        self._facts += [either.term >= number.term for number in numbers]
        self._facts.append(either.term <= z3.Sum([number.term for number in numbers]))
        return either

    def _xor(self, term: Term) -> Number | None:
        return self._parity({part.get_id(): part for part in odd_parts(term)}, term.size())

    def _parity(self, parts: dict[int, Term], bits: int) -> Number | None:
        """Terms that differ, in exclusive or. `a ^ (a ^ b) * bit` is how the compiler chooses."""
        if len(parts) < 2:
            return self.number(next(iter(parts.values()))) if parts else constant(0)
        masked = [part for part in parts.values() if masked_by(part)]
        if masked:
            outermost = max(masked, key=depth_of)
            condition, inner = masked_by(outermost) or (None, None)
            rest = {key: part for key, part in parts.items() if not part.eq(outermost)}
            taken = dict(rest)
            for part in odd_parts(inner):
                if taken.pop(part.get_id(), None) is None:
                    taken[part.get_id()] = part
            yes, no = self._parity(taken, bits), self._parity(rest, bits)
            return choice(self.truth(condition), yes, no) if yes and no else None
        if len(parts) > 2:
            return None
        a, b = parts.values()
        for one, other in ((a, b), (b, a)):
            if z3.is_bv_value(one) and value_of(one, signed=True) == -1:
                return constant(-1) + -self.number(other)
        x, y = self.unsigned(a), self.unsigned(b)
        either = self._variable(0, 2 ** max(x.high, y.high).bit_length() - 1)
        self._facts.append((either.term == 0) == (x.term == y.term))
        return either

    # Truths

    def truth(self, term: Term) -> Term:
        """What an assertion says of the integers."""
        known = self._truths.get(term.get_id())
        if known is None:
            # An id is a term's own only while the term lives.
            known = self._truths[term.get_id()] = (term, self._truth(term))
        return known[1]

    def _truth(self, term: Term) -> Term:
        kind = term.decl().kind()
        if kind in (z3.Z3_OP_TRUE, z3.Z3_OP_FALSE):
            return term
        if kind in CONNECTIVES:
            return CONNECTIVES[kind](*[self.truth(part) for part in term.children()])
        if kind in COMPARISONS:
            signed, swapped, strict = COMPARISONS[kind]
            read = self.signed if signed else self.unsigned
            left, right = (read(part).term for part in term.children())
            if swapped:
                left, right = right, left
            return left < right if strict else left <= right
        if kind in (z3.Z3_OP_EQ, z3.Z3_OP_DISTINCT) and term.num_args() == 2:
            equal = self._equal(*term.children())
            if equal is not None:
                return equal if kind == z3.Z3_OP_EQ else z3.Not(equal)
        self._fresh += 1
        return z3.Bool(f"truth!{self._fresh}")

    def _equal(self, left: Term, right: Term) -> Term | None:
        if z3.is_bool(left):
            return self.truth(left) == self.truth(right)
        if not z3.is_bv(left):
            return None
        for one, other in ((left, right), (right, left)):
            if (
                one.decl().kind() == z3.Z3_OP_BXOR
                and one.num_args() == 2
                and z3.is_bv_value(other)
                and value_of(other, signed=False) == 0
            ):
                return self._equal(*one.children())
        a, b = self.number(left), self.number(right)
        for signed in (True, False):
            whole = range_of(left.size(), signed)
            if a.within(*whole) and b.within(*whole):
                apart = a.high < b.low or b.high < a.low
                return z3.BoolVal(False) if apart else a.term == b.term
        return self.unsigned(left).term == self.unsigned(right).term


CONNECTIVES: dict[int, Callable[..., Term]] = {
    z3.Z3_OP_AND: z3.And,
    z3.Z3_OP_OR: z3.Or,
    z3.Z3_OP_NOT: z3.Not,
    z3.Z3_OP_IMPLIES: z3.Implies,
    z3.Z3_OP_ITE: z3.If,
    z3.Z3_OP_XOR: z3.Xor,
}
NUMBERS: dict[int, Callable[[Translation, Term], Number | None]] = {
    z3.Z3_OP_ITE: Translation._if,
    z3.Z3_OP_BADD: Translation._sum,
    z3.Z3_OP_BSUB: Translation._difference,
    z3.Z3_OP_BNEG: Translation._negative,
    z3.Z3_OP_BMUL: Translation._product,
    z3.Z3_OP_BUDIV: Translation._quotient,
    z3.Z3_OP_BUREM: Translation._remainder,
    z3.Z3_OP_BSDIV: Translation._signed_quotient,
    z3.Z3_OP_BSREM: Translation._signed_remainder,
    z3.Z3_OP_BSHL: Translation._shifted_left,
    z3.Z3_OP_BLSHR: Translation._shifted_right,
    z3.Z3_OP_BASHR: Translation._shifted_right_signed,
    z3.Z3_OP_EXTRACT: Translation._extract,
    z3.Z3_OP_CONCAT: Translation._joined,
    z3.Z3_OP_ZERO_EXT: Translation._zero_extended,
    z3.Z3_OP_SIGN_EXT: Translation._sign_extended,
    z3.Z3_OP_BNOT: Translation._not,
    z3.Z3_OP_BAND: Translation._and,
    z3.Z3_OP_BOR: Translation._or,
    z3.Z3_OP_BXOR: Translation._xor,
}
