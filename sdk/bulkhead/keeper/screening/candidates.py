"""What the float screen could not rule out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from bulkhead.decisions import CrossLedger, Vault
from bulkhead.decoding import checksum
from bulkhead.keeper.screening import limbs
from bulkhead.keeper.screening.limbs import LIMBS, Floats, Integers, Limbs, Rows
from bulkhead.keeper.screening.tables import ADDRESS_BYTES, Addresses
from bulkhead.protocol import words
from bulkhead.protocol.words import CROSS_LONG, CROSS_SHORT


@dataclass(frozen=True)
class VaultRows:
    """Isolated positions as columns, the largest shortfall first."""

    accounts: Addresses
    markets: Rows
    slots: Rows
    words: Limbs
    shortfall: Floats  # femto below maintenance margin, up to the screen's band

    def __len__(self) -> int:
        return len(self.accounts)

    def __iter__(self) -> Iterator[Vault]:
        for account, market, slot, word in zip(
            self.accounts, self.markets.tolist(), self.slots.tolist(), self.words, strict=True
        ):
            position = words.unpack_position(limbs.word_of(word))
            yield Vault(_address(account), market, slot, position)


@dataclass(frozen=True)
class LedgerRows:
    """Cross ledgers as columns, the largest shortfall first, and their legs by market."""

    accounts: Addresses
    words: Limbs
    shortfall: Integers  # quote below maintenance margin, up to the screen's band
    legs: tuple[tuple[int, Rows, Limbs], ...]  # market, whose by index, shape (n, 8) both sides

    def __len__(self) -> int:
        return len(self.accounts)

    def __iter__(self) -> Iterator[CrossLedger]:
        held: list[dict[tuple[int, int], words.Position]] = [{} for _ in self.accounts]
        for market, owners, pairs in self.legs:
            for owner, pair in zip(owners.tolist(), pairs, strict=True):
                for slot in (CROSS_LONG, CROSS_SHORT):
                    word = limbs.word_of(pair[LIMBS * slot : LIMBS * (slot + 1)])
                    position = words.unpack_position(word)
                    if position.size:
                        held[owner][market, slot] = position
        for account, word, legs in zip(self.accounts, self.words, held, strict=True):
            yield CrossLedger(_address(account), words.unpack_account(limbs.word_of(word)), legs)


@dataclass(frozen=True)
class Candidates:
    """All that may be liquidatable: `decisions.liquidatable_isolated` and `liquidatable_cross` say.

    They are held as the rows of arrays, as they were when they were found; objects are made of them
    when they are asked for.

    Attributes:
        vault_rows: Isolated positions.
        ledger_rows: Cross ledgers.
        is_complete: Whether nothing was left for the next call.
    """

    vault_rows: VaultRows
    ledger_rows: LedgerRows
    is_complete: bool

    @cached_property
    def vaults(self) -> tuple[Vault, ...]:
        """Isolated positions, the largest shortfall first."""
        return tuple(self.vault_rows)

    @cached_property
    def ledgers(self) -> tuple[CrossLedger, ...]:
        """Cross ledgers, the largest shortfall first."""
        return tuple(self.ledger_rows)


def _address(account: bytes) -> str:
    # numpy drops the zeros at the end of what it calls strings.
    return checksum(bytes(account).ljust(ADDRESS_BYTES, b"\0"))
