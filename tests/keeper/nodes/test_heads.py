"""The head never goes back, but with the chain."""

import asyncio
from dataclasses import replace

import pytest
from aiohttp.web import Response

from bulkhead.errors import Unreachable
from tests.helpers.anvil import Anvil
from tests.keeper.nodes import proxy as manners
from tests.keeper.nodes.conftest import QUICK, finish, proxied
from tests.keeper.nodes.proxy import stuck_at

IMPATIENT = replace(QUICK, deadline=1)


def height_of(node: Anvil) -> int:
    return int(node.rpc("eth_blockNumber"), 16)


def mine(node: Anvil, count: int = 1) -> int:
    node.rpc("anvil_mine", hex(count))
    return height_of(node)


@pytest.mark.anvil
def test_an_address_that_stopped_following_is_stale_and_not_asked_for_the_head(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            setting.proxies[0].manner = stuck_at(height_of(node))
            best = mine(node, 5)
            await setting.until("stale", "healthy")
            assert await setting.w3.eth.block_number == best
            assert (await setting.w3.eth.get_block("latest"))["number"] == best
            await setting.balance()
            assert "eth_getBalance" not in setting.proxies[0].methods()

    finish(story())


@pytest.mark.anvil
def test_an_address_that_fell_behind_comes_back_when_it_has_caught_up(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            setting.proxies[0].manner = stuck_at(height_of(node))
            mine(node, 5)
            await setting.until("stale", "healthy")
            setting.proxies[0].manner = manners.honest
            await setting.until("healthy", "healthy")

    finish(story())


@pytest.mark.anvil
def test_the_head_waits_where_only_addresses_are_left_that_are_behind(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node, policy=IMPATIENT) as setting:
            first, second = setting.proxies
            second.manner = stuck_at(height_of(node))
            best = mine(node)
            assert await setting.w3.eth.block_number == best
            await first.die()
            with pytest.raises(Unreachable, match=f"no address has block {best}"):
                _ = await setting.w3.eth.block_number
            with pytest.raises(Unreachable):
                await setting.balance()
            second.manner = manners.honest
            assert await setting.w3.eth.block_number == best

    finish(story())


@pytest.mark.anvil
def test_heads_that_come_back_lower_from_one_balancer_are_asked_for_again(node: Anvil) -> None:
    """One address with two nodes behind it, one of them a block behind."""

    async def story() -> None:
        async with proxied(node, 1) as setting:
            best = mine(node)
            turns = iter(range(10**6))

            async def balanced(proxy: manners.Proxy, asked: manners.Asked) -> Response:
                late = next(turns) % 2
                return await (stuck_at(best - 1) if late else manners.honest)(proxy, asked)

            assert await setting.w3.eth.block_number == best
            setting.proxies[0].manner = balanced
            heads = [await setting.w3.eth.block_number for _ in range(8)]
            assert heads == [best] * 8

    finish(story())


@pytest.mark.anvil
def test_logs_are_not_asked_of_an_address_that_lacks_their_last_block(node: Anvil) -> None:
    """It would answer with those that it has, as if there were no more."""

    async def story() -> None:
        async with proxied(node) as setting:
            first, second = setting.proxies
            best = mine(node)
            assert await setting.w3.eth.block_number == best
            first.manner = stuck_at(best)
            best = mine(node, 2)
            while setting.pool.health()[1].head != best:
                await asyncio.sleep(0.01)
            await setting.w3.eth.get_logs({"fromBlock": 0, "toBlock": best})
            assert "eth_getLogs" not in first.methods()
            assert "eth_getLogs" in second.methods()

    finish(story())


@pytest.mark.anvil
def test_an_older_block_is_asked_of_an_address_that_is_behind(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node, 1) as setting:
            best = mine(node)
            setting.proxies[0].manner = stuck_at(best - 1)
            assert await setting.balance(best - 3) == 0

    finish(story())


@pytest.mark.anvil
@pytest.mark.parametrize("count", [1, 2])
def test_a_reorg_of_the_chain_is_followed(count: int) -> None:
    async def story(node: Anvil) -> None:
        async with proxied(node, count) as setting:
            mine(node, 10)
            before = await setting.w3.eth.get_block("latest")
            node.rpc("anvil_reorg", 3, [])
            after = await setting.w3.eth.get_block("latest")
            assert after["number"] == before["number"]
            assert after["hash"] != before["hash"]

    with Anvil() as own:
        finish(story(own))


@pytest.mark.anvil
@pytest.mark.parametrize("count", [1, 2])
def test_a_reorg_to_a_lower_head_is_followed_at_once_when_all_show_it(count: int) -> None:
    async def story(node: Anvil) -> None:
        async with proxied(node, count) as setting:
            mine(node, 5)
            back_to = node.rpc("evm_snapshot")
            for _ in range(5):
                mine(node)
                await setting.w3.eth.get_block("latest")
            node.rpc("evm_revert", back_to)
            node.rpc("evm_increaseTime", 60)
            lower = mine(node, 2)
            assert await setting.w3.eth.block_number == lower

    with Anvil() as own:
        finish(story(own))


@pytest.mark.anvil
def test_a_reorg_that_one_address_does_not_show_is_not_followed_to_a_lower_head() -> None:
    async def story(node: Anvil) -> None:
        async with proxied(node, 2, policy=IMPATIENT) as setting:
            mine(node, 5)
            back_to = node.rpc("evm_snapshot")
            at_fork = height_of(node)
            for _ in range(5):
                mine(node)
                await setting.w3.eth.get_block("latest")
            seen = height_of(node)
            # The second is merely behind: it is on what was seen, before the fork.
            setting.proxies[1].manner = stuck_at(at_fork)
            node.rpc("evm_revert", back_to)
            node.rpc("evm_increaseTime", 60)
            mine(node, 2)
            with pytest.raises(Unreachable, match=f"block {seen}"):
                _ = await setting.w3.eth.block_number

    with Anvil() as own:
        finish(story(own))


@pytest.mark.anvil
@pytest.mark.parametrize("count", [1, 2])
def test_a_node_that_was_set_back_is_believed_after_a_while(count: int) -> None:
    async def story(node: Anvil) -> None:
        async with proxied(node, count, policy=replace(QUICK, patience=1)) as setting:
            mine(node, 5)
            back_to = node.rpc("evm_snapshot")
            lower = height_of(node)
            mine(node, 5)
            assert await setting.w3.eth.block_number == lower + 5
            node.rpc("evm_revert", back_to)
            assert await setting.w3.eth.block_number == lower
            assert await setting.balance() == 0

    with Anvil() as own:
        finish(story(own))


@pytest.mark.anvil
def test_a_head_that_nobody_else_reaches_does_not_stop_the_pool_for_good(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node, policy=replace(QUICK, patience=1)) as setting:
            first = setting.proxies[0]
            ahead = {**node.rpc("eth_getBlockByNumber", "latest", False), "number": hex(10**9)}
            first.manner = manners.answers_with({"eth_getBlockByNumber": ahead})
            assert await setting.w3.eth.block_number == 10**9
            await first.die()
            assert await setting.w3.eth.block_number == height_of(node)

    finish(story())
