"""Decodes the logs of one event by a plan that is made once.

What sits at a fixed place in the data is cut out and converted; what does not (strings, arrays),
and whatever is not plainly well-formed, is eth_abi's to decode or to refuse. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from eth_abi.abi import decode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

Component: TypeAlias = Mapping[str, Any]
"""One argument, field or result, as an ABI describes it."""

_WORD = 32
_CACHED_ADDRESSES = 65_536

checksum = lru_cache(maxsize=_CACHED_ADDRESSES)(to_checksum_address)


class _Unusual(Exception):  # noqa: N818 - not an error: eth_abi decides
    """A word that is not what its type writes."""


def type_of(component: Component) -> str:
    """A component's canonical type, as signatures spell it."""
    kind: str = component["type"]
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(type_of(one) for one in component["components"])
    return f"({inner}){kind.removeprefix('tuple')}"


def signature_of(entry: Component) -> str:
    """The signature of a function or an event."""
    return f"{entry['name']}({','.join(type_of(one) for one in entry['inputs'])})"


def named(component: Component, value: Any) -> Any:
    """A decoded value as users get it.

    Structs become dicts by field name, addresses get their checksum, lists stay tuples.
    """
    kind: str = component["type"]
    if kind.endswith("]"):
        element = {**component, "type": kind[: kind.rindex("[")]}
        return tuple(named(element, one) for one in value)
    if kind == "tuple":
        fields = component["components"]
        return {one["name"]: named(one, part) for one, part in zip(fields, value, strict=True)}
    return checksum(value) if kind == "address" else value


def decode_all(components: Sequence[Component], data: bytes) -> dict[str, Any]:
    """Values by name, as eth_abi decodes them."""
    values = decode([type_of(component) for component in components], data)
    return {one["name"]: named(one, value) for one, value in zip(components, values, strict=True)}


@dataclass(frozen=True, slots=True)
class _Words:
    """Components that all sit at fixed places of one piece of data."""

    steps: tuple[tuple[str, Callable[[bytes], Any], int, int], ...]  # from a byte to a byte
    size: int

    def read(self, data: bytes) -> dict[str, Any]:
        if len(data) < self.size:
            raise _Unusual
        return {name: convert(data[start:end]) for name, convert, start, end in self.steps}


class EventPlan:
    """How the logs of one event are decoded.

    Attributes:
        name: The event's.
        topic: Its first topic.
        inputs: Its arguments: first those in topics, then those in data, as they are decoded.
    """

    def __init__(self, entry: Component) -> None:
        self.name: str = entry["name"]
        self.topic = keccak(text=signature_of(entry))
        self._indexed = [one for one in entry["inputs"] if one["indexed"]]
        self._rest = [one for one in entry["inputs"] if not one["indexed"]]
        self.inputs: tuple[Component, ...] = (*self._indexed, *self._rest)
        self._topics = [(one["name"], _CONVERTERS.get(one["type"])) for one in self._indexed]
        self._words = _words_of(self._rest)

    def decode(self, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        """The arguments by name.

        Args:
            topics: All of the log's, the event's own first.
            data: The log's data.

        Raises:
            ValueError: If the topics are not as many as the event has.
            eth_abi.exceptions.DecodingError: If a topic or the data is not what the event logs.
        """
        if len(topics) != len(self._topics) + 1:
            raise ValueError(f"{self.name}: {len(topics)} topics, not {len(self._topics) + 1}")
        arguments: dict[str, Any] = {}
        try:
            for (name, convert), topic in zip(self._topics, topics[1:], strict=True):
                if convert is None or len(topic) != _WORD:
                    raise _Unusual
                arguments[name] = convert(topic)
        except _Unusual:
            for component, topic in zip(self._indexed, topics[1:], strict=True):
                arguments |= decode_all([component], topic)
        if self._words is not None:
            try:
                return arguments | self._words.read(data)
            except _Unusual:
                pass
        return arguments | decode_all(self._rest, data)


def _address(word: bytes) -> str:
    if word[:12] != bytes(12):
        raise _Unusual
    return checksum(word[12:])


def _bool(word: bytes) -> bool:
    number = int.from_bytes(word)
    if number > 1:
        raise _Unusual
    return number == 1


def _signed(word: bytes) -> int:
    return int.from_bytes(word, signed=True)


_CONVERTERS: dict[str, Callable[[bytes], Any]] = {
    "uint256": int.from_bytes,
    "int256": _signed,
    "address": _address,
    "bool": _bool,
    "bytes32": bytes,
}


def _words_of(components: Iterable[Component]) -> _Words | None:
    """Where the components sit, or None if that depends on the data."""
    steps, at = [], 0
    for component in components:
        convert = _CONVERTERS.get(component["type"])
        size = _WORD
        if component["type"] == "tuple":
            inner = _words_of(component["components"])
            if inner is None:
                return None
            convert, size = inner.read, inner.size
        if convert is None:
            return None
        steps.append((component["name"], convert, at, at + size))
        at += size
    return _Words(tuple(steps), at)
