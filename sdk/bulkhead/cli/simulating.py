"""`simulate`: what would become of a position if the price went some way. Needs no node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bulkhead.cli.output import Output
from bulkhead.cli.parameters import NUMBER
from bulkhead.cli.session import reporting

if TYPE_CHECKING:
    from bulkhead.listings import Listing
    from bulkhead.order_ticket import OrderFields
    from bulkhead.simulate.curve import EquityCurve
    from bulkhead.simulate.paths import Step

NAME = "trader"
ROWS = 12  # of the curve that people are shown


@dataclass(frozen=True, slots=True)
class Point:
    """The account at one step; seconds from the beginning."""

    seconds: int
    price: Decimal
    equity: Decimal


@dataclass(frozen=True, slots=True)
class Happening:
    """What became of the position at one step, and what it cost."""

    seconds: int
    what: str
    size: Decimal
    price: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Simulated:
    """What it came to."""

    market: str
    deposit: Decimal
    equity: Decimal
    lowest_equity: Decimal
    fees: Decimal
    penalties: Decimal
    liquidated: bool
    happenings: tuple[Happening, ...]
    curve: tuple[Point, ...]


@click.command()
@click.argument("market")
@click.argument("side", type=click.Choice(["buy", "sell", "long", "short"]))
@click.argument("size", type=NUMBER)
@click.option("--deposit", type=NUMBER, default="5000", show_default=True, help="USD at first.")
@click.option("--isolated/--cross", "is_isolated", default=False, help="What backs the position.")
@click.option("--leverage", type=NUMBER, default="0", help="Times; all there is if left out.")
@click.option("--margin", type=NUMBER, default="0", help="USD to move into an isolated position.")
@click.option("--tp", "take_profit", type=NUMBER, help="The price of a take-profit.")
@click.option("--sl", "stop_loss", type=NUMBER, help="The price of a stop.")
@click.option("--from", "first", type=NUMBER, help="The first price; a local world's if left out.")
@click.option("--to", "last", type=NUMBER, help="The last price, on a straight line.")
@click.option("--walk", type=NUMBER, help="Instead a random walk: 0.01 is up to 1 percent a step.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which random walk.")
@click.option("--steps", type=click.IntRange(min=2), default=60, show_default=True)
@click.option(
    "--interval", type=click.IntRange(min=2), default=60, show_default=True, help="Seconds a step."
)
@click.option(
    "--csv",
    "table",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file for the whole curve.",
)
@reporting
def simulate(
    output: Output,
    market: str,
    side: str,
    size: Decimal,
    deposit: Decimal,
    is_isolated: bool,
    leverage: Decimal,
    margin: Decimal,
    take_profit: Decimal | None,
    stop_loss: Decimal | None,
    first: Decimal | None,
    last: Decimal | None,
    walk: Decimal | None,
    seed: int,
    steps: int,
    interval: int,
    table: Path | None,
) -> None:
    """Open a position of SIZE base units in MARKET, offline, and follow a price.

    The exchange is a local world's, with its markets, pool and insurance, in the contracts' own
    arithmetic. A keeper does at each step what there is to do. The entry fills at the second step.
    """
    from bulkhead.orders import MarginMode
    from bulkhead.simulate import Simulation, paths

    if (last is None) == (walk is None):
        raise click.UsageError("one of --to PRICE and --walk RATIO")
    listing = _listing(market)
    start = listing.price if first is None else first
    seconds = steps * interval
    path = (
        paths.linear(market, start, last, seconds=seconds, interval=interval)
        if last is not None
        else paths.random_walk(
            market, start, most=walk or 0, seconds=seconds, interval=interval, seed=seed
        )
    )
    simulation = Simulation([listing._replace(price=start)])
    trader = simulation.participant(NAME)
    trader.deposit(deposit)
    fields: OrderFields = {
        "is_buy": side in ("buy", "long"),
        "margin_mode": MarginMode.ISOLATED if is_isolated else MarginMode.CROSS,
        "leverage": leverage,
        "margin": margin,
    }
    if take_profit is None and stop_loss is None:
        trader.place(market, size, **fields)
    else:
        exits = {"take_profit": take_profit, "stop_loss": stop_loss}
        trader.place_bracket(market, size, **exits, **fields)
    with output.working("following the price", steps + 1) as done:
        curve = simulation.run(_counted(path, done))
    if table is not None:
        with table.open("w") as file:
            curve.write_csv(file)
    shown = None if output.as_json else ROWS
    output.show(_simulated(market, deposit, curve, shown))


def _listing(market: str) -> Listing:
    from bulkhead.listings import DEMO_LISTINGS

    for listing in DEMO_LISTINGS:
        if listing.symbol == market:
            return listing
    known = ", ".join(listing.symbol for listing in DEMO_LISTINGS)
    raise click.UsageError(f"MARKET: one of {known}")


def _counted(path: Iterator[Step], done: Callable[[float], None]) -> Iterator[Step]:
    for count, step in enumerate(path, 1):
        done(count)
        yield step


def _simulated(market: str, deposit: Decimal, curve: EquityCurve, rows: int | None) -> Simulated:
    """What a curve comes to, with at most so many of its points, the last among them."""
    from bulkhead.values import to_usd

    equities, prices, begin = curve.equity(NAME), curve.price(market), curve.times[0]
    points = [
        Point(time - begin, price, equity)
        for time, price, equity in zip(curve.times, prices, equities, strict=True)
    ]
    every = 1 if rows is None else -(-len(points) // rows)
    return Simulated(
        market=market,
        deposit=deposit,
        equity=equities[-1],
        lowest_equity=min(equities),
        fees=to_usd(curve.fees.get(NAME, 0)),
        penalties=to_usd(curve.penalties.get(NAME, 0)),
        liquidated=bool(curve.liquidations),
        happenings=_happenings(curve, begin),
        curve=tuple(reversed(points[::-1][::every])),
    )


def _happenings(curve: EquityCurve, begin: int) -> tuple[Happening, ...]:
    fills = (
        Happening(
            one.time - begin,
            "opened" if one.fill.is_increase else "closed",
            one.fill.size,
            one.fill.price,
            one.fill.fee,
        )
        for one in curve.fills
    )
    cuts = (
        Happening(
            one.time - begin,
            "liquidated in part" if one.is_partial else "liquidated",
            one.market.size_of(one.event["size"]),
            one.price,
            one.penalty,
        )
        for one in curve.liquidations
    )
    return tuple(sorted((*fills, *cuts), key=lambda one: one.seconds))
