"""The liquidation index: every open position, arranged so that a tick finds what it endangers."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bulkhead import valuation
from bulkhead.keeper.screening import limbs
from bulkhead.keeper.screening.candidates import Candidates, LedgerRows, VaultRows
from bulkhead.keeper.screening.ledgers import Ledgers, backing_of
from bulkhead.keeper.screening.limbs import LIMBS, Limbs, Rows
from bulkhead.keeper.screening.tables import ADDRESS, AddressBook, Addresses
from bulkhead.keeper.screening.terms import VaultTerms
from bulkhead.keeper.screening.vaults import Hits, VaultBook
from bulkhead.markets import MarketState
from bulkhead.protocol import words
from bulkhead.protocol.words import CROSS_LONG, ISOLATED_LONG, ISOLATED_SHORT

LIMIT = 1_000
"""Candidates of each kind in one answer."""

_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")


class LiquidationIndex:
    """Who may be liquidatable, in O(log n + hits) for isolated positions.

    A screen in floats with a proven band: it misses nothing that `decisions` finds liquidatable,
    and lets through little else. Positions and accounts are told one by one, as events have them,
    or all at once.
    """

    def __init__(self) -> None:
        self._clear(AddressBook())

    def __len__(self) -> int:
        """How many positions are open."""
        return self.vaults + self.legs

    @property
    def vaults(self) -> int:
        """How many isolated positions are open."""
        return sum(map(len, self._vaults.values()))

    @property
    def legs(self) -> int:
        """How many cross legs are open."""
        return len(self._ledgers)

    @property
    def ledgers(self) -> int:
        """How many accounts have a cross leg."""
        return self._ledgers.accounts

    @property
    def nbytes(self) -> int:
        """Memory that all of it takes."""
        vaults = sum(book.nbytes for book in self._vaults.values())
        return self._addresses.nbytes + self._words.nbytes + self._ledgers.nbytes + vaults

    def set_account(self, account: str, word: words.Account) -> None:
        """Takes in what an account holds outside its positions.

        Args:
            account: Its address.
            word: Its cash and escrow count; its legs are told by `set_position`.

        Raises:
            ValueError: The account is no address.
            OutOfRange: A field does not fit its bits.
        """
        packed = limbs.limbs_of([words.pack_account(word)])
        number = self._number(account)
        row = self._words[number : number + 1]
        self._ledgers.back(np.array([number], np.int32), backing_of(packed) - backing_of(row))
        row[:] = packed

    def set_position(self, account: str, market: int, slot: int, position: words.Position) -> None:
        """Takes in a position; one without size has ended.

        Args:
            account: Whose address.
            market: Where.
            slot: 0 and 1 cross, 2 and 3 isolated; even ones are long.
            position: What the chain holds.

        Raises:
            ValueError: There is no such account, market or slot.
            OutOfRange: A field does not fit its bits.
        """
        _check_place(market, slot)
        word = limbs.limbs_of([words.pack_position(position)])
        number = self._number(account)
        if valuation.is_isolated(slot):
            self._vault_book(market, slot).put(number, word)
        else:
            self._ledgers.put(number, market, slot, word)

    def load(
        self,
        accounts: Mapping[str, words.Account],
        positions: Mapping[tuple[str, int, int], words.Position],
    ) -> None:
        """Replaces everything.

        Args:
            accounts: What accounts hold outside their positions, by address.
            positions: By account, market and slot.

        Raises:
            ValueError: There is no such account, market or slot, or one comes twice.
            OutOfRange: A field does not fit its bits.
        """
        names = list(dict.fromkeys([*accounts, *(account for account, _, _ in positions)]))
        numbers = {name: number for number, name in enumerate(names)}
        account_words = np.zeros((len(names), LIMBS), np.uint64)
        account_words[: len(accounts)] = limbs.limbs_of(map(words.pack_account, accounts.values()))
        keys = np.fromiter(
            (place for name, *others in positions for place in (numbers[name], *others)), np.int64
        ).reshape(-1, 3)
        self.load_rows(
            np.array([_bytes_of(name) for name in names], ADDRESS),
            account_words,
            keys,
            limbs.limbs_of(map(words.pack_position, positions.values())),
        )

    def load_rows(
        self,
        addresses: Addresses,
        account_words: Limbs,
        keys: NDArray[np.int64],
        position_words: Limbs,
    ) -> None:
        """Replaces everything, from arrays.

        Args:
            addresses: Of accounts, 20 bytes each, none twice.
            account_words: Theirs, shape (n, 4): limbs of 64 bits, the lowest first.
            keys: Of positions, none twice, shape (m, 3): index of the address, market, slot.
            position_words: Theirs, shape (m, 4).

        Raises:
            ValueError: There is no such account, market or slot, or one comes twice.
        """
        if len(keys) and not 0 <= keys[:, 0].min() <= keys[:, 0].max() < len(addresses):
            raise ValueError("positions: of an account that is not given")
        is_open = limbs.size_of(position_words) > 0
        keys, position_words = keys[is_open], position_words[is_open]
        order = np.lexsort(keys.T)  # by slot, then by market, then by account
        keys, position_words = keys[order], position_words[order]
        if (keys[1:] == keys[:-1]).all(axis=1).any():
            raise ValueError("positions: one comes twice")
        for _, market, slot in keys[_firsts(keys)].tolist():
            _check_place(market, slot)
        self._clear(AddressBook(addresses))
        self._words[: len(addresses)] = account_words
        self._ledgers.back(np.arange(len(addresses), dtype=np.int32), backing_of(account_words))
        self._fill(keys, position_words)

    def candidates(
        self, states: Mapping[int, MarketState], markets: Collection[int], limit: int = LIMIT
    ) -> Candidates:
        """What may be liquidatable.

        The rest, where there is more than the limit, comes once events have told what became of
        these. Whoever passes over some asks for that many more.

        Args:
            states: Of `markets`, and of every market that a cross leg is open in. A market whose
                funding alone has moved costs nothing.
            markets: Whose isolated positions are looked through; of cross accounts, all are.
            limit: How many of either kind are wanted. Of isolated positions those that are deepest
                below maintenance margin, for their notional, are taken; of accounts those with the
                largest shortfall.

        Raises:
            ValueError: A state is missing.
        """
        missing = (self._ledgers.markets | set(markets)) - states.keys()
        if missing:
            raise ValueError(f"states: none of markets {sorted(missing)}")
        vaults, all_vaults = self._vault_rows({one: states[one] for one in markets}, limit)
        ledgers, all_ledgers = self._ledger_rows(states, limit)
        return Candidates(vaults, ledgers, all_vaults and all_ledgers)

    def _vault_rows(self, states: Mapping[int, MarketState], limit: int) -> tuple[VaultRows, bool]:
        """The isolated positions of some markets that may be liquidatable; whether they are all."""
        found: list[tuple[int, int, Hits]] = []
        for market, state in states.items():
            if not state.may_trade:
                continue
            terms = VaultTerms.of(state)
            for slot in (ISOLATED_LONG, ISOLATED_SHORT):
                book = self._vaults.get((market, slot))
                if book:
                    found.append((market, slot, book.hits(terms, limit)))
        hits = [one for _, _, one in found]
        counts = [len(one.accounts) for one in hits]
        places = np.array([place for *place, _ in found], np.int32).reshape(-1, 2)
        markets, slots = np.repeat(places, counts, axis=0).T
        depth = _joined([one.depth for one in hits], np.empty(0))
        shortfall = _joined([one.shortfall for one in hits], np.empty(0))
        kept = np.arange(len(depth))
        if len(depth) > limit:
            kept = np.argpartition(-depth, limit)[:limit]
        kept = kept[np.argsort(-shortfall[kept])]
        accounts = _joined([one.accounts for one in hits], np.empty(0, np.int32))[kept]
        rows = VaultRows(
            self._addresses.addresses(accounts),
            markets[kept],
            slots[kept],
            _joined([one.words for one in hits], np.empty((0, LIMBS), np.uint64))[kept],
            shortfall[kept],
        )
        return rows, len(depth) <= limit and all(one.is_complete for one in hits)

    def _ledger_rows(
        self, states: Mapping[int, MarketState], limit: int
    ) -> tuple[LedgerRows, bool]:
        """The cross ledgers that may be liquidatable; whether they are all."""
        hits = self._ledgers.hits(states, limit)
        rows = LedgerRows(
            self._addresses.addresses(hits.accounts),
            self._words[hits.accounts],
            hits.shortfall,
            tuple(self._ledgers.legs_of(hits.accounts)),
        )
        return rows, hits.is_complete

    def _clear(self, addresses: AddressBook) -> None:
        self._addresses = addresses
        self._words: Limbs = np.zeros((len(addresses), LIMBS), np.uint64)
        self._vaults: dict[tuple[int, int], VaultBook] = {}
        self._ledgers = Ledgers()
        self._ledgers.grow(len(addresses))

    def _fill(self, keys: NDArray[np.int64], position_words: Limbs) -> None:
        """Takes in positions that are sorted by slot, market and account."""
        legs: dict[int, list[tuple[int, Rows, Limbs]]] = {}
        for first, end in pairwise([*_firsts(keys).tolist(), len(keys)]):
            market, slot = keys[first, 1:].tolist()
            mine = slice(first, end)
            accounts = keys[mine, 0].astype(np.int32)
            if valuation.is_isolated(slot):
                self._vault_book(market, slot).fill(accounts, position_words[mine])
            else:
                legs.setdefault(market, []).append((slot, accounts, position_words[mine]))
        for market, sides in legs.items():
            accounts = np.unique(np.concatenate([one for _, one, _ in sides]))
            pairs = np.zeros((len(accounts), 2 * LIMBS), np.uint64)
            for slot, owners, held in sides:
                columns = slice(LIMBS * slot, LIMBS * (slot + 1))
                pairs[accounts.searchsorted(owners), columns] = held
            self._ledgers.fill(market, accounts, pairs)

    def _number(self, account: str) -> int:
        number = self._addresses.number_of(_bytes_of(account))
        if number >= len(self._words):
            more = np.zeros((max(64, number // 8), LIMBS), np.uint64)
            self._words = np.concatenate((self._words, more))
            self._ledgers.grow(len(self._words))
        return number

    def _vault_book(self, market: int, slot: int) -> VaultBook:
        book = self._vaults.get((market, slot))
        if book is None:
            book = self._vaults[market, slot] = VaultBook(1 if valuation.is_long(slot) else -1)
        return book


def _firsts(keys: NDArray[np.int64]) -> NDArray[np.intp]:
    """Where each market and slot begins, in keys that are sorted by them."""
    is_first = np.ones(len(keys), np.bool_)
    is_first[1:] = (keys[1:, 1:] != keys[:-1, 1:]).any(axis=1)
    return np.flatnonzero(is_first)


def _joined(parts: Sequence[NDArray[Any]], nothing: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else nothing


def _bytes_of(account: str) -> bytes:
    if not _ADDRESS.fullmatch(account):
        raise ValueError(f"account: {account!r} is no address")
    return bytes.fromhex(account[2:])


def _check_place(market: int, slot: int) -> None:
    if not CROSS_LONG <= slot <= ISOLATED_SHORT:
        raise ValueError("slot: 0 and 1 are cross, 2 and 3 isolated")
    most = words.MAX_MARKETS if valuation.is_isolated(slot) else words.CROSS_MARKETS
    if not 0 <= market < most:
        raise ValueError(f"market: {market} is not below {most}")
