"""Gas of every operation, as whole transactions, beside what others take for the same.

Demo parameters, four tiers, fees, impact and funding on. Markets and the keeper's and treasury's
words are warm, time passes between steps, and the price has been pushed before. This file has the
paths that peers have, too; each of the other nouns is measured in a world of its own.
"""

from __future__ import annotations

import argparse
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import feeds, orders, pool, positions
from benchmarks.world import (
    BATCH,
    BTC_SIZE,
    ETH_SIZE,
    USD,
    Figures,
    World,
    alone_and_further,
)
from bulkhead.orders import MarginMode, OrderKind

RESULTS = Path("build/gas.json")
SNAPSHOT = Path(__file__).with_name("gas.json")
PEERS = Path(__file__).with_name("peers.json")

CRASH = Decimal("0.9")


def main() -> None:
    parser = argparse.ArgumentParser(description="Gas of every operation, as whole transactions.")
    parser.add_argument("--snapshot", action="store_true", help="commit to these figures")
    given = parser.parse_args()
    console = Console()
    with console.status("measuring"):
        figures = measure()
    path = SNAPSHOT if given.snapshot else RESULTS
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"operations": figures}, indent=2) + "\n")
    console.print(table_of(figures))
    console.print(f"written to {path}")


def measure() -> Figures:
    """Every figure by its name."""
    figures: Figures = {}
    world = World(markets=2)
    world.warm()
    figures |= money_and_isolated(world)
    figures |= isolated_liquidations(world)
    few = trade_of_newcomer(world)
    world.list_up_to(32)
    many = trade_of_newcomer(world)
    figures["tax_per_listed_market"] = round((many - few) / 30)
    figures |= cross(world)
    for noun in (orders, positions, pool, feeds):
        world = World(markets=2, accounts=noun.ACCOUNTS)
        world.warm()
        figures |= noun.figures(world)
    return figures


def snapshot() -> Figures:
    """The figures that are committed to."""
    found: Figures = json.loads(SNAPSHOT.read_text())["operations"]
    return found


def money_and_isolated(world: World) -> Figures:
    """One account's life with one vault."""
    figures: Figures = {}
    trader = world.newcomer()
    figures["deposit_fresh"] = world.deposit(trader, 10_000 * USD).gas_used
    figures["deposit_again"] = world.deposit(trader, 10_000 * USD).gas_used

    limit, _ = world.place(trader, 0, BTC_SIZE, kind=OrderKind.LIMIT, acceptable_price=9 * 10**11)
    cancel = world.reader.contracts.order_book.call("cancel", limit.to_tuple())
    figures["cancel_order"] = world.send(trader, cancel).gas_used

    order, placed = world.place(trader, 0, BTC_SIZE)
    figures["place_order"] = placed.gas_used
    figures["execute_open_isolated_fresh"] = world.execute(order).gas_used
    figures["execute_increase"] = world.trade(trader, 0, BTC_SIZE).gas_used
    closing = {"is_buy": False, "reduce_only": True, "leverage": 0}
    figures["execute_partial_close"] = world.trade(trader, 0, BTC_SIZE, **closing).gas_used

    house = world.clearinghouse
    add = house.call("add_margin", 0, True, 100 * USD)
    figures["add_margin"] = world.send(trader, add).gas_used
    remove = house.call("remove_margin", 0, True, 50 * USD)
    figures["remove_margin"] = world.send(trader, remove).gas_used
    figures["execute_full_close"] = world.trade(trader, 0, 0, **closing).gas_used
    withdraw = house.call("withdraw", 1_000 * USD, trader)
    figures["withdraw"] = world.send(trader, withdraw).gas_used
    return figures


def isolated_liquidations(world: World) -> Figures:
    """One vault alone, then one and twenty in a batch."""
    accounts = [world.newcomer() for _ in range(BATCH + 2)]
    for account in accounts:
        world.deposit(account, 1_000 * USD)
        world.trade(account, 0, BTC_SIZE)
    figures = {"push_price": world.push(0, CRASH).gas_used}
    alone, further = alone_and_further(world.liquidate_isolated, accounts)
    figures |= {"liquidate_isolated": alone, "liquidate_batch_marginal": further}
    world.push(0)
    return figures


def trade_of_newcomer(world: World) -> int:
    trader = world.newcomer()
    world.deposit(trader, 10_000 * USD)
    return world.trade(trader, 0, BTC_SIZE).gas_used


def cross(world: World) -> Figures:
    """A trade and a liquidation with one cross market open, and with more."""
    figures: Figures = {}
    markets = range(9)
    for market in markets[2:]:
        world.warm_market(market)
    trader = world.newcomer()
    world.deposit(trader, 100_000 * USD)
    mode = {"margin_mode": MarginMode.CROSS}
    figures["execute_open_cross_fresh"] = world.trade(trader, 0, BTC_SIZE, **mode).gas_used
    slope: list[int] = []
    for market in markets[1:]:
        world.trade(trader, market, ETH_SIZE, **mode)
        slope.append(world.trade(trader, 0, BTC_SIZE, **mode).gas_used)
    figures["cross_trade_slope"] = (slope[-1] - slope[0]) // (len(slope) - 1)

    whole: list[int] = []
    for legs in (1, 8):
        account = world.newcomer()
        world.deposit(account, 410 * USD * legs)
        for market in markets[1 : legs + 1]:
            world.trade(account, market, ETH_SIZE, **mode)
        for market in markets[1 : legs + 1]:
            world.push(market, CRASH)
        whole.append(world.liquidate_cross(account, legs).gas_used)
        for market in markets[1 : legs + 1]:
            world.push(market)
    figures["cross_liquidate_slope"] = (whole[1] - whole[0]) // 7
    return figures


def table_of(figures: Figures) -> Table:
    """Ours beside the goals and the peers'."""
    known: dict[str, Any] = json.loads(PEERS.read_text())
    table = Table(title="Gas, whole transactions", caption=known["about"])
    table.add_column("operation")
    for column in ("ours", "goal", *known["peers"]):
        table.add_column(column, justify="right")
    for name, gas in figures.items():
        row = known["operations"].get(name, {})
        cells = [row.get(column) for column in ("goal", *known["peers"])]
        table.add_row(name, f"{gas:,}", *("" if one is None else f"{one:,}" for one in cells))
    return table


if __name__ == "__main__":
    main()
