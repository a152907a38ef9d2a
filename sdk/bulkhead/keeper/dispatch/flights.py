"""Transactions on their way, and what became of them. Pure values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from bulkhead.chain import Fees
from bulkhead.keeper.work import Intent, Job


class FlightState(StrEnum):
    """Where a transaction is."""

    SENT = "sent"
    """Signed and journaled; sent, unless the process died in between."""
    MINED = "mined"
    FAILED = "failed"
    """Mined, and reverted."""
    DROPPED = "dropped"
    """Another transaction used its nonce, or no node takes it."""
    CANCELLED = "cancelled"
    """What was mined of its nonce is the transfer that took its place."""


class IntentState(StrEnum):
    """Where a task of a transaction is."""

    SENT = "sent"
    DONE = "done"
    """By a transaction of ours."""
    LOST = "lost"
    """Somebody else did it."""
    FAILED = "failed"
    """Its transaction was reverted."""
    OPEN = "open"
    """Nobody did it: its transaction was dropped or cancelled, or was mined and skipped it."""


class Content(NamedTuple):
    """What a transaction does.

    Attributes:
        to: Who is called.
        data: With what.
        value: Wei that go with it.
    """

    to: str
    data: bytes
    value: int = 0


@dataclass(frozen=True, slots=True)
class Version:
    """One of the transactions that were signed for a nonce.

    Attributes:
        hash: Its name.
        raw: As it is sent.
        fees: What it offers.
        block: The head when it was signed.
        is_cancel: Whether it is a transfer of nothing, to ourselves.
    """

    hash: str
    raw: bytes = field(repr=False)
    fees: Fees
    block: int
    is_cancel: bool = False


@dataclass(frozen=True, slots=True)
class Flight:
    """One nonce of a signer, and all that was signed for it.

    Attributes:
        id: Its row in the journal.
        signer: Whose nonce.
        nonce: Which.
        job: What it is for; None where it only fills a nonce.
        content: What it does.
        gas: The limit.
        state: Where it is.
        since: The head since which it waits; None right after a reorg took it back.
        block: In which block it ended; None while it is on its way.
        block_hash: Of the block that has it; None if none has.
        intents: The tasks that nobody has done yet.
        versions: What was signed, in order; at least one.
    """

    id: int
    signer: str
    nonce: int
    job: Job | None
    content: Content = field(repr=False)
    gas: int
    state: FlightState
    since: int | None
    block: int | None
    block_hash: str | None
    intents: tuple[Intent, ...]
    versions: tuple[Version, ...]

    @property
    def last(self) -> Version:
        """The version that is to be mined."""
        return self.versions[-1]

    @property
    def reserve(self) -> int:
        """Wei that it may cost."""
        return self.gas * self.last.fees.most + self.content.value


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch that is on its way.

    Attributes:
        signer: Who sent it.
        nonce: Of which transaction.
        transaction: Its hash, until it is replaced.
        fees: What it offers.
    """

    signer: str
    nonce: int
    transaction: str
    fees: Fees


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a transaction. One that a reorg took back is settled again.

    Attributes:
        state: MINED, FAILED, DROPPED or CANCELLED.
        signer: Who sent it.
        nonce: Of which transaction.
        job: What it was for; None where it only filled a nonce.
        hashes: Every one it was sent under.
        transaction: The one that was mined; None if none was.
        done: The tasks it did.
        lost: The tasks that somebody else did first.
        failed: The tasks that were reverted with it.
        open_again: The tasks that nobody did.
        gas_used: Units.
        cost: Wei.
        block: In which it was mined, or found to be dropped.
        reason: Why it is not MINED; empty if it is.
    """

    state: FlightState
    signer: str
    nonce: int
    job: Job | None
    hashes: tuple[str, ...]
    transaction: str | None
    done: tuple[Intent, ...]
    lost: tuple[Intent, ...]
    failed: tuple[Intent, ...]
    open_again: tuple[Intent, ...]
    gas_used: int
    cost: int
    block: int
    reason: str
