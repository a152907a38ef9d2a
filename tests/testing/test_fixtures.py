"""The fixtures as a backend's own tests use them: in another folder, in another process."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bulkhead.local.anvil import VARIABLE
from tests.helpers.anvil import ROOT

DEADLINE = 120  # seconds
GUIDE = (ROOT / "docs/testing.md").read_text()
CONFTEST = 'pytest_plugins = ["bulkhead.testing"]\n'

BACKEND = """
import asyncio
from decimal import Decimal

import pytest

from bulkhead import MarginMode, OrderState, errors
from bulkhead.listings import BTC
from bulkhead.local import disconnect


@pytest.fixture(scope="session")
def bulkhead_listings():
    return (BTC,)


@pytest.mark.parametrize("run", [1, 2, 3])
def test_each_test_finds_the_world_as_it_was_built(bulkhead_world, run):
    alice = bulkhead_world.traders["alice"]
    assert bulkhead_world.reader.account(alice.address).cash == 0
    assert bulkhead_world.reader.price("BTC-PERP") == 100_000
    alice.deposit(5_000)
    handle = alice.place("BTC-PERP", "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED)
    bulkhead_world.fill(handle)
    assert handle.state() is OrderState.EXECUTED
    bulkhead_world.set_prices({"BTC-PERP": 88_000})
    (report,) = bulkhead_world.liquidate()
    assert bulkhead_world.name_of(report.account) == "alice"


def test_ten_traders_have_full_wallets(bulkhead_world):
    assert len(bulkhead_world.traders) == 10
    for trader in bulkhead_world.traders.values():
        assert bulkhead_world.reader.token_balance(trader.address) == 1_000_000


def test_the_asynchronous_world_is_the_same(bulkhead_world, bulkhead_async_world):
    async def deposit():
        awaited = bulkhead_async_world()
        bob = awaited.traders["bob"]
        await bob.deposit(7)
        cash = (await awaited.reader.account(bob.address)).cash
        await disconnect(awaited.reader.chain.w3)
        return bob.address, cash

    address, cash = asyncio.run(deposit())
    assert cash == bulkhead_world.reader.account(address).cash == 7
"""


def run(folder: Path, *options: str) -> str:
    """What pytest says of a backend's tests, which must all pass, warnings being errors."""
    environment = {
        **os.environ,
        # Nothing but what a backend has itself.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": str(ROOT / "sdk"),
        VARIABLE: str(ROOT / "node_modules/.bin/anvil"),
    }
    words = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error")
    # As in our own tests: web3 still imports the legacy half of websockets.
    quiet = ("-W", "ignore:websockets.legacy is deprecated:DeprecationWarning")
    done = subprocess.run(
        [*words, *quiet, *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def backend(folder: Path, tests: str = BACKEND) -> Path:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_backend.py").write_text(tests)
    return folder


@pytest.mark.slow
def test_a_backend_is_tested_on_a_chain_in_memory(tmp_path: Path) -> None:
    assert "5 passed" in run(backend(tmp_path))


@pytest.mark.slow
@pytest.mark.anvil
def test_a_backend_is_tested_on_anvil(tmp_path: Path) -> None:
    assert "5 passed" in run(backend(tmp_path), "--bulkhead-chain", "anvil")


def test_another_chain_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="invalid choice: 'mainnet'"):
        run(backend(tmp_path), "--bulkhead-chain", "mainnet")


@pytest.mark.slow
def test_the_guide_s_example_is_run_as_it_stands(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    assert blocks[0].strip() == CONFTEST.strip()
    assert "passed" in run(backend(tmp_path, "\n".join(blocks[1:])))
