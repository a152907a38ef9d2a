"""One pass of the keeper: keep up, see what became of what was sent, decide, try, send."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from bulkhead.chain import Block
from bulkhead.errors import Rejected
from bulkhead.keeper import planning
from bulkhead.keeper.batching import GAS_PER_BATCH, Economy, Shard, batches, gas_of
from bulkhead.keeper.claims import Alone
from bulkhead.keeper.foresight import Update, foreseen, needed
from bulkhead.keeper.planning import Sight
from bulkhead.keeper.trial import Bench, Left
from bulkhead.keeper.work import Batch, Intent, Job, Task
from bulkhead.liquidity import RedeemRequest
from bulkhead.values import QUOTE_DECIMALS, down

if TYPE_CHECKING:
    from decimal import Decimal

    from bulkhead.chain import Query
    from bulkhead.index import Progress
    from bulkhead.interfaces import Event
    from bulkhead.keeper.claims import Claims
    from bulkhead.keeper.desk import Desk
    from bulkhead.keeper.dispatch.dispatcher import Dispatcher
    from bulkhead.keeper.dispatch.flights import Settled
    from bulkhead.keeper.dispatch.journal import Journal
    from bulkhead.keeper.following import Following
    from bulkhead.keeper.foresight import Foresight
    from bulkhead.markets import MarketState
    from bulkhead.reader import AsyncReader

_REWARDS = {  # who is paid what, by event
    "LiquidatorPaid": ("liquidator", "amount"),
    "OrderCancelled": ("receiver", "keeper_fee"),
    "OrderExecuted": ("keeper", "keeper_fee"),
    "RedeemFixed": ("fixer", "reward"),
}

HITS = 1_000  # candidates of either kind that one pass looks at


@dataclass(frozen=True, slots=True)
class Policy:
    """What is done, and for what price.

    Attributes:
        jobs: Those that are switched on.
        shard: Whose tasks are this keeper's.
        gas_per_batch: The most that one transaction may have.
        batches_per_pass: The most that one pass sends.
        margin: Ppm of its cost that a reward must bring on top.
        always: Whether bad debt is liquidated at any loss.
        gas_token: USD of a whole token that gas is paid in, or the market that says it.
    """

    jobs: frozenset[Job] = frozenset(Job)
    shard: Shard = field(default_factory=Shard)
    gas_per_batch: int = GAS_PER_BATCH
    batches_per_pass: int = 16
    margin: int = 0
    always: bool = False
    gas_token: Decimal | str = "ETH-PERP"


@dataclass(frozen=True, slots=True)
class Watched:
    """What has happened since the last look.

    Attributes:
        at: The block that is looked at.
        progress: How far the index is.
        settled: What became of transactions.
        earned: Quote that this keeper's accounts were paid, by transaction.
    """

    at: Block
    progress: Progress
    settled: tuple[Settled, ...]
    earned: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass saw and did.

    Attributes:
        watched: What had happened before it.
        states: The markets, as the chain has them.
        found: Tasks by job, before anything was left out.
        planned: What was worth sending, tried.
        sent: Those batches that were sent.
        left: What was not sent, why, and the reason in the contracts' words.
        unpaid: Tasks by job that would not pay for their gas.
        resting: How many tasks are set aside.
        screened: Seconds that it took to find the candidates.
        economy: What gas cost.
    """

    watched: Watched
    states: Mapping[int, MarketState]
    found: Mapping[Job, int]
    planned: tuple[Batch, ...]
    sent: tuple[Batch, ...]
    left: tuple[tuple[Task, Left, str], ...]
    unpaid: Mapping[Job, int]
    resting: int
    screened: float
    economy: Economy


