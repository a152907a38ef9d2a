from decimal import Decimal

import click

from bulkhead.orders import MarginMode, OrderKind
from scripts._common import NUMBER, TRADERS, Script, chain_option, open_world, plain

MODES = {mode.name.lower(): mode for mode in MarginMode}
KINDS = {kind.name.lower().replace("_", "-"): kind for kind in OrderKind}


@click.command(cls=Script, name="place_order", short_help="Place an order.")
@chain_option
@click.argument("market")
@click.argument("size", type=NUMBER)
@click.option("--buy/--sell", "is_buy", required=True, default=None, help="Its direction.")
@click.option(
    "--trader", type=click.Choice(TRADERS), default=TRADERS[0], show_default=True, help="Whose."
)
@click.option(
    "--margin-mode",
    type=click.Choice(list(MODES)),
    default="default",
    show_default=True,
    help="What backs the position; `default` is the account's own choice for the market.",
)
@click.option(
    "--kind",
    type=click.Choice(list(KINDS)),
    default="market",
    show_default=True,
    help="What it waits for.",
)
@click.option("--leverage", type=NUMBER, default="0", help="Times; the account's own if left out.")
@click.option(
    "--margin",
    type=NUMBER,
    default="0",
    help="USD to move into an isolated position; what the leverage asks for if left out.",
)
@click.option("--trigger-price", type=NUMBER, help="Of a stop or take-profit order.")
@click.option("--acceptable-price", type=NUMBER, help="The worst average fill; a limit's limit.")
@click.option("--reduce-only", is_flag=True, help="Never open or grow a position.")
def cli(
    market: str,
    size: Decimal,
    is_buy: bool,
    trader: str,
    margin_mode: str,
    kind: str,
    leverage: Decimal,
    margin: Decimal,
    trigger_price: Decimal | None,
    acceptable_price: Decimal | None,
    reduce_only: bool,
) -> None:
    """Place an order for SIZE base units of MARKET.

    It fills later, at a price published after it: run_keeper publishes one and fills it. A market
    order has a minute for that. With --reduce-only, SIZE 0 closes the whole position.
    """
    world = open_world()
    handle = world.traders[trader].place(
        market,
        size,
        is_buy=is_buy,
        margin_mode=MODES[margin_mode],
        kind=KINDS[kind],
        leverage=leverage,
        margin=margin,
        trigger_price=trigger_price,
        acceptable_price=acceptable_price,
        reduce_only=reduce_only,
    )
    order = handle.order
    lots = world.reader.market(market).size_of(order.size)
    click.echo(
        f"{trader} {'buys' if is_buy else 'sells'} {plain(lots) if order.size else 'all'} "
        f"{market}, {MarginMode(order.margin_mode).name.lower()}: order 0x{handle.hash.hex()} "
        f"is {handle.state()}."
    )
    click.echo(
        f"A price published in second {handle.executable_from} of the chain or later may fill it."
    )
