"""A real node, and proxies in front of it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from eth_utils.address import to_checksum_address
from web3 import AsyncWeb3
from web3.types import RPCEndpoint

from bulkhead.keeper import EndpointPolicy, EndpointPool
from tests.helpers.anvil import Anvil
from tests.keeper.nodes.proxy import Proxy

Result = TypeVar("Result")

QUICK = EndpointPolicy(
    timeout=0.5,
    deadline=5,
    poll=0.05,
    max_lag=2,
    patience=30,
    rest=0.1,
    max_rest=1.0,
    most=100_000,
)
SECONDS = 40
ANYONE = to_checksum_address("0x" + "11" * 20)


def finish(story: Coroutine[Any, Any, Result]) -> Result:
    """Runs a story to its end, which comes in time."""
    return asyncio.run(asyncio.wait_for(story, SECONDS))


@dataclass
class Setting:
    """A pool over proxies of one node."""

    pool: EndpointPool
    proxies: list[Proxy]
    node: Anvil

    @property
    def w3(self) -> AsyncWeb3[Any]:
        return AsyncWeb3(self.pool)

    def states(self) -> list[str]:
        return [str(one.state) for one in self.pool.health()]

    async def ask(self, method: str, *params: Any) -> Any:
        """What the pool answers to a request."""
        return await self.pool.make_request(RPCEndpoint(method), list(params))

    async def balance(self, block: int | None = None) -> int:
        """Wei of nobody: none; a read like any other."""
        return await self.w3.eth.get_balance(ANYONE, "latest" if block is None else block)

    async def until(self, *states: str) -> None:
        """Waits until the addresses are in these states."""
        while self.states() != list(states):
            await asyncio.sleep(0.01)


@asynccontextmanager
async def proxied(
    node: Anvil, count: int = 2, policy: EndpointPolicy = QUICK, start: bool = True, **named: Any
) -> AsyncIterator[Setting]:
    async with AsyncExitStack() as stack:
        proxies = [await stack.enter_async_context(Proxy(node.url)) for _ in range(count)]
        pool = EndpointPool([one.url for one in proxies], policy=policy, **named)
        stack.push_async_callback(pool.close)
        if start:
            await pool.start()
        yield Setting(pool, proxies, node)


@pytest.fixture(scope="package")
def node() -> Iterator[Anvil]:
    with Anvil() as anvil:
        anvil.rpc("anvil_mine", hex(20))
        yield anvil
