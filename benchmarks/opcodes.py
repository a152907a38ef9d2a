"""Where the gas of an operation goes: by kind of opcode, and by the contracts' functions.

Each operation is one transaction on an anvil node, in the world of the other figures, and traced.
A step's gas is what it took itself; a call's is the call's own price and not what was called.

    python -m benchmarks.opcodes                        all operations, by kind of opcode
    python -m benchmarks.opcodes --functions liquidate  one of them, by function
"""

from __future__ import annotations

import argparse
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Any

from rich.console import Console
from rich.table import Table
from vyper import ast as vy_ast

from benchmarks.world import BTC_SIZE, ETH_SIZE, USD, World
from bulkhead.chain import Receipt
from bulkhead.local import Anvil
from bulkhead.local.chains import rpc
from bulkhead.orders import MarginMode
from tools.contract_code import nodes_by_place

ACCOUNTS = 40
WIDTH = 140  # of the tables, wherever they go
CRASH = Decimal("0.9")
CLOSE = {"is_buy": False, "reduce_only": True, "leverage": 0}

KINDS = {
    "read": ("SLOAD",),
    "written": ("SSTORE",),
    "logs": ("LOG",),
    "calls": ("CALL", "STATICCALL", "DELEGATECALL"),
    "locks": ("TLOAD", "TSTORE"),
    "hashes": ("KECCAK256", "SHA3"),
    "jumps": ("JUMP",),
    "stack": ("PUSH", "DUP", "SWAP", "POP"),
    "memory": ("MLOAD", "MSTORE", "MCOPY", "CALLDATACOPY", "CODECOPY", "RETURNDATACOPY", "MSIZE"),
}
TRANSACTION = "transaction"  # and its calldata
REST = "rest"  # arithmetic for the most part


@dataclass(frozen=True, slots=True)
class Step:
    """One opcode, and the gas it took itself."""

    op: str
    code: str  # of which contract, an address
    pc: int
    gas: int


@dataclass(frozen=True, slots=True)
class Trace:
    """All steps of a transaction."""

    gas_used: int
    steps: tuple[Step, ...]

    def by_kind(self) -> Counter[str]:
        """Gas by kind of opcode; what no step took is the transaction's own, less its refund."""
        found: Counter[str] = Counter()
        for step in self.steps:
            found[kind_of(step.op)] += step.gas
        found[TRANSACTION] = self.gas_used - found.total()
        return found


def kind_of(op: str) -> str:
    """The kind that an opcode is counted as."""
    return next((kind for kind, names in KINDS.items() if op.startswith(names)), REST)


class Tracer:
    """A world on a node that tells what a transaction did."""

    def __init__(self, anvil: Anvil) -> None:
        self.world = World(markets=2, w3=anvil.connect())

    def operations(self) -> Iterator[tuple[str, Receipt]]:
        """One transaction each."""
        world = self.world
        world.warm()
        trader = world.newcomer()
        yield "deposit, first", world.deposit(trader, 10_000 * USD)
        yield "deposit, later", world.deposit(trader, 10_000 * USD)
        order, placed = world.place(trader, 0, BTC_SIZE)
        yield "place", placed
        yield "open isolated", world.execute(order)
        yield "increase", world.trade(trader, 0, BTC_SIZE)
        house = world.clearinghouse
        yield "add margin", world.send(trader, house.call("add_margin", 0, True, 100 * USD))
        yield "remove margin", world.send(trader, house.call("remove_margin", 0, True, 50 * USD))
        yield "close all", world.trade(trader, 0, 0, **CLOSE)
        poor = world.newcomer()
        world.deposit(poor, 1_000 * USD)
        world.trade(poor, 0, BTC_SIZE)
        world.push(0, CRASH)
        yield "liquidate", world.liquidate_isolated(poor)
        yield from self._accounts()

    def _accounts(self) -> Iterator[tuple[str, Receipt]]:
        """Cross accounts of one leg and of eight: the last leg opened, all of them liquidated."""
        world = self.world
        world.list_up_to(9)
        for market in range(2, 9):
            world.warm_market(market)
        for legs in (1, 8):
            account = world.newcomer()
            world.deposit(account, 410 * USD * legs)
            opened = [
                world.trade(account, market, ETH_SIZE, margin_mode=MarginMode.CROSS)
                for market in range(1, legs + 1)
            ]
            yield f"open cross, {legs} in all", opened[-1]
            for market in range(1, legs + 1):
                world.push(market, CRASH)
            yield f"liquidate cross, {legs} in all", world.liquidate_cross(account, legs)
            for market in range(1, legs + 1):
                world.push(market)

    def names(self) -> dict[str, str]:
        """The contracts by their addresses."""
        deployment = asdict(self.world.reader.deployment)
        return {
            address.lower(): "".join(part.capitalize() for part in field.split("_"))
            for field, address in deployment.items()
            if str(address).startswith("0x") and field not in ("genesis_hash", "token", "timelock")
        }

    def trace(self, receipt: Receipt) -> Trace:
        """What a transaction did, step by step."""
        w3 = self.world.reader.chain.w3
        options = {"disableStack": False, "enableMemory": False, "disableStorage": True}
        logs = rpc(w3, "debug_traceTransaction", receipt.transaction, options)["structLogs"]
        to = w3.eth.get_transaction(receipt.transaction)["to"]  # type: ignore[arg-type]
        return Trace(receipt.gas_used, tuple(steps_of(logs, str(to))))


