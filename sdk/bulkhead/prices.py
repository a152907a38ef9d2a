"""What brings a price to the oracle: the payload of `update`, by the kind of feed.

A Chainlink feed's payload is empty. Prices are WAD USD per base unit, times seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from eth_abi.abi import encode

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

MAX_PAYLOAD = 2_048  # bytes
MAX_SIGNATURES = 8

PRICE_TYPES = {
    "Price": [
        {"name": "market", "type": "uint256"},
        {"name": "price", "type": "uint256"},
        {"name": "published_at", "type": "uint256"},
    ]
}
"""The EIP-712 struct that the signers of a signed feed sign."""


def published_price(price: int, published_at: int) -> bytes:
    """The payload of a published feed, which a publisher sends."""
    return encode(["uint256", "uint256"], [price, published_at])


def pyth_updates(updates: Sequence[bytes]) -> bytes:
    """The payload of a Pyth feed: updates as Pyth's price service gives them, binary.

    Raises:
        ValueError: If there are more of them than the oracle takes.
    """
    payload = encode(["bytes[]"], [list(updates)])
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"updates: {len(payload)} bytes, the oracle takes {MAX_PAYLOAD}")
    return payload


def price_message(
    chain_id: int, price_oracle: str, market: int, price: int, published_at: int
) -> dict[str, Any]:
    """The EIP-712 message that a signer of a signed feed signs, with any wallet."""
    return {
        "domain": {
            "name": "Bulkhead",
            "version": "1",
            "chainId": chain_id,
            "verifyingContract": price_oracle,
        },
        "types": PRICE_TYPES,
        "primaryType": "Price",
        "message": {"market": market, "price": price, "published_at": published_at},
    }


def sign_price(
    signer: LocalAccount,
    chain_id: int,
    price_oracle: str,
    market: int,
    price: int,
    published_at: int,
) -> bytes:
    """One signer's signature of a market's price."""
    message = price_message(chain_id, price_oracle, market, price, published_at)
    signed = signer.sign_typed_data(message["domain"], message["types"], message["message"])
    return bytes(signed.signature)


def signed_payload(price: int, published_at: int, signatures: dict[str, bytes]) -> bytes:
    """The payload of a signed feed.

    Args:
        price: What was signed.
        published_at: What was signed.
        signatures: By their signers' addresses, as many as the oracle's threshold asks for.

    Raises:
        ValueError: If there are more than the oracle takes.
    """
    if len(signatures) > MAX_SIGNATURES:
        raise ValueError(f"signatures: the oracle takes {MAX_SIGNATURES}")
    # In the order of their signers, so that none counts twice.
    ordered = sorted(signatures.items(), key=lambda item: int(item[0], 16))
    return published_price(price, published_at) + b"".join(one for _, one in ordered)


def signed_price(
    signers: Sequence[LocalAccount],
    chain_id: int,
    price_oracle: str,
    market: int,
    price: int,
    published_at: int,
) -> bytes:
    """The payload of a signed feed, where one process holds all the keys."""
    return signed_payload(
        price,
        published_at,
        {
            signer.address: sign_price(signer, chain_id, price_oracle, market, price, published_at)
            for signer in signers
        },
    )
