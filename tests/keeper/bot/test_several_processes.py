"""Several workers on one Redis server: who does what, and what is left when one dies."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from eth_utils.address import to_checksum_address

from bulkhead import OrderHandle, OrderKind
from bulkhead.interfaces import Event
from bulkhead.local.chains import rpc
from tests.helpers.redis_server import redis_server
from tests.keeper.bot.commands import (
    NODE,
    REDIS,
    SECONDS,
    STOP_SECONDS,
    Commands,
    blocks,
    is_closed,
    signer,
    until,
)
from tests.keeper.stage import Stage

pytestmark = [pytest.mark.anvil, pytest.mark.slow]

BTC_PERP = "BTC-PERP"
EXPORTS, WORKERS, (RUN,) = blocks("sh")[1:4]
KEYS = dict(signer(number) for number in (22, 23))
SIGNERS = tuple(KEYS)


@pytest.fixture
def commands(stage: Stage, tmp_path: Path) -> Iterator[Commands]:
    with redis_server(tmp_path) as redis:
        addresses = {NODE: stage.anvil.url.split("//")[1], REDIS: redis}
        keys = {f"KEEPER_KEY_{number}": key for number, key in enumerate(KEYS.values(), start=1)}
        commands = Commands(tmp_path, addresses, keys)
        yield commands
        commands.close()


def start(commands: Commands, name: str, lines: Sequence[str]) -> list[subprocess.Popen[bytes]]:
    """A process for each line."""
    return [commands.start(f"{name} {number}", EXPORTS, line) for number, line in enumerate(lines)]


def kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)


def place_and_wait(stage: Stage) -> tuple[list[OrderHandle], list[OrderHandle]]:
    """Forty orders for the next price, and forty for a lower one."""
    dip: dict[str, Any] = {"kind": OrderKind.LIMIT, "acceptable_price": 90_000}
    now, later = [], []
    for trader in stage.traders:
        for _ in range(4):
            now.append(trader.place(BTC_PERP, "0.01", is_buy=True))
            later.append(trader.place(BTC_PERP, "0.01", is_buy=True, **dip))
    return now, later


def executions(stage: Stage) -> list[Event]:
    return [one for one in stage.world.reader.events() if one.name == "OrderExecuted"]


def await_all(stage: Stage, handles: Sequence[OrderHandle]) -> None:
    wanted = {handle.hash for handle in handles}
    until(lambda: wanted <= {one["order_hash"] for one in executions(stage)}, "all are executed")


def one_that_sends(stage: Stage) -> int:
    """Which worker has a transaction on its way."""
    w3 = stage.world.reader.chain.w3
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        for number, address in enumerate(SIGNERS):
            person = to_checksum_address(address)
            sent, mined = (w3.eth.get_transaction_count(person, at) for at in ("pending", "latest"))
            if sent > mined:
                return number
    pytest.fail("nobody sends anything")


def test_two_workers_share_the_work_and_one_does_it_all_when_the_others_die(
    stage: Stage, commands: Commands, tmp_path: Path
) -> None:
    w3 = stage.world.reader.chain.w3
    now, later = place_and_wait(stage)
    workers = start(commands, "worker", WORKERS)
    # Every block is told twice.
    runs = start(commands, "run", [RUN, RUN])
    for number in range(2):
        commands.await_word(f"run {number}", "transitioning to runtime")
    rpc(w3, "evm_setAutomine", False)
    rpc(w3, "evm_setIntervalMining", 1)
    stage.world.refresh_prices()
    await_all(stage, now)
    done = executions(stage)
    assert {str(one["keeper"]) for one in done} == set(SIGNERS)
    # Nothing was sent in vain.
    assert sum(stage.world.reader.chain.nonce(one) for one in SIGNERS) == len(
        {one.transaction for one in done}
    )

    stage.world.set_prices({BTC_PERP: 89_000})
    dead = one_that_sends(stage)
    kill(workers[dead])
    kill(runs[0])
    # What it had sent is lost, too.
    rpc(w3, "anvil_removePoolTransactions", SIGNERS[dead])
    await_all(stage, later)
    assert len(executions(stage)) == len(now) + len(later)

    runs[1].send_signal(signal.SIGTERM)
    assert runs[1].wait(STOP_SECONDS) == 0
    workers[1 - dead].send_signal(signal.SIGINT)
    workers[1 - dead].wait(STOP_SECONDS)
    assert is_closed(tmp_path / f"keeper-{2 - dead}.db")


def test_a_worker_refuses_a_broker_that_tells_nothing(stage: Stage, commands: Commands) -> None:
    broker = "export SILVERBACK_BROKER_CLASS=taskiq_redis:PubSubBroker"
    options = 'export SILVERBACK_BROKER_KWARGS=\'{"url": "redis://127.0.0.1:6379/0"}\''
    worker = commands.start("worker", [*EXPORTS, broker, options], WORKERS[0])
    assert worker.wait(SECONDS) != 0
    assert "taskiq_redis:RedisStreamBroker" in commands.said("worker")
