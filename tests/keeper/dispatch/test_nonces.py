"""Another process with the same key takes nonces: a lane finds its place again in two blocks."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bulkhead.keeper import FlightState
from tests.keeper.dispatch.desk import GWEI, POLICY, Bench, batch, intent, key

pytestmark = pytest.mark.anvil

THIEF = key(0)


def test_a_nonce_stolen_from_the_pool_is_given_up_in_two_blocks(bench: Bench, path: Path) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            assert await desk.send(1)
            bench.steal(THIEF, nonce=0)
            bench.mine()
            (settled,) = await desk.settle()
            assert settled.state is FlightState.DROPPED
            assert settled.open_again == (intent(1),)
            assert settled.transaction is None
            assert settled.cost == 0
            assert await desk.send(1)
            bench.mine()
            (settled,) = await desk.settle()
            assert settled.state is FlightState.MINED
        assert bench.count(1) == 1
        assert bench.count(999) == 1

    asyncio.run(run())


def test_only_the_stolen_one_of_several_is_sent_anew(bench: Bench, path: Path) -> None:
    async def run() -> None:
        async with bench.desk(path) as desk:
            for task in (1, 2, 3):
                assert await desk.send(task)
            bench.steal(THIEF, nonce=1)
            bench.mine()
            states = {one.nonce: one.state for one in await desk.settle()}
            assert states == {
                0: FlightState.MINED,
                1: FlightState.DROPPED,
                2: FlightState.MINED,
            }
            assert await desk.send(2)
            bench.mine()
            await desk.settle()
        assert [bench.count(task) for task in (1, 2, 3)] == [1, 1, 1]

    asyncio.run(run())


def test_a_nonce_taken_while_it_was_signed_is_left_to_the_other(bench: Bench, path: Path) -> None:
    class Late:
        """While it signs, the other process sends."""

        address = THIEF.address
        signed = 0

        def sign_transaction(self, fields: dict[str, Any]) -> Any:
            self.signed += 1
            if self.signed == 1:
                bench.steal(THIEF, nonce=fields["nonce"])
                bench.mine()
            return THIEF.sign_transaction(fields)

    async def run() -> None:
        signer = Late()
        async with bench.desk(path, [signer]) as desk:  # type: ignore[list-item]
            assert await desk.send(1)
            assert signer.signed == 2
            bench.mine()
            states = {one.nonce: one.state for one in await desk.settle()}
            assert states == {0: FlightState.DROPPED, 1: FlightState.MINED}
        assert bench.count(1) == bench.count(999) == 1

    asyncio.run(run())


def test_what_the_other_has_waiting_is_not_overbid(bench: Bench, path: Path) -> None:
    async def run() -> None:
        bench.steal(THIEF, nonce=0, fee=2 * GWEI)
        async with bench.desk(path) as desk:
            assert await desk.send(1)
            bench.mine()
            await desk.settle()
        assert bench.count(1) == bench.count(999) == 1

    asyncio.run(run())


def test_a_gap_that_the_other_left_is_filled(bench: Bench, path: Path) -> None:
    async def run() -> None:
        gone = bench.steal(THIEF, nonce=0)
        async with bench.desk(path) as desk:
            sent = await desk.dispatcher.send(batch(1), await desk.chain.block())
            assert sent is not None
            assert sent.nonce == 1
            bench.anvil.rpc("anvil_dropTransaction", gone)
            for _ in range(POLICY.patience_blocks + 1):
                bench.mine()
                await desk.settle()
            bench.mine()
            await desk.settle()
            assert desk.dispatcher.busy() == set()
        assert bench.count(1) == 1
        assert bench.nonce(THIEF.address) == 2

    asyncio.run(run())


def test_work_of_a_signer_that_is_gone_is_freed_for_others(bench: Bench, path: Path) -> None:
    async def run() -> None:
        async with bench.desk(path, [key(0)]) as desk:
            assert await desk.send(1)
        spike = 5 * bench.base_fee()
        async with bench.desk(path, [key(1)]) as desk:
            await desk.dispatcher.recover()
            settled: list[Any] = []
            for _ in range(POLICY.patience_blocks):
                bench.mine_at(spike)
                settled += await desk.settle()
            (dropped,) = settled
            assert dropped.state is FlightState.DROPPED
            assert dropped.signer == key(0).address
            assert await desk.send(1)

    asyncio.run(run())


def test_a_signer_that_is_gone_has_its_last_work_seen_to_its_end(bench: Bench, path: Path) -> None:
    async def run() -> None:
        async with bench.desk(path, [key(0)]) as desk:
            assert await desk.send(1)
        bench.anvil.rpc("anvil_dropAllTransactions")
        async with bench.desk(path, [key(1)]) as desk:
            assert await desk.dispatcher.recover() == 1
            bench.mine()
            (settled,) = await desk.settle()
            assert settled.state is FlightState.MINED
        assert bench.count(1) == 1

    asyncio.run(run())
