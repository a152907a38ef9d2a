"""Chains of one's own: in memory, or an anvil process; their time, and going back in it."""

from bulkhead.local.anvil import Anvil, find_anvil
from bulkhead.local.chains import GAS_LIMIT, async_twin, disconnect, is_local, memory_chain
from bulkhead.local.clock import advance_time, catch_up, steady_blocks
from bulkhead.local.snapshots import Snapshots, anchored, revert_to, take_snapshot

__all__ = [
    "GAS_LIMIT",
    "Anvil",
    "Snapshots",
    "advance_time",
    "anchored",
    "async_twin",
    "catch_up",
    "disconnect",
    "find_anvil",
    "is_local",
    "memory_chain",
    "revert_to",
    "steady_blocks",
    "take_snapshot",
]
