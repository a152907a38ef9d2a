"""The timelock that is meant to own the exchange: what its proposers do, and what anyone may.

A proposal collects calls: `Admin(reader, proposal)` has the verbs of an owner, and each adds its
calls instead of sending them. Scheduled, a proposal becomes an operation, which anyone executes
after the timelock's delay, whole or not at all.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bulkhead.chain import Awaiting, Blocking, Program, Receipt, Verbs, address_of, verb
from bulkhead.contracts import Contract
from bulkhead.errors import DeploymentError, Rejected
from bulkhead.interfaces import Call, Event, Log

if TYPE_CHECKING:
    from bulkhead.chain import Signer
    from bulkhead.reader import AsyncReader, Reader, ReaderVerbs

MAX_CALL = 1_024  # bytes, of one call
MAX_CALLS = 255  # in one operation
NONE = bytes(32)  # no operation that must be done before
DONE = 1  # what the timelock has for the time of an executed operation
UNSENT = Receipt(transaction="", block=0, gas_used=0, logs=())
"""What a verb returns whose calls wait in a proposal."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Calls that were scheduled together.

    Attributes:
        id: The timelock's name for it.
        targets: Who is called.
        payloads: With which calldata.
        salt: Tells it from the same calls at another time.
        after: The operation that must be done before; 32 zero bytes for none.
    """

    id: bytes
    targets: tuple[str, ...]
    payloads: tuple[bytes, ...]
    salt: bytes
    after: bytes = NONE

    @property
    def arguments(self) -> tuple[tuple[str, ...], tuple[int, ...], tuple[bytes, ...], bytes, bytes]:
        """As the timelock takes it: without any ETH."""
        return self.targets, (0,) * len(self.targets), self.payloads, self.after, self.salt


class Proposal:
    """Calls that the timelock is to make, in their order. Takes a signer's place in an `Admin`."""

    def __init__(self, timelock: str) -> None:
        self.address = timelock  # who will make the calls
        self.calls: list[Call] = []

    def add(self, call: Call) -> Receipt:
        """Puts a call at the end.

        Raises:
            Rejected: If it is longer than the timelock carries, or one too many.
        """
        if not fits(call):
            raise Rejected(f"{call.name}: a timelock carries {MAX_CALL} bytes a call")
        if len(self.calls) == MAX_CALLS:
            raise Rejected(f"a timelock carries {MAX_CALLS} calls an operation")
        self.calls.append(call)
        return UNSENT


