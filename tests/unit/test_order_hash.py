"""An order's name is its EIP-712 hash, as any wallet computes it."""

from typing import Any

import boa
import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from tests.helpers.chain import account_named
from tests.helpers.draw import Draw
from tests.helpers.protocol import Order, Protocol

FIELDS = [
    *({"name": name, "type": "address"} for name in ("account", "placer")),
    *(
        {"name": name, "type": "uint256"}
        for name in ("market", "kind", "margin_mode", "position_side")
    ),
    *({"name": name, "type": "bool"} for name in ("is_buy", "reduce_only")),
    *(
        {"name": name, "type": "uint256"}
        for name in (
            "size",
            "trigger_price",
            "acceptable_price",
            "margin",
            "leverage",
            "expiry",
            "salt",
        )
    ),
]


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


def test_the_fields_are_the_structs() -> None:
    assert tuple(field["name"] for field in FIELDS) == Order._fields


@pytest.mark.parametrize("seed", range(20))
def test_the_hash_is_the_typed_datas(protocol: Protocol, seed: int) -> None:
    draw = Draw(seed)
    values: dict[str, Any] = {field["name"]: draw.unsigned(256) for field in FIELDS}
    values |= {name: draw.boolean() for name in ("is_buy", "reduce_only")}
    values |= {name: account_named(f"{name} {seed}") for name in ("account", "placer")}
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
