"""What the deployed contracts understand, from the artifacts in the package.

Encodes calls, decodes results and logs. Pure: knows no chain and needs no web3.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

LOGIC_CONTRACTS = ("AccountLogic", "HouseLogic", "LiquidationLogic", "MarketLogic")
"""Code that runs in the clearinghouse's storage, and logs from its address."""

_LOGICS = {"Clearinghouse": LOGIC_CONTRACTS, "OrderBook": ("OrderLogic",)}
_UNNAMED = (
    "MarketLogic",
    "OrderLogic",
)  # what is called without a function of its own to hand it on

_checksum = lru_cache(maxsize=65_536)(to_checksum_address)


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

    def decode(self, data: bytes) -> Any:
        """What the call returned: nothing, one value, or a tuple of several."""
        if not self.outputs:
            return None
        values = decode([_type_of(output) for output in self.outputs], data)
        named = tuple(
            _named(output, value) for output, value in zip(self.outputs, values, strict=True)
        )
        return named[0] if len(named) == 1 else named


@dataclass(frozen=True, slots=True)
class Log:
    """A log as the chain has it."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block: int
    transaction: str
    index: int


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
        self._events: dict[bytes, Mapping[str, Any]] = {}
        self._topics: dict[str, bytes] = {}
        for entry in abi:
            if entry["type"] == "function":
                self._functions[entry["name"], len(entry["inputs"])] = entry
            elif entry["type"] == "event":
                topic = keccak(text=_signature_of(entry))
                self._events[topic] = entry
                self._topics[entry["name"]] = topic

    def has_function(self, name: str, arity: int) -> bool:
        """Whether there is a function of this name with so many arguments."""
        return (name, arity) in self._functions

    def encode_call(self, to: str, name: str, arguments: tuple[Any, ...]) -> Call:
        """A call of a function; a struct is a tuple of its fields."""
        entry = self._functions[name, len(arguments)]
        types = [_type_of(component) for component in entry["inputs"]]
        selector = keccak(text=_signature_of(entry))[:4]
        return Call(to, selector + encode(types, arguments), name, tuple(entry["outputs"]))

    def topic_of(self, event: str) -> bytes:
        """The first topic of an event."""
        return self._topics[event]

    def decode_log(self, log: Log) -> Event | None:
        """The event behind a log, or None if it is not one of this contract."""
        entry = self._events.get(log.topics[0]) if log.topics else None
        if entry is None:
            return None
        indexed = [one for one in entry["inputs"] if one["indexed"]]
        rest = [one for one in entry["inputs"] if not one["indexed"]]
        arguments: dict[str, Any] = {}
        for component, topic in zip(indexed, log.topics[1:], strict=True):
            (value,) = decode([_type_of(component)], topic)
            arguments[component["name"]] = _named(component, value)
        values = decode([_type_of(component) for component in rest], log.data)
        for component, value in zip(rest, values, strict=True):
            arguments[component["name"]] = _named(component, value)
        return Event(entry["name"], arguments, log.address, log.block, log.transaction, log.index)


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
    return artifact.bytecode + encode([_type_of(component) for component in inputs], arguments)


def _type_of(component: Mapping[str, Any]) -> str:
    kind: str = component["type"]
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(_type_of(one) for one in component["components"])
    return f"({inner}){kind.removeprefix('tuple')}"


def _signature_of(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']}({','.join(_type_of(one) for one in entry['inputs'])})"


def _named(component: Mapping[str, Any], value: Any) -> Any:
    # Structs become dicts by field name, addresses get their checksum, lists stay tuples.
    kind: str = component["type"]
    if kind.endswith("]"):
        element = {**component, "type": kind[: kind.rindex("[")]}
        return tuple(_named(element, one) for one in value)
    if kind == "tuple":
        fields = component["components"]
        return {one["name"]: _named(one, part) for one, part in zip(fields, value, strict=True)}
    return _checksum(value) if kind == "address" else value
