"""Integers with bounds, which stand for bit-vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import z3

Term = Any  # z3's classes have no types


@dataclass(frozen=True)
class Number:
    """An integer and its bounds."""

    term: Term
    low: int
    high: int

    def __add__(self, other: Number) -> Number:
        return Number(self.term + other.term, self.low + other.low, self.high + other.high)

    def __neg__(self) -> Number:
        return Number(-self.term, -self.high, -self.low)

    def scaled(self, factor: int) -> Number:
        low, high = sorted((self.low * factor, self.high * factor))
        return Number(self.term * factor, low, high)

    def within(self, low: int, high: int) -> bool:
        return low <= self.low and self.high <= high


def constant(value: int) -> Number:
    return Number(z3.IntVal(value), value, value)


def choice(condition: Term, yes: Number, no: Number) -> Number:
    if z3.is_true(condition) or z3.is_false(condition):
        return yes if z3.is_true(condition) else no
    return Number(z3.If(condition, yes.term, no.term), min(yes.low, no.low), max(yes.high, no.high))
