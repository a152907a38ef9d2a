"""Storage words as rows of four 64-bit limbs, the lowest first, and their fields as columns.

Where a field sits comes from the structs in `bulkhead.protocol.words`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from bulkhead.protocol.words import Account, Bits, Position

Limbs: TypeAlias = "NDArray[np.uint64]"
"""Shape (n, 4)."""
Integers: TypeAlias = "NDArray[np.int64]"
Floats: TypeAlias = "NDArray[np.float64]"
Rows: TypeAlias = "NDArray[np.int32]"
Flags: TypeAlias = "NDArray[np.bool_]"

LIMBS = 4
WORD_BYTES = 32


def _layout(struct: type) -> dict[str, Bits]:
    hints = get_type_hints(struct, include_extras=True)
    return {name: get_args(hint)[1] for name, hint in hints.items()}


_POSITION = _layout(Position)
_ACCOUNT = _layout(Account)


class Columns(NamedTuple):
    """The fields of positions that say what they are worth."""

    size: Integers  # lots
    entry_notional: Integers  # quote
    margin: Integers  # quote
    funding_index: Integers  # femto per lot


def limbs_of(words: Iterable[int]) -> Limbs:
    """Words as rows."""
    packed = b"".join(word.to_bytes(WORD_BYTES, "little") for word in words)
    return np.frombuffer(packed, "<u8").reshape(-1, LIMBS).astype(np.uint64, copy=False)


def word_of(limbs: NDArray[Any]) -> int:
    """One row as the word that it is."""
    return int.from_bytes(limbs.astype("<u8", copy=False).tobytes(), "little")


def size_of(limbs: Limbs) -> Integers:
    """The lots of positions."""
    return _field(limbs, _POSITION["size"])


def cash_of(limbs: Limbs) -> Integers:
    """The cash of accounts, quote."""
    return _field(limbs, _ACCOUNT["cash"])


def escrow_of(limbs: Limbs) -> Integers:
    """The escrow of accounts, quote."""
    return _field(limbs, _ACCOUNT["escrow"])


def columns_of(limbs: Limbs) -> Columns:
    """The fields of positions."""
    return Columns(*(_field(limbs, _POSITION[name]) for name in Columns._fields))


def _field(limbs: Limbs, bits: Bits) -> Integers:
    """A field of at most 63 bits, or one of all 64 with its sign."""
    at, shift = divmod(bits.at, 64)
    field = limbs[:, at] >> np.uint64(shift)
    if shift + bits.width > 64:
        field |= limbs[:, at + 1] << np.uint64(64 - shift)
    if bits.width < 64:
        field &= np.uint64((1 << bits.width) - 1)
    return field.view(np.int64)
