"""The keeper's journal: what was signed, for which tasks, and what became of them.

It lives in the index's database, and what events say of tasks is stored in one transaction with
the cursor. What is signed is stored before it is sent: whenever the process dies, the next one
sends the same bytes again, and the chain takes them once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, select, update

from bulkhead.chain import Fees
from bulkhead.index import schema
from bulkhead.index.store import Store
from bulkhead.index.writer import Chunk
from bulkhead.keeper.dispatch import poison
from bulkhead.keeper.dispatch.flights import Content, Flight, FlightState, IntentState, Version
from bulkhead.keeper.dispatch.intents import ended_by
from bulkhead.keeper.dispatch.tables import intents, metadata, transactions, versions
from bulkhead.keeper.work import Intent, Job

_ENDED_AS = {FlightState.FAILED: IntentState.FAILED}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The tasks of a transaction that has ended, by what became of them."""

    done: tuple[Intent, ...]
    lost: tuple[Intent, ...]
    failed: tuple[Intent, ...]
    open: tuple[Intent, ...]


class Journal:
    """A companion of the index: `Index(path, deployment, companions=[journal])` opens it.

    Args:
        expiry: How tasks are set aside that can not be done.
    """

    def __init__(self, expiry: poison.Expiry | None = None) -> None:
        self._expiry = expiry or poison.Expiry()
        self._attached: Store | None = None

    @property
    def chain_id(self) -> int:
        """Of the chain whose exchange it is."""
        return self._store.deployment.chain_id

    def attach(self, store: Store) -> None:
        """Makes the tables."""
        with store.write() as connection:
            metadata.create_all(connection)
        self._attached = store

    # What the index tells, in its transactions.

    def apply(self, connection: Connection, chunk: Chunk) -> None:
        """Ends the tasks that the chunk's events end, and drops what no reorg reaches any more."""
        flying: dict[Intent, set[int]] = defaultdict(set)
        for row in connection.execute(select(intents).where(intents.c.state == IntentState.SENT)):
            flying[Job(row.job), row.key].add(row.transaction)
        aside = poison.all_of(connection)
        if flying or aside:
            owners, signed = _hashes(connection)
            for event in chunk.events:
                owner = owners.get(event.transaction)
                state = IntentState.LOST if owner is None else IntentState.DONE
                for intent in ended_by(event):
                    # What happened before it was signed is what it was signed in view of.
                    ended = {
                        one
                        for one in flying.get(intent, ())
                        if one == owner or event.block > signed[one]
                    }
                    for one in ended:
                        _end_intent(connection, one, intent, state, event.block)
                    flying[intent] -= ended
                    if intent in aside:
                        poison.forget(connection, intent)
        poison.prune(connection, chunk.last.timestamp, self._expiry)
        _prune(connection)

    def roll_back(self, connection: Connection, block: int) -> None:
        """What was settled above a block is on its way again."""
        mined = and_(transactions.c.block > block, transactions.c.block_hash.is_not(None))
        _take_back(connection, mined)
        on_their_way = select(transactions.c.id).where(transactions.c.state == FlightState.SENT)
        _open_again(
            connection,
            and_(intents.c.block > block, intents.c.transaction.in_(on_their_way)),
        )

    # What the dispatcher writes.

    def claim(self) -> None:
        """Becomes the one process that writes.

        Raises:
            IndexBusy: If there is another.
        """
        self._store.claim()

    def record(
        self,
        signer: str,
        nonce: int,
        content: Content,
        gas: int,
        version: Version,
        job: Job | None = None,
        tasks: Sequence[Intent] = (),
    ) -> Flight:
        """Stores a transaction that is about to be sent, and the tasks it is for.

        Args:
            signer: Who has signed it.
            nonce: Of which transaction.
            content: What it does.
            gas: The limit.
            version: What was signed.
            job: What it is for; None where it only fills a nonce.
            tasks: What it does.

        Raises:
            ValueError: If one of the tasks is on its way already.
            IndexBusy: If another process writes to the database.
        """
        with self._write() as connection:
            twice = _busy(connection).intersection(tasks)
            if twice:
                names = ", ".join(" ".join(one) for one in sorted(twice))
                raise ValueError(f"on its way already: {names}")
            # The same bytes, which nobody took the first time: it is the same transaction.
            known = select(versions.c.transaction).where(versions.c.hash == version.hash)
            _delete(connection, list(connection.execute(known).scalars()))
            row = {"signer": signer, "nonce": nonce, "job": job, "gas": gas}
            row |= {"to": content.to, "data": content.data, "value": str(content.value)}
            row |= {"state": FlightState.SENT, "since": version.block}
            values = transactions.insert().values(row)
            (number,) = connection.execute(values).inserted_primary_key or (0,)
            _add_version(connection, number, 0, version)
            rows = [
                {"transaction": number, "job": job, "key": key}
                | {"state": IntentState.SENT, "block": None, "reason": ""}
                for job, key in dict.fromkeys(tasks)
            ]
            if rows:
                connection.execute(intents.insert(), rows)
            (found,) = _flights(connection, transactions.c.id == number)
        return found

    def add_version(self, flight: Flight, version: Version) -> None:
        """Stores what is about to take the place of a transaction."""
        with self._write() as connection:
            _add_version(connection, flight.id, len(flight.versions), version)
            _wait_since(connection, flight, version.block)

    def wait_since(self, flight: Flight, block: int) -> None:
        """A transaction that a reorg took back waits anew from a block on."""
        with self._write() as connection:
            _wait_since(connection, flight, block)

    def end(
        self, flight: Flight, state: FlightState, block: int, block_hash: str | None, reason: str
    ) -> Outcome:
        """Stores what became of a transaction, and returns what became of its tasks.

        Args:
            flight: Which.
            state: What it is now.
            block: In which it was mined, or found to be dropped.
            block_hash: Of that block; None if it was not mined.
            reason: What is said of the tasks that it leaves undone.

        Raises:
            IndexBusy: If another process writes to the database.
        """
        mine = intents.c.transaction == flight.id
        with self._write() as connection:
            connection.execute(
                update(transactions)
                .where(transactions.c.id == flight.id)
                .values(state=state, block=block, block_hash=block_hash)
            )
            left = and_(mine, intents.c.state == IntentState.SENT)
            ended = _ENDED_AS.get(state, IntentState.OPEN)
            values = {"state": ended, "block": block, "reason": reason}
            connection.execute(update(intents).where(left).values(values))
            found: dict[str, list[Intent]] = defaultdict(list)
            for row in connection.execute(select(intents).where(mine)):
                found[row.state].append((Job(row.job), row.key))
        kinds = (IntentState.DONE, IntentState.LOST, IntentState.FAILED, IntentState.OPEN)
        return Outcome(*(tuple(found[kind]) for kind in kinds))

    def take_back(self, flight: Flight) -> None:
        """The block that had a transaction is gone: it is on its way again."""
        mine = and_(intents.c.transaction == flight.id, intents.c.block >= flight.block)
        with self._write() as connection:
            _take_back(connection, transactions.c.id == flight.id)
            _open_again(connection, mine)

    # What is known.

    def signers(self) -> set[str]:
        """Those with transactions on their way."""
        with self._store.begin() as connection:
            sent = transactions.c.state == FlightState.SENT
            return set(connection.execute(select(transactions.c.signer).where(sent)).scalars())

    def flights(self, signer: str) -> tuple[Flight, ...]:
        """A signer's transactions on their way, by nonce."""
        wanted = and_(transactions.c.state == FlightState.SENT, transactions.c.signer == signer)
        with self._store.begin() as connection:
            return _flights(connection, wanted)

    def dropped_since(self, signer: str, block: int) -> tuple[Flight, ...]:
        """A signer's transactions that were found to be dropped after a block."""
        dropped = and_(transactions.c.state == FlightState.DROPPED, transactions.c.block > block)
        with self._store.begin() as connection:
            return _flights(connection, and_(dropped, transactions.c.signer == signer))

    def mined_since(self, block: int) -> tuple[Flight, ...]:
        """All transactions that were mined after a block, reverted or not."""
        wanted = and_(transactions.c.block > block, transactions.c.block_hash.is_not(None))
        with self._store.begin() as connection:
            return _flights(connection, wanted)

    def busy(self) -> set[Intent]:
        """The tasks that are on their way."""
        with self._store.begin() as connection:
            return _busy(connection)

    def poisoned(self, now: int) -> set[Intent]:
        """The tasks that are set aside at a time of the chain's, seconds."""
        with self._store.begin() as connection:
            return {intent for intent, until in poison.all_of(connection).items() if until > now}

    def set_aside(self, intent: Intent, reason: str, now: int) -> int:
        """Sets a task aside that can not be done; twice as long each time.

        Returns:
            Until when, the chain's seconds.

        Raises:
            IndexBusy: If another process writes to the database.
        """
        with self._write() as connection:
            return poison.set_aside(connection, intent, reason, now, self._expiry)

    @property
    def _store(self) -> Store:
        if self._attached is None:
            raise RuntimeError("the journal is no companion of an index yet")
        return self._attached

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        store = self._store
        store.claim()
        with store.write() as connection:
            yield connection


