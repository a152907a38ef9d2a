"""What is stuck is replaced for more, up to the cap, then cancelled; later work goes on."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bulkhead.keeper import FlightState, LaneState, SendingPolicy, Settled
from tests.keeper.dispatch.desk import GWEI, POLICY, Bench, Desk, batch, intent, key, work

pytestmark = pytest.mark.anvil

RECEIVER = "0x" + "33" * 20


def hashes_of(desk: Desk) -> int:
    (flight,) = desk.journal.flights(key(0).address)
    return len(flight.versions)


def state(desk: Desk) -> LaneState:
    (lane,) = desk.dispatcher.lanes
    return lane.state


async def blocks(bench: Bench, desk: Desk, count: int, base_fee: int) -> list[Settled]:
    """Some blocks, all of one price, each with what the engine does."""
    settled: list[Settled] = []
    for _ in range(count):
        bench.mine_at(base_fee)
        settled += await desk.settle()
    return settled


def test_a_base_fee_five_times_higher_is_outbid(bench: Bench, path: Path) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            assert await desk.send(1)
            spike = 5 * bench.base_fee()
            (settled,) = await blocks(bench, desk, POLICY.patience_blocks + 1, spike)
            assert settled.state is FlightState.MINED
            assert len(settled.hashes) == 2
            assert settled.transaction == settled.hashes[-1]
        assert bench.count(1) == 1
        assert bench.nonce(key(0).address) == 1

    asyncio.run(run())


def test_what_takes_its_place_carries_the_same_wei(bench: Bench, path: Path) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            call = replace(work(1, to=RECEIVER), value=7)
            at = await desk.chain.block()
            assert await desk.dispatcher.send(replace(batch(1), call=call), at)
            (flight,) = desk.journal.flights(key(0).address)
            assert flight.reserve == flight.gas * flight.last.fees.most + 7
            spike = 5 * bench.base_fee()
            (settled,) = await blocks(bench, desk, POLICY.patience_blocks + 1, spike)
            assert len(settled.hashes) == 2
            assert settled.transaction == settled.hashes[-1]
            assert await desk.chain.balance(RECEIVER) == 7

    asyncio.run(run())


def test_at_the_cap_it_is_cancelled_and_later_work_goes_on(bench: Bench, path: Path) -> None:
    async def run() -> None:
        base = bench.base_fee()
        # Work may pay up to four times the base fee, what cancels it up to six times.
        policy = SendingPolicy(max_fee=6 * base, bump=50, patience_blocks=2, confirmations=20)
        assert policy.work_fee < 5 * base
        async with bench.desk(path, policy=policy) as desk:
            assert await desk.send(1)
            assert await desk.send(2)
            settled = await blocks(bench, desk, 9, 5 * base)
            first, second = sorted(settled, key=lambda one: one.nonce)
            assert first.state is second.state is FlightState.CANCELLED
            assert first.open_again == (intent(1),)
            assert first.reason
            assert first.cost > 0
            assert [bench.count(task) for task in (1, 2)] == [0, 0]
            assert bench.nonce(key(0).address) == 2
            for settle in settled:
                sent = bench.anvil.rpc("eth_getTransactionByHash", settle.transaction)
                assert int(sent["maxFeePerGas"], 16) <= policy.max_fee

            # Nothing more is sent while it could not be mined.
            assert not await desk.send(1)
            assert state(desk) is LaneState.PRICED_OUT
            await blocks(bench, desk, 1, base)
            assert state(desk) is LaneState.READY
            assert await desk.send(1)
            (mined,) = await blocks(bench, desk, 1, base)
            assert mined.state is FlightState.MINED
        assert bench.count(1) == 1

    asyncio.run(run())


def test_beyond_the_cap_nothing_more_is_offered_and_it_goes_on_later(
    bench: Bench, path: Path
) -> None:
    async def run() -> None:
        base = bench.base_fee()
        policy = SendingPolicy(max_fee=4 * base, patience_blocks=1, confirmations=20)
        async with bench.desk(path, policy=policy) as desk:
            assert await desk.send(1)
            assert await blocks(bench, desk, 4, 20 * base) == []
            count = hashes_of(desk)
            assert await blocks(bench, desk, 4, 20 * base) == []
            assert hashes_of(desk) == count
            (flight,) = desk.journal.flights(key(0).address)
            assert flight.last.is_cancel
            assert flight.last.fees.most <= policy.max_fee
            (settled,) = await blocks(bench, desk, 2, base)
            assert settled.state is FlightState.CANCELLED
            assert await desk.send(1)
            (settled,) = await blocks(bench, desk, 1, base)
        assert bench.count(1) == 1

    asyncio.run(run())


def test_what_waits_less_than_the_patience_is_left_alone(bench: Bench, path: Path) -> None:
    async def run() -> None:
        policy = SendingPolicy(max_fee=200 * GWEI, patience_blocks=5)
        async with bench.desk(path, policy=policy) as desk:
            assert await desk.send(1)
            spike = 5 * bench.base_fee()
            await blocks(bench, desk, 4, spike)
            assert hashes_of(desk) == 1
            await blocks(bench, desk, 1, spike)
            assert hashes_of(desk) == 2

    asyncio.run(run())
