"""What the deployed contracts understand, from the artifacts in the package.

Encodes calls, decodes results and logs. Pure: knows no chain and needs no web3.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from bulkhead.decoding import Component, EventPlan, named, signature_of, type_of

LOGIC_CONTRACTS = ("AccountLogic", "HouseLogic", "LiquidationLogic", "MarketLogic")
"""Code that runs in the clearinghouse's storage, and logs from its address."""

_LOGICS = {"Clearinghouse": LOGIC_CONTRACTS, "OrderBook": ("OrderLogic",)}
_UNNAMED = (
    "MarketLogic",
    "OrderLogic",
)  # what is called without a function of its own to hand it on


@dataclass(frozen=True, slots=True)
class Artifact:
    """A compiled contract."""

    name: str
    abi: tuple[dict[str, Any], ...] = field(repr=False)
    bytecode: bytes = field(repr=False)
    runtime_size: int


@dataclass(frozen=True, slots=True)
class Call:
    """One encoded call of one contract."""

    to: str
    data: bytes
    name: str
    outputs: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    gas: int | None = None  # that it may use where it is only read
    value: int = 0  # wei that go with it

    def decode(self, data: bytes) -> Any:
        """What the call returned: nothing, one value, or a tuple of several."""
        if not self.outputs:
            return None
        decoded = decode([type_of(output) for output in self.outputs], data)
        values = tuple(map(named, self.outputs, decoded))
        return values[0] if len(values) == 1 else values


@dataclass(frozen=True, slots=True)
class Log:
    """A log as the chain has it.

    Attributes:
        address: Who logged it.
        topics: The event's own, then its indexed arguments.
        data: The rest of its arguments.
        block: The block's number.
        transaction: The transaction's hash.
        index: Its place among the block's logs.
        block_hash: The block's hash; None where nobody asked.
        timestamp: The block's time, seconds; None from nodes that do not say.
    """

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block: int
    transaction: str
    index: int
    block_hash: str | None = None
    timestamp: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A decoded log. Its arguments are reached by `event["name"]`."""

    name: str
    arguments: Mapping[str, Any]
    address: str
    block: int
    transaction: str
    index: int

    def __getitem__(self, argument: str) -> Any:
        return self.arguments[argument]


class Interface:
    """A contract's functions and events."""

    def __init__(self, abi: Iterable[Mapping[str, Any]]) -> None:
        self._functions: dict[tuple[str, int], Mapping[str, Any]] = {}
        self._events: dict[bytes, EventPlan] = {}
        self._topics: dict[str, bytes] = {}
        for entry in abi:
            if entry["type"] == "function":
                self._functions[entry["name"], len(entry["inputs"])] = entry
            elif entry["type"] == "event":
                plan = EventPlan(entry)
                self._events[plan.topic] = plan
                self._topics[plan.name] = plan.topic

    def has_function(self, name: str, arity: int) -> bool:
        """Whether there is a function of this name with so many arguments."""
        return (name, arity) in self._functions

    def encode_call(self, to: str, name: str, arguments: tuple[Any, ...]) -> Call:
        """A call of a function; a struct is a tuple of its fields."""
        entry = self._functions[name, len(arguments)]
        types = [type_of(component) for component in entry["inputs"]]
        selector = keccak(text=signature_of(entry))[:4]
        return Call(to, selector + encode(types, arguments), name, tuple(entry["outputs"]))

    def topic_of(self, event: str) -> bytes:
        """The first topic of an event."""
        return self._topics[event]

    def inputs_of(self, event: str) -> tuple[Component, ...]:
        """An event's arguments, as `decode_log` orders them."""
        return self._events[self._topics[event]].inputs

    def decode_log(self, log: Log) -> Event | None:
        """The event behind a log, or None if it is not one of this contract."""
        plan = self._events.get(log.topics[0]) if log.topics else None
        if plan is None:
            return None
        arguments = plan.decode(log.topics, log.data)
        return Event(plan.name, arguments, log.address, log.block, log.transaction, log.index)


@cache
def load_artifact(name: str) -> Artifact:
    """A contract's artifact by its name.

    Raises:
        FileNotFoundError: If the package carries none.
    """
    table = json.loads(files("bulkhead").joinpath("artifacts", f"{name}.json").read_text())
    return Artifact(
        name=name,
        abi=tuple(table["abi"]),
        bytecode=bytes.fromhex(table["bytecode"].removeprefix("0x")),
        runtime_size=table["runtime_size"],
    )


def has_artifact(name: str) -> bool:
    """Whether the package carries a contract of this name."""
    return files("bulkhead").joinpath("artifacts", f"{name}.json").is_file()


@cache
def user_abi(name: str) -> tuple[dict[str, Any], ...]:
    """A contract's ABI as users need it.

    Those that have logic contracts come with their events, which they log from their own address,
    and with the calls that they hand on without knowing them.
    """
    abi = list(load_artifact(name).abi)
    known = {entry.get("name") for entry in abi}
    for logic in _LOGICS.get(name, ()):
        kinds = ("event", "function") if logic in _UNNAMED else ("event",)
        for entry in load_artifact(logic).abi:
            if entry["type"] in kinds and entry["name"] not in known:
                known.add(entry["name"])
                abi.append(entry)
    return tuple(abi)


@cache
def interface_of(name: str) -> Interface:
    """A contract's interface, of its user ABI."""
    return Interface(user_abi(name))


def encode_constructor(name: str, arguments: tuple[Any, ...]) -> bytes:
    """The code that deploys a contract with these arguments."""
    artifact = load_artifact(name)
    inputs: list[dict[str, Any]] = next(
        (one["inputs"] for one in artifact.abi if one["type"] == "constructor"), []
    )
    return artifact.bytecode + encode([type_of(component) for component in inputs], arguments)
