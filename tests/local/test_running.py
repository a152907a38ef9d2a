"""The world that lives, tick by tick, on a chain in memory."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from web3 import Web3

from bulkhead import MarginMode, OrderState, errors
from bulkhead.errors import Rejected
from bulkhead.listings import BTC, ETH
from bulkhead.local import advance_time, anchored, memory_chain, revert_to, take_snapshot
from bulkhead.local.price_paths import Fixed, PricePath, Script, Walk
from bulkhead.local.running import RunningWorld, build, names_of, publish, volatility_of
from bulkhead.world import World

NAMES = names_of(2)
WAD = 10**18


@pytest.fixture(scope="module")
def built() -> World:
    return build(memory_chain(accounts=5), NAMES, (BTC, ETH))


@pytest.fixture
def world(built: World) -> Iterator[World]:
    with anchored(built.reader.chain.w3):
        yield built


def running(world: World, path: PricePath, folder: Path) -> RunningWorld:
    return RunningWorld(w3_of(world), world.reader.deployment, path, NAMES, folder)


def w3_of(world: World) -> Web3:
    return world.reader.chain.w3


def test_everybody_has_money_and_the_markets_prices(world: World) -> None:
    assert world.prices() == {"BTC-PERP": 100_000, "ETH-PERP": 4_000}
    for trader in world.traders.values():
        assert world.reader.account(trader.address).cash == 10_000
        assert world.reader.token_balance(trader.address) == 990_000
    house = world.reader.house()
    assert house.pool_cash == 2_000_000
    assert house.insurance == 100_000


def test_a_chain_with_too_few_accounts_is_refused() -> None:
    with pytest.raises(Rejected, match="the chain has 2 accounts; this world needs 5"):
        build(memory_chain(accounts=2), NAMES)


def test_traders_have_names_whatever_their_number() -> None:
    assert names_of(1) == ("alice",)
    assert names_of(12)[9:] == ("judy", "trader11", "trader12")
    for count in (0, 101):
        with pytest.raises(ValueError, match=f"accounts: {count}, not 1 to 100"):
            names_of(count)


def test_a_tick_keeps_prices_fresh(world: World, tmp_path: Path) -> None:
    advance_time(w3_of(world), 10_000)
    assert not world.reader.market_state("BTC-PERP").is_fresh
    tick = running(world, Fixed(), tmp_path).tick()
    assert world.reader.market_state("BTC-PERP").is_fresh
    assert tick.prices == {"BTC-PERP": 100_000, "ETH-PERP": 4_000}
    assert (tick.number, tick.troubles, tick.done) == (0, (), {})


def test_the_same_seed_has_the_same_prices(world: World, tmp_path: Path) -> None:
    def prices() -> list[dict[str, Decimal]]:
        with anchored(w3_of(world)):
            lived = running(world, Walk(9, volatility_of((BTC, ETH))), tmp_path)
            return [lived.tick().prices for _ in range(3)]

    first = prices()
    assert first == prices()
    assert len({tick["BTC-PERP"] for tick in first}) == 3


def test_a_tick_executes_and_liquidates(world: World, tmp_path: Path) -> None:
    alice = world.traders["alice"]
    crash = Script([{}, {"BTC-PERP": 88_000 * WAD}])
    lived = running(world, crash, tmp_path)
    handle = alice.place("BTC-PERP", "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED)
    advance_time(w3_of(world), 2)
    assert lived.tick().done == {"executed": 1}
    assert handle.state() is OrderState.EXECUTED
    assert lived.tick().done == {"liquidated": 1}
    assert world.reader.account(alice.address).positions == ()


def test_a_price_set_by_hand_holds(world: World, tmp_path: Path) -> None:
    lived = running(world, Fixed(), tmp_path)
    lived.tick()
    publish(w3_of(world), world.reader.deployment, "BTC-PERP", 90_000)
    assert lived.tick().prices["BTC-PERP"] == 90_000


def test_a_rewound_chain_is_seen_and_lived_on(world: World, tmp_path: Path) -> None:
    w3, alice = w3_of(world), world.traders["alice"]
    lived = running(world, Fixed(), tmp_path)
    snapshot = take_snapshot(w3)
    alice.place("BTC-PERP", "0.1", is_buy=True)
    advance_time(w3, 2)
    assert lived.tick().done == {"executed": 1}
    revert_to(w3, snapshot)
    tick = lived.tick()
    assert tick.is_rewound
    assert (tick.done, tick.troubles) == ({}, ())
    # The chain is as high again as before: what came back must not be taken for what was.
    alice.place("ETH-PERP", "1", is_buy=True)
    advance_time(w3, 2)
    tick = lived.tick()
    assert not tick.is_rewound
    assert tick.done == {"executed": 1}


def test_what_is_refused_ends_nothing(world: World, tmp_path: Path) -> None:
    oracle = world.admin
    oracle.set_publisher(oracle.address, allowed=False)
    tick = running(world, Fixed(), tmp_path).tick()
    assert len(tick.troubles) == 2
    assert all(one.startswith("publisher: not allowed") for one in tick.troubles)


def test_a_price_by_hand_fills_if_it_shall(world: World) -> None:
    handle = world.traders["bob"].place("ETH-PERP", 1, is_buy=True)
    deployment, w3 = world.reader.deployment, w3_of(world)
    assert publish(w3, deployment, "ETH-PERP", "4000.5") == ()
    assert handle.state() is OrderState.PENDING
    (report,) = publish(w3, deployment, "ETH-PERP", "4001.5", fill=True)
    assert report.state is handle.state() is OrderState.EXECUTED
    assert world.reader.price("ETH-PERP") == Decimal("4001.5")


def test_prices_by_hand_need_a_publisher_on_the_node(world: World) -> None:
    world.admin.set_publisher(world.admin.address, allowed=False)
    with pytest.raises(errors.PublisherNotAllowed):
        publish(w3_of(world), world.reader.deployment, "ETH-PERP", 4_001)


def test_a_world_without_a_keeper_leaves_orders_to_others(world: World, tmp_path: Path) -> None:
    w3, alice = w3_of(world), world.traders["alice"]
    deployment = world.reader.deployment
    lived = RunningWorld(w3, deployment, Fixed(), NAMES, tmp_path, has_keeper=False)
    handle = alice.place("BTC-PERP", "0.1", is_buy=True)
    advance_time(w3, 2)
    assert lived.tick().done == {}
    assert handle.outcome().state is OrderState.PENDING
