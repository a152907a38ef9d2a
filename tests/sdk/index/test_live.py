"""Those who wait for new events are given them, and told what the chain has abandoned."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, cast

import pytest
from web3 import AsyncWeb3

from bulkhead.chain import Awaiting, AwaitingTransport, Verbs
from bulkhead.errors import IndexBusy
from bulkhead.index import Index, Rollback
from tests.sdk.index.conftest import Life
from tests.sdk.index.recording import Node

PAUSE = 0.001


class AsyncNode(Awaiting):
    """The same node, awaited."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.eth = self
        self.verbs = Verbs()
        self.transport = AwaitingTransport(cast(AsyncWeb3[Any], self))

    async def get_block(self, number: int | str) -> dict[str, Any]:
        await asyncio.sleep(0)
        return self.node.get_block(number)

    async def get_logs(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        await asyncio.sleep(0)
        return self.node.get_logs(wanted)


async def take(stream: AsyncIterator[Any], count: int) -> list[Any]:
    found: list[Any] = []
    while len(found) < count:
        found.append(await asyncio.wait_for(anext(stream), 20))
    return found


def test_awaited_it_is_the_same(life: Life, location: str) -> None:
    async def run() -> None:
        with Index(location, life.deployment) as index:
            progress = await index.catch_up(AsyncNode(life.node()))
            assert progress.events == len(life.events())
            assert list(index.events()) == life.events()

    asyncio.run(run())


def test_new_events_come_as_the_chain_grows(life: Life, location: str) -> None:
    async def run() -> None:
        node = life.node().until(40)
        everything = life.events()
        with Index(location, life.deployment) as index:
            stream = index.aevents(reader=AsyncNode(node), poll=PAUSE)
            early = len(life.events(node))
            assert await take(stream, early) == everything[:early]
            waiting = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(20 * PAUSE)
            assert not waiting.done()
            node.until(len(node.timestamps))
            rest = [await waiting, *await take(stream, len(everything) - early - 1)]
            assert rest == everything[early:]
            await stream.aclose()

    asyncio.run(run())


def test_a_reorg_is_told_before_what_happened_instead(life: Life, location: str) -> None:
    async def run() -> None:
        node = life.node()
        middle = node.head // 2
        fork = node.fork(middle - 6)
        reader = AsyncNode(node)
        with Index(location, life.deployment) as index:
            for head in range(middle - 9, middle + 1):
                index.catch_up(node.until(head))
            stream = index.aevents(reader=reader, poll=PAUSE)
            seen = await take(stream, len(life.events(node)))
            reader.node = fork
            told = await take(stream, 1)
            assert told == [Rollback(middle - 6)]
            kept = [event for event in seen if event.block <= told[0].block]
            rest = await take(stream, len(life.events(fork)) - len(kept))
            assert kept + rest == life.events(fork)
            await stream.aclose()

    asyncio.run(run())


def test_a_reader_of_what_stays_is_told_nothing(life: Life, location: str) -> None:
    async def run(index: Index) -> None:
        node = life.node()
        middle = node.head // 2
        for head in range(middle - 5, middle + 1):
            index.catch_up(node.until(head))
        stream = index.aevents("MarketListed", poll=PAUSE)
        names = [event.name for event in await take(stream, 3)]
        assert names == ["MarketListed"] * 3
        waiting = asyncio.ensure_future(anext(stream))
        index.catch_up(node.fork(middle - 3))
        await asyncio.sleep(50 * PAUSE)
        assert not waiting.done()
        waiting.cancel()

    with Index(location, life.deployment) as index:
        asyncio.run(run(index))


def test_another_process_s_events_come_too(life: Life, location: str) -> None:
    async def run() -> None:
        with Index(location, life.deployment) as writer, Index(location, life.deployment) as other:
            stream = other.aevents(first=10, poll=PAUSE)
            waiting = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(5 * PAUSE)
            await asyncio.to_thread(writer.catch_up, life.node())
            expected = [event for event in life.events() if event.block >= 10]
            first = await asyncio.wait_for(waiting, 20)
            assert [first, *await take(stream, len(expected) - 1)] == expected
            await stream.aclose()

    asyncio.run(run())


def test_two_tasks_do_not_catch_up_at_once(life: Life, location: str) -> None:
    async def run() -> None:
        reader = AsyncNode(life.node())
        with Index(location, life.deployment) as index:
            results = await asyncio.gather(
                index.catch_up(reader), index.catch_up(reader), return_exceptions=True
            )
            assert [type(one) for one in results].count(IndexBusy) == 1
            assert list(index.events()) == life.events()

    asyncio.run(run())


def test_a_cancelled_task_leaves_the_index_usable(life: Life, location: str) -> None:
    async def run(index: Index) -> None:
        reader = AsyncNode(life.node())
        for steps in range(1, 25, 3):
            task = asyncio.ensure_future(index.catch_up(reader))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        while index.block < reader.node.head:
            with suppress(IndexBusy):  # what was cancelled may have gone on to its commit
                await index.catch_up(reader)
        assert list(index.events()) == life.events()

    with Index(location, life.deployment, depth=5) as index:
        asyncio.run(run(index))


def test_following_says_each_time_how_far_it_is(life: Life, location: str) -> None:
    node = life.node().until(30)
    with Index(location, life.deployment) as index:
        blocks = []
        for progress in index.follow(node, poll=0):
            blocks.append(progress.block)
            node.until(node.head + 5)
            if len(blocks) == 4:
                break
        assert blocks == [30, 35, 40, 45]


def test_events_do_not_change_while_they_are_read(life: Life, location: str) -> None:
    node = life.node()
    with Index(location, life.deployment) as writer, Index(location, life.deployment) as reader:
        writer.catch_up(node)
        events = reader.events()
        seen = [next(events)]
        fork = node.fork(20)
        writer.catch_up(fork)
        assert [*seen, *events] == life.events(node)
        assert list(reader.events()) == life.events(fork)