def _busy(connection: Connection) -> set[Intent]:
    rows = connection.execute(select(intents).where(intents.c.state == IntentState.SENT))
    return {(Job(row.job), row.key) for row in rows}


def _flights(connection: Connection, wanted: Any) -> tuple[Flight, ...]:
    rows = connection.execute(
        select(transactions).where(wanted).order_by(transactions.c.signer, transactions.c.nonce)
    ).all()
    ids = [row.id for row in rows]
    signed = _versions(connection, ids)
    left = _intents(connection, ids)
    return tuple(
        Flight(
            id=row.id,
            signer=row.signer,
            nonce=row.nonce,
            job=None if row.job is None else Job(row.job),
            content=Content(row.to, row.data, int(row.value)),
            gas=row.gas,
            state=FlightState(row.state),
            since=row.since,
            block=row.block,
            block_hash=row.block_hash,
            intents=tuple(left[row.id]),
            versions=tuple(signed[row.id]),
        )
        for row in rows
    )


def _versions(connection: Connection, ids: Sequence[int]) -> dict[int, list[Version]]:
    found: dict[int, list[Version]] = defaultdict(list)
    query = select(versions).where(versions.c.transaction.in_(ids)).order_by(versions.c.number)
    for row in connection.execute(query):
        fees = Fees(row.most, row.tip)
        found[row.transaction].append(Version(row.hash, row.raw, fees, row.block, row.is_cancel))
    return found


