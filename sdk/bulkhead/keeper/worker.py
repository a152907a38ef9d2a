"""A keeper in a process that somebody else runs: it is opened, told of blocks, and closed."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import TYPE_CHECKING

from bulkhead import errors
from bulkhead.keeper.assembly import Kit, open_keeper
from bulkhead.keeper.running import FATAL
from bulkhead.keeper.watch import logs
from bulkhead.keeper.watch.health import Health, serving
from bulkhead.keeper.watch.metrics import Metrics
from bulkhead.keeper.watch.reporting import Reporter
from bulkhead.values import to_usd

if TYPE_CHECKING:
    from bulkhead.keeper.batching import Shard
    from bulkhead.keeper.claims import Claims
    from bulkhead.keeper.configuration.settings import KeeperSettings
    from bulkhead.keeper.engine import Pass

_log = logs.Log("worker")


class Worker:
    """One keeper of a process, however many tasks the process is given at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._open: AsyncExitStack | None = None
        self._kit: Kit
        self._reporter: Reporter
        self._metrics: Metrics
        self._health: Health
        self._passed: dict[Shard | None, int] = {}  # the block of the last pass

    async def open(self, settings: KeeperSettings, claims: Claims | None = None) -> None:
        """Opens the keeper, its state built from the chain. Nothing happens if it is open.

        Args:
            settings: How.
            claims: What it shares with other workers; nothing where it is None.

        Raises:
            What `open_keeper` does.
        """
        async with self._turn, AsyncExitStack() as stack:
            if self._open is not None:
                return
            logs.configure(settings.log, with_others=False)
            self._metrics = Metrics()
            rpc, watch = settings.rpc, settings.watch
            self._health = Health(max_lag=rpc.max_lag, stall=float(watch.stall))
            await stack.enter_async_context(serving(watch, self._health, self._metrics))
            self._kit = await stack.enter_async_context(open_keeper(settings, claims))
            self._reporter = Reporter(self._kit, self._metrics, self._health)
            self._open = stack.pop_all()

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
            if self._open is None or block < self._passed.get(shard, 0):
                return {}
            try:
                with self._metrics.timing_pass():
                    done = await self._kit.engine.once(shard)
            except errors.BulkheadError as error:
                if isinstance(error, FATAL):
                    raise
                self._reporter.tell_endpoints()
                _log.warning("a pass failed", reason=error)
                return {}
            finally:
                self._health.turned()
            self._passed[shard] = done.watched.at.number
            await self._reporter.report(done)
            return figures(done)

    async def close(self) -> None:
        """Closes the keeper, after the pass at hand. What it has sent is in its journal."""
        async with self._turn:
            if self._open is not None:
                self._health.is_stopping = True
                await self._open.aclose()
                self._open = None


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