def steps_of(logs: Sequence[dict[str, Any]], to: str) -> list[Step]:
    """The steps of a trace: whose code each is of, and what it took less what it called took."""
    codes = [to.lower()]
    calls: list[int] = []  # those that are under way
    steps: list[Step] = []
    for i, log in enumerate(logs):
        follows = logs[i + 1] if i + 1 < len(logs) else {"depth": 0}
        gas: int = log["gasCost"]
        if follows["depth"] == log["depth"]:
            gas = log["gas"] - follows["gas"]
        steps.append(Step(log["op"], codes[-1], log["pc"], gas))
        if follows["depth"] > log["depth"]:
            calls.append(i)
            codes.append(f"0x{int(log['stack'][-2], 16):040x}")
        elif 0 < follows["depth"] < log["depth"]:
            codes.pop()
            caller = calls.pop()
            called = logs[caller + 1]["gas"] - (log["gas"] - log["gasCost"])
            own = logs[caller]["gas"] - follows["gas"] - called
            steps[caller] = replace(steps[caller], gas=own)
    return steps


def by_kind(found: dict[str, Trace]) -> Table:
    """Operations below each other, by kind of opcode."""
    kinds = (TRANSACTION, *KINDS, REST)
    table = Table("", *kinds, "all", title="Gas by kind of opcode")
    for name, trace in found.items():
        gas = trace.by_kind()
        table.add_row(name, *(f"{gas[kind]:,}" for kind in kinds), f"{trace.gas_used:,}")
    return table


def by_function(trace: Trace, names: dict[str, str]) -> Table:
    """The functions of all contracts that an operation runs, the dearest first."""
    found: Counter[tuple[str, str]] = Counter()
    compute: Counter[tuple[str, str]] = Counter()
    for step in trace.steps:
        contract = names.get(step.code, step.code)
        where = function_at(contract)(step.pc) if step.code in names else "?"
        found[contract, where] += step.gas
        if kind_of(step.op) not in ("read", "written", "logs", "calls"):
            compute[contract, where] += step.gas
    table = Table("contract", "function", "gas", "without words, logs and calls")
    for (contract, where), gas in found.most_common(40):
        table.add_row(contract, where, f"{gas:,}", f"{compute[contract, where]:,}")
    return table


@cache
def function_at(contract: str) -> Callable[[int], str]:
    """Tells which function of its sources a place in a contract's code comes from."""
    _, nodes = nodes_by_place(contract)
    places = {}
    for pc, node in nodes.items():
        inside = node if isinstance(node, vy_ast.FunctionDef) else None
        inside = inside or node.get_ancestor(vy_ast.FunctionDef)
        module = node.module_node.path.rsplit("/", 1)[-1].removesuffix(".vy")
        places[pc] = f"{module}.{inside.name}" if inside else module
    known = sorted(places)

    def find(pc: int) -> str:
        at = bisect_right(known, pc) - 1
        return places[known[at]] if at >= 0 else "selector"

    return find


def main() -> None:
    parser = argparse.ArgumentParser(description="Where the gas of an operation goes.")
    parser.add_argument("--functions", metavar="OPERATION", help="one operation, by function")
    given = parser.parse_args()
    console = Console(width=WIDTH)
    with Anvil("--accounts", str(ACCOUNTS), "--steps-tracing") as anvil:
        tracer = Tracer(anvil)
        found = {
            name: tracer.trace(receipt)
            for name, receipt in tracer.operations()
            if given.functions in (None, name)
        }
        if given.functions is None:
            console.print(by_kind(found))
            return
        names = tracer.names()
    if given.functions not in found:
        parser.error(f"no operation {given.functions!r}")
    console.print(by_function(found[given.functions], names))


if __name__ == "__main__":
    main()
