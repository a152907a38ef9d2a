"""What is sent is seen to its end, whatever becomes of it."""

import asyncio
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from web3 import AsyncHTTPProvider, AsyncWeb3

from bulkhead import errors
from bulkhead.chain import AsyncChain
from bulkhead.index import Index
from bulkhead.keeper import Dispatcher, FlightState, Journal, LaneState, SendingPolicy
from bulkhead.keeper.dispatch.lanes import Lane, kept
from tests.keeper.dispatch.desk import ETHER, POLICY, REVERTING, Bench, Desk, batch, intent, key

pytestmark = pytest.mark.anvil


def states(desk: Desk) -> list[LaneState]:
    return [lane.state for lane in desk.dispatcher.lanes]


def test_a_batch_is_mined_and_told_once(bench: Bench, path: Path) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            assert await desk.send(1, 2)
            assert desk.dispatcher.busy() == {intent(1), intent(2)}
            assert await desk.settle() == ()
            bench.mine()
            (settled,) = await desk.settle()
            assert settled.state is FlightState.MINED
            assert settled.signer == key(0).address
            assert settled.transaction in settled.hashes
            receipt = bench.anvil.rpc("eth_getTransactionReceipt", settled.transaction)
            price = int(receipt["effectiveGasPrice"], 16)
            assert settled.gas_used == int(receipt["gasUsed"], 16)
            assert settled.cost == settled.gas_used * price
            assert settled.block == int(receipt["blockNumber"], 16)
            # No event has said of either that it is done.
            assert set(settled.open_again) == {intent(1), intent(2)}
            assert desk.dispatcher.busy() == set()
            bench.mine()
            assert await desk.settle() == ()
        assert bench.count(1) == 1

    asyncio.run(run())


def test_what_is_mined_above_the_index_is_told_when_the_index_has_it(
    bench: Bench, path: Path
) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            below = await desk.chain.block()
            assert await desk.send(1)
            bench.mine()
            assert await desk.dispatcher.settle(below) == ()
            assert desk.dispatcher.busy() == {intent(1)}
            assert len(await desk.settle()) == 1

    asyncio.run(run())


def test_one_that_reverts_says_why_and_frees_its_tasks(bench: Bench, path: Path) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            at = await desk.chain.block()
            await desk.dispatcher.send(batch(1, to=REVERTING), at)
            bench.mine()
            (settled,) = await desk.settle()
            assert settled.state is FlightState.FAILED
            assert settled.failed == (intent(1),)
            assert "reverted" in settled.reason
            assert settled.cost > 0
            assert await desk.send(1)

    asyncio.run(run())


def test_nothing_is_sent_twice_for_a_task(bench: Bench, path: Path) -> None:
    async def run() -> None:
        async with bench.desk(path, [key(0), key(1)]) as desk:
            both = await asyncio.gather(desk.send(1), desk.send(1), return_exceptions=True)
            (refused,) = (one for one in both if isinstance(one, BaseException))
            assert isinstance(refused, ValueError)
            assert bench.pool() == 1

    asyncio.run(run())


def test_a_lane_takes_only_as_many_as_it_may(bench: Bench, path: Path) -> None:
    async def run() -> None:
        policy = SendingPolicy(max_fee=POLICY.max_fee, in_flight=2)
        async with bench.desk(path, [key(0), key(1)], policy) as desk:
            assert desk.dispatcher.free == 4
            assert all(await asyncio.gather(*(desk.send(task) for task in range(4))))
            assert desk.dispatcher.free == 0
            assert states(desk) == [LaneState.FULL, LaneState.FULL]
            assert not await desk.send(5)
            bench.mine()
            assert len(await desk.settle()) == 4
            assert desk.dispatcher.free == 4
        assert [bench.nonce(key(one).address) for one in (0, 1)] == [2, 2]

    asyncio.run(run())


