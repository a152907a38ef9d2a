"""Which tasks go together, whether it pays, and whose they are. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from eth_utils.crypto import keccak

from bulkhead.keeper.calls import MOST
from bulkhead.keeper.work import Job, Task
from bulkhead.protocol.fixed_point import PPM, div_up

GAS_BASE = 300_000  # of a batch's limit, whatever is in it
GAS_PER_BATCH = 14_000_000  # under the 16.7 million that one transaction may have
MAX_SHARDS = 1_000

# What one more in a batch usually costs, docs/gas.md. Only what is paid is measured by it.
_USUAL_GAS = {
    Job.LIQUIDATE_ISOLATED: 75_000,
    Job.TOP_UP: 75_000,
    Job.LIQUIDATE_CROSS: 130_000,
    Job.EXECUTE_ORDERS: 110_000,
    Job.CLEAR_EXPIRED: 40_000,
    Job.FIX_REQUESTS: 150_000,
}
_USUAL_BASE = 30_000  # a transaction and its first call

_WEI = 10**18


@dataclass(frozen=True, slots=True)
class Economy:
    """What gas costs, and what a reward must bring beyond it.

    Attributes:
        gas_price: Wei per gas that a transaction would pay now.
        token_price: Quote per whole token that gas is paid in.
        margin: Ppm of the cost that a reward must bring on top.
        always: Whether what has less than nothing left is liquidated at any loss: it grows.
    """

    gas_price: int
    token_price: int
    margin: int = 0
    always: bool = False

    def quote_of(self, wei: int) -> int:
        """What so much of the token is worth, quote, up."""
        return div_up(wei * self.token_price, _WEI)

    def cost_of(self, gas: int) -> int:
        """What a reward must bring for so much gas: its price and the margin, quote, up."""
        return div_up(gas * self.gas_price * self.token_price * (PPM + self.margin), _WEI * PPM)

    def pays(self, tasks: Sequence[Task]) -> bool:
        """Whether a batch is worth its gas, or is done for nothing."""
        if any(self._is_free(task) for task in tasks):
            return True
        gas = _USUAL_BASE + sum(_USUAL_GAS[task.job] for task in tasks)
        return sum(task.reward for task in tasks) >= self.cost_of(gas)

    def pays_for(self, task: Task) -> bool:
        """Whether a task is worth what it adds to a batch, or is done for nothing."""
        return self._is_free(task) or task.reward >= self.cost_of(_USUAL_GAS[task.job])

    def _is_free(self, task: Task) -> bool:
        # What pays nobody is done because its job is switched on.
        return task.reward == 0 or (self.always and task.is_debt)


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several keepers that share the work. All tasks of an account are one shard's.

    Attributes:
        number: From 1 on.
        count: How many there are.
    """

    number: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count <= MAX_SHARDS:
            raise ValueError(f"shard: k/n, k from 1 to n, n at most {MAX_SHARDS}")

    @classmethod
    def parse(cls, text: str) -> Shard:
        """A shard as it is written: 2/4."""
        number, _, count = text.partition("/")
        if not (number.isdecimal() and count.isdecimal()):
            raise ValueError(f"shard: {text!r}, not as 2/4")
        return cls(int(number), int(count))

    def has(self, task: Task) -> bool:
        """Whether a task is this one's."""
        name = task.account or task.key
        return int.from_bytes(keccak(text=name)[:8]) % self.count == self.number - 1


def batches(tasks: Iterable[Task], gas_cap: int = GAS_PER_BATCH) -> Iterator[tuple[Task, ...]]:
    """Tasks that fit into one transaction each: of one call, the first first.

    Args:
        tasks: In the order they are wanted.
        gas_cap: The most that a transaction may have.
    """
    groups: dict[tuple[str, int | None], list[Task]] = defaultdict(list)
    for task in tasks:
        market = task.market if task.verb == "auto_deleverage" else None  # which takes one market
        groups[task.verb, market].append(task)
    for (verb, _), group in groups.items():
        yield from _fitting(group, MOST.get(verb, 1), gas_cap)


def gas_of(tasks: Iterable[Task]) -> int:
    """The limit of a transaction that does some tasks."""
    return GAS_BASE + sum(task.gas for task in tasks)


def _fitting(tasks: Sequence[Task], most: int, gas_cap: int) -> Iterator[tuple[Task, ...]]:
    group: list[Task] = []
    for task in tasks:
        if group and (len(group) == most or gas_of((*group, task)) > gas_cap):
            yield tuple(group)
            group = []
        group.append(task)
    if group:
        yield tuple(group)
