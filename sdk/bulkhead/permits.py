"""Deposits by signature: a token's ERC-2612 permit for exactly what is deposited."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from eth_abi.abi import encode
from eth_typing import Hash32
from eth_utils.crypto import keccak

from bulkhead.interfaces import interface_of
from bulkhead.values import Amount, to_quote, to_units

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from bulkhead.reader import Reader

_PERMIT_TYPEHASH = keccak(
    text="Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)


class Permit(NamedTuple):
    """What `deposit_with_permit` takes: whoever has it may send it, and nobody can bend it.

    Attributes:
        account: Whose tokens, and whose cash they become.
        amount: Token units.
        deadline: Seconds, the last the token takes it in.
        v: Of the signature.
        r: Of the signature.
        s: Of the signature.
    """

    account: str
    amount: int
    deadline: int
    v: int
    r: bytes
    s: bytes


def sign_permit(reader: Reader, key: LocalAccount, amount: Amount, deadline: int) -> Permit:
    """Signs a deposit of USD from a key's own tokens into its own account.

    Args:
        reader: The exchange; its collateral must know ERC-2612.
        key: Who pays.
        amount: USD; the permit is for exactly this.
        deadline: Seconds, the last the token takes it in.
    """
    decimals = reader.deployment.token_decimals
    quote = to_quote(amount)
    units = to_units(amount, decimals) if decimals < 6 else quote * 10 ** (decimals - 6)
    token = interface_of("LiquidityPool")  # any token with permits answers these two alike
    address = reader.deployment.token
    nonce: int = reader.chain.read(token.encode_call(address, "nonces", (key.address,)))
    separator: bytes = reader.chain.read(token.encode_call(address, "DOMAIN_SEPARATOR", ()))
    struct = encode(
        ["bytes32", "address", "address", "uint256", "uint256", "uint256"],
        [_PERMIT_TYPEHASH, key.address, reader.deployment.clearinghouse, units, nonce, deadline],
    )
    signed = key.unsafe_sign_hash(Hash32(keccak(b"\x19\x01" + separator + keccak(struct))))
    return Permit(
        key.address,
        units,
        deadline,
        signed.v,
        signed.r.to_bytes(32, "big"),
        signed.s.to_bytes(32, "big"),
    )
