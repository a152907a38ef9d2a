"""The state's tables as rows of text, and back, with every change remembered.

A row is a table's name, a key and a value: parts of a key are joined by "/", words are written in
hexadecimal. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from bulkhead.protocol import words
from bulkhead.replay import Placement, Replay
from bulkhead.state import NO_HOUSE

Row: TypeAlias = tuple[str, str, str | None]
"""Table, key, value; None where there is nothing."""

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class _Part:
    """One kind of a key's parts."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]


_TEXT = _Part(str, str)
_NUMBER = _Part(str, int)
_FLAG = _Part(lambda flag: str(int(flag)), lambda text: text == "1")
_HASH = _Part(bytes.hex, bytes.fromhex)


@dataclass(frozen=True, slots=True)
class _Table:
    """How one table of the state is written."""

    parts: tuple[_Part, ...]
    write: Callable[[Any], str]
    read: Callable[[str], Any]

    def key(self, key: Any) -> str:
        if len(self.parts) == 1:
            return self.parts[0].write(key)
        return "/".join(part.write(one) for part, one in zip(self.parts, key, strict=True))

    def key_of(self, text: str) -> Any:
        if len(self.parts) == 1:
            return self.parts[0].read(text)
        pieces = text.split("/")
        return tuple(part.read(one) for part, one in zip(self.parts, pieces, strict=True))


def _packed(pack: Callable[[Any], int], unpack: Callable[[int], Any], *parts: _Part) -> _Table:
    return _Table(parts, lambda one: f"{pack(one):x}", lambda text: unpack(int(text, 16)))


def _numbers(*parts: _Part) -> _Table:
    return _Table(parts, _write_numbers, _read_numbers)


def _number(*parts: _Part) -> _Table:
    return _Table(parts, "{:x}".format, lambda text: int(text, 16))


def _write_numbers(numbers: tuple[int, ...]) -> str:
    return "/".join(f"{number:x}" for number in numbers)


def _read_numbers(text: str) -> tuple[int, ...]:
    return tuple(int(one, 16) for one in text.split("/"))


def _write_placement(placement: Placement) -> str:
    return "/".join(
        (placement.account, placement.placer, str(placement.market), placement.group.hex())
    )


def _read_placement(text: str) -> Placement:
    account, placer, market, group = text.split("/")
    return Placement(account, placer, int(market), bytes.fromhex(group))


_TABLES = {
    "accounts": _packed(words.pack_account, words.unpack_account, _TEXT),
    "positions": _packed(words.pack_position, words.unpack_position, _TEXT, _NUMBER, _NUMBER),
    "settings": _packed(words.pack_settings, words.unpack_settings, _TEXT, _NUMBER),
    "sides": _packed(words.pack_side, words.unpack_side, _NUMBER, _FLAG),
    "markets": _packed(words.pack_market, words.unpack_market, _NUMBER),
    "trade_terms": _packed(words.pack_trade_terms, words.unpack_trade_terms, _NUMBER),
    "liquidation_terms": _packed(
        words.pack_liquidation_terms, words.unpack_liquidation_terms, _NUMBER
    ),
    "tiers": _numbers(_NUMBER),
    "ramps": _numbers(_NUMBER),
    "prices": _packed(words.pack_price, words.unpack_price, _NUMBER),
    "checks": _number(_NUMBER),
    "settlements": _number(_NUMBER),
    "orders": _packed(words.pack_order_state, words.unpack_order_state, _HASH),
    "order_terms": _packed(words.pack_order_terms, words.unpack_order_terms, _NUMBER),
    "operators": _packed(words.pack_operator, words.unpack_operator, _TEXT, _TEXT),
    "nonces": _number(_TEXT, _NUMBER),
    "max_builder_fees": _number(_TEXT, _TEXT),
    "referral_shares": _number(_TEXT),
    "referrers": _Table((_TEXT,), str, str),
    "placements": _Table((_HASH,), _write_placement, _read_placement),
}
_GROUPS = _Table((_TEXT, _TEXT, _HASH), str, str)  # a set: what is in it has the value "1"
_SINGLE = {  # what is no table: it has one row, whose key is empty
    "house": (_packed(words.pack_house, words.unpack_house), NO_HOUSE),
    "sequencer": (_number(), 0),
    "insurance_request": (_numbers(), (0, 0)),
}


class _Watched(dict[Any, Any]):
    """A table that remembers what its keys held before they were set."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[Any, Any] = {}

    def __setitem__(self, key: Any, value: Any) -> None:
        if key not in self.before:
            self.before[key] = self.get(key, _ABSENT)
        super().__setitem__(key, value)


class _WatchedSet(set[Any]):
    """A set that remembers what was added."""

    def __init__(self) -> None:
        super().__init__()
        self.added: list[Any] = []

    def add(self, element: Any) -> None:
        if element not in self:
            self.added.append(element)
        super().add(element)


@dataclass(slots=True)
class WatchedState(Replay):
    """A replay that knows what has changed since it was last asked."""

    done_groups: set[tuple[str, str, bytes]] = field(default_factory=_WatchedSet)
    _single: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in _TABLES:
            setattr(self, name, _Watched())
        self._single = {name: getattr(self, name) for name in _SINGLE}

    def take_changes(self) -> tuple[dict[tuple[str, str], str | None], list[Row]]:
        """What the changed rows hold now, and what they held before. Forgets both."""
        now: dict[tuple[str, str], str | None] = {}
        before: list[Row] = []
        for name, table in _TABLES.items():
            watched = getattr(self, name)
            for key, old in watched.before.items():
                text = table.key(key)
                now[name, text] = table.write(watched[key])
                before.append((name, text, None if old is _ABSENT else table.write(old)))
            watched.before = {}
        groups: Any = self.done_groups
        for group in groups.added:
            now["done_groups", _GROUPS.key(group)] = "1"
            before.append(("done_groups", _GROUPS.key(group), None))
        groups.added = []
        for name, (table, _) in _SINGLE.items():
            value = getattr(self, name)
            if value != self._single[name]:
                now[name, ""] = table.write(value)
                before.append((name, "", table.write(self._single[name])))
                self._single[name] = value
        return now, before

    def restore(self, rows: Iterable[Row]) -> None:
        """Sets rows to what they are said to hold, as if they always had."""
        for name, key, value in rows:
            if name in _SINGLE:
                table, nothing = _SINGLE[name]
                setattr(self, name, nothing if value is None else table.read(value))
                self._single[name] = getattr(self, name)
            elif name == "done_groups":
                change = self.done_groups.discard if value is None else self.done_groups.add
                change(_GROUPS.key_of(key))
            elif value is None:
                getattr(self, name).pop(_TABLES[name].key_of(key), None)
            else:
                dict.__setitem__(
                    getattr(self, name), _TABLES[name].key_of(key), _TABLES[name].read(value)
                )
        groups: Any = self.done_groups
        groups.added = []

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """All that the state holds."""
        for name, table in _TABLES.items():
            for key, value in getattr(self, name).items():
                yield name, table.key(key), table.write(value)
        for group in self.done_groups:
            yield "done_groups", _GROUPS.key(group), "1"
        for name, (table, nothing) in _SINGLE.items():
            value = getattr(self, name)
            if value != nothing:
                yield name, "", table.write(value)
