"""What a batch would do, tried without a transaction: what stays in it, and what does not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from bulkhead import errors
from bulkhead.interfaces import Call
from bulkhead.keeper.work import Task
from bulkhead.orders import OrderStatus

if TYPE_CHECKING:
    from bulkhead.chain import Block
    from bulkhead.keeper.foresight import Update
    from bulkhead.reader import AsyncReader

CallOf: TypeAlias = Callable[[Sequence[Task], Collection["Update"]], Call]
"""Makes the call that does some tasks at prices that it brings."""


class Left(StrEnum):
    """Why a task is not sent."""

    NOT_YET = "not yet"
    """The price, the feed or the pool does not let it now."""
    GONE = "gone"
    """The chain does not know it, or somebody has done it."""
    FAILS = "fails"
    """It fails for a reason that waiting does not change."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial has shown.

    Attributes:
        kept: What would be done.
        left: What would not, why, and the reason in the contracts' words.
    """

    kept: tuple[Task, ...]
    left: tuple[tuple[Task, Left, str], ...] = ()

    def __add__(self, other: Trial) -> Trial:
        return Trial(self.kept + other.kept, self.left + other.left)


class Bench:
    """Tries batches.

    Args:
        reader: The exchange.
        sender: Who would send them.
        call_of: Makes the call that does some tasks.
    """

    def __init__(self, reader: AsyncReader, sender: str, call_of: CallOf) -> None:
        self._reader = reader
        self._sender = sender
        self._call_of = call_of

    async def tried(
        self, tasks: Sequence[Task], gas: int, at: Block, updates: Collection[Update] = ()
    ) -> Trial:
        """What would come of some tasks in one transaction.

        Args:
            tasks: Of one call.
            gas: The transaction's limit.
            at: The block it is tried at.
            updates: The prices it brings.
        """
        try:
            found = await self._read(self._call_of(tasks, updates), at, gas)
        except (errors.OutOfGas, errors.Refused, errors.Reverted) as error:
            if len(tasks) == 1:
                return Trial((), ((tasks[0], _left_by(error), _reason_of(error)),))
            # Which of them it was, the halves will tell.
            half = len(tasks) // 2
            halves = (tasks[:half], tasks[half:])
            first, second = [await self.tried(one, gas, at, updates) for one in halves]
            return first + second
        if tasks[0].verb == "execute_orders":
            return await self._orders(tasks, found, at, updates)
        if found == 0:  # how many were done; those that take one thing return nothing or an amount
            return Trial((), tuple((task, Left.NOT_YET, "") for task in tasks))
        return Trial(tuple(tasks))

    async def _orders(
        self,
        tasks: Sequence[Task],
        statuses: Sequence[int],
        at: Block,
        updates: Collection[Update],
    ) -> Trial:
        trial = Trial(())
        for task, status in zip(tasks, statuses, strict=True):
            if status == OrderStatus.UNKNOWN:
                trial += Trial((), ((task, Left.GONE, ""),))
            elif status == OrderStatus.PENDING:
                # A price that the batch brings is not there for the order alone.
                why = (Left.NOT_YET, "") if updates else await self._reason(task, at)
                trial += Trial((), ((task, *why),))
            else:
                trial += Trial((task,))
        return trial

    async def _reason(self, task: Task, at: Block) -> tuple[Left, str]:
        """Why an order would be left as it was: executing it alone says so."""
        call = self._reader.contracts.order_book.call("execute", task.argument)
        try:
            await self._read(call, at, task.gas)
        except (errors.OutOfGas, errors.Refused, errors.Reverted) as error:
            return _left_by(error), _reason_of(error)
        return Left.FAILS, "does more alone than in a batch"

    async def _read(self, call: Call, at: Block, gas: int) -> Any:
        return await self._reader.chain.read(call, at, sender=self._sender, gas=gas)


def _left_by(error: errors.BulkheadError) -> Left:
    waits = isinstance(error, errors.Refused) and error.retryable
    return Left.NOT_YET if waits else Left.FAILS


def _reason_of(error: errors.BulkheadError) -> str:
    return error.reason if isinstance(error, errors.Refused) else str(error)
