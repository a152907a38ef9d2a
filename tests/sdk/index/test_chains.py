"""The index beside real chains: its state is theirs, word for word, and its books are clean."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from web3 import AsyncHTTPProvider, AsyncWeb3, HTTPProvider, Web3

from bulkhead import MarginMode
from bulkhead.audit import compare
from bulkhead.index import Index
from bulkhead.local import advance_time
from bulkhead.reader import AsyncReader
from tests.helpers.anvil import Anvil
from tests.sdk.world import World, build_world

BTC_PERP, ETH_PERP = "BTC-PERP", "ETH-PERP"


def is_clean(world: World, index: Index) -> bool:
    at = world.reader.block(index.block)
    books = compare(world.reader, index.state(), at)
    assert books.mismatches == ()
    return books.is_clean


def trade(world: World) -> None:
    """A leg and a vault are opened, the leg is closed, the vault is liquidated."""
    trader = world.trader()
    vault = trader.place(BTC_PERP, "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED, leverage=10)
    world.fill(vault)
    leg = trader.place(ETH_PERP, 1, is_buy=True)
    world.fill(leg)
    closing = trader.close_position(ETH_PERP, is_long=True, margin_mode=MarginMode.CROSS)
    world.fill(closing)
    world.move_price(BTC_PERP, 88_000)
    assert len(world.keeper.liquidate()) == 1


def test_its_state_is_the_chain_s_and_a_reorg_s_too(world: World, tmp_path: Path) -> None:
    tester = world.w3.provider.ethereum_tester  # type: ignore[attr-defined]
    with Index(tmp_path / "index.db", world.reader.deployment) as index:
        index.catch_up(world.reader)
        assert is_clean(world, index)
        start = index.block
        snapshot = tester.take_snapshot()
        trade(world)
        index.catch_up(world.reader)
        assert is_clean(world, index)
        (liquidation,) = index.liquidations(world.wallet.address)
        assert liquidation.symbol == BTC_PERP
        assert len(index.fills()) == 4

        tester.revert_to_snapshot(snapshot)
        world.move_price(BTC_PERP, 99_000)
        for _ in range(60):
            advance_time(world.w3)
        progress = index.catch_up(world.reader)
        assert progress.rolled_back_to is not None
        assert progress.rolled_back_to <= start
        assert is_clean(world, index)
        assert list(index.fills()) == []
        assert list(index.events()) == list(world.reader.events())


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with Anvil() as anvil:
        yield anvil


@pytest.mark.anvil
def test_a_node_s_reorgs_are_followed_awaited(node: Anvil, tmp_path: Path) -> None:
    world = build_world(Web3(HTTPProvider(node.url)))
    trade(world)

    async def run(index: Index) -> None:
        w3 = AsyncWeb3(AsyncHTTPProvider(node.url))
        reader = AsyncReader(w3, world.reader.deployment)
        await index.catch_up(reader)
        assert is_clean(world, index)
        for depth in (1, 4, 12):
            head = index.block
            node.rpc("anvil_reorg", depth, [])
            node.rpc("evm_mine")
            progress = await index.catch_up(reader)
            assert progress.rolled_back_to is not None
            assert progress.rolled_back_to <= head - depth
            assert is_clean(world, index)
        await w3.provider.disconnect()

    with Index(tmp_path / "index.db", world.reader.deployment) as index:
        asyncio.run(run(index))
        assert list(index.events()) == list(world.reader.events())
