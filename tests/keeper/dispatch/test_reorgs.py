"""What a reorg takes back is sent again, and done once."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from bulkhead.keeper import FlightState, Settled
from tests.keeper.dispatch.desk import POLICY, Bench, intent, key

pytestmark = pytest.mark.anvil


def by_nonce(settled: Iterable[Settled]) -> list[Settled]:
    return sorted(settled, key=lambda one: one.nonce)


@pytest.mark.parametrize("is_index_told", [True, False])
def test_what_three_blocks_took_with_them_is_sent_again_once(
    bench: Bench, path: Path, is_index_told: bool
) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            bench.mine(3)
            assert await desk.send(1)
            assert await desk.send(2)
            bench.mine(3)
            first = by_nonce(await desk.settle())
            assert {one.state for one in first} == {FlightState.MINED}
            bench.anvil.rpc("anvil_reorg", 3, [])
            assert bench.count(1) == 0
            if is_index_told:
                assert await desk.settle() == ()
            else:
                assert await desk.dispatcher.settle(await desk.chain.block()) == ()
            assert desk.dispatcher.busy() == {intent(1), intent(2)}
            assert bench.pool() == 2
            assert await desk.settle() == ()
            assert bench.pool() == 2
            bench.mine()
            again = by_nonce(await desk.settle())
            assert [one.hashes for one in again] == [one.hashes for one in first]
            assert {one.state for one in again} == {FlightState.MINED}
        assert [bench.count(task) for task in (1, 2)] == [1, 1]
        assert bench.nonce(key(0).address) == 2

    asyncio.run(run())


def test_what_was_mined_elsewhere_after_a_reorg_is_settled_there(bench: Bench, path: Path) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            assert await desk.send(1)
            bench.mine(3)
            (first,) = await desk.settle()
            raw = bench.anvil.rpc("eth_getRawTransactionByHash", first.transaction)
            bench.anvil.rpc("anvil_reorg", 3, [[raw, 2]])
            (again,) = await desk.settle()
            assert again.transaction == first.transaction
            assert again.block == first.block + 2
            bench.mine()
            assert await desk.settle() == ()
        assert bench.count(1) == 1

    asyncio.run(run())


def test_what_was_taken_back_waits_anew_before_it_is_replaced(bench: Bench, path: Path) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            assert await desk.send(1)
            bench.mine(3)
            await desk.settle()
            spike = 5 * bench.base_fee()
            bench.anvil.rpc("anvil_reorg", 3, [])
            await desk.settle()
            for _ in range(POLICY.patience_blocks):
                (flight,) = desk.journal.flights(key(0).address)
                assert len(flight.versions) == 1
                bench.mine_at(spike)
                await desk.settle()
            bench.mine_at(spike)
            (settled,) = await desk.settle()
            assert len(settled.hashes) == 2
            assert settled.state is FlightState.MINED
        assert bench.count(1) == 1

    asyncio.run(run())


def test_what_is_final_is_not_looked_at_again(bench: Bench, path: Path) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            assert await desk.send(1)
            bench.mine()
            await desk.settle()
            block = (await desk.chain.block()).number
            bench.mine(POLICY.confirmations - 1)
            assert len(desk.journal.mined_since(block - 1)) == 1
            asked: list[int | None] = []
            get_block = desk.chain.block

            async def asking(number: int | None = None) -> object:
                asked.append(number)
                return await get_block(number)

            desk.chain.block = asking  # type: ignore[assignment]
            at = await get_block()
            await desk.dispatcher.settle(at)
            assert asked == [block]
            bench.mine()
            asked.clear()
            await desk.dispatcher.settle(await get_block())
            assert asked == []

    asyncio.run(run())


def test_a_nonce_that_a_reorg_gave_to_another_is_given_up(bench: Bench, path: Path) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            assert await desk.send(1)
            bench.mine(3)
            await desk.settle()
            bench.anvil.rpc("anvil_reorg", 3, [])
            bench.steal(key(0), nonce=0)
            bench.mine()
            (settled,) = await desk.settle()
            assert settled.state is FlightState.DROPPED
            assert await desk.send(1)
            bench.mine()
            await desk.settle()
        assert bench.count(1) == bench.count(999) == 1

    asyncio.run(run())


def test_what_was_dropped_and_is_mined_after_all_is_told(bench: Bench, path: Path) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            assert await desk.send(1)
            (flight,) = desk.journal.flights(key(0).address)
            bench.steal(key(0), nonce=0)
            bench.mine()
            (dropped,) = await desk.settle()
            assert dropped.state is FlightState.DROPPED
            bench.anvil.rpc("anvil_reorg", 1, [["0x" + flight.last.raw.hex(), 0]])
            (mined,) = await desk.settle()
            assert mined.state is FlightState.MINED
            assert mined.hashes == dropped.hashes
            assert mined.cost > 0
            bench.mine()
            assert await desk.settle() == ()
        assert bench.count(1) == 1

    asyncio.run(run())


def test_a_journal_that_was_cut_in_half_is_built_again_and_nothing_is_done_twice(
    bench: Bench, path: Path
) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            assert await desk.send(1)
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size // 2)
        async with bench.desk(path) as desk:
            assert await desk.dispatcher.recover() == 0
            assert desk.dispatcher.busy() == set()
            assert await desk.send(2)
            assert bench.pool() == 2
            bench.mine()
            (settled,) = await desk.settle()
            assert settled.nonce == 1
        assert [bench.count(task) for task in (1, 2)] == [1, 1]
        assert path.with_name("keeper.db.damaged-1").exists()

    asyncio.run(run())
