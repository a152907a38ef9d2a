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
@click.option(
    "--timelock-delay",
    type=click.IntRange(min=1),
    metavar="SECONDS",
    help="Hand the exchange to a timelock with this delay.",
)
def cli(symbols: tuple[str, ...], timelock_delay: int | None) -> None:
    """Deploy the exchange with its first markets.

    Fills pool and insurance fund, and gives alice, bob and carol a wallet and a deposit. On a node
    the addresses are kept in deployments/<chain id>.json for the other scripts; what was there
    before is replaced. On the embedded chain nothing is kept. With a timelock the owner proposes
    and cancels, and everything that only an owner may do waits for the delay.
    """
    world = create_world([LISTINGS[symbol] for symbol in symbols], timelock_delay)
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
    if deployment.timelock is not None:
        click.echo(f"  {'timelock':<19} {deployment.timelock}")
        click.echo(
            "The timelock is offered the exchange; that it accepts is scheduled, and anyone may "
            f"execute it in {timelock_delay:,} seconds. Until then the owner stays what it is."
        )
    click.echo(f"Its markets: {', '.join(symbols)}.")
    if is_embedded():
        click.echo("The embedded chain ends with this command: nothing was kept.")
    else:
        click.echo(f"Written to {deployment.save()}.")
