"""One story told through processes: the command line on a node over RPC."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from web3 import HTTPProvider, Web3

from bulkhead import world
from bulkhead.listings import BTC, ETH
from bulkhead.world import World
from tests.helpers.anvil import Anvil

pytestmark = pytest.mark.anvil


@dataclass(frozen=True, slots=True)
class Terminal:
    """Runs commands as processes."""

    world: World
    url: str
    folder: Path

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        variables = {"BULKHEAD_RPC": self.url, "BULKHEAD_DEPLOYMENTS": str(self.folder)}
        return subprocess.run(
            [sys.executable, "-m", "bulkhead", *words],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=60,
        )

    def ok(self, *words: str) -> Any:
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    with Anvil() as anvil:
        w3 = Web3(HTTPProvider(anvil.url))
        made = world.create(w3, [str(one) for one in w3.eth.accounts], listings=(BTC, ETH))
        folder = tmp_path_factory.mktemp("deployments")
        made.reader.deployment.save(folder)
        yield Terminal(made, anvil.url, folder)


def test_from_a_deposit_to_a_liquidation_explained(terminal: Terminal) -> None:
    alice = ("--as", "alice")
    assert terminal.ok("deposit", "5000", *alice)["cash"] == "5000"

    entry = ("order", "BTC-PERP", "buy", "0.1", "--isolated", "--leverage", "10")
    placed = terminal.ok(*entry, "--client-id", "entry", *alice)
    terminal.world.fill()
    filled = terminal.ok(*entry, "--client-id", "entry", "--wait", "5", *alice)
    assert (filled["order"], filled["state"]) == (placed["order"], "executed")

    shown = terminal.ok("account", "alice")
    assert [one["mode"] for one in shown["positions"]] == ["isolated"]

    bracket = (
        "bracket",
        "ETH-PERP",
        "long",
        "1",
        "--limit",
        "3900",
        "--tp",
        "5000",
        "--sl",
        "3500",
    )
    assert len(terminal.ok(*bracket, *alice)["orders"]) == 3
    assert len(terminal.ok("account", "alice")["orders"]) == 3
    terminal.ok("cancel", "--all", *alice)
    assert terminal.ok("account", "alice")["orders"] == []

    terminal.world.set_prices({"BTC-PERP": 80_000})
    (report,) = terminal.world.liquidate()
    found = terminal.ok("explain", "liquidation", report.event.transaction)
    assert found["agrees"] is True
    assert terminal.ok("account", "alice")["positions"] == []

    late = terminal.run("withdraw", "1000000", *alice)
    assert late.returncode == 1
    assert "not withdrawable" in late.stderr


def test_a_keeper_executes_what_waits_and_ends(terminal: Terminal, tmp_path: Path) -> None:
    terminal.ok("deposit", "5000", "--as", "bob")
    placed = terminal.ok("order", "BTC-PERP", "buy", "0.1", "--as", "bob")
    terminal.world.refresh_prices()
    config = tmp_path / "keeper.toml"
    config.write_text(
        f"journal = '{tmp_path / 'keeper.db'}'\n"
        f"rpc = {{ urls = ['{terminal.url}'] }}\n"
        f"chain = {{ id = {terminal.world.reader.deployment.chain_id}, "
        f"deployments = '{terminal.folder}' }}\n"
        "signers = [{ local = '9' }]\n"
        "watch = { enabled = false }\n"
        "policy = { gas_token = 1 }\n"
        "log = { level = 'error' }\n"
    )
    chosen = ("--config", str(config))
    assert terminal.ok("keeper", "check", *chosen)["problems"] == []
    seen = terminal.ok("keeper", "run", "--once", "--dry-run", *chosen)
    assert [one["first"] for one in seen["would_send"]] == [placed["order"]]
    done = terminal.ok("keeper", "run", "--once", *chosen)
    assert done["done"] == 1
