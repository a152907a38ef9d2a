"""Tasks as calls of the contracts. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bulkhead.contracts import Contract, Contracts
from bulkhead.interfaces import Call
from bulkhead.keeper.work import Task

MOST = {
    "auto_deleverage": 64,
    "execute_orders": 32,
    "liquidate_cross": 32,
    "liquidate_isolated": 64,
    "ratchet": 32,
    "settle_positions": 64,
}
"""How many each function takes that takes many."""


def call_of(contracts: Contracts, tasks: Sequence[Task], payload: bytes = b"") -> Call:
    """The call that does some tasks of one function, as many as it takes.

    Args:
        contracts: The exchange.
        tasks: What to do.
        payload: What brings the price, of an `update`.
    """
    first = tasks[0]
    contract = _home_of(contracts, first.verb)
    if first.verb not in MOST:
        more = (payload,) if first.verb == "update" else ()
        return contract.call(first.verb, first.argument, *more)
    arguments = [task.argument for task in tasks]
    if first.verb == "auto_deleverage":
        return contract.call(first.verb, first.market, arguments)
    return contract.call(first.verb, arguments)


def _home_of(contracts: Contracts, verb: str) -> Contract:
    match verb:
        case "execute_orders" | "ratchet":
            return contracts.order_book
        case "update" | "fix_settlement" | "settle_dead":
            return contracts.price_oracle
        case "fix" | "lapse":
            return contracts.liquidity_pool
    return contracts.clearinghouse
