"""What events say of tasks, and how long what is known is kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_utils.address import to_checksum_address

from bulkhead.chain import Fees
from bulkhead.contracts import Contracts
from bulkhead.index import Index
from bulkhead.index.writer import Chunk, Header
from bulkhead.interfaces import Event
from bulkhead.keeper import Expiry, FlightState, Job, Journal
from bulkhead.keeper.dispatch.flights import Content, Flight, Version
from bulkhead.keeper.dispatch.intents import ended_by, order_key, position_key
from tests.keeper.dispatch.desk import unreal_deployment

SIGNER = to_checksum_address("0x" + "51" * 20)
ACCOUNT = to_checksum_address("0x" + "ac" * 20)
ORDER = b"\x0a" * 32
POSITION = position_key(ACCOUNT, 1, 2)
OURS, THEIRS = "0x" + "01" * 32, "0x" + "02" * 32
DEPTH = 5


@dataclass(slots=True)
class Kept:
    """A journal beside an index, without a chain."""

    index: Index
    journal: Journal
    nonce: int = 0

    def record(self, *tasks: tuple[Job, str], name: str = OURS) -> Flight:
        version = Version(name, b"raw" + bytes([self.nonce]), Fees(10**9, 1), 1)
        self.nonce += 1
        job = tasks[0][0] if tasks else None
        content = Content(ACCOUNT, b"data", 7)
        return self.journal.record(SIGNER, self.nonce, content, 100, version, job, tasks)

    def apply(self, *events: Event, block: int = 10) -> None:
        last = Header(block, "0x", block * 10)
        with self.index._store.write() as connection:
            self.journal.apply(connection, Chunk(block - 1, last, (), events, is_final=False))

    def roll_back(self, block: int) -> None:
        with self.index._store.write() as connection:
            self.journal.roll_back(connection, block)

    def grow(self, block: int) -> None:
        """The index takes in empty blocks."""
        writer = self.index._writer
        last = Header(block, "0x" + f"{block:064x}", block * 10)
        writer.apply(Chunk(writer.cursor, last, (), (), is_final=False))

    def outcome(self, flight: Flight, block: int = 10) -> Any:
        return self.journal.end(flight, FlightState.MINED, block, "0xb", "skipped")


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    journal = Journal(Expiry(first=10, most=35))
    with Index(
        tmp_path / "keeper.db", unreal_deployment(), depth=DEPTH, companions=[journal]
    ) as index:
        yield Kept(index, journal)


def executed(order_hash: bytes = ORDER, transaction: str = OURS, block: int = 10) -> Event:
    arguments = {"order_hash": order_hash, "keeper": SIGNER, "keeper_fee": 1}
    return Event("OrderExecuted", arguments, ACCOUNT, block, transaction, 0)


EXECUTE = (Job.EXECUTE_ORDERS, order_key(ORDER))
OTHER = (Job.EXECUTE_ORDERS, order_key(b"\x0b" * 32))


def test_what_a_transaction_of_ours_did_is_done(kept: Kept) -> None:
    flight = kept.record(EXECUTE, OTHER)
    kept.apply(executed())
    assert kept.journal.busy() == {OTHER}
    outcome = kept.outcome(flight)
    assert outcome.done == (EXECUTE,)
    assert outcome.open == (OTHER,)
    assert outcome.lost == outcome.failed == ()


def test_what_somebody_else_did_is_lost(kept: Kept) -> None:
    flight = kept.record(EXECUTE)
    kept.apply(executed(transaction=THEIRS))
    assert kept.journal.busy() == set()
    assert kept.outcome(flight).lost == (EXECUTE,)


def test_what_any_version_of_it_did_is_done(kept: Kept) -> None:
    flight = kept.record(EXECUTE)
    kept.journal.add_version(flight, Version(THEIRS, b"more", Fees(2 * 10**9, 2), 2))
    kept.apply(executed(transaction=THEIRS))
    assert kept.outcome(flight).done == (EXECUTE,)


def test_what_happened_before_it_was_signed_does_not_end_it(kept: Kept) -> None:
    flight = kept.record(EXECUTE)
    kept.apply(executed(transaction=THEIRS, block=1))
    assert kept.journal.busy() == {EXECUTE}
    kept.apply(executed(transaction=THEIRS, block=2))
    assert kept.outcome(flight).lost == (EXECUTE,)


def test_the_same_events_again_change_nothing(kept: Kept) -> None:
    flight = kept.record(EXECUTE, OTHER)
    for transaction in (OURS, OURS, THEIRS):
        kept.apply(executed(transaction=transaction))
    assert kept.outcome(flight).done == (EXECUTE,)


def test_a_rollback_opens_what_was_settled_above_it(kept: Kept) -> None:
    low, high = kept.record(EXECUTE, name="0xa"), kept.record(OTHER, name="0xb")
    kept.apply(executed(block=9))
    kept.outcome(low, block=9)
    kept.apply(executed(b"\x0b" * 32, block=10))
    kept.outcome(high, block=10)
    for _ in range(2):
        kept.roll_back(9)
        assert kept.journal.busy() == {OTHER}
        assert [one.nonce for one in kept.journal.flights(SIGNER)] == [high.nonce]
    kept.roll_back(8)
    assert kept.journal.busy() == {EXECUTE, OTHER}


def test_a_race_that_was_lost_in_a_block_that_is_gone_is_open_again(kept: Kept) -> None:
    kept.record(EXECUTE)
    kept.apply(executed(transaction=THEIRS, block=10))
    kept.roll_back(9)
    assert kept.journal.busy() == {EXECUTE}


def test_what_was_dropped_stays_dropped_in_a_rollback(kept: Kept) -> None:
    flight = kept.record(EXECUTE)
    kept.journal.end(flight, FlightState.DROPPED, 10, None, "its nonce was taken")
    kept.roll_back(5)
    assert kept.journal.busy() == set()
    assert kept.journal.flights(SIGNER) == ()


def test_what_is_on_its_way_is_not_recorded_twice(kept: Kept) -> None:
    kept.record(EXECUTE)
    with pytest.raises(ValueError, match="on its way"):
        kept.record(EXECUTE, name=THEIRS)
    assert len(kept.journal.flights(SIGNER)) == 1


def test_the_same_bytes_after_they_were_dropped_are_the_same_transaction(kept: Kept) -> None:
    first = kept.record(EXECUTE)
    kept.journal.end(first, FlightState.DROPPED, 10, None, "no money")
    kept.record(EXECUTE)
    assert kept.journal.dropped_since(SIGNER, 0) == ()
    assert len(kept.journal.flights(SIGNER)) == 1


def test_what_no_rollback_reaches_is_forgotten(kept: Kept) -> None:
    kept.grow(2)
    ended, waiting = kept.record(EXECUTE, name="0xa"), kept.record(OTHER, name="0xb")
    kept.outcome(ended, block=3)
    kept.grow(3 + DEPTH - 1)
    assert len(kept.journal.mined_since(0)) == 1
    kept.grow(3 + DEPTH)
    assert kept.journal.mined_since(0) == ()
    assert kept.journal.flights(SIGNER)[0].id == waiting.id
    assert kept.journal.busy() == {OTHER}


def test_it_outlives_the_process(kept: Kept) -> None:
    flight = kept.record(EXECUTE, OTHER)
    again = Journal()
    path = str(kept.index._store.engine.url.database)
    with Index(path, unreal_deployment(), depth=DEPTH, companions=[again]):
        assert again.flights(SIGNER) == (flight,)


def test_poison_is_set_aside_twice_as_long_each_time(kept: Kept) -> None:
    journal = kept.journal
    assert journal.poisoned(0) == set()
    assert journal.set_aside(EXECUTE, "why", 100) == 110
    assert journal.poisoned(109) == {EXECUTE}
    assert journal.poisoned(110) == set()
    assert journal.set_aside(EXECUTE, "why", 110) == 130
    assert [journal.set_aside(EXECUTE, "why", 130) for _ in range(3)] == [165, 165, 165]
    assert journal.set_aside(OTHER, "why", 130) == 140


def test_poison_is_forgotten_with_its_task(kept: Kept) -> None:
    kept.journal.set_aside(EXECUTE, "why", 100)
    kept.journal.set_aside(OTHER, "why", 100)
    kept.apply(executed(transaction=THEIRS), block=10)
    assert kept.journal.poisoned(100) == {OTHER}
    kept.apply(block=15)  # at 150 seconds: it ended at 110, and 35 more have passed
    assert kept.journal.set_aside(OTHER, "why", 150) == 160


@pytest.mark.parametrize("wrong", [(0, 1), (2, 1), (-1, -1)])
def test_an_expiry_is_a_time(wrong: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="expiry"):
        Expiry(*wrong)


@pytest.mark.parametrize(
    ("contract", "name", "arguments", "ended"),
    [
        (
            "order_book",
            name,
            {"order_hash": ORDER},
            {(job, order_key(ORDER)) for job in jobs},
        )
        for name, jobs in (
            ("OrderExecuted", (Job.EXECUTE_ORDERS, Job.CLEAR_EXPIRED, Job.TRAIL_STOPS)),
            ("OrderCancelled", (Job.EXECUTE_ORDERS, Job.CLEAR_EXPIRED, Job.TRAIL_STOPS)),
            ("OrderRatcheted", (Job.TRAIL_STOPS,)),
        )
    ]
    + [
        ("clearinghouse", name, {"account": ACCOUNT, "market": 1, "slot": slot}, ended)
        for name, slot, ended in (
            ("PositionLiquidated", 2, {(Job.LIQUIDATE_ISOLATED, POSITION), (Job.TOP_UP, POSITION)}),
            ("MarginToppedUp", 2, {(Job.LIQUIDATE_ISOLATED, POSITION), (Job.TOP_UP, POSITION)}),
            ("PositionLiquidated", 0, {(Job.LIQUIDATE_CROSS, ACCOUNT)}),
            ("PositionDeleveraged", 2, {(Job.DELEVERAGE, POSITION)}),
            ("PositionSettled", 2, {(Job.SETTLE, POSITION)}),
        )
    ]
    + [
        ("clearinghouse", "PairNetted", {"account": ACCOUNT}, {(Job.LIQUIDATE_CROSS, ACCOUNT)}),
        ("price_oracle", "SettlementFixed", {"market": 7}, {(Job.SETTLE, "7")}),
        ("price_oracle", "PriceUpdated", {"market": 7}, {(Job.UPDATE_PRICES, "7")}),
        ("liquidity_pool", "RedeemFixed", {"request_id": 3}, {(Job.FIX_REQUESTS, "3")}),
        ("liquidity_pool", "RedeemLapsed", {"request_id": 3}, {(Job.FIX_REQUESTS, "3")}),
        ("order_book", "OrderPlaced", {"order_hash": ORDER}, set()),
    ],
)
def test_an_event_ends_what_it_leaves_nothing_of(
    contract: str, name: str, arguments: dict[str, Any], ended: set[tuple[Job, str]]
) -> None:
    interface = getattr(Contracts(unreal_deployment()), contract).interface
    assert set(arguments) <= {one["name"] for one in interface.inputs_of(name)}
    event = Event(name, arguments, ACCOUNT, 1, OURS, 0)
    assert set(ended_by(event)) == ended
