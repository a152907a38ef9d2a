"""Chains that are one's own: one in memory, and which others may be treated like it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from bulkhead.errors import Rejected, translated

if TYPE_CHECKING:
    from web3 import AsyncWeb3, Web3
    from web3.types import RPCEndpoint

GAS_LIMIT = 30_000_000
NODES = ("anvil", "hardhat")


def memory_chain(accounts: int = 10) -> Web3:
    """A new chain in this process, on eth-tester, whose accounts are unlocked and rich.

    Needs the extra `bulkhead[tester]`.
    """
    from eth_tester import EthereumTester, PyEVMBackend
    from web3 import EthereumTesterProvider, Web3

    genesis = PyEVMBackend.generate_genesis_params(overrides={"gas_limit": GAS_LIMIT})
    state = PyEVMBackend.generate_genesis_state(num_accounts=accounts)
    backend = PyEVMBackend(genesis_parameters=genesis, genesis_state=state)
    return Web3(EthereumTesterProvider(EthereumTester(backend)))


def async_twin(w3: Web3) -> AsyncWeb3[Any]:
    """An asynchronous connection to the chain behind a blocking one.

    Args:
        w3: A chain in memory, or a node over HTTP.

    Raises:
        Rejected: For any other connection.
    """
    from web3 import AsyncHTTPProvider, AsyncWeb3, HTTPProvider
    from web3.providers.eth_tester import AsyncEthereumTesterProvider

    tester = tester_of(w3)
    if tester is not None:
        provider = AsyncEthereumTesterProvider()
        provider.ethereum_tester = tester
        return AsyncWeb3(provider)
    if isinstance(w3.provider, HTTPProvider) and w3.provider.endpoint_uri is not None:
        return AsyncWeb3(AsyncHTTPProvider(w3.provider.endpoint_uri))
    raise Rejected("only a chain in memory and a node over HTTP have an asynchronous twin")


async def disconnect(w3: AsyncWeb3[Any]) -> None:
    """Closes what an asynchronous connection holds open; a chain in memory holds nothing."""
    if tester_of(w3) is None:
        await w3.provider.disconnect()


def is_local(w3: Web3) -> bool:
    """Whether the chain's time can be moved: eth-tester, anvil or hardhat."""
    if tester_of(w3) is not None:
        return True
    return any(name in w3.client_version.lower() for name in NODES)


def require_local(w3: Web3) -> None:
    """Refuses a chain that is not one's own.

    Raises:
        Rejected: On a chain whose time nobody can move.
    """
    if not is_local(w3):
        raise Rejected("this is no local chain: its time moves by itself, and its prices are real")


def tester_of(w3: Web3 | AsyncWeb3[Any]) -> Any:
    """The eth-tester behind a connection, or None."""
    return getattr(w3.provider, "ethereum_tester", None)


def rpc(w3: Web3, method: str, *parameters: Any) -> Any:
    """The result of a method that web3 has no name for."""
    with translated():
        return w3.manager.request_blocking(cast("RPCEndpoint", method), list(parameters))
