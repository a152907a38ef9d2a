"""A world that lives: tick by tick prices are published and a keeper passes by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Sized
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulkhead import world
from bulkhead.chain import Block
from bulkhead.deployment import FOLDER, Deployment
from bulkhead.errors import NotFound, PriceNotTaken, Refused, Retryable, Unreachable
from bulkhead.listings import DEMO_LISTINGS, Listing
from bulkhead.local.chains import require_local
from bulkhead.local.clock import advance_time, catch_up
from bulkhead.local.price_paths import PricePath
from bulkhead.local.turns import turn
from bulkhead.values import from_units, to_wad
from bulkhead.world import NAMES, World, require_people

if TYPE_CHECKING:
    from web3 import Web3

    from bulkhead.keeper import OrderReport
    from bulkhead.reader import MarketName
    from bulkhead.values import Amount

DEPOSIT = 10_000  # USD in the exchange, of every trader
MAX_TRADERS = 100
WALK_SHARE = 10  # a market's walk has a tenth of its first maintenance rate a tick

_PASSES: dict[str, Callable[[Any], Sized | int]] = {
    "executed": lambda keeper: keeper.execute_orders(),
    "liquidated": lambda keeper: keeper.liquidate(),
    "ratcheted": lambda keeper: keeper.ratchet(),
    "deleveraged": lambda keeper: keeper.deleverage(),
    "settled": lambda keeper: keeper.settle(),
}


@dataclass(frozen=True, slots=True)
class Tick:
    """What happened in a tick.

    Attributes:
        number: The first is 0.
        block: The last one of it.
        prices: Every market's mark price after it, USD per base unit.
        done: How many orders were executed and ratcheted, positions liquidated, deleveraged and
            settled: by that word, those above zero.
        troubles: What was refused meanwhile; the next tick tries again.
        is_rewound: Whether the chain was taken back since the tick before.
    """

    number: int
    block: Block
    prices: dict[str, Decimal]
    done: dict[str, int] = field(default_factory=dict)
    troubles: tuple[str, ...] = ()
    is_rewound: bool = False


class RunningWorld:
    """A local world and its time.

    Args:
        w3: A local chain.
        deployment: The exchange on it.
        path: Where prices go.
        names: What the traders are called.
        folder: Where deployments are.
        has_keeper: Whether its keeper passes by; else that is left to others.
    """

    def __init__(
        self,
        w3: Web3,
        deployment: Deployment,
        path: PricePath,
        names: Sequence[str] = NAMES,
        folder: Path = FOLDER,
        *,
        has_keeper: bool = True,
    ) -> None:
        self._w3 = w3
        self._deployment = deployment
        self._path = path
        self._names = names
        self._folder = folder
        self._has_keeper = has_keeper
        self._ticks = 0
        self.world = self._opened()
        self._seen = self.world.reader.block()

    def tick(self) -> Tick:
        """Publishes the next prices, and lets its keeper do all it can."""
        with turn(self._deployment.chain_id, self._folder):
            is_rewound = self._is_rewound()
            if is_rewound:
                # Readers and keepers remember what is no longer so.
                self.world = self._opened()
            catch_up(self._w3)
            troubles: list[str] = []
            self._publish(troubles)
            done = self._keep(troubles) if self._has_keeper else {}
            self._seen = self.world.reader.block()
            number, self._ticks = self._ticks, self._ticks + 1
            prices = self.world.prices()
            return Tick(number, self._seen, prices, done, tuple(troubles), is_rewound)

    def _publish(self, troubles: list[str]) -> None:
        prices = {symbol: to_wad(price) for symbol, price in self.world.prices().items()}
        for symbol, price in self._path.step(self._ticks, prices).items():
            # One that somebody has published in this very second holds.
            with _noted(troubles), suppress(PriceNotTaken):
                self.world.admin.set_price(symbol, from_units(price, 18))

    def _keep(self, troubles: list[str]) -> dict[str, int]:
        done: dict[str, int] = {}
        for name, act in _PASSES.items():
            with _noted(troubles):
                found = act(self.world.keeper)
                if count := found if isinstance(found, int) else len(found):
                    done[name] = count
        return done

    def _is_rewound(self) -> bool:
        try:
            return self.world.reader.block(self._seen.number) != self._seen
        except NotFound:
            return True

    def _opened(self) -> World:
        accounts = [str(account) for account in self._w3.eth.accounts]
        return world.load(self._w3, self._deployment, accounts, self._names)


def build(
    w3: Web3,
    names: Sequence[str] = NAMES,
    listings: Sequence[Listing] = DEMO_LISTINGS,
) -> World:
    """A new world on a local chain's own accounts, in which every trader has deposited.

    Raises:
        Rejected: If the chain has fewer accounts than people.
    """
    accounts = [str(account) for account in w3.eth.accounts]
    require_people(accounts, len(names))
    built = world.create(w3, accounts, names, listings)
    for trader in built.traders.values():
        trader.deposit(DEPOSIT)
    return built


def publish(
    w3: Web3, deployment: Deployment, market: MarketName, price: Amount, *, fill: bool = False
) -> tuple[OrderReport, ...]:
    """Publishes a market's price by hand.

    Args:
        w3: A local chain.
        deployment: The exchange on it.
        market: Which.
        price: USD per base unit.
        fill: Whether time passes first, so that every order may fill at it, and the keeper executes
            what it can.

    Returns:
        What became of the orders that were executed.

    Raises:
        Rejected: If the chain is not local.
        PublisherNotAllowed: If its first account does not publish the exchange's prices.
    """
    require_local(w3)
    accounts = [str(account) for account in w3.eth.accounts]
    opened = world.load(w3, deployment, accounts)
    if fill:
        opened.set_prices({market: price})
        return opened.keeper.execute_orders()
    before = opened.reader.market_state(market).price.published_at
    if catch_up(w3).timestamp <= before:
        advance_time(w3)
    opened.admin.set_price(market, price)
    return ()


def names_of(count: int) -> tuple[str, ...]:
    """What so many traders are called.

    Raises:
        ValueError: For fewer than one, or more than `MAX_TRADERS`.
    """
    if not 1 <= count <= MAX_TRADERS:
        raise ValueError(f"accounts: {count}, not 1 to {MAX_TRADERS}")
    more = (f"trader{number}" for number in range(len(NAMES) + 1, count + 1))
    return (*NAMES[:count], *more)


def volatility_of(listings: Sequence[Listing]) -> dict[str, int]:
    """How far markets walk a tick, ppm: those that ask for more margin go further."""
    return {one.symbol: one.tiers[0].maintenance_rate // WALK_SHARE for one in listings}


@contextmanager
def _noted(troubles: list[str]) -> Iterator[None]:
    """What is refused is noted, and ends nothing; a node that is gone ends all."""
    try:
        yield
    except Unreachable:
        raise
    except (Refused, Retryable) as error:
        troubles.append(str(error))
