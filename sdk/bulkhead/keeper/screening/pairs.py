"""The cross legs of one market: what each account's pair of them leaves above its maintenance.

An account's surplus is its equity less its maintenance margin: cash, escrow and what every market's
pair adds. What a pair adds is kept as a whole number of quote units that is never above the truth,
so that sums of them are exact: `docs/liquidation-index.md` has the proof.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from bulkhead.keeper.screening import limbs
from bulkhead.keeper.screening.limbs import LIMBS, Floats, Integers, Limbs, Rows
from bulkhead.keeper.screening.tables import Table
from bulkhead.keeper.screening.terms import LegTerms
from bulkhead.protocol.fixed_point import FEMTO, PPM
from bulkhead.protocol.words import CROSS_LONG, CROSS_SHORT

NUDGE = 2.0**-49
"""Sixteen units of rounding: a basis takes eight at most."""
ROUNDING = 2.0**-46
"""A hundred and twenty-eight units: what a pair adds takes forty at most."""
MAX_GAIN = 2**48
"""Quote: what one pair may add. All 64 and `MAX_BACKING` together are below `MAX_LOSS`."""
MAX_LOSS = 2**56
"""Quote: what one pair may take. 64 times that is within 64 bits, and once outweighs all gains."""
MAX_BACKING = 2**55
"""Quote: what cash and escrow may add."""


class PairBook:
    """One market's."""

    def __init__(self) -> None:
        self._legs = 0
        self._pairs = 0
        self._table = Table(
            words=(np.uint64, 2 * LIMBS),  # the long's and the short's
            net=np.float64,  # lots, long less short
            larger=np.float64,  # lots
            basis=np.float64,  # femto, not below what the net size must be worth to be even
            surplus=np.int64,  # quote, as last valued
        )
        self._changed: set[int] = set()
        self._terms: LegTerms | None = None

    def __len__(self) -> int:
        return self._legs

    @property
    def nbytes(self) -> int:
        """Memory it holds."""
        return self._table.nbytes

    def fill(self, accounts: Rows, pairs: Limbs) -> None:
        """Replaces all legs. Nothing is valued yet.

        Args:
            accounts: Whose, none twice.
            pairs: Shape (n, 8): the long's word, and the short's.
        """
        count = len(accounts)
        self._table.fill(
            account=accounts,
            words=pairs,
            **{name: np.zeros(count) for name in ("net", "larger", "basis")},
            surplus=np.zeros(count, np.int64),
        )
        self._measure(slice(0, count))
        self._legs = sum(np.count_nonzero(limbs.size_of(one)) for one in _sides(pairs))
        self._pairs = count
        self._changed = set()
        self._terms = None

    def put(self, account: int, slot: int, word: Limbs) -> bool:
        """Writes one leg; one without size has ended.

        Returns:
            Whether the account has a leg here now.
        """
        is_open = bool(limbs.size_of(word)[0])
        row = self._table.row_of(account) if is_open else self._table.find(account)
        if row is None:
            return False
        pair = self._table["words"][row : row + 1]
        held = [bool(limbs.size_of(one)[0]) for one in _sides(pair)]
        before = sum(held)
        after = before - held[slot] + is_open
        pair[:, LIMBS * slot : LIMBS * (slot + 1)] = word
        self._legs += after - before
        self._pairs += (after > 0) - (before > 0)
        self._measure(slice(row, row + 1))
        self._changed.add(row)
        return after > 0

    def words_of(self, accounts: Rows) -> Limbs:
        """The pairs of accounts that have one, shape (n, 8)."""
        found: Limbs = self._table["words"][self._table.find_all(accounts)]
        return found

    def revalue(self, terms: LegTerms) -> tuple[Rows, Integers] | None:
        """Values what has changed since the last time: all pairs, if the market has.

        Returns:
            Accounts, none twice, and by how much each's surplus has moved; None where none has.
        """
        rows: Any = np.fromiter(self._changed, np.int64, len(self._changed))
        if self._terms is None or not self._terms.covers(terms):
            self._terms = terms
            rows = slice(0, self._table.count)
        elif not len(rows):
            return None
        self._changed.clear()
        surplus = self._value(rows, self._terms, with_margin=True)
        moved: Integers = surplus - self._table["surplus"][rows]
        self._table["surplus"][rows] = surplus
        return self._table["account"][rows], moved

    def tidy(self) -> tuple[Rows, Integers] | None:
        """Sorts again if there is much that is new or has ended.

        Returns:
            As `revalue` does.
        """
        ended = self._table.count - self._pairs
        if self._table.appended + ended < 1_024 + self._pairs // 8:
            return None
        moved = self.revalue(self._terms) if self._terms else None
        self._table.keep(self._table["larger"] > 0)
        self._changed.clear()
        return moved

    def margin_of(self, accounts: Rows) -> Integers:
        """What pairs, as last valued, would add more if no margin were held against them, quote."""
        if self._terms is None:
            raise RuntimeError("pairs: not valued yet")
        rows = self._table.find_all(accounts)
        margin: Integers = self._value(rows, self._terms, with_margin=False)
        margin -= self._table["surplus"][rows]
        return margin

    def _value(self, rows: Any, terms: LegTerms, *, with_margin: bool) -> Integers:
        """What pairs add to their accounts' surplus, quote: not above the truth."""
        net, larger = self._table["net"][rows], self._table["larger"][rows]
        basis = self._table["basis"][rows]
        size = np.abs(net)
        notional = larger * float(terms.price)
        gross = net * float(terms.price - terms.funding_index)
        worth = gross - basis - size * float(terms.slack)
        if not terms.counts_profit:
            np.minimum(worth, 0.0, out=worth)
        if terms.confidence:
            worth += size * (float(terms.price) * (terms.confidence / PPM))
        if with_margin and terms.lines:
            worth -= _requirement(notional, terms)
        worth -= ROUNDING * (np.abs(gross) + np.abs(basis) + notional)
        # One for what requirement and floor are rounded by.
        quote = np.floor(worth / FEMTO) - 1.0
        bounded: Integers = np.clip(quote, -MAX_LOSS, MAX_GAIN).astype(np.int64)
        bounded[larger == 0] = 0
        return bounded

    def _measure(self, rows: slice) -> None:
        """What of some pairs changes with trades alone."""
        long, short = (limbs.columns_of(one) for one in _sides(self._table["words"][rows]))
        paid = (long.entry_notional - short.entry_notional) * float(FEMTO)
        owed_long = long.size * long.funding_index.astype(np.float64)
        owed_short = short.size * short.funding_index.astype(np.float64)
        basis = paid - (owed_long - owed_short)
        basis += NUDGE * (np.abs(paid) + np.abs(owed_long) + np.abs(owed_short))
        self._table["net"][rows] = long.size - short.size
        self._table["larger"][rows] = np.maximum(long.size, short.size)
        self._table["basis"][rows] = basis


def _sides(pairs: Limbs) -> Iterable[Limbs]:
    return (pairs[:, LIMBS * slot : LIMBS * (slot + 1)] for slot in (CROSS_LONG, CROSS_SHORT))


def _requirement(notional: Floats, terms: LegTerms) -> Floats:
    first, *others = terms.lines
    due = notional * (first.rate / PPM)
    largest = float(notional.max(initial=0.0)) * 1.000001  # a float product may be too low
    for line in others:
        if largest <= float(line.floor):
            break
        above = notional * (line.rate / PPM) - float(line.deduction * FEMTO)
        np.maximum(due, above, out=due)
    return due
