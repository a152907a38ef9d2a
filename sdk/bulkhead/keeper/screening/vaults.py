"""The isolated positions of one side of one market, sorted by the key that makes a tick a run.

A vault of side s (1 long, -1 short) is liquidatable by tier k when

    s * (entry_notional / size - funding_index) - (margin + deduction_k) / size
        >= s * (price - index) - price * (rate_k - confidence)

The left side changes with trades alone. It is kept as a float that is never below the truth, the
right side is rounded down: `docs/liquidation-index.md` has the proof.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bulkhead.keeper.screening import limbs
from bulkhead.keeper.screening.limbs import Columns, Floats, Limbs, Rows
from bulkhead.keeper.screening.tables import Table
from bulkhead.keeper.screening.terms import Line, VaultTerms
from bulkhead.protocol.fixed_point import FEMTO, div_up

NUDGE = 2.0**-49
"""Sixteen units of rounding: a key takes eight at most."""
REACH = 2
"""A list of a tier has what would reach it at this many times the price it was built at."""
RATE_SLACK = 2**14
"""Lists are built anew once a deduction has moved by this part of its floor."""


TIGHT = -1
"""Where a row is among the loose ones if it is not."""


class Hits(NamedTuple):
    """Vaults that the screen could not rule out.

    Attributes:
        accounts: Their numbers.
        words: Their positions.
        depth: How far each is below maintenance margin, as a part of notional.
        shortfall: The same in femto.
        is_complete: Whether there are no more.
    """

    accounts: Rows
    words: Limbs
    depth: Floats
    shortfall: Floats
    is_complete: bool


class _Listed(NamedTuple):
    """The vaults that a tier's line may make liquidatable, the safest first."""

    keys: Floats
    rows: Rows


