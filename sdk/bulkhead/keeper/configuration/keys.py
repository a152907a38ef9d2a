"""A keeper's signers, opened: from keystores, the environment, or a local node.

Nothing here prints a key or a password, or keeps one beyond the signer it is for.
"""

from __future__ import annotations

import json
import os
import sys
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eth_utils.address import to_checksum_address

from bulkhead.chain import key_from_environment, key_from_keystore
from bulkhead.keeper.configuration.invalid import InvalidSettings

if TYPE_CHECKING:
    from bulkhead.chain import TransactionSigner
    from bulkhead.keeper.configuration.groups import SignerSettings
    from bulkhead.keeper.configuration.settings import KeeperSettings


def open_signers(settings: KeeperSettings) -> tuple[TransactionSigner, ...]:
    """Every signer, each with an address of its own. May ask for passwords on the terminal.

    Raises:
        InvalidSettings: If there is none, or one of them can not be opened, or two are the same.
        OSError: If a file can not be read.
    """
    if not settings.signers:
        raise InvalidSettings("signers: nobody signs; name at least one")
    opened = tuple(
        _opened(f"signers.{index}", signer, settings)
        for index, signer in enumerate(settings.signers)
    )
    _require_distinct([str(signer.address) for signer in opened])
    return opened


def addresses_of(settings: KeeperSettings) -> tuple[str, ...]:
    """The addresses of all signers, without a password where the keystore says its own.

    Raises:
        InvalidSettings: As `open_signers`.
    """
    found = tuple(
        _written_address(signer) or str(_opened(f"signers.{index}", signer, settings).address)
        for index, signer in enumerate(settings.signers)
    )
    _require_distinct(found)
    return found


def _require_distinct(addresses: tuple[str, ...] | list[str]) -> None:
    for index, address in enumerate(addresses):
        if address in addresses[:index]:
            raise InvalidSettings(f"signers.{index}: {address} is there twice: it has one nonce")


def _opened(field: str, signer: SignerSettings, settings: KeeperSettings) -> TransactionSigner:
    try:
        if signer.keystore is not None:
            return _unlocked(signer.keystore, _password(field, signer))
        if signer.key_variable is not None:
            key = key_from_environment(signer.key_variable)
            if key is None:
                raise InvalidSettings(f"{signer.key_variable} is not in the environment")
            return key
        return _local(str(signer.local), settings.rpc.addresses[0])
    except ValueError as error:
        raise InvalidSettings(f"{field}: {error}") from None


def _unlocked(path: Path, password: str) -> TransactionSigner:
    try:
        return key_from_keystore(path, password)
    except (ValueError, KeyError, TypeError):
        raise InvalidSettings(f"{path}: wrong password, or no keystore") from None


def _password(field: str, signer: SignerSettings) -> str:
    if signer.password_file is not None:
        return signer.password_file.read_text().rstrip("\r\n")
    if signer.password_variable is not None:
        if signer.password_variable not in os.environ:
            raise InvalidSettings(f"{signer.password_variable} is not in the environment")
        return os.environ[signer.password_variable]
    if not sys.stdin.isatty():
        raise InvalidSettings("no password_file or password_variable, and no terminal to ask on")
    return getpass(f"Password of {field} ({signer.keystore}): ")


def _local(person: str, url: str) -> TransactionSigner:
    from web3 import HTTPProvider, Web3

    from bulkhead.local import people

    return people.signer_of(person, Web3(HTTPProvider(url)))


def _written_address(signer: SignerSettings) -> str | None:
    """The address that a keystore says it is for."""
    if signer.keystore is None:
        return None
    try:
        table: Any = json.loads(signer.keystore.read_text())
        return to_checksum_address(table["address"])
    except (ValueError, KeyError, TypeError):
        return None
