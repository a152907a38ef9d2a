import subprocess
import sys

import pytest

from bulkhead.cli.root import HOMES
from tests.cli.conftest import CommandLine

HEAVY = ("web3", "rich", "sqlalchemy", "numpy", "eth_abi", "eth_account", "requests")


def imported(*words: str) -> set[str]:
    """The modules that a command line has loaded when it ends."""
    code = (
        "import sys\nfrom bulkhead.cli import main\n"
        "try: main(sys.argv[1:])\nexcept SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], check=True, capture_output=True, text=True
    )
    return set(done.stderr.split())


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["--version"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    assert not imported(*words) & set(HEAVY)


@pytest.mark.parametrize("command", HOMES)
def test_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    assert not imported(command, "--help") & set(HEAVY)


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bulkhead", "--help"], check=True, capture_output=True, text=True
    )
    assert "account" in done.stdout


def test_status_says_what_the_exchange_has(shell: CommandLine) -> None:
    found = shell.ok("status")
    assert found["pool_cash"] == "2000000"
    assert found["insurance"] == "100000"
    assert found["clearinghouse"] == shell.world.reader.deployment.clearinghouse
    assert found["owner"] == shell.world.admin.address
    assert found["opening"] == "allowed"


def test_markets_are_told_with_exact_numbers(shell: CommandLine) -> None:
    btc, eth = shell.ok("markets")
    assert (btc["market"], btc["mark_price"], btc["taker_fee"]) == ("BTC-PERP", "100000", "0.0005")
    assert (eth["market"], eth["max_leverage"], eth["status"]) == ("ETH-PERP", "100", "open")


def test_tables_are_for_people(shell: CommandLine) -> None:
    done = shell.run("markets")
    assert done.exit_code == 0
    assert "100,000" in done.stdout
    assert done.stderr == ""


def test_an_unknown_command_is_not_understood(shell: CommandLine) -> None:
    code, said = shell.error("nothing")
    assert code == 2
    assert said == {
        "error": "UsageError",
        "reason": "No such command 'nothing'.",
        "retryable": False,
    }


def test_a_folder_without_the_exchange_is_told(shell: CommandLine) -> None:
    code, said = shell.error("status", env={"BULKHEAD_DEPLOYMENTS": "/nowhere"})
    assert (code, said["error"]) == (4, "DeploymentError")


def test_a_node_that_does_not_answer_is_told_without_its_address() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bulkhead", "status", "--rpc", "http://127.0.0.1:9/secret-path"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 4
    assert "no node answers" in done.stderr
    assert "secret" not in done.stderr


def test_an_address_of_another_kind_is_not_understood() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bulkhead", "status", "--rpc", "ftp://example.org"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "http://" in done.stderr
