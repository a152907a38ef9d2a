"""A real node with an exchange and people on it, and keepers that are put to work there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bulkhead import OrderHandle, OrderState, Trader
from bulkhead.keeper.assembly import Kit, open_keeper
from bulkhead.keeper.engine import Pass
from bulkhead.keeper.metrics import Metrics
from bulkhead.keeper.running import RunReport, run
from bulkhead.keeper.settings import KeeperSettings
from bulkhead.listings import BTC, ETH, Listing
from bulkhead.local import Anvil
from bulkhead.world import INSURANCE, POOL, World, create

NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace")
CHEAP = "0.001"  # USD a gas token: whatever there is to do pays


@dataclass(frozen=True, slots=True)
class Stage:
    """One node and one exchange.

    Attributes:
        anvil: The node.
        world: The exchange on it.
        folder: Where its deployment, and the journals of its keepers are.
    """

    anvil: Anvil
    world: World
    folder: Path

    @property
    def traders(self) -> tuple[Trader, ...]:
        return tuple(self.world.traders.values())

    def settings(self, name: str = "keeper", **changes: Any) -> KeeperSettings:
        """A keeper's settings; its journal is called as it is.

        Groups that are named replace some of a group's values alone.
        """
        table: dict[str, Any] = {
            "chain": {"id": self.world.reader.chain.chain_id(), "deployments": str(self.folder)},
            "rpc": {"urls": [self.anvil.url], "poll": "0.05"},
            "journal": str(self.folder / f"{name}.db"),
            "signers": [{"local": "keeper"}],
            "watch": {"enabled": False},
            "policy": {"gas_token": CHEAP},
            "poison": {"first_rest": 10, "longest_rest": 60},
        }
        for group, values in changes.items():
            if isinstance(values, Mapping):
                table[group] = {**table.get(group, {}), **values}
            else:
                table[group] = values
        return KeeperSettings(**table)

    def run(self, name: str = "keeper", **changes: Any) -> RunReport:
        """One run of a keeper, until what it has sent is done."""

        async def once() -> RunReport:
            settings = self.settings(name, **changes)
            return await run(settings, once=True, stop=asyncio.Event(), metrics=Metrics())

        return asyncio.run(once())

    @asynccontextmanager
    async def keeper(self, name: str = "keeper", **changes: Any) -> AsyncIterator[Kit]:
        """A keeper whose passes are made one by one."""
        async with open_keeper(self.settings(name, **changes)) as kit:
            yield kit

    def states(self, handles: Sequence[OrderHandle]) -> list[OrderState]:
        return [handle.state() for handle in handles]


@contextmanager
def staged(
    folder: Path,
    *options: str,
    names: Sequence[str] = NAMES,
    listings: Sequence[Listing] = (BTC, ETH),
    pool: int = POOL,
    insurance: int = INSURANCE,
) -> Iterator[Stage]:
    """A new node with a new exchange, whose traders have deposited.

    Args:
        folder: Where files go.
        options: More of anvil's own.
        names: The traders.
        listings: The markets.
        pool: USD in it.
        insurance: USD in it.
    """
    with Anvil(*options) as anvil:
        w3 = anvil.connect()
        world = create(w3, w3.eth.accounts, names, listings, pool=pool, insurance=insurance)
        world.reader.deployment.save(folder)
        for trader in world.traders.values():
            trader.deposit(50_000)
        yield Stage(anvil, world, folder)


async def passes(kit: Kit, most: int = 20) -> list[Pass]:
    """Passes until there is nothing left to do and nothing on its way."""
    made: list[Pass] = []
    while len(made) < most:
        made.append(await kit.engine.once())
        if not made[-1].sent and not kit.dispatcher.busy():
            return made
    raise AssertionError(f"still at work after {most} passes")
