"""One exchange in memory for all tests of a worker; each test finds it as it was built."""

from collections.abc import Iterator

import pytest

from bulkhead.local import memory_chain
from tests.sdk.world import World, build_world, refreshed


@pytest.fixture(scope="session")
def built() -> World:
    return build_world(memory_chain())


@pytest.fixture
def world(built: World) -> Iterator[World]:
    tester = built.w3.provider.ethereum_tester  # type: ignore[attr-defined]
    snapshot = tester.take_snapshot()
    yield refreshed(built)
    tester.revert_to_snapshot(snapshot)
