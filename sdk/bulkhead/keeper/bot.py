"""The keeper as a silverback bot: `silverback run bulkhead.keeper.bot:bot`.

Its settings are those of `bulkhead keeper run`. With a broker on a Redis server, several
`silverback worker` processes share the work; see docs/silverback.md.

Needs the extra `bulkhead[keeper,silverback]`. To import it connects ape to the network that
`silverback run` is told.
"""

from __future__ import annotations

import os
from decimal import Decimal
from typing import Any

from ape import chain
from silverback import SilverbackBot
from silverback.main import SharedState
from taskiq import AsyncBroker, InMemoryBroker
from taskiq_redis import RedisStreamBroker

from bulkhead.keeper.batching import MAX_SHARDS, Shard
from bulkhead.keeper.claims import Claims, RedisClaims
from bulkhead.keeper.configuration.invalid import InvalidSettings
from bulkhead.keeper.configuration.keys import addresses_of
from bulkhead.keeper.configuration.settings import KeeperSettings
from bulkhead.keeper.worker import Worker

SHARDS = "BULKHEAD_BOT_SHARDS"


def _shards() -> tuple[Shard | None, ...]:
    said = os.environ.get(SHARDS)
    if not said:
        return (None,)
    if not said.isdecimal() or not 1 <= int(said) <= MAX_SHARDS:
        raise InvalidSettings(f"{SHARDS}: a number from 1 to {MAX_SHARDS}, not {said!r}")
    return tuple(Shard(number + 1, int(said)) for number in range(int(said)))


bot = SilverbackBot()
worker = Worker()
shards = _shards()


@bot.on_worker_startup()  # type: ignore[untyped-decorator]
async def open_worker(_: Any) -> None:
    """Builds the state from the chain, in every process that works."""
    # Every process needs one for its tasks; silverback makes it in the one that loads a snapshot.
    bot.state = SharedState()  # type: ignore[no-untyped-call]
    settings = KeeperSettings.load()
    await worker.open(settings, _claims(bot.broker, settings))


@bot.on_worker_shutdown()  # type: ignore[untyped-decorator]
async def close_worker(_: Any) -> None:
    """Ends the pass at hand, and closes the keeper."""
    await worker.close()


def _keep(shard: Shard | None) -> None:
    """Makes every new block a task: a pass for a shard, or for that of the settings."""

    async def keep(block: Any) -> dict[str, int | Decimal]:
        return await worker.turn(shard, block.number)

    if shard is not None:
        keep.__name__ = f"keep_{shard.number}_of_{shard.count}"
    bot.on_(chain.blocks)(keep)


def _claims(broker: AsyncBroker, settings: KeeperSettings) -> Claims | None:
    """What workers tell each other, on the server of their broker.

    Raises:
        InvalidSettings: If other workers could not be told, or the work is divided twice.
    """
    if settings.share.count > 1 and shards != (None,):
        raise InvalidSettings(f"shard: {SHARDS} divides the work already")
    if isinstance(broker, InMemoryBroker):
        return None
    if not isinstance(broker, RedisStreamBroker):
        raise InvalidSettings("SILVERBACK_BROKER_CLASS: taskiq_redis:RedisStreamBroker, or none")
    from redis.asyncio import Redis

    redis = Redis(connection_pool=broker.connection_pool)
    return RedisClaims(redis, broker.queue_name, ",".join(addresses_of(settings)))


for _shard in shards:
    _keep(_shard)
