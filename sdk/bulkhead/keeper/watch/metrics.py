"""What a keeper counts and measures, for Prometheus. Whoever reports needs nothing of Prometheus.

Every name is declared here and nowhere else. Labels take few values: jobs, known reasons, listed
markets, configured endpoints and signers.

Needs the extra `bulkhead[keeper]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from bulkhead.errors import REASONS
from bulkhead.keeper.work import Job

NAMESPACE = "bulkhead_keeper"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
QUOTE_PER_USD = 10**6
OTHER = "other"
# Prometheus gives every target a label `job`, and often one `endpoint`: ours must not be renamed.
JOB = "keeper_job"
RPC = "rpc"
SCAN_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 5)
PASS_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)


class Failure(StrEnum):
    """Why a task failed, where it is not one of the contracts' reasons."""

    SIMULATION = "simulation"
    """Refused when it was tried, without a reason that is known."""
    REVERTED = "reverted"
    """Mined and reverted, without a reason that is known."""
    OUT_OF_GAS = "out of gas"
    INSUFFICIENT_FUNDS = "insufficient funds"
    NONCE_TAKEN = "nonce taken"
    UNDERPRICED = "underpriced"
    CANCELLED = "cancelled"
    """Its transaction was stuck, and was cancelled."""
    UNREACHABLE = "unreachable"
    """No node answered."""


class LaneState(StrEnum):
    """What a signer is doing."""

    FREE = "free"
    BUSY = "busy"
    STUCK = "stuck"
    """Its transaction is being replaced or cancelled."""
    STARVED = "starved"
    """It can not pay for gas."""


@dataclass(frozen=True, slots=True)
class EndpointReading:
    """One RPC address at a moment.

    Attributes:
        name: Its host, and nothing of the rest of it.
        is_usable: Whether it is asked.
        head: The newest block it has told of.
        errors: How many answers failed since the start.
    """

    name: str
    is_usable: bool
    head: int
    errors: int


_REASONS = frozenset(REASONS) | frozenset(Failure)


