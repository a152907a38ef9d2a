"""On a real exchange: what its events say of tasks, races, and reorgs."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bulkhead import OrderHandle, OrderKind
from bulkhead.chain import Chain
from bulkhead.keeper import Batch, FlightState, Job, Task
from bulkhead.keeper.dispatch.intents import order_key
from tests.helpers.anvil import Anvil
from tests.keeper.dispatch.desk import GWEI, MNEMONIC, Bench, Desk, key
from tests.sdk.world import World, build_world, refreshed

pytestmark = pytest.mark.anvil

BTC = "BTC-PERP"
GAS = 2_000_000
US, RIVAL = key(8), key(9)


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with Anvil("--mnemonic", MNEMONIC) as running:
        yield running


@pytest.fixture(scope="module")
def built(anvil: Anvil) -> World:
    world = build_world(anvil.connect())
    world.trader()
    return world


@pytest.fixture
def world(built: World, anvil: Anvil) -> Iterator[World]:
    yield refreshed(built)
    anvil.rpc("evm_setAutomine", True)
    anvil.rpc("evm_mine")


@asynccontextmanager
async def opened(world: World, anvil: Anvil, path: Path) -> AsyncIterator[Desk]:
    async with Bench(anvil, world.reader.deployment).desk(path, [US]) as desk:
        yield desk


def placed(world: World, count: int, price: int | None = None) -> list[OrderHandle]:
    """Orders that a price of now fills, unless they want another."""
    wanted = 200_000 if price is None else price
    handles = [
        world.wallet.place(BTC, "0.01", is_buy=True, kind=OrderKind.LIMIT, acceptable_price=wanted)
        for _ in range(count)
    ]
    world.move_price(BTC, world.reader.price(BTC))
    return handles


def execution(world: World, handles: Sequence[OrderHandle]) -> Batch:
    orders = [one.order.to_tuple() for one in handles]
    call = world.reader.contracts.order_book.call("execute_orders", orders)
    tasks = tuple(
        Task(
            Job.EXECUTE_ORDERS, order_key(one.placed.hash), "", 0, (0,), "execute_orders", None, GAS
        )
        for one in handles
    )
    return Batch(Job.EXECUTE_ORDERS, tasks, call, GAS * len(tasks))


def executions(world: World, handle: OrderHandle) -> int:
    """How often the chain as it is has executed an order."""
    return sum(
        event.name == "OrderExecuted" and event["order_hash"] == handle.placed.hash
        for event in world.reader.events()
    )


def test_what_it_executed_is_done_and_what_it_skipped_is_open(
    world: World, anvil: Anvil, tmp_path: Path
) -> None:
    async def run() -> None:
        async with opened(world, anvil, tmp_path / "keeper.db") as desk:
            batch = execution(world, [ready, early])
            await desk.dispatcher.send(batch, await desk.chain.block())
            anvil.rpc("evm_mine")
            (settled,) = await desk.settle()
            assert settled.state is FlightState.MINED
            assert settled.done == (batch.tasks[0].intent,)
            assert settled.open_again == (batch.tasks[1].intent,)
            assert desk.dispatcher.busy() == set()

    (early,), (ready,) = placed(world, 1, 1_000), placed(world, 1)
    anvil.rpc("evm_setAutomine", False)
    asyncio.run(run())


def test_a_race_that_somebody_else_wins_is_lost(world: World, anvil: Anvil, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(world, anvil, tmp_path / "keeper.db") as desk:
            batch = execution(world, [handle])
            await desk.dispatcher.send(batch, await desk.chain.block())
            bench = Bench(anvil, world.reader.deployment)
            bench.steal(RIVAL, bench.nonce(RIVAL.address), call=batch.call, gas=GAS)
            anvil.rpc("evm_mine")
            (settled,) = await desk.settle()
            assert settled.lost == (batch.tasks[0].intent,)
            assert settled.done == settled.open_again == ()
            assert settled.cost > 0
            anvil.rpc("evm_mine")
            assert await desk.settle() == ()

    (handle,) = placed(world, 1)
    anvil.rpc("evm_setAutomine", False)
    asyncio.run(run())
    assert executions(world, handle) == 1


def test_stuck_work_that_somebody_else_has_done_is_given_up(
    world: World, anvil: Anvil, tmp_path: Path
) -> None:
    async def run() -> None:
        bench = Bench(anvil, world.reader.deployment)
        async with opened(world, anvil, tmp_path / "keeper.db") as desk:
            batch = execution(world, [handle])
            await desk.dispatcher.send(batch, await desk.chain.block())
            anvil.rpc("anvil_setNextBlockBaseFeePerGas", hex(50 * GWEI))
            bench.steal(RIVAL, bench.nonce(RIVAL.address), call=batch.call, gas=GAS)
            anvil.rpc("evm_mine")
            (settled,) = await desk.settle()
            # The node has thrown it out, and there is nothing to send it again for.
            assert settled.state is FlightState.DROPPED
            assert settled.lost == (batch.tasks[0].intent,)
            assert bench.pool() == 0
            assert desk.dispatcher.busy() == set()

    (handle,) = placed(world, 1)
    anvil.rpc("evm_setAutomine", False)
    asyncio.run(run())
    assert executions(world, handle) == 1


def test_an_execution_that_three_blocks_took_with_them_happens_again_once(
    world: World, anvil: Anvil, tmp_path: Path
) -> None:
    async def run() -> None:
        async with opened(world, anvil, tmp_path / "keeper.db") as desk:
            batch = execution(world, handles)
            intents = {task.intent for task in batch.tasks}
            await desk.dispatcher.send(batch, await desk.chain.block())
            for _ in range(3):
                anvil.rpc("evm_mine")
            (first,) = await desk.settle()
            assert set(first.done) == intents
            assert [executions(world, one) for one in handles] == [1, 1]

            anvil.rpc("anvil_reorg", 3, [])
            assert [executions(world, one) for one in handles] == [0, 0]
            assert await desk.settle() == ()
            assert desk.dispatcher.busy() == intents
            anvil.rpc("evm_mine")
            (again,) = await desk.settle()
            assert set(again.done) == intents
            assert again.hashes == first.hashes
            told = [event["order_hash"] for event in desk.index.events("OrderExecuted")]
            assert [told.count(one.placed.hash) for one in handles] == [1, 1]
            assert desk.dispatcher.busy() == set()

    handles = placed(world, 2)
    anvil.rpc("evm_setAutomine", False)
    asyncio.run(run())
    assert [executions(world, one) for one in handles] == [1, 1]
    assert Chain(world.w3).nonce(US.address) > 0
