"""How fast the index takes logs in: decoded, folded into the state, and committed to SQLite.

The logs are those of a small life on the embedded chain, lap after lap; every lap has orders and
transactions of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import chain, groupby, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from eth_utils.crypto import keccak

from benchmarks.world import BTC_SIZE, ETH_SIZE, USD, World
from bulkhead.contracts import Contracts
from bulkhead.index.store import Store
from bulkhead.index.writer import CONTRACTS, Chunk, Header, Writer
from bulkhead.interfaces import Log
from bulkhead.orders import MarginMode

TRADERS = 6
EVENTS = 40_000
CHUNK_BLOCKS = 2_000
DEPTH = 10**6  # of the journal, where one is kept
CRASH = Decimal("0.9")


def main() -> None:
    world = World(markets=2, accounts=TRADERS + 6)
    world.warm()
    built = world.reader.block().number
    live(world)
    stream = stream_of(world, built)
    final, recent = (rate(world, stream, is_final=is_final) for is_final in (True, False))
    print(
        f"index: {EVENTS:,} events into SQLite: {final:,} a second back-filling, "
        f"{recent:,} where reorgs may reach"
    )


def live(world: World) -> None:
    """Traders open, close and are liquidated, at moving prices."""
    traders = [world.newcomer() for _ in range(TRADERS)]
    cross = MarginMode.CROSS
    for trader in traders:
        world.deposit(trader, 10_000 * USD)
        world.trade(trader, 0, BTC_SIZE)
        world.trade(trader, 1, ETH_SIZE, margin_mode=cross, is_buy=False)
        for tick in range(10):
            world.push(tick % 2, Decimal(1) + Decimal(tick % 3) / 1_000)
        world.trade(trader, 1, ETH_SIZE, margin_mode=cross, is_buy=True, reduce_only=True)
    world.push(0, CRASH)
    world.liquidate_isolated(*traders)


def stream_of(world: World, built: int) -> list[Log]:
    """The logs of how the world was built, and then of what happened in it, again and again."""
    reader = world.reader
    last = reader.block().number
    addresses = [getattr(reader.deployment, name) for name in CONTRACTS]
    logs = reader.chain.logs(addresses, reader.deployment.block, last)
    events = reader.contracts.decode_logs(logs)
    orders = {event["order_hash"] for event in events if event.name == "OrderPlaced"}
    repeated = laps([log for log in logs if log.block > built], orders, last - built)
    return list(islice(chain((log for log in logs if log.block <= built), repeated), EVENTS))


def rate(world: World, stream: Sequence[Log], *, is_final: bool) -> int:
    """Events per second of a new index, with or without a journal."""
    contracts = Contracts(world.reader.deployment)
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "index.db", world.reader.deployment)
        store.claim()
        writer = Writer(store, contracts, DEPTH)
        started = time.perf_counter()
        for _, logs in groupby(stream, key=lambda log: log.block // CHUNK_BLOCKS):
            events = contracts.decode_logs(logs)
            numbers = sorted({event.block for event in events})
            headers = tuple(Header(number, f"{number:#066x}", number) for number in numbers)
            writer.apply(Chunk(writer.cursor, headers[-1], headers, events, is_final))
        seconds = time.perf_counter() - started
        store.close()
    return round(len(stream) / seconds)


def laps(logs: Sequence[Log], orders: set[bytes], blocks: int) -> Iterator[Log]:
    """The same life again and again, each one later and with orders of its own."""
    lap = 0
    while True:
        own = {order: keccak(order + lap.to_bytes(4)) for order in orders}
        for log in logs:
            yield replace(
                log,
                topics=tuple(own.get(topic, topic) for topic in log.topics),
                block=log.block + lap * blocks,
                transaction=f"{log.transaction[:58]}{lap:08x}",
            )
        lap += 1


if __name__ == "__main__":
    main()
