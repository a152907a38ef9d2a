from decimal import Decimal

import click

from bulkhead.values import from_ppm
from scripts._common import LISTINGS, NUMBER, Script, chain_option, open_world, plain, usd


@click.command(cls=Script, name="add_market", short_help="List a market.")
@chain_option
@click.argument("symbol")
@click.option(
    "--like",
    type=click.Choice(list(LISTINGS)),
    help="The market whose terms it takes; needed for a symbol that is not one of these.",
)
@click.option("--price", type=NUMBER, help="Its first price, USD per base unit.")
@click.option("--lot-size", type=NUMBER, help="Base units per lot; a lot is 0.0001 to 1 USD.")
def cli(symbol: str, like: str | None, price: Decimal | None, lot_size: Decimal | None) -> None:
    """List the market SYMBOL, for example SOL-PERP.

    The owner publishes its prices, the first of them here.
    """
    model = LISTINGS.get(like or symbol)
    if model is None:
        raise click.UsageError(f"{symbol} needs --like, to take its terms from")
    world = open_world()
    market = world.admin.list_market(
        model._replace(
            symbol=symbol,
            price=model.price if price is None else price,
            lot_size=model.lot_size if lot_size is None else lot_size,
        )
    )
    leverage = 1 / from_ppm(market.tiers[0].initial_rate)
    click.echo(
        f"{symbol} is market {market.id}, at {usd(world.reader.price(market))} USD, "
        f"with up to {plain(leverage)}x leverage."
    )
