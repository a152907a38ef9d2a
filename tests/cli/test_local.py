"""Commands for local nodes: on a world in memory, and `up` in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from web3 import HTTPProvider, Web3

from bulkhead import Deployment, Reader
from bulkhead.listings import DEMO_LISTINGS
from bulkhead.local.anvil import VARIABLE
from bulkhead.local.price_paths import Walk
from bulkhead.local.running import volatility_of
from bulkhead.values import from_units
from tests.cli.conftest import CommandLine
from tests.helpers.anvil import ROOT

DEADLINE = 60  # seconds
LINES = 60  # that a world may have written before it hears of a command


def test_price_publishes(shell: CommandLine) -> None:
    shown = shell.ok("price", "BTC-PERP", "88000.5")
    assert (shown["before"], shown["price"]) == ("100000", "88000.5")
    assert shell.world.reader.market_state("BTC-PERP").is_fresh


def test_price_leaves_an_order_that_is_too_young(shell: CommandLine) -> None:
    shell.world.traders["alice"].deposit(1_000)
    shell.world.traders["alice"].place("ETH-PERP", 1, is_buy=True)
    assert shell.ok("price", "ETH-PERP", "4001")["executed_orders"] == 0


def test_price_lets_time_pass_and_fills_if_asked_to(shell: CommandLine) -> None:
    shell.world.traders["alice"].deposit(1_000)
    shell.world.traders["alice"].place("ETH-PERP", 1, is_buy=True)
    assert shell.ok("price", "ETH-PERP", "4001", "--fill")["executed_orders"] == 1


@pytest.mark.parametrize("price", ["0", "-1"])
def test_a_price_is_above_zero(shell: CommandLine, price: str) -> None:
    code, _ = shell.error("price", "BTC-PERP", "--", price)
    assert code in (1, 2)
    assert shell.world.reader.price("BTC-PERP") == 100_000


def test_price_is_for_local_chains_alone(
    shell: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("bulkhead.local.chains.is_local", lambda w3: False)
        code, told = shell.error("price", "BTC-PERP", "1")
    assert (code, told["error"]) == (1, "Rejected")
    assert told["reason"].startswith("this is no local chain")
    assert shell.world.reader.price("BTC-PERP") == 100_000


def test_a_world_is_rewound_to_a_snapshot(shell: CommandLine) -> None:
    shell.ok("snapshot", "before")
    shell.ok("price", "BTC-PERP", "50000")
    shown = shell.ok("rewind", "before")
    assert shown["snapshots"] == ["before"]
    assert shell.ok("markets")[0]["mark_price"] == "100000"


def test_snapshots_are_listed(shell: CommandLine) -> None:
    for name in ("one", "two"):
        shell.ok("snapshot", name)
    assert shell.ok("snapshot")["snapshots"][-2:] == ["one", "two"]


def test_a_snapshot_that_is_not_there_is_refused(shell: CommandLine) -> None:
    code, told = shell.error("rewind", "never")
    assert code == 1
    assert told["reason"].startswith("no snapshot is called 'never' on this chain")


def test_who_has_no_anvil_is_told_how_to_get_it(
    shell: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    code, told = shell.error("up")
    assert code == 1
    assert told["reason"].startswith("anvil is not here: install Foundry")


def test_a_file_of_prices_is_read_before_anything_starts(
    shell: CommandLine, tmp_path: Path
) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("DOG-PERP\n1\n")
    code, told = shell.error("up", "--prices", str(path))
    assert code == 2
    assert told["reason"] == f"{path}, step 1: there is no market 'DOG-PERP'"


@contextmanager
def up(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A running world, and what it said of itself."""
    command = [sys.executable, "-m", "bulkhead", "up", "--port", "0", "--json", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "sdk")}
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            lines: list[str] = []
            for line in process.stdout:
                lines.append(line)
                if line == "}\n":
                    break
            yield process, json.loads("".join(lines))
        finally:
            process.kill()


def command(folder: Path, shown: dict[str, Any], *words: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "bulkhead", *words, "--json", "--rpc", shown["rpc"]],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "sdk")},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def lines_of(process: subprocess.Popen[str], count: int) -> Iterator[str]:
    assert process.stderr is not None
    for _ in range(count):
        yield process.stderr.readline()


def line_with(process: subprocess.Popen[str], text: str) -> str:
    """The first line from now on that says so."""
    return next(line for line in lines_of(process, LINES) if text in line)


@pytest.mark.anvil
@pytest.mark.slow
def test_a_world_runs_and_is_talked_to_until_it_is_interrupted(tmp_path: Path) -> None:
    with up(tmp_path, "--interval", "1", "--accounts", "10", "--prices", "fixed") as (
        process,
        shown,
    ):
        w3 = Web3(HTTPProvider(shown["rpc"]))
        reader = Reader(w3, Deployment.load(w3, tmp_path / "deployments"))
        assert shown["markets"] == [state.market.symbol for state in reader.markets()]
        assert len(shown["markets"]) == 5
        assert len(shown["people"]) == 13
        assert all(one["deposited"] == "10000" for one in shown["people"][3:])
        assert shown["next"][0]["command"] == f"export BULKHEAD_RPC={shown['rpc']}"

        command(tmp_path, shown, "price", "BTC-PERP", "88000")
        line_with(process, "BTC 88,000 ")
        assert all("BTC 88,000 " in line for line in lines_of(process, 2))
        command(tmp_path, shown, "rewind", "start")
        line_with(process, "rewound")
        assert all("BTC 100,000 " in line for line in lines_of(process, 2))

        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 0
        assert not w3.is_connected()


@pytest.mark.anvil
@pytest.mark.slow
def test_a_seed_says_where_prices_go(tmp_path: Path) -> None:
    options = ("--seed", "4", "--ticks", "2", "--interval", "1", "--accounts", "1")
    with up(tmp_path, *options) as (process, _):
        lines = list(lines_of(process, 2))
        assert process.wait(DEADLINE) == 0
    walk, prices = Walk(4, volatility_of(DEMO_LISTINGS)), {"BTC-PERP": 100_000 * 10**18}
    for tick, line in enumerate(lines):
        prices = walk.step(tick, prices)
        assert f" BTC {from_units(prices['BTC-PERP'], 18).normalize():,f} " in line


@pytest.mark.anvil
@pytest.mark.slow
def test_a_terminated_world_takes_its_node_along(tmp_path: Path) -> None:
    with up(tmp_path, "--accounts", "1") as (process, shown):
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0
        assert not Web3(HTTPProvider(shown["rpc"])).is_connected()
