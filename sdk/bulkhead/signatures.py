"""Orders by signature: made by whoever trades, brought by whoever pays the gas."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from eth_typing import Hash32

from bulkhead import orders
from bulkhead.orders import Order

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from bulkhead.reader import Reader


class SignedOrder(NamedTuple):
    """What `place_with_signature` takes.

    Attributes:
        order: As it was signed; the signer is its placer.
        nonce: Any that the signer has not used; it counts once.
        deadline: Seconds, the last it may be brought in.
        signature: 65 bytes of a key, or what a wallet with code understands.
    """

    order: Order
    nonce: int
    deadline: int
    signature: bytes


class SignedBracket(NamedTuple):
    """What `place_bracket_with_signature` takes.

    Attributes:
        entry: As it was signed; the signer is its placer.
        children: What closes it.
        nonce: As in `SignedOrder`.
        deadline: As in `SignedOrder`.
        signature: As in `SignedOrder`.
    """

    entry: Order
    children: tuple[Order, ...]
    nonce: int
    deadline: int
    signature: bytes


def sign_order(
    reader: Reader, key: LocalAccount, order: Order, deadline: int, nonce: int | None = None
) -> SignedOrder:
    """Signs an order that anyone may then bring, once and in time.

    Args:
        reader: The exchange.
        key: Who trades; the order's placer must be its address.
        order: As `Trader.order` makes it.
        deadline: Seconds, the last it may be brought in.
        nonce: Random where it is None.
    """
    number = _nonce(nonce)
    digest = orders.placement_digest(order, number, deadline, reader.separator)
    return SignedOrder(order, number, deadline, _sign(key, order, digest))


def sign_bracket(
    reader: Reader,
    key: LocalAccount,
    entry: Order,
    children: Sequence[Order],
    deadline: int,
    nonce: int | None = None,
) -> SignedBracket:
    """Signs an entry and what closes it, as a whole."""
    number = _nonce(nonce)
    digest = orders.bracket_digest(entry, children, number, deadline, reader.separator)
    return SignedBracket(entry, tuple(children), number, deadline, _sign(key, entry, digest))


def _nonce(nonce: int | None) -> int:
    return secrets.randbits(256) if nonce is None else nonce


def _sign(key: LocalAccount, order: Order, digest: bytes) -> bytes:
    if order.placer != key.address:
        raise ValueError(f"the order's placer is {order.placer}, the key is {key.address}'s")
    return bytes(key.unsafe_sign_hash(Hash32(digest)).signature)
