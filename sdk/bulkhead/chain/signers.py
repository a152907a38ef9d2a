"""Who signs: anything with an address and a signature, or an account that the node holds."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount


class SignedTransaction(Protocol):
    """A transaction as it is sent."""

    @property
    def raw_transaction(self) -> bytes:
        """Its bytes."""


class TransactionSigner(Protocol):
    """What signs transactions: an eth-account key, or whatever reaches a vault or a device.

    It is called outside the event loop, one transaction of an address at a time, and may take long.
    """

    @property
    def address(self) -> Any:
        """Whose transactions they are, with checksum."""

    def sign_transaction(self, transaction_dict: dict[str, Any]) -> SignedTransaction:
        """Signs a whole transaction: chain, nonce, gas and fees are in it."""


Signer: TypeAlias = TransactionSigner | str
"""A signer of transactions, or the address of an account that the node signs for."""


def address_of(signer: Signer) -> str:
    """A signer's address."""
    return signer if isinstance(signer, str) else str(signer.address)


def key_from_keystore(path: Path, password: str) -> LocalAccount:
    """The key in an encrypted keystore file, as geth, ape and eth-account write them.

    Raises:
        ValueError: If the password is wrong, or the file is none.
    """
    from eth_account import Account

    return key_of(Account.decrypt(json.loads(path.read_text()), password))


def key_from_environment(variable: str = "BULKHEAD_PRIVATE_KEY") -> LocalAccount | None:
    """The key in a variable of the environment; None where there is none.

    Raises:
        ValueError: If what is there is no private key. It does not say what it is.
    """
    found = os.environ.get(variable)
    return None if not found else key_of(found)


def key_of(private_key: bytes | str) -> LocalAccount:
    """A signer from a private key.

    Raises:
        ValueError: If it is none. It does not say what it is.
    """
    from eth_account import Account

    try:
        key: LocalAccount = Account.from_key(private_key)
    except (ValueError, TypeError):
        raise ValueError("not a private key: 32 bytes, 64 hexadecimal digits") from None
    return key
