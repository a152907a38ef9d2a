"""The index follows a chain: whatever node, chain and process do, it ends up the same."""

import sqlite3
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from bulkhead.errors import IndexBusy, IndexUnusable, NodeInconsistent, Unreachable
from bulkhead.index import Index
from bulkhead.replay import Replay
from tests.sdk.index.conftest import Life, NewLocation
from tests.sdk.index.helpers import content_of, tables_of
from tests.sdk.index.recording import Node


def test_it_holds_every_event_and_the_state_they_leave(life: Life, location: str) -> None:
    with Index(location, life.deployment) as index:
        progress = index.catch_up(life.node())
        assert (progress.block, progress.events) == (life.node().head, len(life.events()))
        assert list(index.events()) == life.events()
        assert tables_of(index.state()) == tables_of(life.replay())


def test_the_state_it_gives_is_one_s_own(life: Life, location: str) -> None:
    with Index(location, life.deployment) as index:
        index.catch_up(life.node())
        state = index.state()
        assert type(deepcopy(state)) is type(state) is Replay
        state.accounts.clear()
        assert tables_of(index.state()) == tables_of(life.replay())


def test_a_second_look_finds_nothing_new(life: Life, location: str) -> None:
    with Index(location, life.deployment) as index:
        node = life.node()
        index.catch_up(node)
        before = content_of(index)
        assert index.catch_up(node).events == 0
        assert content_of(index) == before


def test_block_by_block_it_is_the_same_as_at_once(life: Life, location: str) -> None:
    node = life.node()
    with Index(location, life.deployment) as index:
        events = sum(index.catch_up(node.until(head)).events for head in range(1, 120))
        events += index.catch_up(life.node()).events
        assert events == len(life.events())
        assert list(index.events()) == life.events()
        assert tables_of(index.state()) == tables_of(life.replay())


def test_a_new_process_goes_on_where_the_last_one_stopped(life: Life, location: str) -> None:
    node = life.node()
    half = node.head // 2
    with Index(location, life.deployment) as index:
        index.catch_up(node.until(half))
    with Index(location, life.deployment) as index:
        assert index.block == half
        rest = index.catch_up(life.node()).events
        assert 0 < rest < len(life.events())
        assert list(index.events()) == life.events()
        assert tables_of(index.state()) == tables_of(life.replay())


@pytest.mark.parametrize("depth", [1, 2, 9, 60])
def test_a_reorg_leaves_the_new_chain_alone(
    life: Life, new_location: NewLocation, depth: int
) -> None:
    old = life.node()
    middle = old.head // 2
    fork = old.fork(middle - depth, empty=2)
    with Index(new_location(), life.deployment) as index:
        for head in range(middle - depth - 2, middle + 1):
            index.catch_up(old.until(head))
        progress = index.catch_up(fork)
        assert progress.rolled_back_to == middle - depth
        assert list(index.events()) == life.events(fork)
        assert tables_of(index.state()) == tables_of(life.replay(fork))
        with Index(new_location(), life.deployment) as other:
            other.catch_up(fork)
            assert content_of(other) == content_of(index)


def test_a_reorg_beyond_the_journal_rebuilds_the_state(life: Life, location: str) -> None:
    old = life.node()
    middle = old.head // 2
    fork = old.fork(middle - 40, empty=3)
    with Index(location, life.deployment, depth=5) as index:
        for head in range(middle - 50, middle + 1):
            index.catch_up(old.until(head))
        back = index.catch_up(fork.until(middle)).rolled_back_to
        assert back is not None
        assert back <= middle - 40
        assert tables_of(index.state()) == tables_of(life.replay(fork))
        assert index.catch_up(fork.until(len(fork.timestamps))).rolled_back_to is None
        assert list(index.events()) == life.events(fork)
        assert tables_of(index.state()) == tables_of(life.replay(fork))


def test_a_chain_that_shares_nothing_but_its_genesis_is_read_anew(
    life: Life, location: str
) -> None:
    with Index(location, life.deployment, depth=5) as index:
        index.catch_up(life.node())
        fork = life.node().fork(0, empty=1)
        assert index.catch_up(fork).rolled_back_to == 0
        assert list(index.events()) == life.events(fork)
        assert tables_of(index.state()) == tables_of(life.replay(fork))


def test_reorgs_in_a_row_leave_the_last_chain(life: Life, location: str) -> None:
    node = life.node()
    last = node.head // 2
    with Index(location, life.deployment, depth=20) as index:
        for turn in range(6):
            index.catch_up(node.until(last + turn))
            node = node.fork(last + turn - 3 * turn, salt=f"fork {turn}")
        index.catch_up(node.until(len(node.timestamps)))
        assert list(index.events()) == life.events(node)
        assert tables_of(index.state()) == tables_of(life.replay(node))