def _intents(connection: Connection, ids: Collection[int]) -> dict[int, list[Intent]]:
    found: dict[int, list[Intent]] = defaultdict(list)
    sent = intents.c.state == IntentState.SENT
    for row in connection.execute(select(intents).where(sent, intents.c.transaction.in_(ids))):
        found[row.transaction].append((Job(row.job), row.key))
    return found


def _hashes(connection: Connection) -> tuple[dict[str, int], dict[int, int]]:
    """Whose every hash is, and the head when each transaction was signed first."""
    owners: dict[str, int] = {}
    signed: dict[int, int] = {}
    for row in connection.execute(select(versions).order_by(versions.c.number)):
        owners[row.hash] = row.transaction
        signed.setdefault(row.transaction, row.block)
    return owners, signed


def _add_version(connection: Connection, transaction: int, number: int, version: Version) -> None:
    connection.execute(
        versions.insert().values(
            hash=version.hash,
            transaction=transaction,
            number=number,
            raw=version.raw,
            most=version.fees.most,
            tip=version.fees.tip,
            block=version.block,
            is_cancel=version.is_cancel,
        )
    )


def _wait_since(connection: Connection, flight: Flight, block: int) -> None:
    mine = transactions.c.id == flight.id
    connection.execute(update(transactions).where(mine).values(since=block))


def _end_intent(
    connection: Connection, transaction: int, intent: Intent, state: IntentState, block: int
) -> None:
    job, key = intent
    mine = and_(intents.c.transaction == transaction, intents.c.job == job, intents.c.key == key)
    connection.execute(update(intents).where(mine).values(state=state, block=block))


def _take_back(connection: Connection, wanted: Any) -> None:
    values = {"state": FlightState.SENT, "since": None, "block": None, "block_hash": None}
    connection.execute(update(transactions).where(wanted).values(values))


def _open_again(connection: Connection, wanted: Any) -> None:
    values = {"state": IntentState.SENT, "block": None, "reason": ""}
    connection.execute(update(intents).where(wanted).values(values))


def _prune(connection: Connection) -> None:
    """Drops what ended so long ago that no rollback reaches it."""
    floor = connection.execute(select(schema.meta.c.journal_floor)).scalar_one()
    ended = and_(transactions.c.state != FlightState.SENT, transactions.c.block <= floor)
    _delete(connection, list(connection.execute(select(transactions.c.id).where(ended)).scalars()))


def _delete(connection: Connection, ids: Sequence[int]) -> None:
    if ids:
        connection.execute(delete(transactions).where(transactions.c.id.in_(ids)))
        connection.execute(delete(versions).where(versions.c.transaction.in_(ids)))
        connection.execute(delete(intents).where(intents.c.transaction.in_(ids)))