def test_what_no_node_takes_is_dropped_and_told(bench: Bench, path: Path) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            greedy = replace(batch(1), gas=10**8)
            with pytest.raises(errors.Rejected):
                await desk.dispatcher.send(greedy, await desk.chain.block())
            assert desk.dispatcher.busy() == set()
            (settled,) = await desk.settle()
            assert settled.state is FlightState.DROPPED
            assert settled.open_again == (intent(1),)
            assert await desk.send(1)
            bench.mine()
        assert bench.count(1) == 1

    asyncio.run(run())


def test_a_signer_without_money_stops_and_the_others_go_on(bench: Bench, path: Path) -> None:
    async def run() -> None:
        poor = key(0)
        bench.set_balance(poor.address, 10_000)
        async with bench.desk(path, [poor, key(1)]) as desk:
            assert await desk.send(1)
            assert await desk.send(2)
            bench.mine()
            assert states(desk) == [LaneState.UNFUNDED, LaneState.READY]
            assert LaneState.UNFUNDED.value == "insufficient funds"
            assert {one.state for one in await desk.settle()} == {FlightState.MINED}
            assert bench.nonce(poor.address) == 0
            assert states(desk) == [LaneState.UNFUNDED, LaneState.READY]

            bench.set_balance(poor.address, ETHER)
            bench.mine()
            await desk.settle()
            assert states(desk) == [LaneState.READY, LaneState.READY]
            assert all([await desk.send(task) for task in (3, 4)])
            bench.mine()
            assert bench.nonce(poor.address) > 0
        assert [bench.count(task) for task in (1, 2, 3, 4)] == [1, 1, 1, 1]

    asyncio.run(run())


def test_a_signer_that_runs_dry_on_the_way_frees_its_tasks(bench: Bench, path: Path) -> None:
    async def run() -> None:
        poor = key(0)
        async with bench.desk(path, [poor]) as desk:
            assert await desk.send(1)
            bench.set_balance(poor.address, 1)
            bench.anvil.rpc("anvil_dropAllTransactions")
            bench.mine()
            (settled,) = await desk.settle()
            assert settled.state is FlightState.DROPPED
            assert settled.open_again == (intent(1),)
            assert states(desk) == [LaneState.UNFUNDED]
            assert not await desk.send(1)
            bench.set_balance(poor.address, ETHER)
            bench.mine()
            await desk.settle()
            assert await desk.send(1)
            bench.mine()
        assert bench.count(1) == 1

    asyncio.run(run())


def test_two_dispatchers_with_two_keys_do_everything_once(bench: Bench, tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            bench.desk(tmp_path / "even.db", [key(0)]) as even,
            bench.desk(tmp_path / "odd.db", [key(1)]) as odd,
        ):

            async def work(desk: Desk, tasks: range) -> int:
                mined = 0
                for task in tasks:
                    while not await desk.send(task):
                        bench.mine()
                        mined += len(await desk.settle())
                while desk.dispatcher.busy():
                    bench.mine()
                    mined += len(await desk.settle())
                return mined

            mined = await asyncio.gather(work(even, range(0, 20, 2)), work(odd, range(1, 20, 2)))
            assert tuple(mined) == (10, 10)
        assert [bench.count(task) for task in range(20)] == [1] * 20

    asyncio.run(run())


def test_two_processes_never_share_a_journal(bench: Bench, path: Path) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            assert await desk.send(1)
            other = Journal()
            with Index(path, bench.deployment, companions=[other]):
                dispatcher = Dispatcher(desk.chain, other, [key(1)], POLICY)
                with pytest.raises(errors.IndexBusy):
                    await dispatcher.recover()
                with pytest.raises(errors.IndexBusy):
                    await dispatcher.send(batch(2), await desk.chain.block())
        assert bench.nonce(key(1).address) == 0

    asyncio.run(run())


def test_a_chain_of_another_id_is_sent_nothing(bench: Bench, path: Path) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            bench.anvil.rpc("anvil_setChainId", 4)
            other = AsyncWeb3(AsyncHTTPProvider(bench.anvil.url))
            dispatcher = Dispatcher(AsyncChain(other), desk.journal, [key(0)], POLICY)
            with pytest.raises(errors.DeploymentError, match="of chain 4"):
                await dispatcher.recover()
            with pytest.raises(errors.Rejected):
                await dispatcher.send(batch(1), await desk.chain.block())
            await other.provider.disconnect()
        assert bench.nonce(key(0).address) == 0

    asyncio.run(run())


