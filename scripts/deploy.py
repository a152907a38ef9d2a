import click

from scripts._common import (
    DEPOSIT,
    FIRST_LISTINGS,
    LISTINGS,
    SIGNERS,
    Script,
    chain_option,
    create_world,
    is_embedded,
)


@click.command(cls=Script, name="deploy", short_help="Deploy the exchange with its first markets.")
@chain_option
@click.option(
    "--market",
    "symbols",
    multiple=True,
    type=click.Choice(list(LISTINGS)),
    default=[listing.symbol for listing in FIRST_LISTINGS],
    show_default=True,
    help="A market to list; say it again for more.",
)
def cli(symbols: tuple[str, ...]) -> None:
    """Deploy the exchange with its first markets.

    Fills pool and insurance fund, and gives alice, bob and carol a wallet and a deposit. On a node
    the addresses are kept in deployments/<chain id>.json for the other scripts; what was there
    before is replaced. On the embedded chain nothing is kept.
    """
    world = create_world([LISTINGS[symbol] for symbol in symbols])
    deployment = world.reader.deployment
    click.echo(f"The exchange is on chain {deployment.chain_id}, from block {deployment.block}:")
    for name in ("clearinghouse", "order_book", "price_oracle", "liquidity_pool", "lens", "token"):
        click.echo(f"  {name:<19} {getattr(deployment, name)}")
    addresses = (
        world.admin.address,
        world.keeper.address,
        world.liquidity_provider.address,
        *(trader.address for trader in world.traders.values()),
    )
    click.echo(f"Its people; each trader has deposited {DEPOSIT:,} USD:")
    for name, address in zip(SIGNERS, addresses, strict=True):
        click.echo(f"  {name:<19} {address}")
    click.echo(f"Its markets: {', '.join(symbols)}.")
    if is_embedded():
        click.echo("The embedded chain ends with this command: nothing was kept.")
    else:
        click.echo(f"Written to {deployment.save()}.")
