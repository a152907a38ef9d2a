"""The time of a local chain.

A price must be published after an order's commit, so on a chain where nobody else makes blocks
time has to be moved between the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bulkhead.chain import Block, Chain
from bulkhead.local.chains import require_local, rpc, tester_of

if TYPE_CHECKING:
    from web3 import Web3


def advance_time(w3: Web3, seconds: int = 1) -> Block:
    """Mines one block at least so many seconds after the latest, and returns it.

    Raises:
        Rejected: On a chain whose time nobody can move.
    """
    if seconds < 1:
        raise ValueError("seconds: time only moves on")
    require_local(w3)
    chain = Chain(w3)
    target = chain.now() + seconds
    tester = tester_of(w3)
    if tester is not None:
        # It lets nobody go back behind the host's clock, which may be ahead of the chain's. The
        # block it mines is a second before what it is told.
        ahead: int = tester.get_block_by_number("pending")["timestamp"]
        tester.time_travel(max(target, ahead) + 1)
    else:
        rpc(w3, "evm_setNextBlockTimestamp", target)
        rpc(w3, "evm_mine")
    return chain.block()


def catch_up(w3: Web3) -> Block:
    """Mines a block of now, and returns it: until then the chain's time is its last block's."""
    require_local(w3)
    rpc(w3, "evm_mine")
    return Chain(w3).block()


@contextmanager
def steady_blocks(w3: Web3) -> Iterator[None]:
    """While it lasts every block is a second after the one before it, whatever the host's clock.

    What happens on the chain is then the same each time it happens, to the unit. A chain in memory
    is always so.
    """
    require_local(w3)
    if tester_of(w3) is not None:
        yield
        return
    rpc(w3, "anvil_setBlockTimestampInterval", 1)
    try:
        yield
    finally:
        rpc(w3, "anvil_removeBlockTimestampInterval")
