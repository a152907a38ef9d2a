"""Structured logs on the standard library's: one event, and fields.

    log = logs.Log("dispatch")
    log.info("transaction sent", job=batch.job, transaction=hash, nonce=7)

Keys, passwords and what may be a key in an address are never written: a field whose name says that
it is secret, 32 bytes that no field in `HASHES` holds, and of an address all but its host.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

from bulkhead.values import written

if TYPE_CHECKING:
    from bulkhead.keeper.configuration.groups import LogSettings

ROOT = "bulkhead"
HASHES = frozenset(
    ("block_hash", "genesis", "key", "order", "parent_hash", "replaces", "request", "transaction")
)
"""Fields that hold public hashes; `key` is a task's."""

_SECRET = re.compile(r"passw|secret|private|mnemonic|credential|authori[sz]ation|api_?key", re.I)
_ADDRESS = re.compile(r"(\w+://)(?:[^/?#\s@]*@)?([^/?#\s'\"<>)]+)(?:[/?#][^\s'\"<>)]*)?")
_PATH = re.compile(r"((?:with|for) url: )\S+")  # as urllib3 and requests write it
_KEY = re.compile(r"(?<![0-9a-fA-F])(?:0x)?[0-9a-fA-F]{64}(?![0-9a-fA-F])")
_BARE = re.compile(r"[!#-<>-~]+")  # needs no quotes in a line of text
_FIELDS = "bulkhead_fields"
_RESERVED = ("time", "level", "logger", "event")


class Log:
    """Writes the events of one part of the keeper.

    Args:
        part: Its name, such as "dispatch".
    """

    def __init__(self, part: str) -> None:
        self._logger = logging.getLogger(f"{ROOT}.keeper.{part}")

    def debug(self, event: str, /, **fields: Any) -> None:
        """What only helps to find a bug."""
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, /, **fields: Any) -> None:
        """What a keeper is there for."""
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, /, **fields: Any) -> None:
        """What it got over by itself."""
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, /, error: BaseException | None = None, **fields: Any) -> None:
        """What somebody should look at.

        Args:
            event: What happened.
            error: Its exception; its traceback is written, too.
            fields: More of it.
        """
        self._write(logging.ERROR, event, fields, error)

    def _write(
        self, level: int, event: str, fields: Mapping[str, Any], error: BaseException | None = None
    ) -> None:
        self._logger.log(level, "%s", event, exc_info=error, extra={_FIELDS: fields})


class TextFormatter(logging.Formatter):
    """Lines for people: time, level, event, then fields as name=value."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a traceback below it if there is one."""
        table = table_of(record)
        time, level, _, event = (table.pop(name) for name in _RESERVED)
        trace = table.pop("traceback", None)
        # A quoted value can not begin a line of its own, whatever a contract made it say.
        words = (f"{name}={_word(value)}" for name, value in table.items())
        line = " ".join((time, f"{level:7}", _word(event, bare=_SENTENCE), *words))
        return line if trace is None else f"{line}\n{trace}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        return json.dumps(table_of(record))


_FORMATTERS = {"text": TextFormatter, "json": JsonFormatter}
_SENTENCE = re.compile(r"[ -~]+")


def configure(
    settings: LogSettings, stream: TextIO | None = None, *, with_others: bool = True
) -> None:
    """Sends all logs of this process through one formatter; others' from warnings on.

    Args:
        settings: The least level, and the format.
        stream: Where to; stderr where it is None.
        with_others: Whether others' are sent at all; where not, they are as they were.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_FORMATTERS[settings.format]())
    top = logging.getLogger("" if with_others else ROOT)
    top.handlers = [handler]
    top.setLevel(logging.WARNING)
    logging.getLogger(ROOT).setLevel(settings.level.upper())


def table_of(record: logging.LogRecord) -> dict[str, Any]:
    """A record as it is written: what must not be is gone."""
    fields: Mapping[str, Any] = getattr(record, _FIELDS, {})
    table = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": clean(record.getMessage()),
    }
    table |= {name: _plain(name, one) for name, one in fields.items() if name not in table}
    if record.exc_info:
        table["traceback"] = clean(logging.Formatter().formatException(record.exc_info))
    return table


def clean(text: str) -> str:
    """A text without what may be a key, and with no more than the hosts of its addresses."""
    return _KEY.sub("(32 bytes)", _PATH.sub(r"\1...", _ADDRESS.sub(r"\1\2", text)))


def _plain(name: str, value: Any) -> Any:
    """A field's value as JSON has it."""
    if _SECRET.search(name):
        return "(secret)"
    match value:
        case None | bool() | int():
            return value
        case bytes():
            return _plain(name, f"0x{value.hex()}")
        case str():
            return str(value) if name in HASHES and _KEY.fullmatch(value) else clean(value)
        case Mapping():
            return {str(inner): _plain(str(inner), one) for inner, one in value.items()}
        case Sequence() | set() | frozenset():
            return [_plain(name, one) for one in value]
    return clean(written(value) if hasattr(value, "as_tuple") else str(value))


def _word(value: Any, bare: re.Pattern[str] = _BARE) -> str:
    if isinstance(value, str):
        return value if bare.fullmatch(value) else json.dumps(value)
    return json.dumps(value)
