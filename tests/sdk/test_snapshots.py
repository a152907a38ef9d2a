"""A snapshot is of the block that it says, on every kind of chain."""

from collections.abc import Iterator

import pytest
from web3 import HTTPProvider, Web3

from bulkhead import MarginMode, errors, queries
from bulkhead.local import advance_time
from tests.helpers import word_by_word
from tests.helpers.anvil import Anvil
from tests.sdk.world import World, build_world


@pytest.fixture(scope="module")
def node() -> Iterator[World]:
    with Anvil() as anvil:
        yield build_world(Web3(HTTPProvider(anvil.url)))


def both_modes(world: World) -> str:
    """Someone with a leg and a vault, and funding pending on both."""
    trader = world.trader()
    for symbol, mode in (("BTC-PERP", MarginMode.CROSS), ("ETH-PERP", MarginMode.ISOLATED)):
        world.fill(trader.place(symbol, "0.1", is_buy=True, margin_mode=mode))
    advance_time(world.w3, 1_000)
    return trader.address


def assert_same(world: World) -> None:
    chain, contracts = world.reader.chain, world.reader.contracts
    address = both_modes(world)
    now = chain.block()
    before = chain.block(now.number - 1)
    assert before.timestamp < now.timestamp
    for at in (now, before):
        found = chain.run(queries.snapshot(contracts, [address]), at)
        assert (found.number, found.timestamp) == (at.number, at.timestamp)
        expected = chain.run(word_by_word.account(contracts, address, at.timestamp), at)
        assert len(expected.positions) == 2
        assert found.account_view(address) == expected
        assert chain.run(queries.account(contracts, address), at) == expected
        states = chain.run(word_by_word.market_states(contracts, [0, 1], at.timestamp), at)
        assert chain.run(queries.markets(contracts), at) == states


def test_a_snapshot_is_of_its_block_in_memory(world: World) -> None:
    assert_same(world)


@pytest.mark.anvil
def test_a_snapshot_is_of_its_block_on_a_node(node: World) -> None:
    assert_same(node)


def test_a_market_that_is_not_listed_is_unknown(world: World) -> None:
    query = queries.market_states(world.reader.contracts, [2])
    with pytest.raises(errors.MarketUnknown):
        world.reader.chain.run(query)
