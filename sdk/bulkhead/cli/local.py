"""Local nodes: `up`, and what is done to a running one: `price`, `snapshot`, `rewind`."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bulkhead.cli.output import Output, text_of
from bulkhead.cli.parameters import NUMBER
from bulkhead.cli.session import LOCAL_NODE, Session, connected, deployments_option, reporting

if TYPE_CHECKING:
    from bulkhead.local import Anvil
    from bulkhead.local.price_paths import PricePath
    from bulkhead.local.running import Tick
    from bulkhead.world import World

PORT = 8545
INTERVAL = 5  # seconds
START = "start"  # the snapshot that every world begins with


@dataclass(frozen=True, slots=True)
class ContractRow:
    """A contract of the exchange."""

    contract: str
    address: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody who is there: the node signs for it."""

    name: str
    address: str
    wallet: Decimal
    deposited: Decimal


@dataclass(frozen=True, slots=True)
class NextRow:
    """Something to type next."""

    command: str
    what_it_does: str


@dataclass(frozen=True, slots=True)
class WorldShown:
    """A local world and how to talk to it. Amounts are USD."""

    rpc: str
    chain: int
    deployment: str
    prices: str
    seed: int
    interval: int
    markets: tuple[str, ...]
    pool_cash: Decimal
    insurance: Decimal
    contracts: tuple[ContractRow, ...]
    people: tuple[PersonRow, ...]
    next: tuple[NextRow, ...]


@dataclass(frozen=True, slots=True)
class PriceShown:
    """A price that was set. Times are seconds of the chain."""

    market: str
    before: Decimal
    price: Decimal
    published_at: int
    executed_orders: int


@dataclass(frozen=True, slots=True)
class SnapshotsShown:
    """A node, and the snapshots that it can be taken back to, oldest first."""

    chain: int
    block: int
    time: int
    snapshots: tuple[str, ...]


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=PORT,
    show_default=True,
    help="Where the node listens, on this machine alone; 0 for a free one.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Of the walk: same seed, same prices."
)
@click.option(
    "--prices",
    default="walk",
    show_default=True,
    metavar="walk|fixed|FILE",
    help="Where prices go: at random, nowhere, or step by step as a .csv or .toml file says.",
)
@click.option(
    "--interval",
    type=click.IntRange(min=1),
    default=INTERVAL,
    show_default=True,
    help="Seconds from one price to the next.",
)
@click.option(
    "--accounts", type=click.IntRange(1, 100), default=10, show_default=True, help="Traders."
)
@click.option("--ticks", type=click.IntRange(min=1), help="End after so many prices.")
@click.option(
    "--keeper/--no-keeper",
    "has_keeper",
    default=True,
    show_default=True,
    help="Whether it has a keeper of its own; without one, run `bulkhead keeper run` beside it.",
)
@click.option(
    "--log", type=click.Path(dir_okay=False, path_type=Path), help="Keep the node's log here."
)
@deployments_option
@reporting
def up(
    output: Output,
    port: int,
    seed: int,
    prices: str,
    interval: int,
    accounts: int,
    ticks: int | None,
    has_keeper: bool,
    log: Path | None,
    folder: Path,
) -> None:
    """Run a local world until Ctrl-C: a node, the exchange, five markets, people with money.

    Every few seconds prices are published and a keeper executes orders, liquidates, moves trailing
    stops, deleverages and settles. The addresses are kept in the folder of deployments, where every
    other command finds them. A price that is set by hand holds: the walk goes on from it.
    """
    from bulkhead.listings import DEMO_LISTINGS
    from bulkhead.local import Anvil, Snapshots
    from bulkhead.local.running import RunningWorld, build, names_of
    from bulkhead.world import ROLES

    path = _path_of(prices, seed)
    names = names_of(accounts)
    options = ("--accounts", str(len(ROLES) + accounts))
    with _ends_on_terminate(), Anvil(*options, port=port, log=log) as node:
        w3 = node.connect()
        if log is None:
            w3.manager.request_blocking("anvil_setLoggingEnabled", [False])  # type: ignore[arg-type]
        with output.working("deploying the exchange"):
            world = build(w3, names, DEMO_LISTINGS)
        file = world.reader.deployment.save(folder)
        Snapshots(w3, folder).take(START)
        try:
            output.show(_world_shown(world, node, file, prices, seed, interval))
            deployment = world.reader.deployment
            running = RunningWorld(w3, deployment, path, names, folder, has_keeper=has_keeper)
            for number in range(ticks) if ticks else itertools.count():
                if number:
                    time.sleep(interval)
                click.echo(_line_of(running.tick()), err=output.as_json)
        except KeyboardInterrupt:
            click.echo("The world has ended.", err=True)


