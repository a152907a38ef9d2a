"""The state's tables as rows of text, and back, with every change remembered.

A row is a table's name, a key and a value: parts of a key are joined by "/", words are written in
hexadecimal. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
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
    "symbols": _Table((_NUMBER,), str, str),
    "lot_sizes": _number(_NUMBER),
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


Change: TypeAlias = tuple[str, Any, Any]
"""Table, key and what it held before, as the state holds them."""


class _Watched(dict[Any, Any]):
    """A table that remembers what its keys held before they were set."""

    def __init__(self, name: str, changed: dict[str, dict[Any, Any]]) -> None:
        super().__init__()
        self._name = name
        self._changed = changed

    def __setitem__(self, key: Any, value: Any) -> None:
        before = self._changed.setdefault(self._name, {})
        if key not in before:
            before[key] = self.get(key, _ABSENT)
        super().__setitem__(key, value)


class _WatchedSet(set[Any]):
    """A set that remembers what was added."""

    def __init__(self, name: str, changed: dict[str, dict[Any, Any]]) -> None:
        super().__init__()
        self._name = name
        self._changed = changed

    def add(self, element: Any) -> None:
        if element not in self:
            self._changed.setdefault(self._name, {})[element] = _ABSENT
        super().add(element)


@dataclass(slots=True)
class WatchedState(Replay):
    """A replay that knows what has changed since it was last asked."""

    _changed: dict[str, dict[Any, Any]] = field(default_factory=dict)
    _single: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in _TABLES:
            setattr(self, name, _Watched(name, self._changed))
        self.done_groups = _WatchedSet("done_groups", self._changed)
        self._single = {name: getattr(self, name) for name in _SINGLE}

    def take_changes(self) -> list[Change]:
        """What has changed since the last call, and what it held then."""
        changes: list[Change] = []
        for name, before in self._changed.items():
            changes += [(name, key, old) for key, old in before.items()]
        self._changed.clear()
        for name, old in self._single.items():
            value = getattr(self, name)
            if value is not old and value != old:
                changes.append((name, None, old))
                self._single[name] = value
        return changes

    def row(self, name: str, key: Any) -> tuple[str, str, str]:
        """What the state holds, as a row."""
        if name in _SINGLE:
            return name, "", _SINGLE[name][0].write(getattr(self, name))
        if name == "done_groups":
            return name, _GROUPS.key(key), "1"
        table = _TABLES[name]
        return name, table.key(key), table.write(getattr(self, name)[key])

    def restore(self, rows: Iterable[Row]) -> None:
        """Sets rows to what they are said to hold, as if they always had."""
        for name, key, value in rows:
            if name in _SINGLE:
                table, nothing = _SINGLE[name]
                setattr(self, name, nothing if value is None else table.read(value))
                self._single[name] = getattr(self, name)
            elif name == "done_groups":
                change = set.discard if value is None else set.add
                change(self.done_groups, _GROUPS.key_of(key))
            elif value is None:
                getattr(self, name).pop(_TABLES[name].key_of(key), None)
            else:
                dict.__setitem__(
                    getattr(self, name), _TABLES[name].key_of(key), _TABLES[name].read(value)
                )

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """All that the state holds."""
        for name in _TABLES:
            for key in getattr(self, name):
                yield self.row(name, key)
        for group in self.done_groups:
            yield self.row("done_groups", group)
        for name, (_, nothing) in _SINGLE.items():
            if getattr(self, name) != nothing:
                yield self.row(name, None)


def plain(state: WatchedState) -> Replay:
    """The same state in a replay of its own that watches nothing."""
    tables: dict[str, Any] = {one.name: getattr(state, one.name) for one in fields(Replay)}
    for name, table in tables.items():
        if isinstance(table, dict | set):
            tables[name] = table.copy()
    return Replay(**tables)


def row_before(change: Change) -> Row:
    """The row that a change has changed, as it was."""
    name, key, old = change
    if name in _SINGLE:
        return name, "", _SINGLE[name][0].write(old)
    table = _GROUPS if name == "done_groups" else _TABLES[name]
    return name, table.key(key), None if old is _ABSENT else table.write(old)
