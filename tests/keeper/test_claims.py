"""What keepers tell each other, on a real Redis server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bulkhead.keeper.assembly import open_keeper
from bulkhead.keeper.batching import Shard
from bulkhead.keeper.claims import CLAIM_BLOCKS, KEPT_BLOCKS, RedisClaims
from bulkhead.keeper.work import Intent, Job
from bulkhead.local.chains import rpc
from tests.helpers.redis_server import redis_server
from tests.keeper.stage import Stage, staged

ONE: Intent = (Job.EXECUTE_ORDERS, "0x01")
TWO: Intent = (Job.UPDATE_PRICES, "update 3")
AT = 100


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as address:
        yield address


@asynccontextmanager
async def connected(server: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(f"redis://{server}/0") as redis:
        await redis.flushall()
        yield redis


def between(server: str, story: Callable[[RedisClaims, RedisClaims], Awaitable[None]]) -> None:
    """Tells a story of two keepers."""

    async def told() -> None:
        async with connected(server) as redis:
            await story(RedisClaims(redis, "q", "alice"), RedisClaims(redis, "q", "bob"))

    asyncio.run(told())


def test_what_one_has_claimed_is_nobody_else_s(server: str) -> None:
    async def story(alice: RedisClaims, bob: RedisClaims) -> None:
        assert await alice.take([ONE], AT)
        assert await bob.of_others(AT) == {ONE}
        assert await alice.of_others(AT) == set()
        assert not await bob.take([ONE], AT)
        assert await alice.take([ONE], AT)  # after it was started again

    between(server, story)


def test_all_are_claimed_or_none(server: str) -> None:
    async def story(alice: RedisClaims, bob: RedisClaims) -> None:
        assert await alice.take([TWO], AT)
        assert not await bob.take([ONE, TWO], AT)
        assert await alice.of_others(AT) == set()

    between(server, story)


def test_what_a_dead_keeper_had_claimed_is_free_some_blocks_later(server: str) -> None:
    async def story(alice: RedisClaims, bob: RedisClaims) -> None:
        await alice.take([ONE], AT)
        assert not await bob.take([ONE], AT + CLAIM_BLOCKS)
        assert await bob.of_others(AT + CLAIM_BLOCKS + 1) == set()
        assert await bob.take([ONE], AT + CLAIM_BLOCKS + 1)

    between(server, story)


def test_a_claim_lasts_as_long_as_what_was_sent_is_on_its_way(server: str) -> None:
    async def story(alice: RedisClaims, bob: RedisClaims) -> None:
        await alice.take([ONE], AT)
        await alice.keep({ONE}, AT + CLAIM_BLOCKS)
        assert not await bob.take([ONE], AT + 2 * CLAIM_BLOCKS)

    between(server, story)


def test_what_is_done_is_not_claimed_by_who_still_sees_it_undone(server: str) -> None:
    async def story(alice: RedisClaims, bob: RedisClaims) -> None:
        await alice.take([ONE], AT)
        await alice.keep(set(), AT + 1)
        assert await bob.of_others(AT) == {ONE}
        assert not await bob.take([ONE], AT)
        assert await bob.take([ONE], AT + 1)

    between(server, story)


def test_a_keeper_that_comes_back_does_not_take_over_what_others_have_taken(server: str) -> None:
    async def story(alice: RedisClaims, bob: RedisClaims) -> None:
        await alice.take([ONE], AT)
        later = AT + CLAIM_BLOCKS + 1
        await bob.take([ONE], later)
        await alice.keep({ONE}, later)
        assert await bob.of_others(later) == set()
        assert await alice.of_others(later) == {ONE}

    between(server, story)


def test_a_server_that_forgot_everything_is_told_again(server: str) -> None:
    async def story(alice: RedisClaims, bob: RedisClaims) -> None:
        await alice.keep({ONE}, AT)
        assert await bob.of_others(AT) == {ONE}

    between(server, story)


def test_old_claims_are_dropped(server: str) -> None:
    async def story() -> int:
        async with connected(server) as redis:
            alice = RedisClaims(redis, "q", "alice")
            await alice.take([ONE], AT)
            await alice.keep({TWO}, AT + CLAIM_BLOCKS + KEPT_BLOCKS + 1)
            return await redis.hlen("q:claims")

    assert asyncio.run(story()) == 1


@pytest.mark.anvil
def test_two_keepers_of_one_exchange_never_send_the_same(server: str, tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        for trader in stage.traders:
            trader.place("BTC-PERP", "0.1", is_buy=True)
        stage.world.refresh_prices()
        rpc(stage.world.reader.chain.w3, "evm_setAutomine", False)
        asyncio.run(share(stage, server))


async def share(stage: Stage, server: str) -> None:
    alice, bob = (stage.settings(name, signers=[{"local": name}]) for name in ("alice", "bob"))
    half = Shard(1, 2)
    async with (
        connected(server) as redis,
        open_keeper(alice, RedisClaims(redis, "q", "alice")) as hers,
        open_keeper(bob, RedisClaims(redis, "q", "bob")) as his,
    ):
        (first,) = (await hers.engine.once(half)).sent
        assert all(half.has(task) for task in first.tasks)
        (second,) = (await his.engine.once()).sent
        assert not any(half.has(task) for task in second.tasks)
        assert len(first.tasks) + len(second.tasks) == len(stage.traders)
        assert (await hers.engine.once()).sent == ()
