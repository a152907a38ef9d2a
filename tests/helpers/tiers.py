"""Tiers as plain lists, and requirements as the maximum of lines: an independent reference."""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from bulkhead.protocol.margin_math import Tiers

PPM = 10**6
FLOOR_UNIT = 10**18  # femto in a thousand USD


class Line(NamedTuple):
    """rate * notional - deduction, in millionths of a femto."""

    rate: int
    deduction: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """The floors of the tiers beyond the first, and the rates of all."""

    floors: list[int]
    maintenance: list[int]
    initial: list[int]

    @classmethod
    def of(cls, tiers: Tiers) -> "Schedule":
        tail = [tiers.first >> 64 * i & 2**64 - 1 for i in range(4)]
        tail += [tiers.second >> 64 * i & 2**64 - 1 for i in range(3)]
        tail = [tier for tier in tail if tier]
        return cls(
            [tier >> 40 for tier in tail],
            [tiers.maintenance_rate] + [tier >> 20 & 2**20 - 1 for tier in tail],
            [tiers.initial_rate] + [tier & 2**20 - 1 for tier in tail],
        )

    def lines(self, rates: list[int]) -> list[Line]:
        deduction, lines = 0, [Line(rates[0], 0)]
        for floor, previous, rate in zip(self.floors, rates, rates[1:], strict=False):
            deduction += (rate - previous) * floor * FLOOR_UNIT
            lines.append(Line(rate, deduction))
        return lines

    def taxed(self, rates: list[int], notional: int) -> Fraction:
        """Each rate on the notional above its floor and below the next, in femto."""
        edges = [0] + [floor * FLOOR_UNIT for floor in self.floors]
        tops = [*edges[1:], max(notional, edges[-1])]
        return sum(
            (
                Fraction(rate, PPM) * max(min(notional, top) - edge, 0)
                for rate, edge, top in zip(rates, edges, tops, strict=True)
            ),
            Fraction(),
        )


def requirement(lines: list[Line], notional: int) -> int:
    """The highest line, in femto, up."""
    return -(-max([rate * notional - deduction for rate, deduction in lines]) // PPM)
