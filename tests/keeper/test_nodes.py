"""A keeper whose node goes away and comes back."""

import asyncio
from pathlib import Path

import pytest

from bulkhead import OrderHandle, OrderState
from bulkhead.keeper.running import run
from bulkhead.keeper.watch.metrics import Metrics
from bulkhead.local import Anvil
from tests.keeper.stage import Stage, staged

pytestmark = pytest.mark.anvil

BTC_PERP = "BTC-PERP"


def test_a_node_that_is_restarted_is_followed_again(tmp_path: Path) -> None:
    state = str(tmp_path / "state.json")
    with staged(tmp_path, "--state", state, names=("alice",)) as stage:
        asyncio.run(restarted(stage, state))


async def restarted(stage: Stage, state: str) -> None:
    stop = asyncio.Event()
    keeper = asyncio.ensure_future(run(stage.settings(), stop=stop, metrics=Metrics()))
    first = await asyncio.to_thread(placed, stage)
    await until(first)
    port = int(stage.anvil.url.rpartition(":")[2])
    await asyncio.to_thread(stage.anvil.close)
    await asyncio.sleep(1)
    with await asyncio.to_thread(Anvil, "--state", state, port=port):
        second = await asyncio.to_thread(placed, stage)
        await until(second)
        stop.set()
        report = await keeper
    assert report.transactions == 2


def placed(stage: Stage) -> OrderHandle:
    handle = stage.traders[0].place(BTC_PERP, "0.1", is_buy=True)
    stage.refresh_prices()
    return handle


async def until(handle: OrderHandle) -> None:
    async with asyncio.timeout(30):
        while await asyncio.to_thread(handle.state) is not OrderState.EXECUTED:
            await asyncio.sleep(0.1)
