"""Fixtures for the tests of backends: a whole exchange, as it was built, for every test.

In the `conftest.py` at the root of the tests:

    pytest_plugins = ["bulkhead.testing"]

and in a test:

    def test_a_deposit_arrives(bulkhead_world):
        alice = bulkhead_world.traders["alice"]
        alice.deposit(1_000)
        assert bulkhead_world.reader.account(alice.address).cash == 1_000

The chain is in memory (`bulkhead[tester]`), or an anvil process with `--bulkhead-chain anvil`. The
exchange is built once a session, which takes some seconds; each test is taken back to it, which
takes none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bulkhead import world
from bulkhead.listings import DEMO_LISTINGS, Listing
from bulkhead.local import Anvil, anchored, async_twin, memory_chain
from bulkhead.reader import AsyncReader
from bulkhead.trader import AsyncTrader
from bulkhead.world import NAMES, ROLES, World

if TYPE_CHECKING:
    from web3 import Web3

CHAINS = ("memory", "anvil")


@dataclass(frozen=True, slots=True)
class AsyncWorld:
    """The same exchange, awaited.

    Attributes:
        reader: Reads it.
        traders: By name.
    """

    reader: AsyncReader
    traders: Mapping[str, AsyncTrader]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--bulkhead-chain`."""
    parser.addoption(
        "--bulkhead-chain",
        choices=CHAINS,
        default=CHAINS[0],
        help="Where bulkhead_world lives: on a chain in memory, or on an anvil process.",
    )


@pytest.fixture(scope="session")
def bulkhead_chain(request: pytest.FixtureRequest) -> str:
    """Which chain: `--bulkhead-chain`, else "memory". Define your own to say it in code."""
    return str(request.config.getoption("--bulkhead-chain", CHAINS[0]))


@pytest.fixture(scope="session")
def bulkhead_listings() -> tuple[Listing, ...]:
    """Its markets: the five of the local world. Define your own for others; fewer build faster."""
    return DEMO_LISTINGS


@pytest.fixture(scope="session")
def bulkhead_w3(bulkhead_chain: str) -> Iterator[Web3]:
    """The chain, which ends with the session. On anvil `w3.provider.endpoint_uri` is its address.

    Use it beside `bulkhead_world`, not to change what other tests find.
    """
    people = len(ROLES) + len(NAMES)
    if bulkhead_chain == "memory":
        yield memory_chain(people)
    elif bulkhead_chain == "anvil":
        with Anvil("--accounts", str(people)) as node:
            yield node.connect()
    else:
        raise pytest.UsageError(f"bulkhead_chain: {bulkhead_chain!r} is none of {CHAINS}")


@pytest.fixture(scope="session")
def bulkhead_built(bulkhead_w3: Web3, bulkhead_listings: tuple[Listing, ...]) -> World:
    """The exchange that every test is taken back to. Tests use `bulkhead_world`."""
    accounts = [str(account) for account in bulkhead_w3.eth.accounts]
    built = world.create(bulkhead_w3, accounts, listings=bulkhead_listings)
    built.keeper.follow()
    return built


@pytest.fixture
def bulkhead_world(bulkhead_built: World) -> Iterator[World]:
    """The exchange, its keeper and ten traders with a full wallet and nothing deposited.

    Whatever the test does is undone after it.
    """
    reader = bulkhead_built.reader
    w3 = reader.chain.w3
    with anchored(w3):
        # Readers and keepers remember, so each test has its own.
        accounts = [str(account) for account in w3.eth.accounts]
        book = bulkhead_built.keeper.book.copy()
        yield world.load(w3, reader.deployment, accounts, book=book)


@pytest.fixture
def bulkhead_async_world(bulkhead_world: World) -> Callable[[], AsyncWorld]:
    """Makes the asynchronous world of a test, on the same chain; call it in its event loop.

    Close its connection at the end with `await bulkhead.local.disconnect(...reader.chain.w3)`.
    """

    def connect() -> AsyncWorld:
        w3 = async_twin(bulkhead_world.reader.chain.w3)
        reader = AsyncReader(w3, bulkhead_world.reader.deployment)
        traders = bulkhead_world.traders
        return AsyncWorld(
            reader, {name: AsyncTrader(reader, one.signer) for name, one in traders.items()}
        )

    return connect
