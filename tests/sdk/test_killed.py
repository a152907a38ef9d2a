"""Placing, waiting and reading, killed between any two steps and begun again elsewhere.

A verb is a program of requests, so every point at which a process can die lies between two of them:
each is tried.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from eth_account import Account
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint

from bulkhead import OrderHandle, OrderKind, OrderState, Reader, Trader, errors
from bulkhead.chain import BlockingTransport
from bulkhead.chain.requests import Ask, Request
from tests.helpers.anvil import Anvil
from tests.sdk.world import World, build_world, refreshed

BTC = "BTC-PERP"
ORDER: dict[str, Any] = {"is_buy": True, "kind": OrderKind.LIMIT, "acceptable_price": 90_000}
KEY = "0x" + "11" * 32
MAX_STEPS = 100


pytestmark = pytest.mark.anvil


class Killed(BaseException):
    """The process is gone."""


class Dying(BlockingTransport):
    """Dies after so many answers: what was asked for last has happened, and nobody was told."""

    def __init__(self, w3: Web3, steps: int) -> None:
        super().__init__(w3)
        self.left = steps
        self.sent = 0

    def _answer(self, request: Request) -> Any:
        if self.left < 0:
            return None  # a dead process releases nothing and asks nothing
        found = super()._answer(request)
        self.sent += isinstance(request, Ask) and request.name.startswith("send")
        self.left -= 1
        if self.left < 0:
            raise Killed
        return found


@pytest.fixture(scope="module")
def node() -> Iterator[World]:
    with Anvil() as anvil:
        yield build_world(Web3(HTTPProvider(anvil.url)))


@pytest.fixture
def world(node: World) -> Iterator[World]:
    snapshot = rpc(node, "evm_snapshot")
    yield refreshed(node)
    rpc(node, "evm_revert", snapshot)


@pytest.fixture
def slow_node(world: World) -> Iterator[World]:
    """Its blocks come by themselves, every second."""
    world.trader()
    rpc(world, "evm_setAutomine", False)
    rpc(world, "evm_setIntervalMining", 1)
    yield world
    rpc(world, "evm_setIntervalMining", 0)
    rpc(world, "evm_setAutomine", True)


def rpc(world: World, method: str, *parameters: Any) -> Any:
    return world.w3.provider.make_request(cast(RPCEndpoint, method), list(parameters))["result"]


def dying_trader(world: World, steps: int) -> Trader:
    reader = Reader(world.w3, world.reader.deployment)
    trader = Trader(reader, world.people[4])
    trader.transport = Dying(world.w3, steps)
    return trader


def placements(world: World, client_id: str) -> int:
    salt = trader_salt(world, client_id)
    events = world.reader.events()
    return sum(one.name == "OrderPlaced" and one["order"]["salt"] == salt for one in events)


def trader_salt(world: World, client_id: str) -> int:
    order = world.wallet.order(BTC, "0.1", client_id=client_id, **ORDER)
    return order.salt


def test_placing_again_is_harmless_wherever_the_first_try_died(world: World) -> None:
    world.trader()
    died_after_sending = 0
    for steps in range(MAX_STEPS):
        name = f"order {steps}"
        trader = dying_trader(world, steps)
        try:
            trader.place(BTC, "0.1", client_id=name, **ORDER)
        except Killed:
            died_after_sending += bool(trader.transport.sent)  # type: ignore[attr-defined]
        else:
            break
        again = world.wallet.place(BTC, "0.1", client_id=name, **ORDER)
        assert again.state() is OrderState.PENDING
        assert placements(world, name) == 1
        assert world.reader.handle(again.hash).placed == again.placed
        world.wallet.cancel(again)
    else:
        pytest.fail("placing never ended")
    assert steps > 10
    assert died_after_sending


def test_waiting_goes_on_from_the_chain_alone(world: World) -> None:
    trader = world.trader()
    handle = trader.place(BTC, "0.1", is_buy=True, client_id="mine")
    world.fill(handle)
    expected = handle.outcome()
    for steps in range(MAX_STEPS):
        reader = Reader(world.w3, world.reader.deployment)
        reader.transport = Dying(world.w3, steps)
        try:
            found = reader.handle(handle.hash).wait(1)
        except Killed:
            continue
        assert found == expected
        break
    else:
        pytest.fail("waiting never ended")
    again = world.wallet.place(BTC, "0.1", is_buy=True, client_id="mine")
    assert again.wait(0) == expected


def test_a_retry_may_have_another_price_in_mind(world: World) -> None:
    trader = world.trader()
    first = trader.place(BTC, "0.1", client_id="mine", **ORDER)
    again = trader.place(BTC, "0.1", client_id="mine", **{**ORDER, "acceptable_price": 91_000})
    assert again.hash == first.hash


def test_a_client_id_names_one_order(world: World) -> None:
    trader = world.trader()
    trader.place(BTC, "0.1", client_id="mine", **ORDER)
    with pytest.raises(errors.ClientIdTaken, match="client_id: 'mine'"):
        trader.place(BTC, "0.2", client_id="mine", **ORDER)
    with pytest.raises(errors.ClientIdTaken):
        trader.place("ETH-PERP", "0.1", client_id="mine", **ORDER)


def test_a_bracket_is_placed_once(world: World) -> None:
    trader = world.trader()
    first = trader.place_bracket(
        BTC, "0.1", is_buy=True, stop_loss=95_000, take_profit=110_000, client_id="mine"
    )
    again = world.wallet.place_bracket(
        BTC, "0.1", is_buy=True, stop_loss=94_000, take_profit=110_000, client_id="mine"
    )
    assert [one.hash for one in again] == [one.hash for one in first]


def test_two_accounts_may_use_one_name(world: World) -> None:
    trader = world.trader()
    key = Account.from_key(KEY)
    trader.deposit(1_000, key.address)
    other = Trader(world.reader, key)
    world.w3.eth.send_transaction(
        {"from": world.people[0], "to": key.address, "value": Web3.to_wei(1, "ether")}
    )
    first = trader.place(BTC, "0.01", client_id="mine", **ORDER)
    second = other.place(BTC, "0.01", client_id="mine", **ORDER)
    assert first.hash != second.hash


def test_a_first_try_that_is_not_mined_yet_counts(slow_node: World) -> None:
    trader = dying_trader(slow_node, MAX_STEPS)
    died = threading.Event()

    class DyingAtOnce(Dying):
        def _answer(self, request: Request) -> Any:
            found = super()._answer(request)
            if isinstance(request, Ask) and request.name == "send_transaction":
                died.set()
                raise Killed
            return found

    trader.transport = DyingAtOnce(slow_node.w3, MAX_STEPS)
    with pytest.raises(Killed):
        trader.place(BTC, "0.1", client_id="pending", **ORDER)
    assert died.is_set()
    handle = slow_node.wallet.place(BTC, "0.1", client_id="pending", **ORDER)
    assert placements(slow_node, "pending") == 1
    assert handle.state() is OrderState.PENDING


def test_processes_killed_at_random_lose_and_double_nothing(
    slow_node: World, tmp_path: Path
) -> None:
    slow_node.reader.deployment.save(tmp_path)
    chance = random.Random(7)
    url = slow_node.w3.provider.endpoint_uri  # type: ignore[attr-defined]
    command = [sys.executable, "-c", CHILD, url, str(tmp_path), slow_node.people[4]]
    for index in range(4):
        name = f"killed {index}"
        for _ in range(2):
            child = subprocess.Popen([*command, name], stdout=subprocess.PIPE)
            assert child.stdout is not None
            child.stdout.readline()  # it has loaded, and begins
            time.sleep(chance.uniform(0, 1.5))
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            child.stdout.close()
        handle: OrderHandle = slow_node.wallet.place(BTC, "0.01", client_id=name, **ORDER)
        assert placements(slow_node, name) == 1
        assert handle.state() is OrderState.PENDING


CHILD = """
import sys
from pathlib import Path
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint
from bulkhead import Deployment, OrderKind, Reader, Trader

url, folder, signer, name = sys.argv[1:]
w3 = Web3(HTTPProvider(url))
trader = Trader(Reader(w3, Deployment.load(w3, Path(folder))), signer)
print("ready", flush=True)
kind = OrderKind.LIMIT
trader.place("BTC-PERP", "0.01", is_buy=True, kind=kind, acceptable_price=90_000, client_id=name)
"""
