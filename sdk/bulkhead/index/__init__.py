"""The index: all events of an exchange, its state, and its history, in a database."""

from typing import TYPE_CHECKING

from bulkhead._lazy import lazy_names

if TYPE_CHECKING:
    from bulkhead.index.follow import Progress as Progress
    from bulkhead.index.history import Fill as Fill
    from bulkhead.index.history import FundingPayment as FundingPayment
    from bulkhead.index.history import Period as Period
    from bulkhead.index.history import Pnl as Pnl
    from bulkhead.index.history import Rows as Rows
    from bulkhead.index.index import Index as Index
    from bulkhead.index.ledger import FillKind as FillKind
    from bulkhead.index.opening import open_index as open_index
    from bulkhead.index.records import Rollback as Rollback
    from bulkhead.index.writer import Companion as Companion

_HOME = {
    "Companion": "writer",
    "Fill": "history",
    "FillKind": "ledger",
    "FundingPayment": "history",
    "Index": "index",
    "Period": "history",
    "Pnl": "history",
    "Progress": "follow",
    "Rollback": "records",
    "Rows": "history",
    "open_index": "opening",
}

__all__, __getattr__, __dir__ = lazy_names(__name__, _HOME)