class TimelockVerbs(Verbs):
    """One signer before the timelock; its roles decide what it may do."""

    def __init__(self, exchange: ReaderVerbs, signer: Signer) -> None:
        self.exchange = exchange
        self.signer = signer
        self._contract = _contract_of(exchange)

    @property
    def address(self) -> str:
        """The timelock's."""
        return self._contract.address

    @verb
    def delay(self) -> Program[int]:
        """Seconds from scheduling to the first execution, at least."""
        return int((yield from self.exchange.node.read(self._contract.call("get_minimum_delay"))))

    def proposal(self) -> Proposal:
        """A new one, empty."""
        return Proposal(self.address)

    @verb
    def schedule(
        self,
        proposal: Proposal,
        delay: int | None = None,
        *,
        salt: bytes | None = None,
        after: Operation | None = None,
    ) -> Program[Operation]:
        """Announces a proposal's calls. Proposers only.

        Args:
            proposal: With one call or more.
            delay: Seconds; the timelock's own where it is None.
            salt: 32 bytes; random where it is None.
            after: An operation that must be executed before this one.
        """
        if not proposal.calls:
            raise ValueError("proposal: empty")
        operation = Operation(
            id=NONE,
            targets=tuple(call.to for call in proposal.calls),
            payloads=tuple(call.data for call in proposal.calls),
            salt=secrets.token_bytes(32) if salt is None else salt,
            after=NONE if after is None else after.id,
        )
        seconds = (yield from self.delay()) if delay is None else delay
        receipt = yield from self._send("schedule_batch", *operation.arguments, seconds)
        return _operations(self._decode(receipt.logs))[0]

    @verb
    def ready_at(self, operation: Operation) -> Program[int | None]:
        """The second an operation may be executed from; None where it does not wait."""
        at = int(
            (yield from self.exchange.node.read(self._contract.call("get_timestamp", operation.id)))
        )
        return at if at > DONE else None

    @verb
    def is_done(self, operation: Operation) -> Program[bool]:
        """Whether an operation has been executed."""
        return bool(
            (
                yield from self.exchange.node.read(
                    self._contract.call("is_operation_done", operation.id)
                )
            )
        )

    @verb
    def waiting(self) -> Program[tuple[Operation, ...]]:
        """Every operation that is neither executed nor cancelled, from the timelock's logs."""
        first, last = self.exchange.deployment.block, (yield from self.exchange.block()).number
        logs = yield from self.exchange.node.logs([self.address], first, last)
        found: list[Operation] = []
        for operation in _operations(self._decode(logs)):
            if (yield from self.ready_at(operation)) is not None:
                found.append(operation)  # noqa: PERF401 - it yields
        return tuple(found)

    @verb
    def execute(self, operation: Operation) -> Program[Receipt]:
        """Makes an operation's calls, all or none, once its time has come. Anyone may."""
        return self._send("execute_batch", *operation.arguments)

    @verb
    def cancel(self, operation: Operation) -> Program[Receipt]:
        """Ends an operation that waits. Proposers only."""
        return self._send("cancel", operation.id)

    @verb
    def take_over(self, owner: Signer) -> Program[Operation]:
        """Offers the exchange to the timelock and schedules its acceptance.

        Until that is executed the owner stays what it is.

        Args:
            owner: Whose the exchange is.
        """
        clearinghouse = self.exchange.contracts.clearinghouse
        yield from self.exchange.node.send(
            clearinghouse.call("transfer_ownership", self.address), owner
        )
        proposal = self.proposal()
        proposal.add(clearinghouse.call("accept_ownership"))
        return (yield from self.schedule(proposal))

    def _decode(self, logs: Sequence[Log]) -> list[Event]:
        # Whom an operation calls logs, too.
        own = (log for log in logs if log.address == self.address)
        events = (self._contract.interface.decode_log(log) for log in own)
        return [event for event in events if event is not None]

    def _send(self, name: str, *arguments: object) -> Program[Receipt]:
        return self.exchange.node.send(self._contract.call(name, *arguments), self.signer)


class Timelock(Blocking, TimelockVerbs):
    """One signer before the timelock; its roles decide what it may do.

    Args:
        reader: The exchange; it was deployed with a timelock.
        signer: Who sends.
    """

    verbs: TimelockVerbs

    def __init__(self, reader: Reader, signer: Signer) -> None:
        self.reader = reader
        self.transport = reader.transport
        self.verbs = TimelockVerbs(reader.verbs, signer)


class AsyncTimelock(Awaiting, TimelockVerbs):
    """One signer before the timelock; everything is awaited.

    Args:
        reader: The exchange; it was deployed with a timelock.
        signer: Who sends.
    """

    verbs: TimelockVerbs

    def __init__(self, reader: AsyncReader, signer: Signer) -> None:
        self.reader = reader
        self.transport = reader.transport
        self.verbs = TimelockVerbs(reader.verbs, signer)


def sender_of(signer: Signer | Proposal) -> str:
    """Who makes the calls of a signer, or of a proposal."""
    return signer.address if isinstance(signer, Proposal) else address_of(signer)


def fits(call: Call) -> bool:
    """Whether a timelock carries a call."""
    return len(call.data) <= MAX_CALL


def _contract_of(exchange: ReaderVerbs) -> Contract:
    if exchange.contracts.timelock is None:
        raise DeploymentError("the exchange was deployed without a timelock")
    return exchange.contracts.timelock


def _operations(events: Sequence[Event]) -> list[Operation]:
    """The operations whose scheduling was logged; a salt's event comes after its calls'."""
    calls: dict[bytes, list[Event]] = {}
    salts: dict[bytes, bytes] = {}
    for event in events:
        if event.name == "CallScheduled":
            # A cancelled operation may be scheduled again: the same calls once more.
            known = calls.setdefault(event["id"], [])
            if event["index"] == len(known):
                known.append(event)
        elif event.name == "CallSalt":
            salts[event["id"]] = event["salt"]
    return [
        Operation(
            id=id_,
            targets=tuple(event["target"] for event in scheduled),
            payloads=tuple(event["payload"] for event in scheduled),
            salt=salts.get(id_, NONE),
            after=scheduled[0]["predecessor"],
        )
        for id_, scheduled in calls.items()
    ]
