"""Whose key signs: a keystore's, the environment's, or one that a local node holds itself.

Keys and passwords come from files, the environment and a hidden prompt: never from the command
line. Nothing here prints or remembers one.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3 import Web3

    from bulkhead.chain import Signer

KEY = "BULKHEAD_PRIVATE_KEY"
PASSWORD = "BULKHEAD_KEYSTORE_PASSWORD"
PASSWORD_FILE = "BULKHEAD_KEYSTORE_PASSWORD_FILE"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the caller says to be.

    Attributes:
        person: One of a local node's accounts, by name, index or address.
        keystore: An encrypted file.
    """

    person: str | None = None
    keystore: Path | None = None


def signer_of(identity: Identity, w3: Web3) -> Signer:
    """The signer that was asked for: the node's own account, the keystore's, the environment's.

    Raises:
        click.UsageError: If there is none, or more than one.
    """
    from bulkhead.chain import key_from_environment

    if identity.person is not None and identity.keystore is not None:
        raise click.UsageError("--as and --keystore are two signers")
    if identity.person is not None:
        return _unlocked(identity.person, w3)
    if identity.keystore is not None:
        return _opened(identity.keystore)
    key = key_from_environment(KEY)
    if key is None:
        raise click.UsageError(
            f"nobody signs: give --keystore FILE, set {KEY}, or on a local node --as NAME"
        )
    return key


def own_address(identity: Identity, w3: Web3) -> str:
    """The signer's address, without asking for a password."""
    if identity.person is None and identity.keystore is not None:
        from eth_utils.address import to_checksum_address

        written = _table_of(identity.keystore).get("address")
        if isinstance(written, str):
            return to_checksum_address(written)
    from bulkhead.chain import address_of

    return address_of(signer_of(identity, w3))


def address_of(person: str, w3: Web3) -> str:
    """The address of a person: an address itself, or a name or index on a local node."""
    from bulkhead.local import people

    try:
        return people.address_of(person, w3)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _unlocked(person: str, w3: Web3) -> str:
    from bulkhead.local import is_local

    if not is_local(w3):
        raise click.UsageError("--as is for local nodes: sign with --keystore or the environment")
    address = address_of(person, w3)
    if address not in w3.eth.accounts:
        raise click.UsageError(f"the node does not sign for {address}")
    return address


def _opened(path: Path) -> LocalAccount:
    from bulkhead.chain import key_from_keystore

    _table_of(path)
    try:
        return key_from_keystore(path, _password())
    except (ValueError, KeyError, TypeError):
        raise click.UsageError(f"{path}: wrong password, or no keystore") from None


def _table_of(path: Path) -> dict[str, object]:
    try:
        table = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError):
        table = None
    if not isinstance(table, dict):
        raise click.UsageError(f"{path}: no keystore; one is JSON, as geth and ape write it")
    return table


def _password() -> str:
    if PASSWORD in os.environ:
        return os.environ[PASSWORD]
    if PASSWORD_FILE in os.environ:
        return Path(os.environ[PASSWORD_FILE]).read_text().rstrip("\r\n")
    password: str = click.prompt("Password", hide_input=True, err=True)
    return password
