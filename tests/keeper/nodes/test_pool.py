"""The pool as a provider: all of the SDK works on it, and nothing is left behind."""

import asyncio
import logging

import pytest
from eth_account import Account

from bulkhead.deployment import deploy_async
from bulkhead.errors import Rejected
from bulkhead.keeper import EndpointPolicy, EndpointPool
from bulkhead.reader import AsyncReader
from tests.helpers.anvil import Anvil
from tests.keeper.nodes import proxy as manners
from tests.keeper.nodes.conftest import QUICK, finish, proxied
from tests.keeper.nodes.proxy import only_for

KEY = "c0ffee"


@pytest.mark.anvil
@pytest.mark.slow
def test_an_exchange_is_deployed_and_read_through_it_while_an_address_fails(node: Anvil) -> None:
    deployer = Account.create()
    node.rpc("anvil_setBalance", deployer.address, hex(10**20))

    async def story() -> None:
        policy = EndpointPolicy(timeout=5, poll=0.05, rest=0.1)
        async with proxied(node, policy=policy) as setting:
            setting.proxies[0].manner = only_for("eth_getTransactionReceipt", manners.half)
            deployment = await deploy_async(setting.w3, deployer)
            reader = AsyncReader(setting.w3, deployment)
            assert await reader.markets() == ()

    finish(story())


@pytest.mark.anvil
def test_connections_are_kept_and_do_not_grow_in_number(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            for _ in range(30):
                await asyncio.gather(*(setting.balance() for _ in range(10)))
            assert len(setting.proxies[0].peers) <= 16

    finish(story())


@pytest.mark.anvil
def test_failures_leave_no_connections_behind(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            setting.proxies[0].manner = only_for("eth_getBalance", manners.cut_off)
            for _ in range(10):
                await setting.balance()
            setting.proxies[0].manner = manners.honest
            await setting.until("healthy", "healthy")
            session = setting.pool._roster._endpoints[0]._session
            assert session is not None
            assert session.connector is not None
            assert len(session.connector._acquired) <= 1

    finish(story())


@pytest.mark.anvil
def test_closed_it_asks_nobody_and_says_so(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            await setting.pool.close()
            asked = sum(len(one.asked) for one in setting.proxies)
            with pytest.raises(Rejected, match="closed"):
                await setting.balance()
            await asyncio.sleep(0.2)
            assert sum(len(one.asked) for one in setting.proxies) == asked
            assert not await setting.w3.is_connected()

    finish(story())


@pytest.mark.anvil
def test_closing_ends_a_request_that_waits(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            for one in setting.proxies:
                one.manner = manners.refuses_service
            waiting = asyncio.create_task(setting.balance())
            await asyncio.sleep(0.2)
            await setting.pool.close()
            with pytest.raises(Rejected, match="closed"):
                await waiting

    finish(story())


@pytest.mark.anvil
def test_it_can_be_started_again_after_it_was_closed(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            await setting.pool.close()
            await setting.pool.start()
            assert await setting.balance() == 0

    finish(story())


@pytest.mark.anvil
def test_the_first_request_starts_it(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node, start=False) as setting:
            assert await setting.balance() == 0
            assert setting.states() == ["healthy", "healthy"]
            assert await setting.w3.is_connected()

    finish(story())


@pytest.mark.anvil
def test_what_is_secret_in_an_address_is_never_shown(
    node: Anvil, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def story() -> None:
        async with proxied(node, 1) as setting:
            port = setting.proxies[0].port
            url = f"http://user:{KEY}@127.0.0.1:{port}/v3/{KEY}?key={KEY}"
            async with EndpointPool([url, url + "&other"], policy=QUICK) as pool:
                setting.pool, own = pool, setting.pool
                assert await setting.balance() == 0
                names = [one.url for one in pool.health()]
                assert names == [f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}#2"]
                for manner in (manners.refuses_service, manners.cut_off, manners.hangs):
                    setting.proxies[0].manner = manner
                    for one in pool.health():
                        assert KEY not in repr(one)
                    with pytest.raises(Exception, match=r"127\.0\.0\.1") as caught:
                        await asyncio.wait_for(setting.balance(), 20)
                    assert KEY not in str(caught.value)
                    assert KEY not in repr(pool.health())
                assert KEY not in str(pool._roster._endpoints[0])
                setting.pool = own

    finish(story())
    # asyncio and aiohttp's server, which is the test's own, may say what they like.
    ours = [one.getMessage() for one in caplog.records if one.name.startswith(("web3", "bulkhead"))]
    assert not [one for one in ours if KEY in one]


@pytest.mark.parametrize(
    ("urls", "text"),
    [
        ([], "none"),
        (["http://a", "http://a"], "the same one twice"),
        (["ftp://user:c0ffee@a/c0ffee"], "ftp://a is not http"),
        (["c0ffee"], "no scheme"),
        (["http://"], "is not http"),
        (["http://a:99999"], "not an address"),
        (["http://[c0ffee"], "not an address"),
    ],
)
def test_addresses_that_are_none_are_refused(urls: list[str], text: str) -> None:
    with pytest.raises(ValueError, match=text) as caught:
        EndpointPool(urls)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "named", [{"timeout": 0}, {"rest": -1}, {"max_lag": -1}, {"poll": float("nan")}]
)
def test_a_policy_that_makes_no_sense_is_refused(named: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(named))):
        EndpointPolicy(**named)  # type: ignore[arg-type]
