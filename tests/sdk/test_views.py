"""The reader computes what the lens says, and the lens says what execution does."""

from typing import Any

import pytest

from bulkhead import MarginMode, OrderKind, errors
from bulkhead.accounts import Position
from bulkhead.protocol.fixed_point import quote_down, quote_up
from bulkhead.protocol.liquidation_math import NO_PRICE
from tests.sdk.world import World


def lens_account(world: World, address: str) -> tuple[dict[str, Any], tuple[dict[str, Any], ...]]:
    found: Any = world.reader.chain.read(
        world.reader.contracts.lens.call("account", address), world.reader.block()
    )
    return found[0], found[1]


def agrees(ours: Position, theirs: dict[str, Any]) -> bool:
    above = NO_PRICE if ours.liquidatable_above is None else ours.liquidatable_above
    return bool(
        ours.market.id == theirs["market"]
        and ours.slot == theirs["slot"]
        and ours.word.size == theirs["size"]
        and ours.liquidatable_below == theirs["lower_liquidation_price"]
        and above == theirs["upper_liquidation_price"]
        and quote_down(int(ours.value.scaleb(15))) == theirs["value"]
    )


def test_the_reader_agrees_with_the_lens(world: World) -> None:
    trader = world.trader()
    orders = (
        ("BTC-PERP", "0.2", True, MarginMode.CROSS),
        ("ETH-PERP", "3", False, MarginMode.CROSS),
        ("BTC-PERP", "0.05", False, MarginMode.ISOLATED),
        ("ETH-PERP", "1", True, MarginMode.ISOLATED),
    )
    for symbol, size, is_buy, mode in orders:
        world.fill(trader.place(symbol, size, is_buy=is_buy, margin_mode=mode))
    world.move_price("BTC-PERP", "98765.4321")
    ours = world.reader.account(trader.address)
    account, positions = lens_account(world, trader.address)
    assert len(positions) == 4
    assert all(map(agrees, ours.positions, positions))
    assert ours.word.cash == account["cash"]
    assert quote_up(ours.legs.initial) == account["initial_margin"]
    assert quote_up(ours.legs.maintenance) == account["maintenance_margin"]
    assert int(ours.free_collateral * 10**6) == account["withdrawable"]
    assert ours.is_liquidatable == account["is_liquidatable"]


def test_a_preview_is_what_happens(world: World) -> None:
    trader = world.trader()
    world.move_price("BTC-PERP", 100_000)
    preview = trader.preview("BTC-PERP", "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED)
    handle = trader.place("BTC-PERP", "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED)
    world.fill(handle)
    (fill,) = handle.outcome().fills
    assert (preview.reason, preview.text) == (0, "")
    assert preview.increased == fill["size"]
    assert preview.fee == fill["fee"]
    assert preview.impact == fill["impact"]
    assert preview.margin == fill["margin"]


def test_a_preview_says_what_the_order_waits_for_or_ends_in(world: World) -> None:
    trader = world.trader(100)
    world.move_price("BTC-PERP", 100_000)
    ended = trader.preview("BTC-PERP", "1", is_buy=True)
    assert ended.text == "margin: below initial"
    waiting = trader.preview(
        "BTC-PERP", "0.01", is_buy=True, kind=OrderKind.LIMIT, acceptable_price=90_000
    )
    assert waiting.text == "price: not acceptable"
    with pytest.raises(errors.OrderNoLimitPrice):
        trader.preview("BTC-PERP", "0.01", is_buy=True, kind=OrderKind.LIMIT)
