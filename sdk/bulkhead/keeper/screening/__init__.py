"""The liquidation index: whose positions a price has brought below maintenance margin.

Needs numpy, which comes with `bulkhead[keeper]`.
"""

from typing import TYPE_CHECKING

from bulkhead._lazy import lazy_names

if TYPE_CHECKING:
    from bulkhead.keeper.screening.candidates import Candidates as Candidates
    from bulkhead.keeper.screening.index import LiquidationIndex as LiquidationIndex

_HOME = {
    "Candidates": "candidates",
    "LiquidationIndex": "index",
}

__all__, __getattr__, __dir__ = lazy_names(__name__, _HOME)
