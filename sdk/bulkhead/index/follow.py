"""How the index follows a chain: a program of requests, run by either transport.

It trusts no answer alone: a chunk is taken in only if the cursor before it and the block at its end
have the same hashes before and after its logs were read, and every log names the hash of its block.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from eth_utils.conversions import to_hex

from bulkhead.chain.reading import LOG_BLOCKS, log_of
from bulkhead.chain.requests import Ask, Program, Result, Together, Work
from bulkhead.errors import (
    IndexBusy,
    IndexUnusable,
    NodeInconsistent,
    NotFound,
    Rejected,
    Unreachable,
)
from bulkhead.index.writer import Chunk, Header, Writer
from bulkhead.interfaces import Log

Headers: TypeAlias = tuple[Header, ...]

CHUNK_LOGS = 20_000  # a range that logged more is halved the next time
ATTEMPTS = 5  # at one chunk, while the chain moves under it
HEADERS = 100  # asked for together


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
        self._is_running = False

    def catch_up(self) -> Program[Progress]:
        """Everything up to the block that is the head when it begins.

        Raises:
            IndexUnusable: If the chain is not the deployment's.
            NodeInconsistent: If the node's answers never fit together.
            IndexBusy: If somebody else writes to the index.
        """
        if self._is_running:
            raise IndexBusy("this index is catching up already")
        self._is_running = True
        try:
            return (yield from self._catch_up())
        finally:
            self._is_running = False

    def _catch_up(self) -> Program[Progress]:
        writer = self._writer
        yield from _work(writer.store.claim)
        genesis = yield from _header(0)
        expected = writer.store.deployment.genesis_hash
        if genesis is None or genesis.hash != expected:
            raise IndexUnusable(f"this chain's genesis is not the deployment's {expected}")
        head = yield from _head()
        abandoned: int | None = None
        events = attempts = 0
        while True:
            cursor = yield from self._settle(head)
            if cursor is None:
                cursor = yield from _work(lambda: writer.cursor)
                abandoned = cursor if abandoned is None else min(cursor, abandoned)
            if cursor >= head.number:
                return Progress(cursor, head.number, events, abandoned)
            chunk = yield from self._chunk(cursor, head)
            if chunk is not None:
                yield from _work(lambda chunk=chunk: writer.apply(chunk))  # type: ignore[misc]
                events, attempts = events + len(chunk.events), 0
                continue
            attempts += 1
            if attempts == ATTEMPTS:
                raise NodeInconsistent(
                    f"the node's logs and blocks from {cursor + 1} on do not fit together"
                )
            head = yield from _head()

    def _settle(self, head: Header) -> Program[int | None]:
        """The cursor, if the chain still has all that is in the index; else rolls back: None.

        A chain that is shorter than the index, and agrees with it as far as it goes, is a node's
        that is behind: nothing is abandoned.
        """
        writer = self._writer
        cursor: int = yield from _work(lambda: writer.cursor)
        limit, seen = min(cursor, head.number), False
        while True:
            known = yield from _work(lambda limit=limit: writer.checkpoint(limit))  # type: ignore[misc]
            if known is None and not seen:
                return cursor
            if known is None or (yield from _header(known.number)) == known:
                break
            seen = True
            # Far below it goes in growing steps: what is taken back too much is only read again.
            distance = cursor - known.number
            limit = known.number - (1 if distance <= writer.depth else distance)
        if not seen:
            return cursor
        yield from _work(lambda: writer.roll_back(known))
        return None

    def _chunk(self, cursor: int, head: Header) -> Program[Chunk | None]:
        """What follows the cursor, or None if the chain moved while it was read."""
        writer = self._writer
        final = head.number - writer.depth
        while True:
            last = min(cursor + self._span, head.number)
            if cursor < final:
                last = min(last, final)
            before = yield from self._ends(cursor, last)
            logs = yield from self._logs(cursor + 1, last)
            if logs is not None:
                break
        headers = yield from _headers_of(logs)
        if headers is None or (yield from self._ends(cursor, last)) != before:
            return None
        known, end = before
        if end is None or known != (yield from _work(lambda: writer.checkpoint(cursor))):
            return None
        events = yield from _work(lambda: writer.contracts.decode_logs(logs))
        return Chunk(cursor, end, headers, events, is_final=last <= final)

    def _ends(self, cursor: int, last: int) -> Program[tuple[Header | None, Header | None]]:
        """The chain's headers of the last checkpoint and of a chunk's last block."""
        known = yield from _work(lambda: self._writer.checkpoint(cursor))
        below = None if known is None else (yield from _header(known.number))
        return below, (yield from _header(last))

    def _logs(self, first: int, last: int) -> Program[tuple[Log, ...] | None]:
        """A range's logs in their order, each once; None if the node wants a smaller range."""
        names = self._writer.names
        wanted = {"address": list(names), "fromBlock": first, "toBlock": last}
        try:
            found = yield Ask("get_logs", (wanted,))
        except (Rejected, Unreachable) as error:
            self._span = max((last - first + 1) // 2, 1)
            if last == first or isinstance(error, Unreachable):
                raise
            return None
        if len(found) > CHUNK_LOGS:
            self._span = max(self._span // 2, 1)
        elif self._span < LOG_BLOCKS:
            self._span *= 2
        logs = {log for log in map(log_of, found) if log.address in names}
        return tuple(sorted(logs, key=lambda log: (log.block, log.index)))


def _headers_of(logs: Sequence[Log]) -> Program[Headers | None]:
    """The headers of all blocks that logged; None if the logs are not of one chain."""
    if len({(log.block, log.index) for log in logs}) != len(logs):
        return None
    headers: dict[int, Header] = {}
    unknown: list[int] = []
    for log in logs:
        if log.timestamp is not None and log.block_hash is not None:
            headers[log.block] = Header(log.block, log.block_hash, log.timestamp)
        elif not unknown or unknown[-1] != log.block:
            unknown.append(log.block)
    for start in range(0, len(unknown), HEADERS):
        numbers = unknown[start : start + HEADERS]
        try:
            answers = yield Together(tuple(Ask("get_block", (number,)) for number in numbers))
        except NotFound:
            return None
        headers |= {number: _read(found) for number, found in zip(numbers, answers, strict=True)}
    if any(headers[log.block].hash != log.block_hash for log in logs):
        return None
    return tuple(headers[number] for number in sorted(headers))


def _head() -> Program[Header]:
    found = yield Ask("get_block", ("latest",))
    return _read(found)


def _header(number: int) -> Program[Header | None]:
    """A block's header, or None if the node has no such block."""
    try:
        found = yield Ask("get_block", (number,))
    except NotFound:
        return None
    return _read(found)


def _read(block: Any) -> Header:
    return Header(int(block["number"]), to_hex(block["hash"]), int(block["timestamp"]))


def _work(function: Callable[[], Result]) -> Generator[Work, Any, Result]:
    """What the database does, off the event loop where there is one."""
    result: Result = yield Work(function)
    return result
