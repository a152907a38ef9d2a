"""Chains of one's own: one in memory, and the time of any that can be moved.

A price must be published after an order's commit, so on a chain where nobody else makes blocks
time has to be moved between the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from bulkhead.chain import Block, Chain
from bulkhead.errors import Rejected

if TYPE_CHECKING:
    from web3 import Web3
    from web3.types import RPCEndpoint

GAS_LIMIT = 30_000_000


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


def is_local(w3: Web3) -> bool:
    """Whether the chain's time can be moved: eth-tester, anvil or hardhat."""
    if _tester_of(w3) is not None:
        return True
    return any(name in w3.client_version.lower() for name in ("anvil", "hardhat"))


def advance_time(w3: Web3, seconds: int = 1) -> Block:
    """Mines one block at least so many seconds after the latest, and returns it.

    Raises:
        Rejected: On a chain whose time nobody can move.
    """
    if seconds < 1:
        raise ValueError("seconds: time only moves on")
    if not is_local(w3):
        raise Rejected("this chain's time moves by itself")
    chain = Chain(w3)
    target = chain.now() + seconds
    tester = _tester_of(w3)
    if tester is not None:
        # The block it mines is a second before what it is told.
        tester.time_travel(target + 1)
    else:
        _rpc(w3, "evm_setNextBlockTimestamp", target)
        _rpc(w3, "evm_mine")
    return chain.block()


def _tester_of(w3: Web3) -> Any:
    return getattr(w3.provider, "ethereum_tester", None)


def _rpc(w3: Web3, method: str, *parameters: Any) -> None:
    w3.manager.request_blocking(cast("RPCEndpoint", method), list(parameters))
