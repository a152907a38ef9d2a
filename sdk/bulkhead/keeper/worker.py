"""A keeper in a process that somebody else runs: it is opened, told of blocks, and closed."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import TYPE_CHECKING

from bulkhead.keeper.service import Service, open_service
from bulkhead.keeper.watch import logs
from bulkhead.keeper.watch.metrics import Metrics
from bulkhead.values import to_usd

if TYPE_CHECKING:
    from bulkhead.keeper.batching import Shard
    from bulkhead.keeper.claims import Claims
    from bulkhead.keeper.configuration.settings import KeeperSettings
    from bulkhead.keeper.engine import Pass


class Worker:
    """One keeper of a process, however many tasks the process is given at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._open = AsyncExitStack()
        self._service: Service | None = None
        self._passed: dict[Shard | None, int] = {}  # the block of the last pass

    async def open(self, settings: KeeperSettings, claims: Claims | None = None) -> None:
        """Opens the keeper, its state built from the chain. Nothing happens if it is open.

        Args:
            settings: How.
            claims: What it shares with other workers; nothing where it is None.

        Raises:
            What `open_keeper` does.
        """
        async with self._turn:
            if self._service is None:
                logs.configure(settings.log, with_others=False)
                opening = open_service(settings, Metrics(), claims)
                self._service = await self._open.enter_async_context(opening)

    async def turn(self, shard: Shard | None, block: int) -> dict[str, int | Decimal]:
        """A pass, unless there was one since that block.

        Args:
            shard: Whose tasks are done; those of the settings where it is None.
            block: The one that is told of.

        Returns:
            What the pass saw and did, by name. Nothing if there was none, or a node failed it: the
            next one makes up for it.

        Raises:
            BulkheadError: What no later pass would mend.
        """
        async with self._turn:
            # Where passes take longer than blocks, blocks that wait are passed over.
            if self._service is None or block < self._passed.get(shard, 0):
                return {}
            done = await self._service.attempt(self._service.once(shard))
            if done is None:
                return {}
            self._passed[shard] = done.watched.at.number
            return figures(done)

    async def close(self) -> None:
        """Closes the keeper, after the pass at hand. What it has sent is in its journal."""
        async with self._turn:
            self._service = None
            await self._open.aclose()


def figures(done: Pass) -> dict[str, int | Decimal]:
    """What a pass saw and did, by name; what it earned in USD."""
    settled = done.watched.settled
    return {
        "head": done.watched.at.number,
        "found": sum(done.found.values()),
        "sent": sum(len(batch.tasks) for batch in done.sent),
        "done": sum(len(one.done) for one in settled),
        "lost": sum(len(one.lost) for one in settled),
        "earned": to_usd(sum(done.watched.earned.values())),
    }
