"""The reader computes what the lens says, and the lens says what execution does."""

from typing import Any

import pytest

from bulkhead import MarginMode, OrderKind, PositionSide, Trader, errors
from bulkhead.accounts import Position
from bulkhead.local import advance_time
from bulkhead.markets import repriced
from bulkhead.protocol.fixed_point import quote_down, quote_up
from bulkhead.protocol.price_bounds import NO_PRICE
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


def trader_everywhere(world: World) -> Trader:
    """Has a position in every slot: a hedged and a single cross leg, and two vaults."""
    trader = world.trader()
    trader.set_hedge_mode(True)
    orders = (
        ("BTC-PERP", "0.2", True, MarginMode.CROSS),
        ("BTC-PERP", "0.05", False, MarginMode.CROSS),
        ("ETH-PERP", "3", False, MarginMode.CROSS),
        ("BTC-PERP", "0.05", False, MarginMode.ISOLATED),
        ("ETH-PERP", "1", True, MarginMode.ISOLATED),
    )
    for symbol, size, is_buy, mode in orders:
        side = PositionSide.LONG if is_buy else PositionSide.SHORT
        order = trader.place(symbol, size, is_buy=is_buy, margin_mode=mode, position_side=side)
        world.fill(order)
    return trader


def assert_same(world: World, trader: Trader) -> tuple[Position, ...]:
    """The reader's positions, which are those of the lens."""
    ours = world.reader.account(trader.address).positions
    _, theirs = lens_account(world, trader.address)
    assert len(ours) == 5
    assert all(agrees(one, other) for one, other in zip(ours, theirs, strict=True))
    return ours


def test_the_reader_agrees_with_the_lens(world: World) -> None:
    trader = trader_everywhere(world)
    world.move_price("BTC-PERP", "98765.4321")
    ours = world.reader.account(trader.address)
    assert assert_same(world, trader) == ours.positions
    account, _ = lens_account(world, trader.address)
    assert ours.word.cash == account["cash"]
    assert quote_up(ours.legs.initial) == account["initial_margin"]
    assert quote_up(ours.legs.maintenance) == account["maintenance_margin"]
    assert int(ours.free_collateral * 10**6) == account["withdrawable"]
    assert ours.is_liquidatable == account["is_liquidatable"]


def test_the_reader_agrees_with_the_lens_while_funding_is_pending(world: World) -> None:
    trader = trader_everywhere(world)
    before = assert_same(world, trader)
    for hours in range(6):
        world.move_price("BTC-PERP", 100_000 + 10 * hours, 3_000)
        world.move_price("ETH-PERP", 3_000 - hours, 1)
    pending = assert_same(world, trader)
    for one in pending:
        assert one.state.area != 0
        assert one.state.stored.accrued_at < one.state.funding.accrued_at
    assert all(
        (one.liquidatable_below, one.liquidatable_above)
        != (other.liquidatable_below, other.liquidatable_above)
        for one, other in zip(before, pending, strict=True)
    )


def test_the_reader_agrees_with_the_lens_when_the_feeds_fall_silent(world: World) -> None:
    trader = trader_everywhere(world)
    world.move_price("BTC-PERP", 101_000)
    advance_time(world.w3, 3 * 3_600)  # past a silent leg's profit
    for one in assert_same(world, trader):
        assert not one.state.is_live


def test_a_repriced_state_is_the_one_that_the_price_would_bring(world: World) -> None:
    trader_everywhere(world)
    world.move_price("BTC-PERP", 100_000, 3_000)
    state = world.reader.market_state("BTC-PERP")
    assert state.area != 0
    assert repriced(state, state.price.price) == state
    other = repriced(state, state.price.price * 2)
    grown = state.funding.funding_index - state.stored.funding_index
    assert other.funding.funding_index - state.stored.funding_index - 2 * grown in (0, 1)


def test_a_preview_is_what_happens(world: World) -> None:
    trader = world.trader()
    world.move_price("BTC-PERP", 100_000)
    preview = trader.preview("BTC-PERP", "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED)
    handle = trader.place("BTC-PERP", "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED)
    world.fill(handle)
    (fill,) = handle.outcome().fills
    assert (preview.reason, preview.text) == (0, "")
    assert preview.increased == fill.lots
    assert preview.fee == fill.fee_quote
    assert preview.impact == fill.impact_femto
    assert preview.margin == fill.margin_quote


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
