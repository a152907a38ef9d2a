"""What of a market's state decides who is liquidatable there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from bulkhead.markets import MarketState
from bulkhead.protocol import margin_math, price_validity, words
from bulkhead.protocol.fixed_point import FEMTO, PPM, THOUSAND_USD
from bulkhead.protocol.margin_math import Tiers

FUNDING_SLACK = 2**20
"""Legs are valued anew once funding has moved by this part of the price."""


@dataclass(frozen=True, slots=True)
class Line:
    """A tier's line: it requires rate * notional - deduction; the highest line is what is due.

    Attributes:
        rate: ppm.
        deduction: Quote, exact: floors are thousands of USD, rates millionths.
        floor: Femto, of notional: below it some other line is higher.
    """

    rate: int
    deduction: int
    floor: int


@lru_cache(maxsize=1_024)
def lines_of(tiers: Tiers) -> tuple[Line, ...]:
    """The lines of maintenance margin, the first tier's first."""
    lines = [Line(tiers.maintenance_rate, 0, 0)]
    for index in range(margin_math.TAIL_TIERS):
        tier = margin_math.tier_at(tiers, index)
        if tier.floor == 0:
            break
        floor = tier.floor * THOUSAND_USD
        rise = tier.maintenance_rate - lines[-1].rate
        deduction = lines[-1].deduction + rise * floor // (PPM * FEMTO)
        lines.append(Line(tier.maintenance_rate, deduction, floor))
    return tuple(lines)


@dataclass(frozen=True, slots=True)
class VaultTerms:
    """What isolated positions of a market are judged by.

    Attributes:
        price: Femto per lot.
        funding_index: Femto per lot.
        confidence: ppm.
        lines: Of maintenance margin.
        only_bankrupt: Whether only what has no equity may be liquidated.
    """

    price: int
    funding_index: int
    confidence: int
    lines: tuple[Line, ...]
    only_bankrupt: bool

    @classmethod
    def of(cls, state: MarketState) -> VaultTerms:
        """Those of a market."""
        return cls(
            state.price.price,
            state.funding.funding_index,
            state.price.confidence,
            lines_of(state.tiers),
            state.price.caution == words.ONLY_BANKRUPT,
        )

    @property
    def judged(self) -> tuple[Line, ...]:
        """The lines that equity is held against: none but zero in doubt."""
        return (Line(0, 0, 0),) if self.only_bankrupt else self.lines

    def threshold(self, sign: int, line: Line, slack: int = 0) -> float:
        """What a vault's key must reach for a line to make it liquidatable: not above the truth.

        Args:
            sign: 1 for longs, -1 for shorts.
            line: One that is judged.
            slack: By how much keys may be too low, femto per lot.
        """
        at_mark = sign * (self.price - self.funding_index) * PPM
        exact = at_mark - self.price * (line.rate - self.confidence)
        # Requirement and band are rounded up to a femto, which is a femto a lot at most.
        return below(exact // PPM - 1 - slack)


@dataclass(frozen=True, slots=True)
class LegTerms:
    """What cross legs of a market are valued by.

    Attributes:
        price: Femto per lot.
        funding_index: Femto per lot.
        confidence: ppm; none counts at a price that is not fresh.
        lines: Of maintenance margin; none in a market that is over.
        counts_profit: Whether the price is not silent for too long.
    """

    price: int
    funding_index: int
    confidence: int
    lines: tuple[Line, ...]
    counts_profit: bool

    @classmethod
    def of(cls, state: MarketState) -> LegTerms:
        """Those of a market."""
        is_over = price_validity.is_settled(state.price)
        return cls(
            state.price.price,
            state.funding.funding_index,
            state.price.confidence if state.is_fresh and not is_over else 0,
            () if is_over else lines_of(state.tiers),
            price_validity.profit_counts(state.price, state.now),
        )

    @property
    def slack(self) -> int:
        """By how much funding may move, femto per lot, before legs are valued anew."""
        return self.price // FUNDING_SLACK

    def covers(self, other: LegTerms) -> bool:
        """Whether a bound on legs' worth at these terms holds at others, too."""
        mine = (self.price, self.confidence, self.lines, self.counts_profit)
        theirs = (other.price, other.confidence, other.lines, other.counts_profit)
        return mine == theirs and abs(self.funding_index - other.funding_index) <= self.slack


def below(number: int) -> float:
    """A float not above an integer."""
    return math.nextafter(float(number), -math.inf)
