"""How the index follows a chain: a program of requests, that any connection may answer.

A program yields one request after the other, is sent its answer, and asks for nothing else. It
trusts no answer alone: a chunk is taken in only if the cursor before it and the block at its end
have the same hashes before and after its logs were read, and every log names the hash of its block.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from bulkhead.errors import IndexUnusable, NodeInconsistent, Rejected
from bulkhead.index.writer import Chunk, Header, Writer
from bulkhead.interfaces import Log

Result = TypeVar("Result")

LOG_BLOCKS = 10_000  # asked for at once: what public nodes allow
CHUNK_LOGS = 20_000  # a range that logged more is halved the next time
ATTEMPTS = 5  # at one chunk, while the chain moves under it


@dataclass(frozen=True, slots=True)
class HeaderAt:
    """Asks for a block's header: a `Header`, or None if there is no such block.

    Attributes:
        number: The block's; None for the latest.
    """

    number: int | None


@dataclass(frozen=True, slots=True)
class LogsIn:
    """Asks for all logs of some contracts in a range of blocks: a sequence of `Log`.

    A node's refusal is thrown into the program as `Rejected`, and it asks for less.
    """

    addresses: tuple[str, ...]
    first: int
    last: int


Request: TypeAlias = HeaderAt | LogsIn
Program: TypeAlias = Generator[Request, Any, Result]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the index is.

    Attributes:
        block: The last block that is in it.
        head: The chain's last block.
        events: How many were taken in.
        rolled_back_to: The block above which all was abandoned; None without a reorg.
    """

    block: int
    head: int
    events: int = 0
    rolled_back_to: int | None = None

    @property
    def is_behind(self) -> bool:
        """Whether the node has not reached the index's last block."""
        return self.head < self.block


class Follower:
    """Brings an index up to a chain's head, and takes back what the chain has abandoned."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._span = LOG_BLOCKS
        self._is_identified = False

    def catch_up(self) -> Program[Progress]:
        """Everything up to the block that is the head when it begins.

        Raises:
            IndexUnusable: If the chain is not the deployment's.
            NodeInconsistent: If the node's answers never fit together.
            IndexBusy: If somebody else writes to the index.
        """
        yield from self._identify()
        head = yield from _known(None)
        abandoned: int | None = None
        events = attempts = 0
        while True:
            back = yield from self._roll_back(head)
            if back is not None:
                abandoned = back if abandoned is None else min(back, abandoned)
            first = self._writer.cursor + 1
            if first > head.number:
                return Progress(first - 1, head.number, events, abandoned)
            chunk = yield from self._chunk(first, head)
            if chunk is not None:
                self._writer.apply(chunk)
                events, attempts = events + len(chunk.events), 0
                continue
            attempts += 1
            if attempts == ATTEMPTS:
                raise NodeInconsistent(
                    f"the node's logs and blocks from {first} on do not fit together"
                )
            head = yield from _known(None)

    def _identify(self) -> Program[None]:
        if self._is_identified:
            return
        genesis = yield from _known(0)
        expected = self._writer.store.deployment.genesis_hash
        if genesis.hash != expected:
            raise IndexUnusable(
                f"the chain's genesis is {genesis.hash}, the deployment's {expected}"
            )
        self._is_identified = True

    def _roll_back(self, head: Header) -> Program[int | None]:
        """Abandons what the chain no longer has, and says down to which block.

        A chain that is shorter than the index, and agrees with it as far as it goes, is a node
        that is behind: nothing is abandoned.
        """
        newest = True
        for checkpoint in self._writer.checkpoints():
            if newest and checkpoint.number > head.number:
                continue  # the node can not tell
            found = yield HeaderAt(checkpoint.number)
            if found is not None and found.hash == checkpoint.hash:
                if newest:
                    return None
                self._writer.roll_back(checkpoint)
                return checkpoint.number
            newest = False
        if newest:
            return None
        self._writer.roll_back(None)
        return self._writer.cursor

    def _chunk(self, first: int, head: Header) -> Program[Chunk | None]:
        """What follows the cursor, or None if the chain moved while it was read."""
        writer = self._writer
        final = head.number - writer.depth
        last = min(first + self._span - 1, head.number)
        if first <= final:
            last = min(last, final)
        end = yield from _known(last)
        logs = yield from self._logs(first, last)
        if logs is None:
            return (yield from self._chunk(first, head))
        headers = yield from _headers_of(logs, end)
        for checkpoint in writer.checkpoints():
            if (yield HeaderAt(checkpoint.number)) != checkpoint:
                return None
            break
        if headers is None or (yield HeaderAt(last)) != end:
            return None
        events = writer.contracts.decode_logs(logs)
        return Chunk(end, headers, events, is_final=last <= final)

    def _logs(self, first: int, last: int) -> Program[tuple[Log, ...] | None]:
        """A range's logs in their order, each once; None if the node wants a smaller range."""
        addresses = tuple(self._writer.names)
        try:
            found: Sequence[Log] = yield LogsIn(addresses, first, last)
        except Rejected:
            if last == first:
                raise
            self._span = (last - first + 1) // 2
            return None
        if len(found) > CHUNK_LOGS:
            self._span = max(self._span // 2, 1)
        elif self._span < LOG_BLOCKS:
            self._span *= 2
        ours = (log for log in found if log.address in self._writer.names)
        return tuple(sorted(set(ours), key=lambda log: (log.block, log.index)))


def _headers_of(logs: Sequence[Log], end: Header) -> Program[tuple[Header, ...] | None]:
    """The headers of all blocks that logged; None if a log is not of the chain they are on."""
    headers: dict[int, Header] = {end.number: end}
    for log in logs:
        header = headers.get(log.block)
        if header is None:
            if log.block_hash is not None and log.timestamp is not None:
                header = Header(log.block, log.block_hash, log.timestamp)
            else:
                header = yield HeaderAt(log.block)
            if header is None:
                return None
            headers[log.block] = header
        if log.block_hash != header.hash:
            return None
    places = {(log.block, log.index) for log in logs}
    if len(places) != len(logs):
        return None
    return tuple(headers[number] for number in sorted({log.block for log in logs}))


def _known(number: int | None) -> Program[Header]:
    """A header that must be there."""
    header: Header | None = yield HeaderAt(number)
    if header is None:
        raise NodeInconsistent(f"the node has a later block than {number}, and not that one")
    return header
