"""What `ape console` has from the beginning: the exchange on the chain it is connected to."""

from typing import Any

import click
from ape.exceptions import ApeException

from bulkhead.errors import BulkheadError


def ape_init_extras() -> dict[str, Any]:
    """`world`, and of it `reader`, `admin`, `keeper`, `traders` by name, `markets` by symbol.

    The scripts' own objects: on the embedded chain an exchange is deployed first, on a local node
    the one that was deployed there is opened. Without one, or on a public network, there is none.
    """
    from scripts._common import open_local_world

    try:
        world = open_local_world()
    except (ApeException, BulkheadError, ValueError) as error:
        click.echo(f"No exchange in this console: {error}")
        return {}
    markets = {state.market.symbol: state.market for state in world.reader.markets()}
    return {
        "world": world,
        "reader": world.reader,
        "admin": world.admin,
        "keeper": world.keeper,
        "traders": world.traders,
        "markets": markets,
    }
