"""An address of another chain is never used, nor one that nobody has looked at."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp.web import Response

from bulkhead.errors import Unreachable, WrongChain
from bulkhead.keeper import EndpointPool
from tests.helpers.anvil import Anvil
from tests.keeper.nodes import proxy as manners
from tests.keeper.nodes.conftest import QUICK, finish, proxied
from tests.keeper.nodes.proxy import from_genesis, on_chain, too_many

OTHER_GENESIS = "0x" + "ab" * 32
IDENTITY = {"eth_chainId", "eth_getBlockByNumber"}


@pytest.mark.anvil
@pytest.mark.parametrize(
    "manner", [on_chain(5), from_genesis(OTHER_GENESIS)], ids=["chain id", "genesis"]
)
@pytest.mark.parametrize("place", [0, 1])
def test_an_address_of_another_chain_refuses_to_start(
    node: Anvil, manner: manners.Manner, place: int
) -> None:
    genesis = node.rpc("eth_getBlockByNumber", "0x0", False)["hash"]

    async def story() -> None:
        async with proxied(node, start=False, chain_id=31337, genesis_hash=genesis) as setting:
            setting.proxies[place].manner = manner
            with pytest.raises(WrongChain, match="instead of chain 31337") as caught:
                await setting.pool.start()
            assert setting.proxies[place].url in str(caught.value)
            assert not caught.value.retryable
            for one in setting.proxies:
                assert set(one.methods()) <= IDENTITY

    finish(story())


@pytest.mark.anvil
def test_addresses_that_disagree_refuse_to_start_whatever_chain_is_meant(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node, start=False) as setting:
            setting.proxies[1].manner = on_chain(5)
            with pytest.raises(WrongChain):
                await setting.pool.start()

    finish(story())


@pytest.mark.anvil
def test_one_address_that_answers_is_enough_to_start(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node, start=False) as setting:
            await setting.proxies[0].die()
            await setting.pool.start()
            assert await setting.balance() == 0
            await setting.proxies[0].come()
            await setting.until("healthy", "healthy")

    finish(story())


@pytest.mark.anvil
def test_it_does_not_start_where_nobody_answers_and_can_be_started_later(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node, start=False) as setting:
            for one in setting.proxies:
                await one.die()
            with pytest.raises(Unreachable, match="no connection"):
                await setting.pool.start()
            for one in setting.proxies:
                await one.come()
            await setting.pool.start()
            assert await setting.w3.eth.chain_id == 31337

    finish(story())


@pytest.mark.anvil
def test_nothing_is_sent_to_an_address_before_it_has_said_which_chain_it_is_on(
    node: Anvil,
) -> None:
    async def story() -> None:
        async with proxied(node, start=False) as setting:
            first, second = setting.proxies
            second.manner = manners.only_for("eth_chainId", manners.refuses_service)
            await setting.pool.start()
            await asyncio.gather(*(setting.balance() for _ in range(5)))
            await asyncio.sleep(0.5)
            assert set(second.methods()) == {"eth_chainId"}
            # Even where nobody else is left.
            first.manner = manners.refuses_service
            waiting = asyncio.create_task(setting.balance())
            await asyncio.sleep(0.5)
            assert set(second.methods()) == {"eth_chainId"}
            second.manner = manners.honest
            assert await waiting == 0

    finish(story())


@pytest.mark.anvil
def test_the_chain_is_checked_again_after_every_rest(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            first = setting.proxies[0]
            for _ in range(2):
                first.manner = manners.only_for("eth_getBalance", manners.half)
                asked = len(first.asked)
                await setting.balance()
                first.manner = manners.honest
                await setting.until("healthy", "healthy")
                node.rpc("anvil_mine", "0x1")
                await asyncio.sleep(0.2)
                await setting.w3.eth.get_block("latest")
                later = first.methods()[asked:]
                assert later[later.index("eth_getBalance") + 1] == "eth_chainId"

    finish(story())


@pytest.mark.anvil
def test_an_address_that_comes_back_on_another_chain_is_out_for_good(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            first = setting.proxies[0]
            await first.die()
            await setting.balance()
            asked = len(first.asked)
            first.manner = from_genesis(OTHER_GENESIS)
            await first.come()
            await setting.until("wrong chain", "healthy")
            first.manner = manners.honest
            await asyncio.sleep(0.5)
            for _ in range(5):
                await setting.w3.eth.get_block("latest")
                await setting.balance()
            assert setting.states() == ["wrong chain", "healthy"]
            assert OTHER_GENESIS in setting.pool.health()[0].error
            assert set(first.methods()[asked:]) <= IDENTITY
            assert len(first.asked) - asked <= 2

    finish(story())


@pytest.mark.anvil
def test_where_every_address_is_on_another_chain_it_says_so(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node, 1) as setting:
            (only,) = setting.proxies
            await only.die()
            only.manner = on_chain(5)
            waiting = asyncio.create_task(setting.balance())
            await asyncio.sleep(0.1)
            await only.come()
            with pytest.raises(WrongChain, match="no address is on chain 31337"):
                await waiting

    finish(story())


@pytest.mark.anvil
def test_a_node_that_is_restarted_is_reconnected_to(tmp_path: Path) -> None:
    state = str(tmp_path / "state.json")
    options = ("--state", state, "--timestamp", "1700000000")

    async def story() -> None:
        first = Anvil(*options)
        pool = EndpointPool([first.url], policy=QUICK)
        try:
            await pool.start()
            first.rpc("anvil_mine", "0x5")
            await pool.make_request("eth_getBlockByNumber", ["latest", False])  # type: ignore[arg-type]
            port = int(first.url.rsplit(":", 1)[1])
            await asyncio.to_thread(first.close)
            waiting = asyncio.create_task(pool.make_request("eth_blockNumber", []))  # type: ignore[arg-type]
            first = await asyncio.to_thread(lambda: Anvil(*options, port=port))
            assert int((await waiting)["result"], 16) == 5
            assert pool.health()[0].state == "healthy"
        finally:
            await pool.close()
            first.close()

    finish(story())


@pytest.mark.anvil
def test_a_node_that_is_restarted_as_another_chain_is_not() -> None:
    async def story() -> None:
        first = Anvil("--timestamp", "1700000000")
        pool = EndpointPool([first.url], policy=QUICK)
        try:
            await pool.start()
            port = int(first.url.rsplit(":", 1)[1])
            await asyncio.to_thread(first.close)
            waiting = asyncio.create_task(pool.make_request("eth_blockNumber", []))  # type: ignore[arg-type]
            first = await asyncio.to_thread(lambda: Anvil("--timestamp", "1800000000", port=port))
            with pytest.raises(WrongChain):
                await waiting
        finally:
            await pool.close()
            first.close()

    finish(story())


@pytest.mark.anvil
def test_rests_grow_with_every_failure_and_no_further_than_they_may(node: Anvil) -> None:
    async def story() -> None:
        policy = replace(QUICK, rest=0.1, max_rest=0.35)
        async with proxied(node, policy=policy) as setting:
            setting.proxies[0].manner = manners.refuses_service
            rests: list[float] = []
            seen = 0
            while len(rests) < 4:
                health = setting.pool.health()[0]
                if health.failures != seen:
                    seen = health.failures
                    rests.append(health.rest)
                await asyncio.sleep(0.005)
            assert rests == pytest.approx([0.1, 0.2, 0.35, 0.35], abs=0.05)

    finish(story())


@pytest.mark.anvil
def test_an_address_that_stays_up_as_long_as_it_rested_is_forgiven(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            setting.proxies[0].manner = manners.refuses_service
            while setting.pool.health()[0].failures < 3:
                await asyncio.sleep(0.01)
            setting.proxies[0].manner = manners.honest
            await setting.until("healthy", "healthy")
            assert setting.pool.health()[0].failures >= 3
            while setting.pool.health()[0].failures:
                await asyncio.sleep(0.01)

    finish(story())


@pytest.mark.anvil
@pytest.mark.parametrize("said", ["2", "Wed, 21 Oct 2015 07:28:02 GMT"])
def test_an_address_rests_as_long_as_it_asks_for(node: Anvil, said: str) -> None:
    async def manner(proxy: manners.Proxy, asked: manners.Asked) -> Response:
        response = await too_many(said)(proxy, asked)
        response.headers["Date"] = "Wed, 21 Oct 2015 07:28:00 GMT"
        return response

    async def story() -> None:
        async with proxied(node) as setting:
            setting.proxies[0].manner = manner
            await setting.balance()
            health = setting.pool.health()[0]
            assert (health.state, health.error) == ("resting", "HTTP 429")
            assert 1.5 < health.rest <= 2

    finish(story())


@pytest.mark.anvil
@pytest.mark.parametrize("said", ["never", "-1", "99999999999999", ""])
def test_no_address_can_ask_for_a_rest_without_end(node: Anvil, said: str) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            setting.proxies[0].manner = too_many(said)
            await setting.balance()
            assert setting.pool.health()[0].rest <= 900

    finish(story())
