"""One exchange in memory for all tests of a worker; each test finds it as it was built."""

from collections.abc import Iterator

import pytest

from bulkhead.local import anchored, memory_chain
from tests.sdk.world import World, build_world, refreshed


@pytest.fixture(scope="session")
def built() -> World:
    return build_world(memory_chain())


@pytest.fixture
def world(built: World) -> Iterator[World]:
    with anchored(built.w3):
        yield refreshed(built)
