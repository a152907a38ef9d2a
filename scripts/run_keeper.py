import click

from bulkhead.keeper import LiquidationReport, OrderReport
from bulkhead.listings import BTC, ETH
from bulkhead.orders import MarginMode
from bulkhead.values import to_usd
from bulkhead.world import World
from scripts._common import Script, chain_option, is_embedded, open_world, pause, usd


@click.command(cls=Script, name="run_keeper", short_help="Execute orders and liquidate.")
@chain_option
@click.option(
    "--passes", type=click.IntRange(min=1), default=1, show_default=True, help="How many."
)
@click.option(
    "--interval",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Seconds between two passes.",
)
@click.option(
    "--refresh/--no-refresh",
    default=True,
    show_default=True,
    help="Whether each pass first publishes all prices again, as a price feed would.",
)
def cli(passes: int, interval: int, refresh: bool) -> None:
    """Run passes of a keeper: execute the orders that can be, liquidate what is liquidatable.

    On the embedded chain there is first made something to do: a position whose price falls, and an
    order.
    """
    world = open_world()
    if is_embedded():
        _make_work(world)
    for number in range(passes):
        if number:
            pause(world.reader.chain.w3, interval)
        _run_pass(world, refresh)


def _run_pass(world: World, refresh: bool) -> None:
    if refresh:
        world.refresh_prices()
    orders, liquidations = world.keeper.execute_orders(), world.keeper.liquidate()
    for order in orders:
        _tell_order(world, order)
    for liquidation in liquidations:
        _tell_liquidation(world, liquidation)
    if not orders and not liquidations:
        click.echo("Nothing to execute, nothing to liquidate.")


def _make_work(world: World) -> None:
    alice, bob, _ = world.traders.values()
    alice.place(BTC.symbol, "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED, leverage=10)
    world.fill()
    world.set_prices({BTC.symbol: 88_000})
    bob.place(ETH.symbol, 1, is_buy=True)
    click.echo(
        f"alice is long 0.1 {BTC.symbol} at 10x, its price has fallen by 12 %, "
        f"and bob has placed an order for 1 {ETH.symbol}."
    )


def _tell_order(world: World, report: OrderReport) -> None:
    order = report.placed.order
    reason = f" ({report.reason})" if report.reason else ""
    click.echo(
        f"{world.name_of(order.account)}'s order in {world.reader.market(order.market).symbol} "
        f"is {report.state}{reason}; the keeper earned {usd(to_usd(report.keeper_fee))} USD."
    )


def _tell_liquidation(world: World, report: LiquidationReport) -> None:
    mode = "isolated" if report.is_isolated else "cross"
    click.echo(
        f"{world.name_of(report.account)}'s {mode} position in "
        f"{world.reader.market(report.market).symbol} is liquidated: penalty "
        f"{usd(report.penalty)}, keeper {usd(report.reward)}, insurance and pool pay "
        f"{usd(report.deficit)} USD."
    )
