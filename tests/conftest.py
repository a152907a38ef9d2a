"""What every test shares."""

from collections.abc import Iterator

import pytest

from tests.helpers.protocol import BTC, ETH, SOL, Protocol


@pytest.fixture(scope="session")
def world() -> Protocol:
    """Three liquid markets, a funded pool and insurance; shared, so never acted on directly."""
    return Protocol(BTC, ETH, SOL)


@pytest.fixture
def protocol(world: Protocol) -> Iterator[Protocol]:
    """The world, for one test. Whatever the test did, the invariants must hold after it."""
    with world.anchored() as protocol:
        yield protocol
        protocol.check_invariants()


@pytest.fixture
def owner(protocol: Protocol) -> str:
    return protocol.owner


@pytest.fixture
def trader(protocol: Protocol) -> str:
    return protocol.trader


@pytest.fixture
def keeper(protocol: Protocol) -> str:
    return protocol.keeper


@pytest.fixture
def liquidity_provider(protocol: Protocol) -> str:
    return protocol.liquidity_provider


@pytest.fixture
def guardian(protocol: Protocol) -> str:
    return protocol.guardian


@pytest.fixture
def attacker(protocol: Protocol) -> str:
    return protocol.attacker
