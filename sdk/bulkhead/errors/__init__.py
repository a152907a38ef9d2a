"""The package's exceptions. `errors.PriceStale` is the one for the reason "price: stale"."""

from bulkhead.errors._classes import (
    REASONS,
    AlreadyKnown,
    BulkheadError,
    ClientIdTaken,
    DeploymentError,
    IndexBusy,
    IndexDamaged,
    IndexUnusable,
    InsufficientFunds,
    MovedOn,
    NodeInconsistent,
    NonceTaken,
    NotFound,
    NotMined,
    OutOfGas,
    Permanent,
    PriceNotTaken,
    Refused,
    Rejected,
    Retryable,
    Reverted,
    StopBeyondLiquidation,
    Underpriced,
    UnknownOrder,
    Unreachable,
    Unreached,
    WrongChain,
    class_name,
)
from bulkhead.errors._translate import error_of, revert_of, translated

__all__ = [
    "REASONS",
    "AlreadyKnown",
    "BulkheadError",
    "ClientIdTaken",
    "DeploymentError",
    "IndexBusy",
    "IndexDamaged",
    "IndexUnusable",
    "InsufficientFunds",
    "MovedOn",
    "NodeInconsistent",
    "NonceTaken",
    "NotFound",
    "NotMined",
    "OutOfGas",
    "Permanent",
    "PriceNotTaken",
    "Refused",
    "Rejected",
    "Retryable",
    "Reverted",
    "StopBeyondLiquidation",
    "Underpriced",
    "UnknownOrder",
    "Unreachable",
    "Unreached",
    "WrongChain",
    "class_name",
    "error_of",
    "revert_of",
    "translated",
]

_BY_NAME = {refused.__name__: refused for refused in REASONS.values()}


def __getattr__(name: str) -> type[Refused]:
    try:
        return _BY_NAME[name]
    except KeyError:
        raise AttributeError(f"bulkhead.errors has no {name}") from None
