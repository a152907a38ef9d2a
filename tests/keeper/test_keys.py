"""A keeper's signers: opened from where settings say, never shown, never two of one address."""

import json
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from bulkhead.keeper.configuration.invalid import InvalidSettings
from bulkhead.keeper.configuration.keys import addresses_of, open_signers
from bulkhead.keeper.configuration.settings import KeeperSettings
from tests.helpers.anvil import Anvil

PASSWORD = "correct horse battery staple"
KEY = "5e" * 32


@pytest.fixture(scope="module")
def key() -> LocalAccount:
    made: LocalAccount = Account.from_key("0x" + KEY)
    return made


@pytest.fixture(scope="module")
def keystore(key: LocalAccount, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keeper.json"
    path.write_text(json.dumps(Account.encrypt(key.key, PASSWORD, kdf="pbkdf2", iterations=1)))
    return path


def settings_of(*signers: dict[str, Any], url: str = "http://127.0.0.1:9") -> KeeperSettings:
    values: dict[str, Any] = {"chain": {"id": 1}, "signers": signers, "rpc": {"urls": [url]}}
    return KeeperSettings(**values)


def test_a_keystore_is_opened_with_a_password_file(
    key: LocalAccount, keystore: Path, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text(PASSWORD + "\n")
    settings = settings_of({"keystore": keystore, "password_file": tmp_path / "password"})
    assert [one.address for one in open_signers(settings)] == [key.address]


def test_a_keystore_is_opened_with_a_password_of_the_environment(
    key: LocalAccount, keystore: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEEPER_PASSWORD", PASSWORD)
    settings = settings_of({"keystore": keystore, "password_variable": "KEEPER_PASSWORD"})
    assert [one.address for one in open_signers(settings)] == [key.address]


def test_a_key_comes_from_the_environment(
    key: LocalAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEEPER_KEY", KEY)
    (signer,) = open_signers(settings_of({"key_variable": "KEEPER_KEY"}))
    assert signer.address == key.address


def test_an_address_is_known_without_a_password(key: LocalAccount, keystore: Path) -> None:
    assert addresses_of(settings_of({"keystore": keystore})) == (key.address,)


def refused(*signers: dict[str, Any]) -> str:
    with pytest.raises(InvalidSettings) as caught:
        open_signers(settings_of(*signers))
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))
    assert KEY not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def test_somebody_must_sign() -> None:
    assert refused() == "signers: nobody signs; name at least one"


def test_a_wrong_password_is_told_and_not_shown(
    keystore: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEEPER_PASSWORD", PASSWORD + "!")
    said = refused({"keystore": keystore, "password_variable": "KEEPER_PASSWORD"})
    assert "signers.0: " in said
    assert "wrong password, or no keystore" in said


@pytest.mark.parametrize("text", ["", "{}", "[1]", "not json", '{"address": 3, "crypto": 3}'])
def test_a_file_that_is_no_keystore_is_told(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEEPER_PASSWORD", PASSWORD)
    (tmp_path / "file").write_text(text)
    signer = {"keystore": tmp_path / "file", "password_variable": "KEEPER_PASSWORD"}
    assert "no keystore" in refused(signer)
    with pytest.raises(InvalidSettings, match="no keystore"):
        addresses_of(settings_of(signer))


def test_a_keystore_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        addresses_of(settings_of({"keystore": tmp_path / "nothing"}))


def test_a_key_that_is_none_is_told_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPER_KEY", KEY + "5ecret")
    said = refused({"key_variable": "KEEPER_KEY"})
    assert "not a private key" in said
    assert "5ecret" not in said


@pytest.mark.parametrize("field", ["key_variable", "password_variable"])
def test_a_variable_that_is_not_there_is_told(keystore: Path, field: str) -> None:
    more = {"keystore": keystore} if field == "password_variable" else {}
    assert "NOBODY_SETS_THIS is not in the env" in refused({field: "NOBODY_SETS_THIS", **more})


def test_without_a_terminal_no_password_is_asked_for(keystore: Path) -> None:
    assert "no terminal to ask on" in refused({"keystore": keystore})


def test_one_address_signs_once(monkeypatch: pytest.MonkeyPatch, keystore: Path) -> None:
    monkeypatch.setenv("KEEPER_KEY", KEY)
    monkeypatch.setenv("KEEPER_PASSWORD", PASSWORD)
    said = refused(
        {"key_variable": "KEEPER_KEY"},
        {"keystore": keystore, "password_variable": "KEEPER_PASSWORD"},
    )
    assert "is there twice" in said


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with Anvil() as node:
        yield node


@pytest.mark.anvil
@pytest.mark.parametrize("person", ["keeper", "1"])
def test_a_local_node_signs_for_its_own_accounts(anvil: Anvil, person: str) -> None:
    w3 = anvil.connect()
    accounts = [str(one) for one in w3.eth.accounts]
    (signer,) = open_signers(settings_of({"local": person}, url=anvil.url))
    assert signer.address == accounts[1]
    nonce = w3.eth.get_transaction_count(signer.address)
    signed = signer.sign_transaction(
        {
            "chainId": w3.eth.chain_id,
            "nonce": nonce,
            "to": accounts[2],
            "data": b"\x01",
            "value": 0,
            "gas": 50_000,
            "maxFeePerGas": 3 * 10**9,
            "maxPriorityFeePerGas": 10**9,
        }
    )
    sent = w3.eth.wait_for_transaction_receipt(w3.eth.send_raw_transaction(signed.raw_transaction))
    assert (sent["status"], sent["from"]) == (1, signer.address)


@pytest.mark.anvil
def test_somebody_whom_the_node_does_not_sign_for_is_told(anvil: Anvil) -> None:
    with pytest.raises(InvalidSettings, match=r"signers\.0: the node does not sign for"):
        open_signers(settings_of({"local": "0x" + "12" * 20}, url=anvil.url))
