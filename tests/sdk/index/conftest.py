"""One recorded walk for all tests of the index, and the databases it goes into."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeAlias

import boa
import pytest

from bulkhead.contracts import Contracts
from bulkhead.deployment import Deployment
from bulkhead.interfaces import Event
from bulkhead.replay import Replay
from tests.helpers.postgres import Postgres, postgres, why_not
from tests.sdk.index.recording import Node, Recording, deployment_of, recording
from tests.stateful.test_random_walk import Walk

ACTIONS = 200
NewLocation: TypeAlias = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Life:
    """What was logged in a walk."""

    recording: Recording
    deployment: Deployment

    def node(self) -> Node:
        return Node(self.recording.timestamps, self.recording.logs)

    def events(self, node: Node | None = None) -> list[Event]:
        """All that a node shows, decoded without an index."""
        seen = self.node() if node is None else node
        names = ("clearinghouse", "order_book", "price_oracle", "liquidity_pool")
        ours = {getattr(self.deployment, name) for name in names}
        logs = [log for log in seen.logs if log.address in ours and log.block <= seen.head]
        return list(Contracts(self.deployment).decode_logs(logs))

    def replay(self, node: Node | None = None) -> Replay:
        replay = Replay(self.deployment.liquidity_pool)
        replay.take_all(self.events(node))
        return replay


@pytest.fixture(scope="session")
def life() -> Life:
    with boa.env.anchor(), recording() as recorded:
        walk = Walk(seed=11)
        walk.protocol.check_invariants = lambda: None  # type: ignore[method-assign]
        walk.do(ACTIONS)
        return Life(recorded, deployment_of(walk.protocol))


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    with postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
def new_location(request: pytest.FixtureRequest, tmp_path: Path) -> NewLocation:
    """Makes databases, all of one kind: empty ones, or copies of another."""
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("server")
        return lambda *origin: server.database(*origin)
    numbers = count()

    def new_file(*origin: str) -> str:
        path = tmp_path / f"index{next(numbers)}.db"
        for one in origin:
            shutil.copy(one, path)
        return str(path)

    return new_file


@pytest.fixture
def location(new_location: NewLocation) -> str:
    """Where an index may be: a new database of either kind."""
    return new_location()