def test_closing_ends_in_time_though_the_node_is_silent(bench: Bench, path: Path) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            silence = asyncio.Event()

            async def broadcast(raw: bytes) -> str:
                silence.set()
                await asyncio.sleep(60)
                return ""

            desk.chain.broadcast = broadcast
            sending = asyncio.ensure_future(desk.send(1))
            await silence.wait()
            began = time.monotonic()
            await desk.dispatcher.close()
            assert time.monotonic() - began < 5
            assert not await desk.send(2)
            sending.cancel()
            assert desk.dispatcher.busy() == {intent(1)}
        async with bench.desk(path) as desk:
            assert await desk.dispatcher.recover() == 1
            bench.mine()
            assert len(await desk.settle()) == 1
        assert bench.count(1) == 1

    asyncio.run(run())


@pytest.mark.parametrize("has_arrived", [True, False])
def test_what_may_or_may_not_have_arrived_is_done_once(
    bench: Bench, path: Path, has_arrived: bool
) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            broadcast = desk.chain.broadcast

            async def cut_off(raw: bytes) -> str:
                if has_arrived:
                    await broadcast(raw)
                raise errors.Unreachable("the line is dead")

            desk.chain.broadcast = cut_off
            assert await desk.send(1)
            assert desk.dispatcher.busy() == {intent(1)}
            desk.chain.broadcast = broadcast
            assert await desk.send(2)
            assert await desk.settle() == ()
            bench.mine()
            settled = await desk.settle()
            assert {(one.nonce, one.state) for one in settled} == {
                (0, FlightState.MINED),
                (1, FlightState.MINED),
            }
        assert [bench.count(task) for task in (1, 2)] == [1, 1]

    asyncio.run(run())


def test_a_signer_that_fails_leaves_nothing_behind(bench: Bench, path: Path) -> None:
    class Locked:
        address = key(0).address

        def sign_transaction(self, fields: dict[str, Any]) -> Any:
            raise OSError("the device is locked")

    async def run() -> None:
        async with bench.desk(path, [Locked()]) as desk:  # type: ignore[list-item]
            with pytest.raises(OSError, match="locked"):
                await desk.send(1)
            assert desk.dispatcher.busy() == set()
            assert states(desk) == [LaneState.READY]
            assert desk.dispatcher.free == POLICY.in_flight

    asyncio.run(run())


@pytest.mark.parametrize("keys", [[], [key(0), key(0)]])
def test_signers_are_there_and_each_once(keys: list[Any]) -> None:
    with pytest.raises(ValueError, match="signers"):
        Dispatcher(None, Journal(), keys, POLICY)  # type: ignore[arg-type]


def test_what_is_being_written_is_written_before_a_cancelled_task_ends() -> None:
    async def run() -> None:
        begun, ended = threading.Event(), threading.Event()

        def write() -> None:
            begun.set()
            time.sleep(0.2)
            ended.set()

        writing = asyncio.ensure_future(kept(write))
        await asyncio.to_thread(begun.wait)
        writing.cancel()
        await asyncio.wait([writing])
        assert writing.cancelled()
        assert ended.is_set()

    asyncio.run(run())


def test_a_cancelled_task_leaves_nothing_half_written(bench: Bench, path: Path) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            for pause in range(12):
                sending = asyncio.ensure_future(desk.send(pause))
                await asyncio.sleep(pause / 500)
                sending.cancel()
                await asyncio.wait([sending])
            await desk.dispatcher.recover()
            bench.mine()
            await desk.settle()
            assert desk.dispatcher.busy() == set()
            lane: Lane = desk.dispatcher.lanes[0]
            assert lane.flying == lane.claimed == 0
        counts = [bench.count(task) for task in range(12)]
        assert max(counts) <= 1
        assert sum(counts) == bench.nonce(key(0).address)

    asyncio.run(run())
