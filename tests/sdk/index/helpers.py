"""What tests of the index compare."""

from dataclasses import fields
from typing import Any

from sqlalchemy import select

from bulkhead.index import Index, schema
from bulkhead.replay import Replay

CONTENT = (schema.events, schema.fills, schema.entries, schema.words)


def tables_of(state: Replay) -> dict[str, Any]:
    """All that a state holds, whatever its class."""
    return {one.name: getattr(state, one.name) for one in fields(Replay)}


def content_of(index: Index) -> dict[str, list[Any]]:
    """All rows of the tables that hold what was logged, and what it left."""
    with index._store.begin() as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))
            ]
            for table in CONTENT
        }
