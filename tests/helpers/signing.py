"""Signatures over orders, made as a wallet makes them: from the typed data itself."""

from collections.abc import Sequence
from typing import Any

import boa
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from tests.helpers.chain import Contract
from tests.helpers.protocol import Order, Protocol

_TYPES = {
    "account": "address",
    "placer": "address",
    "is_buy": "bool",
    "reduce_only": "bool",
    "group": "bytes32",
    "builder": "address",
}
_DOMAIN = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]
ORDER_FIELDS = [{"name": name, "type": _TYPES.get(name, "uint256")} for name in Order._fields]
_NUMBERS = [{"name": name, "type": "uint256"} for name in ("nonce", "deadline")]
PLACEMENT_FIELDS = [{"name": "order", "type": "Order"}, *_NUMBERS]
_PERMIT_FIELDS = [
    {"name": "owner", "type": "address"},
    {"name": "spender", "type": "address"},
    *[{"name": name, "type": "uint256"} for name in ("value", "nonce", "deadline")],
]
BRACKET_FIELDS = [
    {"name": "entry", "type": "Order"},
    {"name": "children", "type": "Order[]"},
    *_NUMBERS,
]


def key_of(name: str) -> LocalAccount:
    """A key of its own for everyone who has a name."""
    found: LocalAccount = Account.from_key(keccak(text=f"key of {name}"))
    return found


def permit(
    key: LocalAccount, token: Contract, name: str, spender: str, amount: int, deadline: int
) -> tuple[int, int, bytes, bytes]:
    """An ERC-2612 permit: its deadline, v, r and s."""
    signature = key.sign_message(
        encode_typed_data(
            domain_data={
                "name": name,
                "version": "1",
                "chainId": boa.env.evm.patch.chain_id,
                "verifyingContract": token.address,
            },
            message_types={"Permit": _PERMIT_FIELDS},
            message_data={
                "owner": key.address,
                "spender": spender,
                "value": amount,
                "nonce": token.read("nonces", key.address),
                "deadline": deadline,
            },
        )
    )
    r, s = (part.to_bytes(32, "big") for part in (signature.r, signature.s))
    return deadline, signature.v, r, s


def order_message(order: Order) -> dict[str, Any]:
    return order._asdict()


def typed(
    protocol: Protocol, primary: str, message: dict[str, Any], **domain: Any
) -> dict[str, Any]:
    """Typed data of the order book, unless the domain's fields say otherwise."""
    return {
        "types": {
            "EIP712Domain": _DOMAIN,
            "Order": ORDER_FIELDS,
            **({"Placement": PLACEMENT_FIELDS} if primary == "Placement" else {}),
            **({"Bracket": BRACKET_FIELDS} if primary == "Bracket" else {}),
        },
        "primaryType": primary,
        "domain": {
            "name": "Bulkhead",
            "version": "1",
            "chainId": boa.env.evm.patch.chain_id,
            "verifyingContract": protocol.book.address,
            **domain,
        },
        "message": message,
    }


def placement(order: Order, nonce: int, deadline: int) -> dict[str, Any]:
    return {"order": order_message(order), "nonce": nonce, "deadline": deadline}


def bracket(entry: Order, children: Sequence[Order], nonce: int, deadline: int) -> dict[str, Any]:
    return {
        "entry": order_message(entry),
        "children": [order_message(child) for child in children],
        "nonce": nonce,
        "deadline": deadline,
    }


def digest_of(data: dict[str, Any]) -> bytes:
    signable = encode_typed_data(full_message=data)
    return bytes(keccak(b"\x19\x01" + signable.header + signable.body))


def signed(key: LocalAccount, data: dict[str, Any]) -> bytes:
    return bytes(key.sign_message(encode_typed_data(full_message=data)).signature)
