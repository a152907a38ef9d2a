"""What a pass means for those who watch: metrics, health, and a line in the log for what counts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bulkhead.keeper.dispatch.flights import FlightState, Settled
from bulkhead.keeper.dispatch.lanes import Lane
from bulkhead.keeper.dispatch.lanes import LaneState as Lanes
from bulkhead.keeper.nodes.endpoint import EndpointState
from bulkhead.keeper.trial import Left
from bulkhead.keeper.watch.logs import Log
from bulkhead.keeper.watch.metrics import EndpointReading, Failure, LaneState

if TYPE_CHECKING:
    from bulkhead.keeper.assembly import Kit
    from bulkhead.keeper.batching import Economy
    from bulkhead.keeper.engine import Pass, Watched
    from bulkhead.keeper.watch.health import Health
    from bulkhead.keeper.watch.metrics import Metrics

_log = Log("reporting")

_LANES = {
    Lanes.READY: LaneState.FREE,
    Lanes.FULL: LaneState.BUSY,
    Lanes.UNFUNDED: LaneState.STARVED,
    Lanes.PRICED_OUT: LaneState.STUCK,
    Lanes.GONE: LaneState.STUCK,
}


class Reporter:
    """Tells what passes did.

    Args:
        kit: The keeper.
        metrics: Where it is counted.
        health: Where it is said whether all is well.
    """

    def __init__(self, kit: Kit, metrics: Metrics, health: Health) -> None:
        self._kit = kit
        self._metrics = metrics
        self._health = health
        self._rewards: Counter[str] = Counter()  # of transactions that are not settled yet
        self._states: dict[str, Lanes] = {}
        self._economy: Economy | None = None

    async def report(self, done: Pass) -> None:
        """Tells what one pass did."""
        self._economy = done.economy
        self._tell_progress(done.watched)
        self._tell_findings(done)
        for batch in done.sent:
            self._metrics.sent(batch.job, len(batch.tasks))
            _log.info("sent", job=batch.job, tasks=len(batch.tasks), key=batch.tasks[0].key)
        for task, why, reason in done.left:
            if why is Left.FAILS:
                self._metrics.failed(task.job, reason or Failure.SIMULATION)
                _log.warning("set aside", job=task.job, key=task.key, reason=reason)
        await self._tell_lanes()

    def _tell_progress(self, watched: Watched) -> None:
        """How far the keeper is, and what became of transactions."""
        at, progress = watched.at, watched.progress
        # An address that lags may have told the index a head, and another has shown a higher one.
        top = self._kit.pool.top or at
        self._metrics.head(top.number, at.number, top.timestamp, at.timestamp)
        if progress.rolled_back_to is not None:
            self._metrics.rolled_back()
            _log.warning("rolled back", to_block=progress.rolled_back_to)
        self._health.lag = max(top.number - at.number, 0)
        self._health.is_verified = True
        self._rewards.update(watched.earned)
        for settled in watched.settled:
            self._tell_one(settled)

    def _tell_findings(self, done: Pass) -> None:
        at, following = done.watched.at, self._kit.following
        self._metrics.passed(at.timestamp)
        self._metrics.scanned(done.screened)
        self._metrics.candidates(done.found)
        self._metrics.unpaid(done.unpaid)
        self._metrics.poisoned(done.resting)
        self._metrics.tracked(
            isolated=following.screens.vaults,
            cross=following.screens.ledgers,
            orders=following.book.resting,
        )
        self._metrics.price_ages(
            {
                state.market.symbol: max(at.timestamp - state.price.published_at, 0)
                for state in done.states.values()
            }
        )

    def _tell_one(self, settled: Settled) -> None:
        if settled.job is None:
            return
        if settled.gas_used:
            cost = 0 if self._economy is None else self._economy.quote_of(settled.cost)
            self._metrics.mined(settled.job, settled.gas_used, settled.cost, cost)
        if settled.state is FlightState.CANCELLED:
            self._metrics.cancelled()
        for _ in settled.hashes[1:]:
            self._metrics.replaced()
        reward = self._rewards.pop(settled.transaction or "", 0)
        for job, count in Counter(job for job, _ in settled.done).items():
            self._metrics.confirmed(job, count, reward)
            reward = 0
        for job, count in Counter(job for job, _ in settled.lost).items():
            self._metrics.lost_race(job, count)
        for job, count in Counter(job for job, _ in settled.failed).items():
            self._metrics.failed(job, settled.reason or Failure.REVERTED, count)
        if settled.state is not FlightState.MINED:
            _log.warning("not mined", state=settled.state, job=settled.job, reason=settled.reason)

    async def _tell_lanes(self) -> None:
        lanes = self._kit.dispatcher.lanes
        for lane in lanes:
            balance = await self._kit.reader.chain.balance(lane.address)
            self._metrics.signer(lane.address, balance, _LANES[lane.state])
            self._tell_change(lane)
        self._health.lanes = sum(lane.state in (Lanes.READY, Lanes.FULL) for lane in lanes)
        self.tell_endpoints()

    def _tell_change(self, lane: Lane) -> None:
        if self._states.get(lane.address, Lanes.READY) is lane.state:
            return
        self._states[lane.address] = lane.state
        if lane.state is Lanes.UNFUNDED:
            _log.error("can not pay for gas", signer=lane.address, missing_wei=lane.missing)
        elif lane.state in (Lanes.PRICED_OUT, Lanes.GONE):
            _log.warning("stands still", signer=lane.address, state=lane.state)

    def tell_endpoints(self) -> None:
        """How the nodes are."""
        found = self._kit.pool.health()
        usable = [one.state is EndpointState.HEALTHY for one in found]
        self._health.endpoints = sum(usable)
        self._metrics.endpoints(
            EndpointReading(one.url, is_usable, one.head or 0, one.failures)
            for one, is_usable in zip(found, usable, strict=True)
        )
