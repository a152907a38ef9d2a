"""The accounts that a local node signs for: what they are called, and their signatures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eth_utils.address import is_address, to_checksum_address
from eth_utils.conversions import to_bytes, to_hex

from bulkhead.local.chains import is_local, require_local, rpc
from bulkhead.world import NAMES, ROLES

if TYPE_CHECKING:
    from web3 import Web3


@dataclass(frozen=True, slots=True)
class NodeSignature:
    """A transaction as a node has signed it."""

    raw_transaction: bytes


@dataclass(frozen=True, slots=True)
class NodeSigner:
    """Has a local node sign what is to be sent, as a key would.

    Attributes:
        w3: The node.
        address: One of its accounts.
    """

    w3: Web3
    address: str

    def sign_transaction(self, transaction_dict: dict[str, Any]) -> NodeSignature:
        """Signs a whole transaction: chain, nonce, gas and fees are in it."""
        request = {
            name: hex(value) if isinstance(value, int) else value
            for name, value in transaction_dict.items()
        }
        request["from"] = self.address
        if isinstance(request.get("data"), bytes):
            request["data"] = to_hex(request["data"])
        signed = rpc(self.w3, "eth_signTransaction", request)
        return NodeSignature(to_bytes(hexstr=signed) if isinstance(signed, str) else bytes(signed))


def address_of(person: str, w3: Web3) -> str:
    """The address of a person: an address itself, or a name or number on a local node.

    Raises:
        ValueError: If nobody is called so, or the chain is not local.
    """
    if is_address(person):
        return to_checksum_address(person)
    if not is_local(w3):
        raise ValueError("names are for local nodes: give an address, 0x and 40 digits")
    accounts = [str(account) for account in w3.eth.accounts]
    names = dict(zip((*ROLES, *NAMES), accounts, strict=False))
    if person.lower() in names:
        return names[person.lower()]
    if person.isdecimal() and int(person) < len(accounts):
        return accounts[int(person)]
    raise ValueError(
        f"nobody is called {person!r}: an address, a number below {len(accounts)}, or one of "
        f"{', '.join(names)}"
    )


def signer_of(person: str, w3: Web3) -> NodeSigner:
    """The signer of a person that a local node signs for.

    Raises:
        Rejected: On a chain that is not local.
        ValueError: If the node does not sign for it.
    """
    require_local(w3)
    address = address_of(person, w3)
    if address not in w3.eth.accounts:
        raise ValueError(f"the node does not sign for {address}")
    return NodeSigner(w3, address)
