"""Keys come from files, the environment and a prompt, and are never shown."""

import json
import traceback
from pathlib import Path

import pytest
from click.testing import Result
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3.types import Wei

from tests.cli.conftest import CommandLine

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def key() -> LocalAccount:
    made: LocalAccount = Account.from_key("0x" + "5e" * 32)
    return made


@pytest.fixture(scope="module")
def keystore(key: LocalAccount, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "alice.json"
    path.write_text(json.dumps(Account.encrypt(key.key, PASSWORD, kdf="pbkdf2", iterations=1)))
    return path


@pytest.fixture
def funded(shell: CommandLine, key: LocalAccount) -> CommandLine:
    """The key has gas and tokens."""
    w3 = shell.world.reader.chain.w3
    rich = w3.eth.accounts[-1]
    w3.eth.send_transaction({"from": rich, "to": key.address, "value": Wei(10**18)})
    shell.world.admin.mint(key.address, 100)
    return shell


def all_of(done: Result) -> str:
    """Everything that a command let out, its traceback included."""
    trace = "" if done.exc_info is None else "".join(traceback.format_exception(*done.exc_info))
    return done.stdout + done.stderr + trace


def secret(key: LocalAccount) -> str:
    return bytes(key.key).hex()


def test_a_key_of_the_environment_signs_and_is_not_shown(
    funded: CommandLine, key: LocalAccount
) -> None:
    done = funded.run("deposit", "100", env={"BULKHEAD_PRIVATE_KEY": secret(key)})
    assert done.exit_code == 0
    assert funded.world.reader.account(key.address).cash == 100
    assert secret(key) not in all_of(done)


def test_a_keystore_signs_with_a_password_that_is_asked_for(
    funded: CommandLine, key: LocalAccount, keystore: Path
) -> None:
    done = funded.run("deposit", "100", "--keystore", str(keystore), text=PASSWORD + "\n")
    assert done.exit_code == 0
    assert funded.world.reader.account(key.address).cash == 100
    assert "Password" in done.stderr
    assert PASSWORD not in all_of(done)
    assert secret(key) not in all_of(done)


def test_a_prompt_leaves_stdout_to_the_json(
    funded: CommandLine, keystore: Path, key: LocalAccount
) -> None:
    words = ("deposit", "100", "--keystore", str(keystore), "--json")
    done = funded.run(*words, text=PASSWORD + "\n")
    assert json.loads(done.stdout)["account"] == key.address


def test_a_password_of_the_environment_is_not_asked_for(
    funded: CommandLine, key: LocalAccount, keystore: Path
) -> None:
    env = {"BULKHEAD_KEYSTORE_PASSWORD": PASSWORD, "BULKHEAD_KEYSTORE": str(keystore)}
    done = funded.run("deposit", "100", env=env)
    assert done.exit_code == 0
    assert "Password" not in done.stderr
    assert PASSWORD not in all_of(done)


def test_a_password_file_may_end_with_a_new_line(
    funded: CommandLine, keystore: Path, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text(PASSWORD + "\n")
    env = {"BULKHEAD_KEYSTORE_PASSWORD_FILE": str(tmp_path / "password")}
    assert funded.run("deposit", "1", "--keystore", str(keystore), env=env).exit_code == 0


def test_a_wrong_password_is_told_and_not_shown(shell: CommandLine, keystore: Path) -> None:
    env = {"BULKHEAD_KEYSTORE_PASSWORD": "wrong and secret"}
    done = shell.run("deposit", "1", "--keystore", str(keystore), env=env)
    assert done.exit_code == 2
    assert "wrong password" in done.stderr
    assert "wrong and secret" not in all_of(done)


@pytest.mark.parametrize("text", ["", "{}", "[1]", "not json", '{"address": "0x12", "crypto": 3}'])
def test_a_file_that_is_no_keystore_is_told(shell: CommandLine, tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text)
    env = {"BULKHEAD_KEYSTORE_PASSWORD": PASSWORD}
    done = shell.run("deposit", "1", "--keystore", str(tmp_path / "file"), env=env)
    assert done.exit_code == 2
    assert "no keystore" in done.stderr
    assert PASSWORD not in all_of(done)


def test_a_key_that_is_none_is_told_and_not_shown(shell: CommandLine) -> None:
    done = shell.run("deposit", "1", env={"BULKHEAD_PRIVATE_KEY": "0x1234567890abcdef"})
    assert done.exit_code == 2
    assert "not a private key" in done.stderr
    assert "1234567890abcdef" not in all_of(done)


@pytest.mark.parametrize(
    "words",
    [
        ["{}"],
        ["account", "{}"],
        ["deposit", "{}"],
        ["deposit", "1", "--as", "{}"],
        ["deposit", "1", "--account", "{}"],
        ["deposit", "1", "{}"],
        ["withdraw", "1", "--to", "{}"],
        ["order", "BTC-PERP", "buy", "{}"],
        ["order", "BTC-PERP", "{}", "1"],
        ["mode", "{}", "BTC-PERP"],
        ["mode", "isolated", "{}", "--as", "alice"],
        ["deposit", "1", "--private-key", "{}"],
        ["deposit", "1", "--private-key={}"],
        ["deposit", "1", "--keystore", "{}"],
        ["deposit", "1", "--{}"],
    ],
)
@pytest.mark.parametrize("prefix", ["", "0x"])
def test_a_key_on_the_command_line_is_refused_and_not_repeated(
    shell: CommandLine, key: LocalAccount, words: list[str], prefix: str
) -> None:
    done = shell.run(*(word.format(prefix + secret(key)) for word in words))
    assert done.exit_code in (1, 2)
    assert secret(key) not in all_of(done)


def test_somebody_must_sign(shell: CommandLine) -> None:
    code, said = shell.error("deposit", "1")
    assert (code, said["error"]) == (2, "UsageError")
    assert "nobody signs" in said["reason"]


def test_two_signers_are_one_too_many(shell: CommandLine, keystore: Path) -> None:
    code, said = shell.error("deposit", "1", "--as", "alice", "--keystore", str(keystore))
    assert (code, said["reason"]) == (2, "--as and --keystore are two signers")


@pytest.mark.parametrize("person", ["alice", "Alice", "3"])
def test_a_local_node_s_accounts_have_names_and_numbers(shell: CommandLine, person: str) -> None:
    alice = shell.world.traders["alice"].address
    assert shell.ok("account", person)["account"] == alice
    assert shell.ok("account", "--as", person)["account"] == alice


@pytest.mark.parametrize("person", ["nobody", "10", "-1", "0x1234"])
def test_somebody_unknown_is_told(shell: CommandLine, person: str) -> None:
    done = shell.run("account", "--", person)
    assert done.exit_code == 2
    assert "nobody is called" in done.stderr


def test_the_node_signs_for_its_own_accounts_alone(shell: CommandLine) -> None:
    code, said = shell.error("deposit", "1", "--as", "0x" + "12" * 20)
    assert code == 2
    assert "does not sign for" in said["reason"]


def test_an_own_account_is_shown_without_its_password(
    shell: CommandLine, keystore: Path, key: LocalAccount
) -> None:
    assert shell.ok("account", "--keystore", str(keystore))["account"] == key.address
