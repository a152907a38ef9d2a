from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account
from web3 import HTTPProvider, Web3

from bulkhead import Admin, Deployment, MarginMode, OrderState, Reader, Trader, errors
from bulkhead.local import advance_time, is_local
from tests.helpers.anvil import Anvil
from tests.sdk.world import World, build_world

pytestmark = pytest.mark.anvil

# The first of anvil's well-known keys.
KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Anvil() as anvil:
        yield build_world(Web3(HTTPProvider(anvil.url)))


def test_the_exchange_runs_on_a_node(world: World, tmp_path: Path) -> None:
    assert is_local(world.w3)
    world.reader.deployment.save(tmp_path)
    reader = Reader(world.w3, Deployment.load(world.w3, tmp_path))
    trader = world.trader()
    handle = trader.place(
        "BTC-PERP", "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED, leverage=10
    )
    world.fill(handle)
    assert handle.state() is OrderState.EXECUTED
    assert reader.handle(handle.hash).outcome() == handle.outcome()
    world.move_price("BTC-PERP", 88_000)
    (report,) = world.keeper.liquidate()
    assert report.account == trader.address
    assert reader.account(trader.address).positions == ()


def test_refusals_are_the_same_exceptions(world: World) -> None:
    trader = world.wallet
    with pytest.raises(errors.MarketUnknown):
        trader.place("DOG-PERP", "0.1", is_buy=True)
    with pytest.raises(errors.BalanceNotWithdrawable):
        trader.withdraw(10**6)
    call = world.reader.contracts.clearinghouse.call("withdraw", 10**6, world.stranger)
    with pytest.raises(errors.BalanceNotWithdrawable):
        world.reader.chain.send(call, world.stranger, gas=500_000)


def test_a_second_price_of_one_second_is_not_taken_silently(world: World) -> None:
    world.move_price("ETH-PERP", 4_000)
    published_at = world.reader.market_state("ETH-PERP").price.published_at
    with pytest.raises(errors.PriceNotTaken):
        world.admin.set_price("ETH-PERP", 4_001, published_at)


def test_a_local_key_signs(world: World) -> None:
    account = Account.from_key(KEY)
    trader = Trader(world.reader, account)
    Admin(world.reader, account).mint(account.address, 100)
    trader.deposit(100)
    assert world.reader.account(trader.address).cash == 100


def test_time_moves_as_asked(world: World) -> None:
    before = world.reader.now()
    assert advance_time(world.w3, 1_000).timestamp == before + 1_000
