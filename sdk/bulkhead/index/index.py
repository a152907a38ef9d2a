"""The index as its users hold it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, overload

from bulkhead.chain import Awaiting, Blocking
from bulkhead.contracts import Contracts
from bulkhead.deployment import Deployment
from bulkhead.index.follow import Follower, Progress
from bulkhead.index.history import (
    FORCED,
    Fill,
    FundingPayment,
    Period,
    Pnl,
    Rows,
    fill_of,
    funding_of,
    pnl_of,
    utc,
)
from bulkhead.index.ledger import FillKind
from bulkhead.index.records import Filter, Moment, Records, Rollback
from bulkhead.index.store import Store
from bulkhead.index.tables import WatchedState, plain
from bulkhead.index.writer import Companion, Writer, load_state
from bulkhead.interfaces import Event
from bulkhead.replay import Replay

DEPTH = 256  # blocks that a reorg may reach without anything being built again
POLL_SECONDS = 1.0


class Index:
    """All events of one exchange, the state they leave, and what they did, in a database.

    Whoever catches up writes; any number of processes may read at the same time.

    Args:
        location: A path of an SQLite file, or a URL of a PostgreSQL server.
        deployment: The exchange.
        depth: How many blocks of changes are kept, for reorgs.
        companions: What keeps tables of its own in the same database, changed in the same
            transactions.

    Raises:
        IndexUnusable: If the database holds something else, or cannot be opened.
        IndexDamaged: If it is broken. `open_index` sets such a file aside.
    """

    def __init__(
        self,
        location: str | Path,
        deployment: Deployment,
        *,
        depth: int = DEPTH,
        companions: Sequence[Companion] = (),
    ) -> None:
        if depth < 1:
            raise ValueError("depth: at least 1 block")
        self._store = Store(location, deployment)
        self._contracts = Contracts(deployment)
        for companion in companions:
            companion.attach(self._store)
        self._writer = Writer(self._store, self._contracts, depth, companions)
        self._follower = Follower(self._writer)
        self._records = Records(self._store, self._contracts)

    @property
    def block(self) -> int:
        """The last block that is in the index; the one before the deployment's if there is none."""
        return self._writer.cursor

    def close(self) -> None:
        """Lets go of the database, for others to write to."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @overload
    def catch_up(self, reader: Blocking) -> Progress: ...
    @overload
    def catch_up(self, reader: Awaiting) -> Coroutine[Any, Any, Progress]: ...
    def catch_up(self, reader: Blocking | Awaiting) -> Progress | Coroutine[Any, Any, Progress]:
        """Takes in everything up to the chain's latest block, and takes back what it abandoned.

        Each chunk is committed with the cursor: whatever happens in between, the next call goes on
        from there.

        Args:
            reader: A `Reader` or a `Chain`; awaited with those of an `AsyncWeb3`.

        Raises:
            IndexBusy: If another process writes to the index.
            IndexUnusable: If the chain is not the deployment's.
            NodeInconsistent: If the node's answers never fit together.
            BulkheadError: What the node refuses.
        """
        return reader.transport.run(self._follower.catch_up())

    def follow(self, reader: Blocking, poll: float = POLL_SECONDS) -> Iterator[Progress]:
        """Catches up again and again, and says each time how far it is. Ends when it is left."""
        while True:
            yield self.catch_up(reader)
            time.sleep(poll)

    def state(self) -> Replay:
        """The state of everything at `block`, of one's own: what is done to it stays outside."""
        with self._store.begin() as connection:
            empty = WatchedState(self._contracts.liquidity_pool.address)
            return plain(load_state(connection, empty)[1])

    def events(
        self,
        *names: str,
        account: str | None = None,
        market: int | None = None,
        first: int | None = None,
        last: int | None = None,
    ) -> Iterator[Event]:
        """Events in their order, as of now.

        Args:
            names: Of what names; of any without one.
            account: Of whose account; events of an order are its account's.
            market: Of which market, by id.
            first: From which block on.
            last: Up to which block.
        """
        return self._records.events(Filter(names or None, account, market, first, last))

    async def aevents(
        self,
        *names: str,
        reader: Awaiting | None = None,
        account: str | None = None,
        market: int | None = None,
        first: int | None = None,
        poll: float = POLL_SECONDS,
    ) -> AsyncGenerator[Event | Rollback, None]:
        """Events in their order, and then new ones as they come, without end.

        After a reorg comes a `Rollback`, and then what happened instead.

        Args:
            names: Of what names; of any without one.
            reader: Whose chain it catches up with; None where another process does.
            account: Of whose account; events of an order are its account's.
            market: Of which market, by id.
            first: From which block on.
            poll: Seconds between two looks.
        """
        wanted = Filter(names or None, account, market, first)
        place = await asyncio.to_thread(self._records.place_before, first)
        while True:
            if reader is not None:
                await self.catch_up(reader)
            found: list[Event] | None = None
            while found is None or found:
                page = await asyncio.to_thread(self._records.page, wanted, place)
                rollback, found, place = page
                if rollback is not None:
                    yield rollback
                for event in found:
                    yield event
            await asyncio.sleep(poll)

    def fills(
        self,
        account: str | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> Rows[Fill]:
        """Every change of a position's size, of an account or of all.

        Args:
            account: Whose; everybody's where it is None.
            start: From when on: a datetime with its zone, or seconds.
            end: Before when.
        """
        return Rows(Fill, self._fills(account, start, end))

    def funding(
        self,
        account: str | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> Rows[FundingPayment]:
        """Funding as it was realised: with every lot that was closed. Arguments as of `fills`."""
        fills = self._fills(account, start, end)
        return Rows(FundingPayment, (funding_of(fill) for fill in fills if fill.funding))

    def liquidations(
        self,
        account: str | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> Rows[Fill]:
        """The fills of liquidations: closes and netted pairs. Arguments as of `fills`."""
        return Rows(Fill, self._fills(account, start, end, FORCED))

    def pnl(
        self,
        account: str,
        period: Period | str = Period.DAY,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> Rows[Pnl]:
        """What an account gained and lost, by calendar periods in which something happened.

        Args:
            account: Whose.
            period: hour, day, week, month or all.
            start: From when on: a datetime with its zone, or seconds.
            end: Before when.
        """
        changes = self._records.changes(account, start, end)
        return Rows(Pnl, pnl_of(account, changes, Period(period)))

    def _fills(
        self,
        account: str | None,
        start: Moment | None,
        end: Moment | None,
        kinds: tuple[FillKind, ...] | None = None,
    ) -> Iterator[Fill]:
        found = self._records.fills(account, start, end, kinds)
        markets = self._records.listed()
        for row, entry in found:
            where = {
                "time": utc(row.timestamp),
                "block": row.block,
                "log_index": row.log_index,
                "transaction": row.transaction,
            }
            yield fill_of(where, entry, markets[entry.market])