def test_a_node_that_lags_takes_nothing_away(life: Life, location: str) -> None:
    node = life.node()
    with Index(location, life.deployment) as index:
        index.catch_up(node)
        before = content_of(index)
        progress = index.catch_up(node.until(node.head // 2))
        assert progress.is_behind
        assert progress.rolled_back_to is None
        assert content_of(index) == before


def test_a_node_that_lags_on_another_chain_is_followed(life: Life, location: str) -> None:
    node = life.node()
    end = node.head
    with Index(location, life.deployment) as index:
        for head in range(end - 20, end + 1):
            index.catch_up(node.until(head))
        fork = node.fork(end - 9)
        index.catch_up(fork.until(end - 4))
        assert index.block == end - 4
        assert list(index.events()) == life.events(fork)


@pytest.mark.parametrize("most", [1, 7])
def test_a_refused_range_is_asked_for_in_parts(life: Life, location: str, most: int) -> None:
    node = life.node()
    node.max_range = most
    with Index(location, life.deployment) as index:
        assert index.catch_up(node.until(40)).events == len(life.events(node))
        assert list(index.events()) == life.events(node)


class Doubled(Node):
    """Gives every log twice, out of order."""

    def get_logs(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        found = super().get_logs(wanted)
        return [*reversed(found), *found]


def test_a_log_that_comes_twice_counts_once(life: Life, location: str) -> None:
    node = Doubled(life.recording.timestamps, life.recording.logs)
    with Index(location, life.deployment) as index:
        index.catch_up(node)
        assert list(index.events()) == life.events()


class Moving(Node):
    """Changes to another chain between two answers."""

    other: Node
    left = 3

    def get_logs(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        self.left -= 1
        if self.left == 0:
            self.hashes, self.logs = self.other.hashes, self.other.logs
            self.timestamps = self.other.timestamps
        return super().get_logs(wanted)


def test_a_chain_that_changes_while_it_is_read_is_read_again(life: Life, location: str) -> None:
    node = Moving(life.recording.timestamps, life.recording.logs)
    node.other = life.node().fork(10)
    node.max_range = 50
    with Index(location, life.deployment, depth=10) as index:
        index.catch_up(node)
        assert list(index.events()) == [
            event for event in life.events(node.other) if event.block <= node.head
        ]


class Torn(Node):
    """Logs of a chain that its blocks are not of."""

    def get_logs(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**log, "blockHash": bytes(32)} for log in super().get_logs(wanted)]


def test_logs_of_another_chain_are_not_taken(life: Life, location: str) -> None:
    with Index(location, life.deployment) as index:
        with pytest.raises(NodeInconsistent):
            index.catch_up(Torn(life.recording.timestamps, life.recording.logs))
        assert list(index.events()) == []
        assert index.block == 0


class Deaf(Node):
    """Does not answer the third time it is asked for logs."""

    def get_logs(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        found = super().get_logs(wanted)
        if self.asked == 3:
            raise Unreachable("no answer")
        return found


def test_a_node_that_falls_silent_costs_nothing(life: Life, location: str) -> None:
    node = Deaf(life.recording.timestamps, life.recording.logs)
    with Index(location, life.deployment, depth=3) as index:
        index._follower._span = 20
        with pytest.raises(Unreachable):
            index.catch_up(node)
        assert 0 < index.block < node.head
        index.catch_up(node)
        assert list(index.events()) == life.events()
        assert tables_of(index.state()) == tables_of(life.replay())


def test_another_chain_is_refused(life: Life, location: str) -> None:
    node = Node(life.recording.timestamps, life.recording.logs, [b"\x01" * 32])
    with (
        Index(location, life.deployment) as index,
        pytest.raises(IndexUnusable, match="genesis"),
    ):
        index.catch_up(node)


def test_another_exchange_s_database_is_refused(life: Life, location: str) -> None:
    Index(location, life.deployment).close()
    for change in ({"clearinghouse": life.deployment.token}, {"chain_id": 5}):
        with pytest.raises(IndexUnusable, match=r"another (exchange|chain)"):
            Index(location, replace(life.deployment, **change))


def test_only_one_may_write_and_any_may_read(life: Life, location: str) -> None:
    node = life.node()
    with Index(location, life.deployment) as first, Index(location, life.deployment) as second:
        first.catch_up(node.until(50))
        assert second.block == 50
        assert list(second.events()) == list(first.events())
        with pytest.raises(IndexBusy, match="another process"):
            second.catch_up(life.node())
        first.close()
        assert second.catch_up(life.node()).block == life.node().head


def lose_the_lock(index: Index) -> None:
    """As when the server restarts."""
    lock = index._store._lock
    lock.close() if isinstance(lock, sqlite3.Connection) else lock.invalidate()


def test_a_writer_that_was_overtaken_says_so_and_recovers(life: Life, location: str) -> None:
    node = life.node()
    with Index(location, life.deployment) as slow:
        slow.catch_up(node.until(50))
        lose_the_lock(slow)
        with Index(location, life.deployment) as fast:
            fast.catch_up(node.until(60))
        with pytest.raises(IndexBusy, match="somebody else"):
            slow.catch_up(life.node())
        slow.catch_up(life.node())
        assert list(slow.events()) == life.events()
        assert tables_of(slow.state()) == tables_of(life.replay())
