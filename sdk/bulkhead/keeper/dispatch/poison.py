"""Tasks that can not be done: set aside, twice as long each time, and tried again after it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, select

from bulkhead.keeper.dispatch import tables
from bulkhead.keeper.work import Intent, Job


@dataclass(frozen=True, slots=True)
class Expiry:
    """How long a task is set aside.

    Attributes:
        first: Seconds, the first time.
        most: Seconds, at most.

    Raises:
        ValueError: If that is no time.
    """

    first: int = 60
    most: int = 3_600

    def __post_init__(self) -> None:
        if not 0 < self.first <= self.most:
            raise ValueError("expiry: at least a second, and the first time not the longest")

    def after(self, failures: int) -> int:
        """Seconds, after so many failures in a row."""
        return min(self.first << min(failures - 1, 32), self.most)


def all_of(connection: Connection) -> dict[Intent, int]:
    """Until when each task is set aside; some may be over."""
    rows = connection.execute(select(tables.poison))
    return {(Job(row.job), row.key): row.until for row in rows}


def set_aside(connection: Connection, intent: Intent, reason: str, now: int, expiry: Expiry) -> int:
    """Sets a task aside once more, and returns until when."""
    found = connection.execute(select(tables.poison).where(_is(intent))).one_or_none()
    failures = 1 if found is None else found.failures + 1
    until = now + expiry.after(failures)
    job, key = intent
    forget(connection, intent)
    values = {"job": job, "key": key, "reason": reason, "failures": failures, "until": until}
    connection.execute(tables.poison.insert().values(values))
    return until


def forget(connection: Connection, intent: Intent) -> None:
    """A task that was done, or is no more."""
    connection.execute(delete(tables.poison).where(_is(intent)))


def prune(connection: Connection, now: int, expiry: Expiry) -> None:
    """Forgets those that nobody has tried again for as long as any is set aside."""
    connection.execute(delete(tables.poison).where(tables.poison.c.until <= now - expiry.most))


def _is(intent: Intent) -> ColumnElement[bool]:
    job, key = intent
    return and_(tables.poison.c.job == job, tables.poison.c.key == key)
