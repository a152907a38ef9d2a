"""Rows that belong to accounts, found by account in O(log n), at a few bytes each.

Most rows lie sorted by account. New ones are appended and found by a small dictionary, and what
has ended stays where it is, until there is so much of both that sorting again is cheap for each.
"""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bulkhead.keeper.screening.limbs import Flags, Rows

Addresses: TypeAlias = "NDArray[np.bytes_]"
"""Twenty bytes each."""

ADDRESS_BYTES = 20
ADDRESS = np.dtype(f"S{ADDRESS_BYTES}")

_ENTRY_BYTES = 60  # of a dictionary: two objects beside what the dictionary itself takes


class Table:
    """Columns of rows, one row an account.

    Args:
        columns: Type of every column besides `account`.

    Attributes:
        count: How many rows there are.
    """

    def __init__(self, **columns: Any) -> None:
        self.count = 0
        self._types = {"account": np.dtype(np.int32)}
        self._types |= {name: np.dtype(kind) for name, kind in columns.items()}
        self._columns: dict[str, NDArray[Any]] = {}
        self.fill(**{name: np.empty(0, kind) for name, kind in self._types.items()})

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A column, which may be written to until rows are added."""
        return self._columns[name][: self.count]

    @property
    def appended(self) -> int:
        """How many rows do not lie in order."""
        return len(self._appended)

    @property
    def nbytes(self) -> int:
        """Memory it holds."""
        arrays = sum(column.nbytes for column in self._columns.values())
        return arrays + sys.getsizeof(self._appended) + _ENTRY_BYTES * len(self._appended)

    def fill(self, **columns: NDArray[Any]) -> None:
        """Replaces all rows. An account has one at most."""
        order = np.argsort(columns["account"], kind="stable")
        self._columns = {
            name: columns[name][order].astype(kind.base, copy=False)
            for name, kind in self._types.items()
        }
        self.count = self._sorted = len(order)
        self._appended: dict[int, int] = {}

    def keep(self, kept: Flags) -> None:
        """Drops the other rows and sorts what is left: every row gets another number."""
        self.fill(**{name: self[name][kept] for name in self._types})

    def find(self, account: int) -> int | None:
        """The row of an account."""
        row = self._appended.get(account)
        if row is not None:
            return row
        accounts = self._columns["account"][: self._sorted]
        at = int(accounts.searchsorted(np.int32(account)))
        return at if at < self._sorted and accounts[at] == account else None

    def find_all(self, accounts: Rows) -> Rows:
        """The rows of accounts that have one."""
        ordered = self._columns["account"][: self._sorted]
        if not self._sorted:
            return np.fromiter((self._appended[int(one)] for one in accounts), np.int32)
        rows = ordered.searchsorted(accounts).astype(np.int32)
        elsewhere = np.flatnonzero(ordered[np.minimum(rows, self._sorted - 1)] != accounts)
        rows[elsewhere] = [self._appended[int(one)] for one in accounts[elsewhere]]
        return rows

    def row_of(self, account: int) -> int:
        """The row of an account, a new one of zeros where it has none."""
        row = self.find(account)
        if row is None:
            row = self.count
            if row == len(self._columns["account"]):
                self._grow()
            self._columns["account"][row] = account
            self._appended[account] = row
            self.count += 1
        return row

    def _grow(self) -> None:
        more = max(64, self.count // 8)
        self._columns = {
            name: np.concatenate((column, np.zeros((more, *column.shape[1:]), column.dtype)))
            for name, column in self._columns.items()
        }


class AddressBook:
    """Numbers accounts by their addresses, from zero. None is ever forgotten."""

    def __init__(self, addresses: Addresses | None = None) -> None:
        """Begins with some addresses, in the order of their numbers.

        Raises:
            ValueError: One comes twice.
        """
        self._addresses = np.empty(0, ADDRESS) if addresses is None else addresses.astype(ADDRESS)
        # Of numpy's own width: a narrower one would be copied at every look.
        self._order: NDArray[np.intp] = np.argsort(self._addresses)
        self._new: dict[bytes, int] = {}
        self._count = len(self._addresses)
        ordered = self._addresses[self._order]
        if (ordered[1:] == ordered[:-1]).any():
            raise ValueError("accounts: an address comes twice")

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Memory it holds."""
        new = sys.getsizeof(self._new) + (_ENTRY_BYTES + ADDRESS_BYTES) * len(self._new)
        return self._addresses.nbytes + self._order.nbytes + new

    def find(self, address: bytes) -> int | None:
        """The number of an address."""
        number = self._new.get(address)
        if number is not None:
            return number
        known = self._addresses[: len(self._order)]
        at = int(known.searchsorted(np.array(address, ADDRESS), sorter=self._order))
        if at < len(known) and self.address(int(self._order[at])) == address:
            return int(self._order[at])
        return None

    def number_of(self, address: bytes) -> int:
        """The number of an address, the next one where it has none."""
        number = self.find(address)
        if number is None:
            number = self._count
            if number == len(self._addresses):
                more = np.empty(max(64, number // 8), ADDRESS)
                self._addresses = np.concatenate((self._addresses, more))
            self._addresses[number] = address
            self._new[address] = number
            self._count += 1
            if len(self._new) > 1_024 + number // 8:
                self._order = np.argsort(self._addresses[: self._count])
                self._new = {}
        return number

    def address(self, number: int) -> bytes:
        """The address of a number."""
        return bytes(self._addresses[number]).ljust(ADDRESS_BYTES, b"\0")

    def addresses(self, numbers: Rows) -> Addresses:
        """The addresses of numbers; their last zero bytes are missing."""
        return self._addresses[numbers]
