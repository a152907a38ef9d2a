"""The index: all events of an exchange, its state, and its history, in a database."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bulkhead.index.follow import Progress as Progress
    from bulkhead.index.history import Fill as Fill
    from bulkhead.index.history import FundingPayment as FundingPayment
    from bulkhead.index.history import Period as Period
    from bulkhead.index.history import Pnl as Pnl
    from bulkhead.index.history import Rows as Rows
    from bulkhead.index.index import Index as Index
    from bulkhead.index.ledger import FillKind as FillKind
    from bulkhead.index.records import Rollback as Rollback

_HOME = {
    "Fill": "history",
    "FillKind": "ledger",
    "FundingPayment": "history",
    "Index": "index",
    "Period": "history",
    "Pnl": "history",
    "Progress": "follow",
    "Rollback": "records",
    "Rows": "history",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    # Loaded on first use: SQLAlchemy takes its time.
    if name not in _HOME:
        raise AttributeError(f"bulkhead.index has no {name}")
    return getattr(import_module(f"bulkhead.index.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