class Engine:
    """A keeper over a chain. Decides by pure functions; what it sends is tried first.

    Args:
        reader: The exchange.
        following: Keeps up with it.
        dispatcher: Sends, and watches what was sent.
        journal: What is on its way, and what is set aside.
        foresight: What prices can be brought.
        desk: Makes calls of tasks.
        policy: What is done.
        claims: What is told to other keepers of the same exchange, and they tell.
    """

    def __init__(
        self,
        reader: AsyncReader,
        following: Following,
        dispatcher: Dispatcher,
        journal: Journal,
        foresight: Foresight,
        desk: Desk,
        policy: Policy,
        claims: Claims | None = None,
    ) -> None:
        self._reader = reader
        self._following = following
        self._dispatcher = dispatcher
        self._journal = journal
        self._foresight = foresight
        self._desk = desk
        self._policy = policy
        self._claims = claims or Alone()
        self._bench = Bench(reader, desk.sender, desk.call_of)
        self._requests: dict[int, RedeemRequest] = {}

    async def once(self, shard: Shard | None = None, *, dry_run: bool = False) -> Pass:
        """One pass.

        Args:
            shard: Whose tasks are done now; the policy's where it is None.
            dry_run: Whether nothing is sent.

        Raises:
            BulkheadError: What a node does not answer, or the index can not take in.
        """
        watched = await self._watch(dry_run=dry_run)
        at = watched.at
        shard = shard or self._policy.shard
        sight = await self._sight(at)
        updates = await self._foresight.updates(sight)
        ahead = foreseen(sight, updates)
        resting = self._journal.poisoned(at.timestamp)
        away = self._journal.busy() | resting | await self._claims.of_others(at.number)
        tasks, screened = self._tasks(ahead, away, shard)
        economy = await self._economy(sight)
        wanted = [task for task in tasks if _is_wanted(task, shard, economy, away)]
        planned, left = await self._planned(wanted, updates, economy, at, away)
        sent = () if dry_run else await self._send(planned, at)
        return Pass(
            watched=watched,
            states=sight.states,
            found=Counter(task.job for task in tasks),
            planned=planned,
            sent=sent,
            left=left,
            unpaid=Counter(task.job for task in tasks if not economy.pays_for(task)),
            resting=len(resting),
            screened=screened,
            economy=economy,
        )

    async def _watch(self, *, dry_run: bool) -> Watched:
        """Keeps up and sees what became of what was sent."""
        progress = await self._following.catch_up()
        at = await self._reader.block(progress.block)
        settled = () if dry_run else await self._settle(at)
        return Watched(at, progress, settled, self._earned())

    async def _settle(self, at: Block) -> tuple[Settled, ...]:
        settled = await self._dispatcher.settle(at)
        await self._claims.keep(self._journal.busy(), at.number)
        return settled

    async def _sight(self, at: Block) -> Sight:
        """The markets that matter, and the requests that nobody has fixed."""
        wanted = self._following.book.markets()
        if isinstance(self._policy.gas_token, str):
            wanted.add(await self._reader.market_id(self._policy.gas_token))
        states = await self._reader.market_states(sorted(wanted), at)
        waiting = self._following.book.requests
        known = {number: one for number, one in self._requests.items() if number in waiting}
        unread = [number for number in waiting if number not in known]
        self._requests = known | await self._reader.chain.run(_requests(self._reader, unread), at)
        return Sight(at, states, dict(self._requests))

    def _tasks(
        self, sight: Sight, away: Collection[Intent], shard: Shard
    ) -> tuple[list[Task], float]:
        """Everything to do at what is seen, the worst first; seconds that the screens took."""
        # Those that are passed over must not hide the others.
        limit = (HITS + len(away)) * shard.count
        began = time.perf_counter()
        candidates = self._following.screens.candidates(sight.states, sight.states, limit)
        screened = time.perf_counter() - began
        found = planning.all_tasks(
            self._following.book,
            sight,
            self._policy.jobs - {Job.UPDATE_PRICES},
            candidates.vaults,
            candidates.ledgers,
        )
        return list(found), screened

    async def _planned(
        self,
        tasks: Sequence[Task],
        updates: Mapping[int, Update],
        economy: Economy,
        at: Block,
        away: Collection[Intent],
    ) -> tuple[tuple[Batch, ...], tuple[tuple[Task, Left, str], ...]]:
        """The batches to send, each of them tried, and what was left out of them."""
        planned: list[Batch] = []
        left: list[tuple[Task, Left, str]] = []
        brought: dict[int, Update] = {}
        for group in batches(tasks, self._policy.gas_per_batch):
            if len(planned) >= self._policy.batches_per_pass:
                break
            needs = needed((one for task in group for one in task.needs), updates)
            if len(needs) > self._desk.brings:
                # Their prices go first, and they follow with the next block.
                brought |= {update.market: update for update in needs}
                continue
            if needs and Job.UPDATE_PRICES not in self._policy.jobs:
                continue
            trial = await self._bench.tried(group, gas_of(group), at, needs)
            left += trial.left
            if trial.kept and economy.pays(trial.kept):
                planned.append(self._desk.batch_of(trial.kept, needs))
        if Job.UPDATE_PRICES in self._policy.jobs:
            first = [self._desk.update_of(one) for one in brought.values()]
            planned = [one for one in first if one.tasks[0].intent not in away] + planned
        self._set_aside(left, at)
        return tuple(planned[: self._policy.batches_per_pass]), tuple(left)

    def _set_aside(self, left: Sequence[tuple[Task, Left, str]], at: Block) -> None:
        for task, why, reason in left:
            if why is Left.FAILS:
                self._journal.set_aside(task.intent, reason, at.timestamp)

    async def _send(self, planned: Sequence[Batch], at: Block) -> tuple[Batch, ...]:
        sent: list[Batch] = []
        for batch in planned:
            if not await self._claims.take([task.intent for task in batch.tasks], at.number):
                continue  # somebody else was faster; what is left of it is found again
            try:
                found = await self._dispatcher.send(batch, at)
            except Rejected as error:
                # What no node takes must not keep what comes after it.
                for task in batch.tasks:
                    self._journal.set_aside(task.intent, str(error), at.timestamp)
                continue
            if found is None:
                break  # no lane is free; what is left is found again
            sent.append(batch)
        # What could not be sent is anybody's.
        await self._claims.keep(self._journal.busy(), at.number)
        return tuple(sent)

    async def _economy(self, sight: Sight) -> Economy:
        token = self._policy.gas_token
        if isinstance(token, str):
            state = sight.states[await self._reader.market_id(token)]
            usd = state.mark_price
        else:
            usd = token
        price = await self._reader.chain.gas_price()
        gas_price = (price.base or 0) + price.tip
        quote = down(Fraction(usd) * 10**QUOTE_DECIMALS)
        return Economy(gas_price, quote, self._policy.margin, self._policy.always)

    def _earned(self) -> Counter[str]:
        """Quote that the new events pay to this keeper, by transaction."""
        earned: Counter[str] = Counter()
        for event in self._following.fresh:
            if reward := _paid(event, self._desk.payees):
                earned[event.transaction] += reward
        return earned


def _is_wanted(task: Task, shard: Shard, economy: Economy, away: Collection[Intent]) -> bool:
    """Whether a task is ours to do, on no transaction's way, not set aside, and worth it."""
    return shard.has(task) and task.intent not in away and economy.pays_for(task)


def _paid(event: Event, payees: Collection[str]) -> int:
    """Quote that an event pays to some accounts."""
    if event.name not in _REWARDS:
        return 0
    payee, amount = _REWARDS[event.name]
    return int(event[amount]) if event[payee] in payees else 0


def _requests(reader: AsyncReader, ids: Sequence[int]) -> Query[dict[int, RedeemRequest]]:
    """Requests of liquidity providers, by id."""
    if not ids:
        return {}
    pool = reader.contracts.liquidity_pool
    found = yield tuple(pool.call("request", one) for one in ids)
    return {one: RedeemRequest(one, *answer) for one, answer in zip(ids, found, strict=True)}
