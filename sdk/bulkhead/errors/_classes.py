"""What the SDK raises: one base class, one class for each reason a contract may give."""

# ruff: noqa: N818 - the classes of reasons read as what happened, and so do these

from __future__ import annotations

import re
from typing import ClassVar

from bulkhead.errors._entry import Entry
from bulkhead.errors._governance import GOVERNANCE
from bulkhead.errors._house import HOUSE
from bulkhead.errors._markets import MARKETS
from bulkhead.errors._orders import ORDERS
from bulkhead.errors._trading import TRADING


class BulkheadError(Exception):
    """Everything this package raises on purpose, but for wrong types and values of arguments.

    Attributes:
        retryable: Whether the same call may be made again.
    """

    retryable: ClassVar[bool] = False


class Retryable(BulkheadError):
    """The same call may work later, and making it again does no harm."""

    retryable = True


class Permanent(BulkheadError):
    """Making the same call again fails again, or does twice what was meant once."""


class Refused(BulkheadError):
    """A contract refused, and said why. Each reason has a subclass, `Retryable` or `Permanent`.

    Attributes:
        reason: In the contract's words.
        meaning: What was wrong.
        advice: What to do about it.
    """

    reason: ClassVar[str] = ""
    meaning: ClassVar[str] = ""
    advice: ClassVar[str] = ""

    def __str__(self) -> str:
        return f"{self.reason} ({self.meaning} {self.advice})"


class Reverted(Permanent):
    """A call reverted without a reason that this version knows.

    Attributes:
        data: What it reverted with.
    """

    def __init__(self, message: str, data: bytes = b"") -> None:
        super().__init__(message)
        self.data = data


class OutOfGas(Retryable):
    """The gas limit was too low: nothing has changed."""


class Rejected(Permanent):
    """The node did not take the request: funds, limits, time."""


class InsufficientFunds(Rejected):
    """The sender can not pay for the gas."""


class NotFound(Rejected):
    """The node does not know the transaction or block."""


class NonceTaken(Retryable):
    """Another transaction of the sender has this nonce: somebody else signs for it, too."""


class Underpriced(Retryable):
    """The node wants more for the gas."""


class AlreadyKnown(Retryable):
    """The node has this very transaction already."""


class Unreachable(Retryable):
    """The node did not answer, or not in time, or not with JSON."""


class MovedOn(Retryable):
    """The chain grew while one question was asked in several parts."""


class NotMined(Permanent):
    """A transaction was not mined in time. It may be yet, so nothing must be sent in its place."""


class DeploymentError(Permanent):
    """The system on chain is not what the deployment says."""


class WrongChain(Permanent):
    """An RPC address is on another chain than the one that is meant: nothing was sent to it."""


class UnknownOrder(Permanent):
    """No order of this hash was ever placed here."""


class ClientIdTaken(Permanent):
    """An order with this client id was placed, and says something else."""


class Unreached(Permanent):
    """What was wished for can not be had: no size, leverage or margin brings it about."""


class StopBeyondLiquidation(Permanent):
    """A stop would come too late: its position is liquidated before."""


class PriceNotTaken(Retryable):
    """The oracle kept the price it had: one price a market, block and second."""


class IndexUnusable(Permanent):
    """The database is no index, of another version, or of another exchange or chain."""


class IndexDamaged(IndexUnusable):
    """The database's file is broken: it was cut off, or overwritten."""


class IndexBusy(Retryable):
    """Another process, or another task, writes to the index."""


class NodeInconsistent(Retryable):
    """The node's answers do not fit together, however often it is asked."""


def class_name(reason: str) -> str:
    """The name of a reason's exception: its words in PascalCase."""
    return "".join(word[0].upper() + word[1:] for word in re.findall(r"[a-z0-9]+", reason))


def _class_of(reason: str, entry: Entry) -> type[Refused]:
    return type(
        class_name(reason),
        (Refused, Retryable if entry.retryable else Permanent),
        {
            "__doc__": f"`{reason}`: {entry.meaning} {entry.advice}",
            "__module__": "bulkhead.errors",
            "reason": reason,
            "meaning": entry.meaning,
            "advice": entry.advice,
        },
    )


REASONS: dict[str, type[Refused]] = {
    reason: _class_of(reason, entry)
    for reason, entry in sorted({**TRADING, **ORDERS, **MARKETS, **HOUSE, **GOVERNANCE}.items())
}
"""Every reason a contract may give, with its exception."""
