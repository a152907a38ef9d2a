"""Where a keeper's calls go: straight to the contracts, or through an account. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from bulkhead.contracts import Contracts
from bulkhead.interfaces import Call
from bulkhead.keeper.batching import gas_of
from bulkhead.keeper.calls import call_of
from bulkhead.keeper.foresight import Update
from bulkhead.keeper.planning import GAS_PER_UPDATE, update_of
from bulkhead.keeper.work import Batch, Task


class Desk:
    """Makes a keeper's calls, each signer for itself.

    Args:
        contracts: The exchange.
        signers: Who sends, and is paid.

    Attributes:
        sender: Who calls are tried as.
        payees: The accounts that rewards go to.
        brings: How many of the prices that it needs a call can bring.
    """

    brings = 0

    def __init__(self, contracts: Contracts, signers: Sequence[str]) -> None:
        self._contracts = contracts
        self.sender = signers[0]
        self.payees = frozenset(signers)

    def call_of(self, tasks: Sequence[Task], updates: Collection[Update] = ()) -> Call:
        """The call that does some tasks of one function.

        Args:
            tasks: What to do.
            updates: The prices it brings; none where it can not.
        """
        if updates:
            raise ValueError("updates: only an account of one's own brings prices and works")
        return call_of(self._contracts, tasks)

    def batch_of(self, tasks: Sequence[Task], updates: Collection[Update] = ()) -> Batch:
        """The batch that does some tasks of one function."""
        gas = gas_of(tasks) + GAS_PER_UPDATE * len(updates)
        return Batch(tasks[0].job, tuple(tasks), self.call_of(tasks, updates), gas)

    def update_of(self, update: Update) -> Batch:
        """The batch that brings one price."""
        task = update_of(update.market)
        call = call_of(self._contracts, [task], update.payload)
        return Batch(task.job, (task,), replace(call, value=update.fee), gas_of([task]))


def desk_of(contracts: Contracts, signers: Sequence[str], account: str | None) -> Desk:
    """The desk of some signers, and of the account that works for all of them."""
    if account is None:
        return Desk(contracts, signers)
    from bulkhead.keeper.account import AccountDesk

    return AccountDesk(contracts, signers, account)
