"""A keeper and those who watch it: passes are timed, told of, and may fail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from bulkhead import errors
from bulkhead.keeper.assembly import Kit, open_keeper
from bulkhead.keeper.watch.health import Health, serving
from bulkhead.keeper.watch.logs import Log
from bulkhead.keeper.watch.reporting import Reporter

if TYPE_CHECKING:
    from bulkhead.keeper.batching import Shard
    from bulkhead.keeper.claims import Claims
    from bulkhead.keeper.configuration.settings import KeeperSettings
    from bulkhead.keeper.engine import Pass
    from bulkhead.keeper.watch.metrics import Metrics

Result = TypeVar("Result")

FATAL = (errors.DeploymentError, errors.IndexBusy, errors.IndexUnusable)
"""What no later pass mends."""

_log = Log("service")


class Service:
    """A keeper that is watched.

    Args:
        kit: The keeper.
        metrics: Where it is counted.
        health: Where it is said whether all is well.

    Attributes:
        kit: The keeper.
    """

    def __init__(self, kit: Kit, metrics: Metrics, health: Health) -> None:
        self.kit = kit
        self._metrics = metrics
        self._health = health
        self._reporter = Reporter(kit, metrics, health)

    async def once(self, shard: Shard | None = None, *, dry_run: bool = False) -> Pass:
        """One pass, timed and told of.

        Args:
            shard: Whose tasks are done; those of the settings where it is None.
            dry_run: Whether nothing is sent.

        Raises:
            BulkheadError: What a node does not answer, or the index can not take in.
        """
        with self._metrics.timing_pass():
            done = await self.kit.engine.once(shard, dry_run=dry_run)
        await self._reporter.report(done)
        return done

    async def attempt(self, work: Awaitable[Result]) -> Result | None:
        """One turn of whatever loop there is: what work comes to, None where it failed.

        Raises:
            BulkheadError: What no later pass would mend.
        """
        try:
            return await work
        except FATAL:
            raise
        except errors.BulkheadError as error:
            self._reporter.tell_endpoints()
            _log.warning("a pass failed", reason=error)
            return None
        finally:
            self._health.turned()


@asynccontextmanager
async def open_service(
    settings: KeeperSettings, metrics: Metrics, claims: Claims | None = None
) -> AsyncIterator[Service]:
    """A keeper that is open, and served to those who watch it.

    Args:
        settings: How.
        metrics: Where it is counted.
        claims: What it shares with other keepers; nothing where it is None.

    Raises:
        What `open_keeper` does.
    """
    health = Health(max_lag=settings.rpc.max_lag, stall=float(settings.watch.stall))
    async with serving(settings.watch, health, metrics), open_keeper(settings, claims) as kit:
        try:
            yield Service(kit, metrics, health)
        finally:
            health.is_stopping = True
