"""Gas of what happens to open positions beside trades and whole liquidations."""

from __future__ import annotations

from decimal import Decimal

from benchmarks.world import (
    BATCH,
    BTC_SIZE,
    USD,
    Figures,
    World,
    alone_and_further,
    isolated_long,
)
from bulkhead.chain import Receipt
from bulkhead.local import advance_time
from bulkhead.orders import MarginMode
from bulkhead.protocol import words

ACCOUNTS = 56
LARGE = 10 * BTC_SIZE  # 50,000 USD: liquidated in parts
DUE = Decimal("0.9038")  # at 10x its equity is between two thirds of maintenance margin and all
DUE_SOON = Decimal("0.904")
GROWN = Decimal("1.1")
WON = Decimal("1.9")
EARLY_SIZE = 2_500_000  # lots of ETH, 10,000 USD
LATE_SIZE = 6 * 10**6  # lots of ETH


def figures(world: World) -> Figures:
    """Settlement is the last: it ends its market."""
    return (
        conversions(world)
        | partial_liquidation(world)
        | top_up(world)
        | deleveraging(world)
        | settlement(world)
    )


def conversions(world: World) -> Figures:
    """The only position of an account, into a slot that was never used."""
    figures: Figures = {}
    for mode, name in (
        (MarginMode.CROSS, "convert_to_isolated"),
        (MarginMode.ISOLATED, "convert_to_cross"),
    ):
        account = opened(world, 0, BTC_SIZE, margin_mode=mode)
        is_cross = mode is MarginMode.CROSS
        call = world.clearinghouse.call("convert_position", 0, True, is_cross, 0)
        receipt = world.send(account, call)
        world.expect(receipt, "PositionConverted")
        figures[name] = receipt.gas_used
    return figures


def partial_liquidation(world: World) -> Figures:
    account = opened(world, 0, LARGE)
    world.push(0, DUE)
    receipt = world.liquidate_isolated(account)
    (event,) = world.expect(receipt, "PositionLiquidated")
    if words.unpack_position(event["position_word"]).size == 0:
        raise RuntimeError("the position was liquidated whole")
    world.push(0)
    return {"liquidate_isolated_partially": receipt.gas_used}


def top_up(world: World) -> Figures:
    """A liquidation that adds margin, as the owner lets it, and closes nothing."""
    account = opened(world, 0, BTC_SIZE)
    world.send(account, world.clearinghouse.call("set_auto_margin", 0, True, 500 * USD))
    world.push(0, DUE_SOON)
    call = world.clearinghouse.call("liquidate_isolated", [isolated_long(account)])
    receipt = world.send(world.keeper, call)
    world.expect(receipt, "MarginToppedUp")
    world.push(0)
    return {"liquidate_isolated_adds_margin": receipt.gas_used}


def deleveraging(world: World) -> Figures:
    """Longs that came early, in a market that owes twice its share of the pool.

    Another came late, so that all of them won more than the average.
    """
    market = 1
    accounts = [opened(world, market, EARLY_SIZE) for _ in range(BATCH + 2)]
    late, _ = world.place(world.other, market, LATE_SIZE, margin_mode=MarginMode.CROSS)
    world.execute(late, GROWN)
    world.push(market, WON)

    def deleverage(*accounts: str) -> Receipt:
        ids = sorted(isolated_long(one, market) for one in accounts)
        call = world.clearinghouse.call("auto_deleverage", market, ids)
        receipt = world.send(world.keeper, call)
        world.expect(receipt, "PositionDeleveraged", len(accounts))
        return receipt

    alone, further = alone_and_further(deleverage, accounts)
    return {"deleverage": alone, "deleverage_batch_marginal": further}


def settlement(world: World) -> Figures:
    """Isolated longs of a market that was announced to end, and has."""
    market = 0
    accounts = [opened(world, market, BTC_SIZE) for _ in range(BATCH + 2)]
    hour = world.reader.now() // words.HOUR + 26
    world.admin.announce_settlement(market, hour)
    for at in (hour, hour + 1):
        advance_time(world.w3, at * words.HOUR - world.reader.now())
        world.push(market)
    world.admin.fix_settlement(market)

    def settle(*accounts: str) -> Receipt:
        ids = [isolated_long(one, market) for one in accounts]
        receipt = world.send(world.keeper, world.clearinghouse.call("settle_positions", ids))
        world.expect(receipt, "PositionSettled", len(accounts))
        return receipt

    alone, further = alone_and_further(settle, accounts)
    return {"settle_position": alone, "settle_batch_marginal": further}


def opened(
    world: World, market: int, size: int, *, margin_mode: MarginMode = MarginMode.ISOLATED
) -> str:
    """A newcomer with a long at 10x, and cash to spare."""
    account = world.newcomer()
    world.deposit(account, 10_000 * USD)
    world.trade(account, market, size, margin_mode=margin_mode)
    return account