class VaultBook:
    """One side's.

    Args:
        sign: 1 for longs, -1 for shorts.
    """

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._open = 0
        # What has changed since the lists were built is loose: judged one by one.
        self._table = Table(words=(np.uint64, limbs.LIMBS), loose_at=np.int32)
        self._loose = _Listed(np.empty(0), np.empty(0, np.int32))
        self._loose_count = 0
        self._lines: tuple[Line, ...] = ()
        self._reach = 0
        self._lists: tuple[_Listed, ...] = ()

    def __len__(self) -> int:
        return self._open

    @property
    def nbytes(self) -> int:
        """Memory it holds."""
        lists = sum(one.keys.nbytes + one.rows.nbytes for one in (*self._lists, self._loose))
        return self._table.nbytes + lists

    def fill(self, accounts: Rows, words: Limbs) -> None:
        """Replaces all vaults."""
        loose_at = np.empty(len(accounts), np.int32)
        self._table.fill(account=accounts, words=words, loose_at=loose_at)
        self._open = len(accounts)
        self._lines, self._lists = (), ()
        self._tighten()

    def put(self, account: int, word: Limbs) -> None:
        """Writes one vault; one without size has ended."""
        is_open = bool(limbs.size_of(word)[0])
        row = self._table.find(account)
        if row is None:
            if not is_open:
                return
            row = self._table.row_of(account)
            self._table["loose_at"][row] = TIGHT
        words = self._table["words"]
        self._open += is_open - bool(limbs.size_of(words[row : row + 1])[0])
        words[row] = word[0]
        self._loosen(row)

    def hits(self, terms: VaultTerms, limit: int) -> Hits:
        """The vaults that may be liquidatable; those that are deepest below maintenance margin."""
        self._list(terms)
        rows, is_complete = self._run(terms, limit)
        rows = np.concatenate((rows, self._loose_rows(terms)))
        words = self._table["words"][rows]
        held = limbs.columns_of(words)
        excess = self._excess(held, terms)
        found = np.flatnonzero(excess >= 0)
        if len(found) > limit:
            is_complete = False
            found = found[np.argpartition(-excess[found], limit)[:limit]]
        excess = excess[found]
        return Hits(
            self._table["account"][rows[found]],
            words[found],
            excess / terms.price,
            excess * held.size[found],
            is_complete,
        )

    def _run(self, terms: VaultTerms, limit: int) -> tuple[Rows, bool]:
        """The rows at the end of each list that its threshold cuts off."""
        runs: list[Rows] = []
        is_complete = True
        # Loose rows may fill the end of a list.
        most = limit + self._loose_count
        for line, listed, built in zip(terms.judged, self._lists, self._lines, strict=False):
            threshold = terms.threshold(self._sign, line, _drift(line, built, terms.price))
            run = listed.rows[listed.keys.searchsorted(threshold) :]
            is_complete &= len(run) <= most
            if len(run):
                runs.append(run[-most:])
        rows = np.concatenate(runs) if runs else np.empty(0, np.int32)
        if len(runs) > 1:
            rows = np.unique(rows)
        return rows[self._table["loose_at"][rows] == TIGHT], is_complete

    def _loose_rows(self, terms: VaultTerms) -> Rows:
        """The loose rows that the lowest of all thresholds does not rule out."""
        keys = self._loose.keys[: self._loose_count]
        rows = self._loose.rows[: self._loose_count]
        unknown = np.flatnonzero(keys == np.inf)
        if len(unknown):
            held = limbs.columns_of(self._table["words"][rows[unknown]])
            lots = np.maximum(held.size, 1)
            known = self._keys(held._replace(size=lots), 0)
            keys[unknown] = np.where(held.size > 0, known, -np.inf)
        # Deductions only make keys smaller.
        return rows[keys >= min(terms.threshold(self._sign, line) for line in terms.judged)]

    def _excess(self, held: Columns, terms: VaultTerms) -> Floats:
        """By how much keys exceed their thresholds, femto per lot: the most of all tiers."""
        excess = np.full(len(held.size), -np.inf)
        lots = held.size.astype(np.float64)
        keys = self._keys(held, 0)
        largest = int(held.size.max(initial=0)) * terms.price
        for line in terms.judged:
            if line.floor and largest <= line.floor:
                break
            # Rounded down, so that the difference is not below the truth.
            relief = line.deduction * FEMTO * (1 - NUDGE) / lots
            np.maximum(excess, keys - relief - terms.threshold(self._sign, line), out=excess)
        return excess

    def _keys(self, held: Columns, deduction: int) -> Floats:
        """The left side of the rule, femto per lot: not below the truth."""
        backed = self._sign * held.entry_notional - held.margin - deduction  # exact
        per_lot = backed * float(FEMTO) / held.size
        funding = held.funding_index.astype(np.float64)
        keys: Floats = per_lot - self._sign * funding
        keys += NUDGE * (np.abs(per_lot) + np.abs(funding))
        return keys

    def _list(self, terms: VaultTerms) -> None:
        """Builds the lists where these terms are out of their reach."""
        is_near = len(self._lines) == len(terms.lines) and all(
            map(_is_near, self._lines, terms.lines)
        )
        if is_near and terms.price <= self._reach:
            return
        self._lines, self._reach = terms.lines, REACH * terms.price
        self._arrange()

    def _arrange(self) -> None:
        """Sorts everything anew; nothing is loose after it."""
        self._table.keep(limbs.size_of(self._table["words"]) > 0)
        self._tighten()
        held = limbs.columns_of(self._table["words"])
        self._lists = tuple(self._listed(held, line) for line in self._lines)

    def _listed(self, held: Columns, line: Line) -> _Listed:
        # A float product may be off by a few units: a millionth more is listed.
        reached = held.size * float(self._reach) * 1.000001 >= float(line.floor)
        rows = np.flatnonzero(reached).astype(np.int32)
        keys = self._keys(Columns(*(column[rows] for column in held)), line.deduction)
        order = np.argsort(keys)
        return _Listed(keys[order], rows[order])

    def _loosen(self, row: int) -> None:
        """Notes that the lists no longer say what a row holds."""
        keys, rows = self._loose
        at = int(self._table["loose_at"][row])
        if at == TIGHT:
            at = self._loose_count
            if at == len(rows):
                self._arrange()
                return
            self._loose_count += 1
            self._table["loose_at"][row] = at
            rows[at] = row
        keys[at] = np.inf  # until somebody asks

    def _tighten(self) -> None:
        room = 1_024 + len(self) // 128
        self._table["loose_at"][:] = TIGHT
        self._loose = _Listed(np.empty(room), np.empty(room, np.int32))
        self._loose_count = 0


def _drift(line: Line, built: Line, price: int) -> int:
    """By how much a list's keys may be too low since rates have moved on, femto per lot, up.

    Only vaults above the line's floor matter to it, which have more than floor / price lots.
    """
    moved = abs(line.deduction - built.deduction) * FEMTO
    return div_up(moved * price, line.floor) if moved else 0


def _is_near(built: Line, line: Line) -> bool:
    moved = abs(built.deduction - line.deduction) * FEMTO
    return built.floor == line.floor and moved * RATE_SLACK <= line.floor
