"""The keeper's loop: a pass for every new block, until it is told to stop."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bulkhead.keeper.service import Service, open_service
from bulkhead.keeper.watch.logs import Log

if TYPE_CHECKING:
    from bulkhead.chain import Block
    from bulkhead.keeper.configuration.settings import KeeperSettings
    from bulkhead.keeper.engine import Pass
    from bulkhead.keeper.watch.metrics import Metrics

STOP_SECONDS = 3.0  # that a pass may still take when the keeper is told to stop
FIRST_REST = 0.5  # seconds after a pass that failed; then twice as long each time
LONGEST_REST = 30.0
ONCE_BLOCKS = 64  # that a run which ends by itself takes at most

_log = Log("running")


@dataclass(slots=True)
class RunReport:
    """What a run did.

    Attributes:
        passes: Those that came to their end.
        failures: Those that did not.
        transactions: Sent.
        tasks: In them.
        done: Tasks that were confirmed.
        lost: Tasks that somebody else did first.
        last: The last pass.
    """

    passes: int = 0
    failures: int = 0
    transactions: int = 0
    tasks: int = 0
    done: int = 0
    lost: int = 0
    last: Pass | None = None

    def add(self, one: Pass) -> None:
        """Counts a pass."""
        self.passes += 1
        self.transactions += len(one.sent)
        self.tasks += sum(len(batch.tasks) for batch in one.sent)
        self.done += sum(len(settled.done) for settled in one.watched.settled)
        self.lost += sum(len(settled.lost) for settled in one.watched.settled)
        self.last = one


async def run(
    settings: KeeperSettings,
    *,
    once: bool = False,
    dry_run: bool = False,
    stop: asyncio.Event,
    metrics: Metrics,
) -> RunReport:
    """Keeps an exchange until it is told to stop.

    Args:
        settings: How.
        once: Whether it ends when there is nothing left to do, and nothing on its way.
        dry_run: Whether nothing is sent.
        stop: Ends the run, in less than five seconds.
        metrics: Where it is counted.

    Raises:
        BulkheadError: What no later pass would mend.
        InvalidSettings: If they can not be kept.
    """
    async with open_service(settings, metrics) as service:
        loop = _Loop(service, stop, dry_run)
        poll = float(settings.rpc.poll)
        await (loop.once(poll) if once else loop.until_stopped(poll))
        return loop.report


class _Loop:
    def __init__(self, service: Service, stop: asyncio.Event, dry_run: bool) -> None:
        self.report = RunReport()
        self._service = service
        self._stop = stop
        self._dry_run = dry_run
        self._rest = FIRST_REST

    async def until_stopped(self, poll: float) -> None:
        """A pass for every new block."""
        seen: Block | None = None
        while not self._stop.is_set():
            found = await self._passed(seen)
            if found is None:
                await self._pause(self._rest)
                self._rest = min(2 * self._rest, LONGEST_REST)
                continue
            seen, self._rest = found, FIRST_REST
            await self._pause(poll)

    async def once(self, poll: float) -> None:
        """As many passes as it takes until there is nothing to do and nothing on its way."""
        first: int | None = None
        while not self._stop.is_set():
            done = await self._pass()
            at = done.watched.at.number
            first = at if first is None else first
            if self._dry_run or not (done.sent or self._service.kit.dispatcher.busy()):
                break
            if at - first > ONCE_BLOCKS:
                _log.warning("still on its way at the end", blocks=at - first)
                break
            await self._pause(poll)

    async def _passed(self, seen: Block | None) -> Block | None:
        """The block of a pass, or of the last one if there is none newer; None if it failed."""
        work = asyncio.ensure_future(self._turn(seen))
        stopped = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            await asyncio.wait((work,), timeout=STOP_SECONDS)
        stopped.cancel()
        if not work.done():
            work.cancel()
        try:
            found = await self._service.attempt(work)
        except asyncio.CancelledError:
            return seen
        self.report.failures += found is None
        return found

    async def _turn(self, seen: Block | None) -> Block:
        head = await self._service.kit.reader.block()
        if seen is not None and head.hash == seen.hash:
            return seen
        return (await self._pass()).watched.at

    async def _pass(self) -> Pass:
        done = await self._service.once(dry_run=self._dry_run)
        self.report.add(done)
        return done

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
