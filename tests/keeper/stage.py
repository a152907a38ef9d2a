"""A real node with an exchange and people on it, and keepers that are put to work there."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from eth_utils.conversions import to_hex
from web3 import Web3
from web3.types import TxParams

from bulkhead import OrderHandle, OrderState, Trader
from bulkhead.errors import PriceNotTaken, PriceOlderThanTheLast
from bulkhead.interfaces import Call
from bulkhead.keeper.assembly import Kit, open_keeper
from bulkhead.keeper.configuration.settings import PREFIX, KeeperSettings
from bulkhead.keeper.engine import Pass
from bulkhead.keeper.running import RunReport, run
from bulkhead.keeper.watch.metrics import Metrics
from bulkhead.listings import BTC, ETH, Listing
from bulkhead.local import Anvil
from bulkhead.local.chains import rpc
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

    def refresh_prices(self) -> None:
        """Publishes all prices again, while keepers send as they like."""
        while True:
            try:
                return self.world.refresh_prices()
            except (PriceNotTaken, PriceOlderThanTheLast):  # a block of theirs came in between
                continue

    def launch(self, name: str = "keeper", **changes: Any) -> subprocess.Popen[bytes]:
        """A keeper in a process of its own; what it says goes to a file beside its journal."""
        settings = self.settings(name, **changes)
        table = settings.model_dump(mode="json", exclude_defaults=True)
        table["rpc"]["urls"] = [self.anvil.url]  # a dump does not show addresses
        variables = {
            PREFIX + field.upper(): value if isinstance(value, str) else json.dumps(value)
            for field, value in table.items()
        }
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "bulkhead", "keeper", "run", "--json"],
                env={**os.environ, **variables},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def place_many(self, count: int, traders: Sequence[Trader] | None = None) -> list[bytes]:
        """Places that many market orders, in turn for every trader, in as few blocks as it takes.

        Returns:
            Their hashes.
        """
        reader = self.world.reader
        w3, book = reader.chain.w3, reader.contracts.order_book
        owners = self.traders if traders is None else traders
        tickets = [one.order(BTC.symbol, "0.001", is_buy=True) for one in owners]
        first = reader.block().number + 1
        rpc(w3, "evm_setAutomine", False)
        for salt in range(count):
            order = replace(tickets[salt % len(tickets)], salt=salt)
            fire(w3, order.account, book.call("place", order.to_tuple()))
        while int(rpc(w3, "txpool_status")["pending"], 16):
            rpc(w3, "evm_mine")
        rpc(w3, "evm_setAutomine", True)
        placed = (event for event in reader.events(first) if event.name == "OrderPlaced")
        hashes = [event["order_hash"] for event in placed]
        assert len(hashes) == count
        return hashes

    def ends_of(self, hashes: Collection[bytes]) -> Counter[bytes]:
        """How often each of some orders has ended, by the logs."""
        ends = ("OrderExecuted", "OrderCancelled")
        found = (event for event in self.world.reader.events() if event.name in ends)
        return Counter(event["order_hash"] for event in found if event["order_hash"] in hashes)

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


def fire(w3: Web3, sender: str, call: Call, price: int | None = None) -> None:
    """Sends without a look at what comes of it."""
    request = {"from": sender, "to": call.to, "data": to_hex(call.data), "gas": 1_000_000}
    if price is not None:
        request["gasPrice"] = price
    w3.eth.send_transaction(cast(TxParams, request))


async def passes(kit: Kit, most: int = 20) -> list[Pass]:
    """Passes until there is nothing left to do and nothing on its way."""
    made: list[Pass] = []
    while len(made) < most:
        made.append(await kit.engine.once())
        if not made[-1].sent and not kit.dispatcher.busy():
            return made
    raise AssertionError(f"still at work after {most} passes")
