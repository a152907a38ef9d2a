"""The same tests on both transports, and on both kinds of chain."""

from collections.abc import Iterator
from typing import Any

import pytest
from web3 import AsyncHTTPProvider, AsyncWeb3, HTTPProvider, Web3
from web3.providers.eth_tester import AsyncEthereumTesterProvider
from web3.types import RPCEndpoint

from bulkhead.local import memory_chain
from tests.helpers.anvil import Anvil
from tests.helpers.awaited import Loop
from tests.sdk.world import AwaitedWorld, World, build_world, refreshed


@pytest.fixture(scope="session", params=["memory", pytest.param("anvil", marks=pytest.mark.anvil)])
def chain(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "memory":
        yield build_world(memory_chain())
        return
    with Anvil() as anvil:
        yield build_world(Web3(HTTPProvider(anvil.url)))


@pytest.fixture(scope="session")
def loop(chain: World) -> Iterator[tuple[Loop, AsyncWeb3[Any]]]:
    loop = Loop()
    provider = chain.w3.provider
    if isinstance(provider, HTTPProvider):
        connection = AsyncWeb3(AsyncHTTPProvider(provider.endpoint_uri))
        yield loop, connection
        loop.finish(connection.provider.disconnect())
    else:
        shared = AsyncEthereumTesterProvider()
        shared.ethereum_tester = provider.ethereum_tester  # type: ignore[attr-defined]
        yield loop, AsyncWeb3(shared)
    loop.close()


@pytest.fixture(params=["blocking", "awaited"])
def world(
    request: pytest.FixtureRequest, chain: World, loop: tuple[Loop, AsyncWeb3[Any]]
) -> Iterator[World]:
    rpc = chain.w3.provider.make_request
    snapshot = rpc(RPCEndpoint("evm_snapshot"), [])["result"]
    fresh = refreshed(chain)
    yield fresh if request.param == "blocking" else AwaitedWorld.over(fresh, *loop)
    rpc(RPCEndpoint("evm_revert"), [snapshot])
