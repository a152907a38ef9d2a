from decimal import Decimal

import click

from scripts._common import NUMBER, Script, chain_option, open_world, plain


@click.command(cls=Script, name="set_price", short_help="Move a market's price.")
@chain_option
@click.argument("market")
@click.argument("price", type=NUMBER)
def cli(market: str, price: Decimal) -> None:
    """Publish PRICE, USD per base unit, as MARKET's price.

    The chain's time moves on first, so that orders which are already placed may fill at it.
    """
    world = open_world()
    before = world.reader.price(market)
    world.set_prices({market: price})
    state = world.reader.market_state(market)
    click.echo(
        f"{market}: {plain(before)} -> {plain(state.mark_price)} USD, "
        f"published in second {state.price.published_at} of the chain."
    )
