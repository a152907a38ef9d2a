import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripts.command import SCRIPTS, run

pytestmark = [pytest.mark.ape, pytest.mark.usefixtures("project")]


@pytest.fixture(autouse=True)
def _writes_nothing(project: Path) -> Iterator[None]:
    yield
    assert sorted(path.name for path in project.iterdir()) == ["ape-config.yaml", "scripts"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_explains_itself(script: str) -> None:
    text = run(script, "--help")
    assert text.startswith(f"Usage: cli run {script} [OPTIONS]")
    assert "--network" in text


def test_deploy_shows_the_addresses() -> None:
    text = run("deploy", "--market", "SOL-PERP")
    assert "chain 1337" in text
    assert "clearinghouse       0x" in text
    assert "Its markets: SOL-PERP." in text
    assert "nothing was kept" in text


def test_deploy_hands_over_to_a_timelock() -> None:
    text = run("deploy", "--market", "SOL-PERP", "--timelock-delay", "3600")
    assert "timelock            0x" in text
    assert "in 3,600 seconds" in text


def test_add_market_lists_a_known_market() -> None:
    text = run("add_market", "SOL-PERP")
    assert text.startswith("The embedded chain is empty")
    assert "SOL-PERP is market 2, at 200.00 USD, with up to 50x leverage." in text


def test_add_market_needs_terms() -> None:
    assert "GOLD-PERP needs --like" in run("add_market", "GOLD-PERP", exit_code=2)


def test_set_price_shows_both_prices() -> None:
    assert "BTC-PERP: 100,000 -> 88,000.5 USD" in run("set_price", "BTC-PERP", "88000.5")


def test_set_price_takes_numbers_only() -> None:
    assert "'low' is not a number" in run("set_price", "BTC-PERP", "low", exit_code=2)


def test_place_order_shows_the_order() -> None:
    text = run("place_order", "BTC-PERP", "0.1", "--sell", "--trader", "bob", "--leverage", "5")
    assert "bob sells 0.1 BTC-PERP, cross: order 0x" in text
    assert "is pending" in text


def test_run_keeper_finds_work() -> None:
    text = run("run_keeper", "--passes", "2")
    assert "bob's order in ETH-PERP is executed; the keeper earned 0.20 USD." in text
    assert "alice's isolated position in BTC-PERP is liquidated" in text
    assert text.endswith("Nothing to execute, nothing to liquidate.\n")


def test_status_shows_markets_and_accounts() -> None:
    text = run("status")
    assert "ETH-PERP: price 4,000, long 0, short 0" in text
    assert "carol: cash 5,000.00, free 5,000.00, equity 5,000.00" in text


@pytest.mark.parametrize("network", ["ethereum:mainnet:node", "base:sepolia", "none"])
def test_public_networks_are_refused(network: str) -> None:
    text = run("deploy", "--network", network, exit_code=2)
    assert "the scripts only run on ethereum:local" in text


def test_ape_itself_runs_them(project: Path, tmp_path: Path) -> None:
    # A process of its own, with nothing on PATH and nothing in the home folder.
    environment = {"HOME": str(tmp_path), "PATH": os.defpath, "APE_DATA_FOLDER": str(tmp_path)}
    ape = str(Path(sys.executable).with_name("ape"))
    ended = subprocess.run(
        [ape, "run", "place_order", "DOG-PERP", "1", "--buy"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert ended.stdout == (
        "The embedded chain is empty and ends with this command: deploying first.\n"
    )
    assert ended.stderr.startswith("Error: market: unknown (")
    assert ended.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
