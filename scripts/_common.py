"""What the scripts share: the chain ape is connected to, and the exchange on it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click
from ape import networks
from ape.cli import ConnectedProviderCommand, network_option
from ape.exceptions import ApeException

from bulkhead import world
from bulkhead.cli.parameters import NUMBER as NUMBER
from bulkhead.deployment import Deployment
from bulkhead.errors import BulkheadError, DeploymentError, Rejected
from bulkhead.listings import BTC, DEMO_LISTINGS, ETH, Listing
from bulkhead.local import advance_time, is_local
from bulkhead.world import World

if TYPE_CHECKING:
    from web3 import Web3

LISTINGS = {listing.symbol: listing for listing in DEMO_LISTINGS}
FIRST_LISTINGS = (BTC, ETH)
TRADERS = world.NAMES[:3]
SIGNERS = ("owner", "keeper", "liquidity provider", *TRADERS)  # the node's first accounts
DEPOSIT = 5_000  # USD, in the exchange, of every trader


def _refuse_public(ctx: click.Context, param: click.Parameter, provider: Any) -> Any:
    """Asked before anything is connected: the scripts make tokens and move time."""
    if not getattr(provider, "network", None) or not provider.network.is_local:
        raise click.BadParameter("the scripts only run on ethereum:local", ctx, param)
    return provider


chain_option = network_option(
    callback=_refuse_public,
    help=(
        "ethereum:local:test, the default, is a chain that lives as long as the command; "
        "ethereum:local:foundry is a running anvil, at $APE_FOUNDRY_HOST or http://127.0.0.1:8545."
    ),
)


class Script(ConnectedProviderCommand):
    """A command on a chain. Whatever refuses is told in one sentence, with exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ApeException, BulkheadError, ValueError) as error:
            raise click.ClickException(str(error)) from error


def is_embedded() -> bool:
    """Whether the chain lives in this process, and ends with it."""
    return bool(networks.provider.name == "test")


def connect() -> tuple[Web3, Sequence[str]]:
    """The chain ape is connected to, and the accounts that its node signs for."""
    w3: Web3 = networks.provider.web3
    if not is_local(w3):
        raise Rejected("the node is neither anvil nor hardhat: the scripts could not move its time")
    accounts = [str(account) for account in w3.eth.accounts]
    if len(accounts) < len(SIGNERS):
        raise Rejected(f"the node has {len(accounts)} accounts; the scripts need {len(SIGNERS)}")
    return w3, accounts


def create_world(
    listings: Sequence[Listing] = FIRST_LISTINGS, timelock_delay: int | None = None
) -> World:
    """Deploys the exchange with markets, pool and insurance; its traders have deposited."""
    w3, accounts = connect()
    created = world.create(w3, accounts, TRADERS, listings, timelock_delay=timelock_delay)
    for trader in created.traders.values():
        trader.deposit(DEPOSIT)
    return created


def open_world() -> World:
    """The exchange that was deployed on this chain. The embedded chain gets one first."""
    if is_embedded():
        click.echo("The embedded chain is empty and ends with this command: deploying first.")
        return create_world()
    w3, accounts = connect()
    if not Deployment.path(w3.eth.chain_id).exists():
        raise DeploymentError(
            f"no exchange is known on chain {w3.eth.chain_id}: run `ape run deploy` on it first"
        )
    return world.load(w3, Deployment.load(w3), accounts, TRADERS)


def open_local_world() -> World:
    """What `open_world` opens, on whatever network ape is connected to.

    Raises:
        Rejected: If it is not a local one.
    """
    if not networks.provider.network.is_local:
        raise Rejected("the scripts only run on ethereum:local")
    return open_world()


def pause(w3: Web3, seconds: int) -> None:
    """Lets time pass. On the embedded chain nobody else would use it, so it is moved."""
    if is_embedded():
        advance_time(w3, seconds)
    else:
        time.sleep(seconds)


def usd(amount: Decimal) -> str:
    """An amount to the cent; adding zero turns a rounded "-0.00" into "0.00"."""
    return f"{round(amount, 2) + 0:,.2f}"


def plain(number: Decimal) -> str:
    """A number without trailing zeros."""
    return f"{number.normalize():,f}"
