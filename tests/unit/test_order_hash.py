"""An order's name is its EIP-712 hash, as any wallet computes it."""

from collections.abc import Callable
from typing import Any

import boa
import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from tests.helpers.chain import account_named
from tests.helpers.draw import Draw
from tests.helpers.protocol import Order, Protocol

TYPES = {
    "account": "address",
    "placer": "address",
    "is_buy": "bool",
    "reduce_only": "bool",
    "group": "bytes32",
    "builder": "address",
}
FIELDS = [{"name": name, "type": TYPES.get(name, "uint256")} for name in Order._fields]


def typed_hash(protocol: Protocol, order: Order) -> bytes:
    signable = encode_typed_data(
        full_message={
            "types": {
                "EIP712Domain": [
                    {"name": "name", "type": "string"},
                    {"name": "version", "type": "string"},
                    {"name": "chainId", "type": "uint256"},
                    {"name": "verifyingContract", "type": "address"},
                ],
                "Order": FIELDS,
            },
            "primaryType": "Order",
            "domain": {
                "name": "Bulkhead",
                "version": "1",
                "chainId": boa.env.evm.patch.chain_id,
                "verifyingContract": protocol.book.address,
            },
            "message": order._asdict(),
        }
    )
    return bytes(keccak(b"\x19\x01" + signable.header + signable.body))


@pytest.mark.parametrize("seed", range(20))
def test_the_hash_is_the_typed_datas(protocol: Protocol, seed: int) -> None:
    draw = Draw(seed)
    drawn: dict[str, Callable[[str], Any]] = {
        "uint256": lambda _: draw.unsigned(256),
        "bool": lambda _: draw.boolean(),
        "address": lambda name: account_named(f"{name} {seed}"),
        "bytes32": lambda _: draw.unsigned(256).to_bytes(32, "big"),
    }
    values = {field["name"]: drawn[field["type"]](field["name"]) for field in FIELDS}
    order = Order(**values)
    assert protocol.hash_of(order) == typed_hash(protocol, order)


def test_the_domain_is_the_contracts(protocol: Protocol) -> None:
    domain = protocol.book.read("eip712Domain")
    assert domain[1:5] == (
        "Bulkhead",
        "1",
        boa.env.evm.patch.chain_id,
        protocol.book.address,
    )