class Metrics:
    """All metrics of one keeper, in a registry of its own.

    Attributes:
        registry: What Prometheus reads.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, namespace=NAMESPACE, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, labels, namespace=NAMESPACE, registry=registry)

        def histogram(name: str, text: str, buckets: Iterable[float]) -> Histogram:
            return Histogram(
                name, text, namespace=NAMESPACE, registry=registry, buckets=tuple(buckets)
            )

        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        Info("build", "The keeper.", namespace=NAMESPACE, registry=registry).info(
            {"version": version("bulkhead")}
        )
        self._head = gauge("head_block", "Newest block that any endpoint has told of.")
        self._lag_blocks = gauge("head_lag_blocks", "Blocks not yet taken in.")
        self._lag_seconds = gauge("head_lag_seconds", "The same, in seconds of the chain.")
        self._pass_time = gauge(
            "last_pass_timestamp_seconds", "Chain time of the last block that was worked on."
        )
        self._passes = histogram("pass_duration_seconds", "Time of a pass.", PASS_SECONDS)
        self._scans = histogram(
            "scan_duration_seconds", "Time of a look for what is liquidatable.", SCAN_SECONDS
        )
        self._reorgs = counter("reorgs", "Times that blocks were taken back.")
        self._tracked = gauge("tracked", "What is known and open.", "kind")
        self._candidates = gauge("candidates", "What the last pass found to do.", JOB)
        self._unpaid = gauge(
            "unpaid_tasks", "Tasks that would not pay for their gas.", "keeper_job"
        )
        self._poisoned = gauge("poisoned_tasks", "Tasks that rest, as they failed.")
        self._price_age = gauge("price_age_seconds", "Chain time since a price.", "market")
        self._transactions = counter("transactions_sent", "First sends.", JOB)
        self._replaced = counter("transactions_replaced", "Sends of the same for more.")
        self._cancelled = counter("transactions_cancelled", "Nonces spent on nothing.")
        self._sent = counter("tasks_sent", "Tasks in transactions that were sent.", JOB)
        self._confirmed = counter("tasks_confirmed", "Tasks that were done.", JOB)
        self._failed = counter("tasks_failed", "Tasks that were not done.", JOB, "reason")
        self._lost = counter("races_lost", "Tasks that somebody else did first.", JOB)
        self._gas = counter("gas_used", "Gas of mined transactions.", JOB)
        self._cost = counter("gas_cost_wei", "Wei paid for it.", JOB)
        self._cost_usd = counter("gas_cost_usd", "The same in USD when it was paid.", JOB)
        self._rewards = counter("rewards_usd", "USD that was paid for tasks.", JOB)
        self._profit = gauge("profit_usd", "Rewards less gas since the start, in USD.")
        self._usable = gauge("endpoint_usable", "Whether an endpoint is asked.", RPC)
        self._endpoint_head = gauge("endpoint_head_block", "Its newest block.", RPC)
        self._errors = counter("endpoint_errors", "Answers that failed.", RPC)
        self._balance = gauge("signer_balance_wei", "What a signer has for gas.", "signer")
        self._lanes = gauge("signer_state", "1 for the state a signer is in.", "signer", "state")
        self._ready = gauge("ready", "Whether /readyz says yes.")
        self._error_totals: dict[str, int] = {}
        for job in Job:
            # So that a rate has a zero to begin from.
            for metric in (self._transactions, self._sent, self._confirmed, self._lost):
                metric.labels(job)
            self._candidates.labels(job)

    def head(self, head: int, at: int, head_timestamp: int, at_timestamp: int) -> None:
        """How far the keeper is.

        Args:
            head: The newest block.
            at: The last one taken in.
            head_timestamp: The chain's time at the newest.
            at_timestamp: And at the last one taken in.
        """
        self._head.set(head)
        self._lag_blocks.set(max(head - at, 0))
        self._lag_seconds.set(max(head_timestamp - at_timestamp, 0))

    @contextmanager
    def timing_pass(self) -> Iterator[None]:
        """Measures a pass, whatever comes of it."""
        with _timed(self._passes):
            yield

    def scanned(self, seconds: float) -> None:
        """How long a look for what is liquidatable took."""
        self._scans.observe(seconds)

    def passed(self, timestamp: int) -> None:
        """A pass has ended that worked on a block of this time of the chain."""
        self._pass_time.set(timestamp)

    def rolled_back(self) -> None:
        """Blocks were taken back."""
        self._reorgs.inc()

    def tracked(self, *, isolated: int, cross: int, orders: int) -> None:
        """How many isolated positions, cross accounts and orders are open."""
        for kind, count in (("isolated", isolated), ("cross", cross), ("orders", orders)):
            self._tracked.labels(kind).set(count)

    def candidates(self, counts: Mapping[Job, int]) -> None:
        """What a pass found to do, by job; nothing for those that are left out."""
        for job in Job:
            self._candidates.labels(job).set(counts.get(job, 0))

    def unpaid(self, counts: Mapping[Job, int]) -> None:
        """What a pass left as it would not pay for its gas, by job."""
        for job in Job:
            self._unpaid.labels(job).set(counts.get(job, 0))

    def poisoned(self, count: int) -> None:
        """How many tasks rest."""
        self._poisoned.set(count)

    def price_ages(self, ages: Mapping[str, int]) -> None:
        """Seconds of the chain since each market's price, by symbol; all markets at once."""
        self._price_age.clear()
        for symbol, age in ages.items():
            self._price_age.labels(symbol).set(age)

    def sent(self, job: Job, tasks: int = 1) -> None:
        """A transaction with so many tasks is on its way."""
        self._transactions.labels(job).inc()
        self._sent.labels(job).inc(tasks)

    def replaced(self) -> None:
        """A stuck transaction was sent again for more."""
        self._replaced.inc()

    def cancelled(self) -> None:
        """A stuck transaction was given up."""
        self._cancelled.inc()

    def mined(self, job: Job, gas: int, cost_wei: int, cost_quote: int = 0) -> None:
        """A transaction was mined, whatever came of it.

        Args:
            job: Of its tasks.
            gas: That it used.
            cost_wei: What it paid for that.
            cost_quote: The same in quote; 0 where nobody knows.
        """
        self._gas.labels(job).inc(gas)
        self._cost.labels(job).inc(cost_wei)
        self._cost_usd.labels(job).inc(cost_quote / QUOTE_PER_USD)
        self._profit.dec(cost_quote / QUOTE_PER_USD)

    def confirmed(self, job: Job, tasks: int = 1, reward: int = 0) -> None:
        """Tasks were done.

        Args:
            job: Theirs.
            tasks: How many.
            reward: Quote that they paid in all.
        """
        self._confirmed.labels(job).inc(tasks)
        self._rewards.labels(job).inc(reward / QUOTE_PER_USD)
        self._profit.inc(reward / QUOTE_PER_USD)

    def failed(self, job: Job, reason: str, tasks: int = 1) -> None:
        """Tasks were not done.

        Args:
            job: Theirs.
            reason: A `Failure`, or one of the contracts'; anything else is counted as "other".
            tasks: How many.
        """
        self._failed.labels(job, reason if reason in _REASONS else OTHER).inc(tasks)

    def lost_race(self, job: Job, tasks: int = 1) -> None:
        """Somebody else was first."""
        self._lost.labels(job).inc(tasks)

    def endpoints(self, readings: Iterable[EndpointReading]) -> None:
        """How every endpoint is; two of one host are told apart by a number."""
        names: dict[str, int] = {}
        for one in readings:
            names[one.name] = names.get(one.name, 0) + 1
            name = one.name if names[one.name] == 1 else f"{one.name} ({names[one.name]})"
            self._usable.labels(name).set(one.is_usable)
            self._endpoint_head.labels(name).set(one.head)
            before = self._error_totals.get(name, 0)
            self._errors.labels(name).inc(max(one.errors - before, 0))
            self._error_totals[name] = one.errors

    def signer(self, address: str, balance_wei: int, state: LaneState) -> None:
        """What a signer has, and does."""
        self._balance.labels(address).set(balance_wei)
        for one in LaneState:
            self._lanes.labels(address, one).set(one is state)

    def ready(self, is_ready: bool) -> None:
        """Whether `/readyz` says yes."""
        self._ready.set(is_ready)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)

    def names(self) -> frozenset[str]:
        """The name of every series that there may be."""
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
        return frozenset(
            family.name + end
            for family in self.registry.collect()
            for end in (("_info",) if family.type == "info" else ends.get(family.type, ("",)))
        )


@contextmanager
def _timed(histogram: Histogram) -> Iterator[None]:
    begun = perf_counter()
    try:
        yield
    finally:
        histogram.observe(perf_counter() - begun)
