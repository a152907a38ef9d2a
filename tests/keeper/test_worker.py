"""A keeper in a process that hands it blocks."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bulkhead.keeper.worker import Worker
from bulkhead.local.chains import rpc
from tests.keeper.stage import Stage, staged

pytestmark = pytest.mark.anvil

FIGURES = {"head", "found", "sent", "done", "lost", "earned"}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as stage:
        for trader in stage.traders:
            trader.place("BTC-PERP", "0.1", is_buy=True)
        stage.world.refresh_prices()
        yield stage


def at_work(stage: Stage, story: Callable[[Worker, int], Awaitable[None]], **changes: Any) -> None:
    """Tells a story of a worker that is told of a block."""

    async def told() -> None:
        worker = Worker()
        await worker.open(stage.settings(**changes))
        try:
            await story(worker, stage.world.reader.block().number)
        finally:
            await worker.close()

    asyncio.run(told())


def test_tasks_at_the_same_time_are_done_one_after_the_other(stage: Stage) -> None:
    async def story(worker: Worker, head: int) -> None:
        rpc(stage.world.reader.chain.w3, "evm_setAutomine", False)
        found = await asyncio.gather(*(worker.turn(None, head) for _ in range(4)))
        assert [one["sent"] for one in found] == [len(stage.traders), 0, 0, 0]

    at_work(stage, story)


def test_what_a_pass_has_done_is_told_by_the_next(stage: Stage) -> None:
    async def story(worker: Worker, head: int) -> None:
        await worker.turn(None, head)
        found = await worker.turn(None, head + 1)
        assert set(found) == FIGURES
        assert (found["found"], found["done"]) == (0, len(stage.traders))
        assert found["earned"] > 0

    at_work(stage, story)


def test_blocks_before_the_last_pass_are_passed_over(stage: Stage) -> None:
    async def story(worker: Worker, head: int) -> None:
        assert await worker.turn(None, head)
        assert await worker.turn(None, head - 1) == {}
        assert await worker.turn(None, head)

    at_work(stage, story)


def test_it_is_opened_once(stage: Stage) -> None:
    async def story(worker: Worker, head: int) -> None:
        await worker.open(stage.settings())
        assert await worker.turn(None, head)

    at_work(stage, story)


@pytest.mark.slow
def test_a_node_that_does_not_answer_costs_a_pass(stage: Stage) -> None:
    async def story(worker: Worker, head: int) -> None:
        stage.anvil.close()
        assert await worker.turn(None, head) == {}

    at_work(stage, story, rpc={"timeout": "1"})


def test_nothing_is_done_after_it_was_closed(stage: Stage) -> None:
    async def story(worker: Worker, head: int) -> None:
        await worker.close()
        assert await worker.turn(None, head) == {}

    at_work(stage, story)
