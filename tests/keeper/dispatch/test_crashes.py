"""Processes that are killed: nothing is done twice, and nothing is lost."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.helpers.anvil import ROOT
from tests.keeper.dispatch.desk import Bench, key

pytestmark = pytest.mark.anvil

SECONDS = 30
TASKS = 30
BLOCK_SECONDS = 0.25


def start(bench: Bench, path: Path, how: str) -> subprocess.Popen[str]:
    """A keeper in a process of its own."""
    table = json.dumps(asdict(bench.deployment))
    command = [sys.executable, "-c", CHILD, bench.anvil.url, table, str(path), how]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def killed_at(bench: Bench, path: Path, moment: str) -> None:
    """Sends the first task, and is gone while it sends the second, or when it looks at them."""
    child = start(bench, path, moment)
    output, _ = child.communicate(timeout=SECONDS)
    assert child.returncode == -signal.SIGKILL, output


@pytest.mark.parametrize(
    ("moment", "waiting"), [("before sending", 1), ("after sending", 2), ("before settling", 0)]
)
@pytest.mark.parametrize("is_mined", [False, True])
def test_killed_at_any_moment_all_is_done_once(
    bench: Bench, path: Path, moment: str, waiting: int, is_mined: bool
) -> None:
    async def run() -> None:
        killed_at(bench, path, moment)
        assert bench.pool() == waiting
        if is_mined:
            bench.mine()
        async with bench.desk(path) as desk:
            again = await desk.dispatcher.recover()
            assert again == (moment == "before sending")
            bench.mine()
            settled = await desk.settle()
            assert {one.nonce for one in settled} == {0, 1}
            assert desk.dispatcher.busy() == set()
            assert await desk.send(3)
            bench.mine()
            await desk.settle()
        assert [bench.count(task) for task in (1, 2, 3)] == [1, 1, 1]
        assert bench.nonce(key(0).address) == 3

    asyncio.run(run())


def test_what_was_killed_before_sending_and_lost_its_nonce_is_open_again(
    bench: Bench, path: Path
) -> None:
    async def run() -> None:
        killed_at(bench, path, "before sending")
        bench.steal(key(0), nonce=1)
        bench.mine()
        async with bench.desk(path) as desk:
            await desk.dispatcher.recover()
            await desk.settle()
            assert desk.dispatcher.busy() == set()
            assert await desk.send(2)
            bench.mine()
            await desk.settle()
        assert [bench.count(task) for task in (1, 2)] == [1, 1]

    asyncio.run(run())


@pytest.mark.slow
def test_killed_at_random_everything_is_done_once_in_the_end(bench: Bench, path: Path) -> None:
    chance = random.Random(5)
    done = threading.Event()

    def mine() -> None:
        while not done.wait(BLOCK_SECONDS):
            bench.mine()

    miner = threading.Thread(target=mine)
    miner.start()
    try:
        for _ in range(4):
            child = start(bench, path, "work")
            assert child.stdout is not None
            child.stdout.readline()  # it has loaded, and begins
            time.sleep(chance.uniform(0.05, 0.6))
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            child.stdout.close()
        last = start(bench, path, "work")
        last.communicate(timeout=SECONDS)
    finally:
        done.set()
        miner.join()
    assert last.returncode == 0
    assert [bench.count(task) for task in range(TASKS)] == [1] * TASKS
    assert sum(bench.nonce(key(one).address) for one in (0, 1)) == TASKS


CHILD = """
import asyncio, json, os, signal, sys
from pathlib import Path
from bulkhead.chain.requests import Ask
from bulkhead.deployment import Deployment
from tests.keeper.dispatch.desk import Bench, POLICY, key
from tests.keeper.dispatch.test_crashes import TASKS

url, table, path, how = sys.argv[1:]
class Node:
    def __init__(self):
        self.url = url
    def rpc(self, method, *params):
        from tests.helpers.anvil import Anvil
        return Anvil.rpc(self, method, *params)

bench = Bench(Node(), Deployment(**json.loads(table)))

def die():
    os.kill(os.getpid(), signal.SIGKILL)

async def once():
    async with bench.desk(Path(path)) as desk:
        answer, sent = desk.chain.transport._answer, 0
        async def dying(request):
            nonlocal sent
            is_send = isinstance(request, Ask) and request.name == "send_raw_transaction"
            sent += is_send
            if is_send and sent == 2 and how == "before sending":
                die()
            found = await answer(request)
            if is_send and sent == 2 and how == "after sending":
                die()
            return found
        desk.chain.transport._answer = dying
        assert await desk.send(1)
        assert await desk.send(2)
        bench.mine()
        desk.journal.end = lambda *rest: die()
        await desk.settle()

async def work():
    async with bench.desk(Path(path), [key(0), key(1)]) as desk:
        await desk.dispatcher.recover()
        print("ready", flush=True)
        while True:
            await desk.settle()
            busy = desk.dispatcher.busy()
            open = [task for task in range(TASKS) if not bench.count(task)]
            if not open and not busy:
                return
            for task in open:
                if str(task) not in {key for _, key in busy}:
                    await desk.send(task)
            await asyncio.sleep(0.05)

asyncio.run(work() if how == "work" else once())
"""
