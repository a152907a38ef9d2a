"""The cross side of all accounts: a sum for each of what every market's pair adds.

Sparse accounts x legs: a market's pairs lie side by side, so that its tick values them in one go
and adds the differences to the sums of their accounts. Sums are of integers: they never drift.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bulkhead.keeper.screening import limbs
from bulkhead.keeper.screening.limbs import Flags, Integers, Limbs, Rows
from bulkhead.keeper.screening.pairs import MAX_BACKING, MAX_LOSS, PairBook
from bulkhead.keeper.screening.terms import LegTerms
from bulkhead.markets import MarketState
from bulkhead.protocol import words


class LedgerHits(NamedTuple):
    """Accounts that the screen could not rule out.

    Attributes:
        accounts: Their numbers.
        shortfall: How far each is below maintenance margin, quote, up.
        is_complete: Whether there are no more.
    """

    accounts: Rows
    shortfall: Integers
    is_complete: bool


class Ledgers:
    """The cross ledgers of numbered accounts."""

    def __init__(self) -> None:
        self._books: dict[int, PairBook] = defaultdict(PairBook)
        # Quote: what is left above maintenance margin, not above the truth.
        self._surplus = np.zeros(0, np.int64)
        # One bit for each market it has a leg in.
        self._markets = np.zeros(0, np.uint64)
        # Accounts without a surplus, so that a tick looks at no others than it touches.
        self._is_short = np.zeros(0, np.bool_)
        self._short: list[Rows] = []

    def __len__(self) -> int:
        return sum(map(len, self._books.values()))

    @property
    def accounts(self) -> int:
        """How many have a leg."""
        return int(np.count_nonzero(self._markets))

    @property
    def nbytes(self) -> int:
        """Memory it holds."""
        books = sum(book.nbytes for book in self._books.values())
        mine = (self._surplus, self._markets, self._is_short, *self._short)
        return sum(one.nbytes for one in mine) + books

    @property
    def markets(self) -> frozenset[int]:
        """Where a leg is open."""
        return frozenset(market for market, book in self._books.items() if len(book))

    def grow(self, count: int) -> None:
        """Makes room for accounts."""
        if count > len(self._surplus):
            more = count + count // 8 - len(self._surplus)
            self._surplus = np.concatenate((self._surplus, np.zeros(more, np.int64)))
            self._markets = np.concatenate((self._markets, np.zeros(more, np.uint64)))
            self._is_short = np.concatenate((self._is_short, np.zeros(more, np.bool_)))

    def fill(self, market: int, accounts: Rows, pairs: Limbs) -> None:
        """Gives a market its pairs, where it has none yet; see `PairBook.fill`."""
        self._books[market].fill(accounts, pairs)
        self._markets[accounts] |= np.uint64(1 << market)

    def back(self, accounts: Rows, backing: Integers) -> None:
        """Adds cash and escrow, as `backing_of` counts them."""
        self._apply((accounts, backing))

    def put(self, account: int, market: int, slot: int, word: Limbs) -> None:
        """Writes one leg."""
        book = self._books[market]
        bit = np.uint64(1 << market)
        if book.put(account, slot, word):
            self._markets[account] |= bit
        else:
            self._markets[account] &= ~bit
        self._apply(book.tidy())

    def hits(self, states: Mapping[int, MarketState], limit: int) -> LedgerHits:
        """The accounts that may be liquidatable, the largest shortfall first.

        Args:
            states: Of every market that a leg is open in.
            limit: How many are wanted.
        """
        mine = {market: states[market] for market in self.markets}
        for market, state in mine.items():
            self._apply(self._books[market].revalue(LegTerms.of(state)))
        accounts = self._without_surplus()
        accounts = accounts[self._may_be_judged(accounts, mine)]
        surplus = self._surplus[accounts]
        doubted = _bits(
            market
            for market, one in mine.items()
            if one.is_fresh and one.price.caution == words.ONLY_BANKRUPT
        )
        if doubted:
            # Where a price is in doubt, the bankrupt alone are liquidated.
            in_doubt = np.flatnonzero(self._markets[accounts] & doubted)
            is_due = np.ones(len(accounts), np.bool_)
            is_due[in_doubt] = self._equity(accounts[in_doubt]) <= 0
            accounts, surplus = accounts[is_due], surplus[is_due]
        is_complete = len(accounts) <= limit
        if not is_complete:
            worst = np.argpartition(surplus, limit)[:limit]
            accounts, surplus = accounts[worst], surplus[worst]
        order = np.argsort(surplus, kind="stable")
        return LedgerHits(accounts[order], -surplus[order], is_complete)

    def legs_of(self, accounts: Rows) -> Iterator[tuple[int, Rows, Limbs]]:
        """The legs of some accounts by market.

        Returns:
            Markets, who of the accounts has legs there (as indices), and their pairs.
        """
        held = self._markets[accounts]
        for market in _markets_in(held):
            mine = np.flatnonzero(held & np.uint64(1 << market)).astype(np.int32)
            yield market, mine, self._books[market].words_of(accounts[mine])

    def _may_be_judged(self, accounts: Rows, states: Mapping[int, MarketState]) -> Flags:
        """Whether no leg's price is merely old, and some leg's market trades."""
        old = _bits(m for m, one in states.items() if one.is_live and not one.is_fresh)
        trading = _bits(m for m, one in states.items() if one.may_trade)
        held = self._markets[accounts]
        found: Flags = ((held & old) == 0) & ((held & trading) != 0)
        return found

    def _equity(self, accounts: Rows) -> Integers:
        """What accounts' equity is at least, quote."""
        equity: Integers = self._surplus[accounts]
        held = self._markets[accounts]
        for market in _markets_in(held):
            mine = np.flatnonzero(held & np.uint64(1 << market))
            equity[mine] += self._books[market].margin_of(accounts[mine])
        return equity

    def _apply(self, moved: tuple[Rows, Integers] | None) -> None:
        """Adds amounts to the surplus of accounts, none of them twice."""
        if moved is None:
            return
        accounts, amounts = moved
        surplus = self._surplus[accounts] + amounts
        self._surplus[accounts] = surplus
        short = accounts[surplus <= 0]
        short = short[~self._is_short[short] & (self._markets[short] != 0)]
        if len(short):
            self._is_short[short] = True
            self._short.append(short)

    def _without_surplus(self) -> Rows:
        """The accounts with legs that have none."""
        short: Rows = np.concatenate((np.empty(0, np.int32), *self._short))
        is_short = (self._surplus[short] <= 0) & (self._markets[short] != 0)
        self._is_short[short[~is_short]] = False
        short = short[is_short]
        self._short = [short]
        return short


def backing_of(accounts: Limbs) -> Integers:
    """Cash and escrow of accounts' words, quote, as a surplus bounds them."""
    cash = np.clip(limbs.cash_of(accounts), -2 * MAX_LOSS, 2 * MAX_BACKING)  # lest the sum wraps
    backing: Integers = np.clip(cash + limbs.escrow_of(accounts), -MAX_LOSS, MAX_BACKING)
    return backing


def _bits(markets: Iterable[int]) -> np.uint64:
    return np.uint64(sum(1 << market for market in markets))


def _markets_in(held: NDArray[np.uint64]) -> Iterator[int]:
    """The markets that any of some accounts has a leg in."""
    together = int(np.bitwise_or.reduce(held))
    return (market for market in range(words.CROSS_MARKETS) if together >> market & 1)
