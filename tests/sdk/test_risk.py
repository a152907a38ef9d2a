"""What the reader says of risk, and how much an order may be."""

from dataclasses import replace
from decimal import Decimal

import pytest
from eth_account import Account

from bulkhead import MarginMode, errors
from bulkhead.accounts import Position
from bulkhead.permits import sign_permit
from bulkhead.protocol.words import ISOLATED_LONG
from tests.sdk.world import World


def position(world: World, address: str) -> Position | None:
    return world.reader.position(address, "BTC-PERP", is_long=True, is_isolated=True)


def test_a_positions_risk_and_its_markets(world: World) -> None:
    trader = world.trader()
    order = trader.place("BTC-PERP", "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED)
    world.fill(order)
    (risk,) = world.reader.risks([(trader.address, 0, ISOLATED_LONG)])
    market = world.reader.market("BTC-PERP")
    assert (risk.market, risk.slot, risk.size) == (0, ISOLATED_LONG, market.lots_exact("0.1"))
    assert risk.time_to_liquidation is not None
    assert risk.time_to_liquidation > 86_400
    assert risk.deleverage_rank == risk.deleverage_size == 0
    whole = world.reader.market_risk("BTC-PERP")
    assert not whole.is_deleveraging
    assert whole.backing > whole.owed
    assert whole.excess == Decimal(0)


def test_the_largest_order_fills_and_one_lot_more_does_not(world: World) -> None:
    trader = world.trader(1_000)
    order = trader.order("ETH-PERP", "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED)
    most = world.reader.max_order_size(order)
    assert most > world.reader.market("ETH-PERP").lots_exact("1")
    assert world.reader.preview_order(replace(order, size=most)).reason == 0
    assert world.reader.preview_order(replace(order, size=most + 1)).reason != 0


def test_an_account_without_margin_can_order_nothing(world: World) -> None:
    trader = world.trader(1)
    order = trader.order("ETH-PERP", "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED)
    assert world.reader.max_order_size(order) == 0


def test_a_position_converts_there_and_back(world: World) -> None:
    trader = world.trader()
    world.fill(trader.place("BTC-PERP", "0.01", is_buy=True))
    trader.convert_to_isolated("BTC-PERP", 200, is_long=True)
    trader.set_auto_margin("BTC-PERP", 50, is_long=True)
    vault = position(world, trader.address)
    assert vault is not None
    assert vault.word.auto_margin
    assert vault.word.margin == 200_000_000
    trader.convert_to_cross("BTC-PERP", is_long=True)
    assert position(world, trader.address) is None


def test_a_token_without_permits_is_told_apart(world: World) -> None:
    key = Account.from_key(b"\x05" * 32)
    with pytest.raises(errors.BulkheadError):
        sign_permit(world.reader, key, 10, 2**40)
