from collections.abc import Iterator

import click

from bulkhead.accounts import Position
from bulkhead.world import World
from scripts._common import Script, chain_option, open_world, plain, usd


@click.command(cls=Script, name="status", short_help="Show markets, accounts and positions.")
@chain_option
def cli() -> None:
    """Show the markets, whose money is where, and every trader's positions, in USD."""
    for line in _lines(open_world()):
        click.echo(line)


def _lines(world: World) -> Iterator[str]:
    reader = world.reader
    at = reader.block()
    yield f"Block {at.number}, second {at.timestamp} of the chain."
    for state in reader.markets(at):
        size = state.market.size_of
        yield (
            f"{state.market.symbol}: price {plain(state.mark_price)}"
            f"{'' if state.is_fresh else ' (stale)'}, long {plain(size(state.long.size))}, "
            f"short {plain(size(state.short.size))}"
        )
    house = reader.house(at)
    yield (
        f"pool cash {usd(house.pool_cash)}, insurance {usd(house.insurance)}, "
        f"treasury's fees {usd(house.fees)}"
    )
    for name, trader in world.traders.items():
        account = reader.account(trader.address, at)
        yield (
            f"{name}: cash {usd(account.cash)}, free {usd(account.free_collateral)}, "
            f"equity {usd(account.equity)}"
        )
        yield from (f"  {_position_line(position)}" for position in account.positions)


def _position_line(position: Position) -> str:
    mode = "isolated" if position.is_isolated else "cross"
    side = "long" if position.is_long else "short"
    margin = f"margin {usd(position.margin)}, " if position.is_isolated else ""
    price = position.liquidation_price
    liquidation = "never liquidated" if price is None else f"liquidated at {usd(price)}"
    return (
        f"{position.market.symbol} {mode} {side} {plain(position.size)} from "
        f"{usd(position.entry_price)}: {margin}PnL {usd(position.value)}, {liquidation}"
    )