@click.command()
@click.argument("market")
@click.argument("price", type=NUMBER)
@click.option(
    "--fill",
    is_flag=True,
    help="Let time pass first, so that orders may fill at it, and have the keeper execute them.",
)
@connected
def price(session: Session, market: str, price: Decimal, fill: bool) -> None:
    """Publish PRICE, USD per base unit, as MARKET's price. On local nodes alone.

    In a running `up` it holds, and prices go on from it.
    """
    from bulkhead.local.chains import require_local
    from bulkhead.local.running import publish
    from bulkhead.local.turns import turn

    require_local(session.w3)
    with turn(session.deployment.chain_id, session.folder):
        before = session.reader.price(market)
        executed = publish(session.w3, session.deployment, market, price, fill=fill)
        state = session.reader.market_state(market)
    session.output.show(
        PriceShown(
            market=state.market.symbol,
            before=before,
            price=state.mark_price,
            published_at=state.price.published_at,
            executed_orders=len(executed),
        )
    )


@click.command()
@click.argument("name", required=False)
@connected
def snapshot(session: Session, name: str | None) -> None:
    """Remember a local node as it is under NAME; without a name, list what it remembers."""
    from bulkhead.local import Snapshots
    from bulkhead.local.turns import turn

    snapshots = Snapshots(session.w3, session.folder)
    if name is not None:
        with turn(session.w3.eth.chain_id, session.folder):
            snapshots.take(name)
    _show_snapshots(session, snapshots.names())


@click.command()
@click.argument("name")
@connected
def rewind(session: Session, name: str) -> None:
    """Take a local node back to how it was under NAME; snapshots taken since are forgotten.

    A world of `up` begins with one that is called `start`. Its keeper and prices go on from there.
    """
    from bulkhead.local import Snapshots
    from bulkhead.local.turns import turn

    snapshots = Snapshots(session.w3, session.folder)
    with turn(session.w3.eth.chain_id, session.folder):
        snapshots.rewind(name)
    _show_snapshots(session, snapshots.names())


def _path_of(prices: str, seed: int) -> PricePath:
    from bulkhead.listings import DEMO_LISTINGS
    from bulkhead.local.price_paths import Fixed, Script, Walk
    from bulkhead.local.running import volatility_of

    if prices == "fixed":
        return Fixed()
    if prices == "walk":
        return Walk(seed, volatility_of(DEMO_LISTINGS))
    return Script.load(Path(prices), [one.symbol for one in DEMO_LISTINGS])


def _world_shown(
    world: World, node: Anvil, file: Path, prices: str, seed: int, interval: int
) -> WorldShown:
    reader, deployment = world.reader, world.reader.deployment
    house = reader.house()
    contracts = ("clearinghouse", "order_book", "price_oracle", "liquidity_pool", "lens", "token")
    roles = {
        "owner": world.admin.address,
        "keeper": world.keeper.address,
        "provider": world.liquidity_provider.address,
    }
    people = {**roles, **{name: trader.address for name, trader in world.traders.items()}}
    return WorldShown(
        rpc=node.url,
        chain=deployment.chain_id,
        deployment=str(file),
        prices=prices,
        seed=seed,
        interval=interval,
        markets=tuple(world.prices()),
        pool_cash=house.pool_cash,
        insurance=house.insurance,
        contracts=tuple(ContractRow(name, getattr(deployment, name)) for name in contracts),
        people=tuple(
            PersonRow(name, address, reader.token_balance(address), reader.account(address).cash)
            for name, address in people.items()
        ),
        next=_next(node.url),
    )


def _next(url: str) -> tuple[NextRow, ...]:
    address = () if url == LOCAL_NODE else (NextRow(f"export BULKHEAD_RPC={url}", "talk to it"),)
    return (
        *address,
        NextRow("bulkhead markets", "the markets and their prices"),
        NextRow("bulkhead account alice", "her money, positions and orders"),
        NextRow("bulkhead order BTC-PERP buy 0.1 --as alice", "place an order; a tick fills it"),
        NextRow("bulkhead price BTC-PERP 88000", "set a price; it holds"),
        NextRow("bulkhead snapshot NAME", "remember the world as it is"),
        NextRow(f"bulkhead rewind {START}", "take it back to its beginning"),
    )


def _line_of(tick: Tick) -> str:
    prices = (f"{name.removesuffix('-PERP')} {text_of(one)}" for name, one in tick.prices.items())
    done = (f"{name} {count}" for name, count in tick.done.items())
    rewound = ("rewound",) if tick.is_rewound else ()
    return "  ".join((f"{tick.number}: block {tick.block.number}", *prices, *rewound, *done)) + (
        "".join(f"\n  {trouble}" for trouble in tick.troubles)
    )


def _show_snapshots(session: Session, names: tuple[str, ...]) -> None:
    from bulkhead.chain import Chain

    chain = Chain(session.w3)
    at = chain.block()
    session.output.show(SnapshotsShown(chain.chain_id(), at.number, at.timestamp, names))


@contextmanager
def _ends_on_terminate() -> Iterator[None]:
    """SIGTERM is taken as Ctrl-C is: whoever ends us ends the node, too."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
