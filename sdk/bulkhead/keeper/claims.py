"""Who does what, among keepers that share one exchange.

A claim holds until some block: whoever sees a later one may take the task. While a transaction is
on its way its keeper moves that block ahead, so what a keeper had claimed when it died is free some
blocks later. When the transaction has ended, the claim ends one block before: a keeper that still
sees the chain as it was does not do it again.

Claims save gas; the contracts alone see to it that nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from bulkhead.keeper.work import Intent, Job

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.commands.core import AsyncScript

CLAIM_BLOCKS = 10  # that a claim outlives the last pass of its keeper
KEPT_BLOCKS = 64  # after which an ended one is dropped: no keeper is that far behind
EXPIRY = 3_600  # seconds without a pass of anybody after which a server forgets all claims

# Both compare and write in one step. A claim is written as "<last block> <keeper>".
_TAKE = """
local worker, at, last = ARGV[1], tonumber(ARGV[2]), ARGV[3]
for i = 5, #ARGV do
    local claim = redis.call("HGET", KEYS[1], ARGV[i])
    if claim then
        local held, by = string.match(claim, "^(%d+) (.+)$")
        if by ~= worker and tonumber(held) >= at then return 0 end
    end
end
for i = 5, #ARGV do redis.call("HSET", KEYS[1], ARGV[i], last .. " " .. worker) end
redis.call("EXPIRE", KEYS[1], ARGV[4])
return 1
"""
_KEEP = """
local worker, at, last, floor = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[5])
local busy = {}
for i = 6, #ARGV do busy[ARGV[i]] = true end
local claims = redis.call("HGETALL", KEYS[1])
for i = 1, #claims, 2 do
    local name = claims[i]
    local held, by = string.match(claims[i + 1], "^(%d+) (.+)$")
    held = tonumber(held)
    if by ~= worker and held >= at then
        busy[name] = nil
    elseif held < floor then
        redis.call("HDEL", KEYS[1], name)
    elseif by == worker and held >= at and not busy[name] then
        redis.call("HSET", KEYS[1], name, (at - 1) .. " " .. worker)
    end
end
for name in pairs(busy) do redis.call("HSET", KEYS[1], name, last .. " " .. worker) end
redis.call("EXPIRE", KEYS[1], ARGV[4])
return 0
"""


class Claims(Protocol):
    """What keepers tell each other. Every method takes the block that the caller sees."""

    async def of_others(self, at: int) -> set[Intent]:
        """The tasks that somebody else is doing."""

    async def take(self, intents: Collection[Intent], at: int) -> bool:
        """Claims tasks before they are sent: all of them, or none if one is somebody else's."""

    async def keep(self, busy: Collection[Intent], at: int) -> None:
        """Goes on claiming what is on its way, and ends the caller's other claims."""


class Alone:
    """The claims of a keeper that shares with nobody."""

    async def of_others(self, at: int) -> set[Intent]:  # noqa: ARG002
        """None."""
        return set()

    async def take(self, intents: Collection[Intent], at: int) -> bool:  # noqa: ARG002
        """Always."""
        return True

    async def keep(self, busy: Collection[Intent], at: int) -> None:
        """There is nobody to tell."""


class RedisClaims:
    """Claims on a Redis server that all keepers of an exchange use.

    Args:
        redis: A connection to it.
        name: What these keepers share; others on the server have another.
        worker: This keeper's name; the same one after it was started again.
    """

    def __init__(self, redis: Redis, name: str, worker: str) -> None:
        self._redis = redis
        self._key = f"{name}:claims"
        self._worker = worker
        self._take = redis.register_script(_TAKE)
        self._keep = redis.register_script(_KEEP)

    async def of_others(self, at: int) -> set[Intent]:
        """The tasks that somebody else is doing, or was when the chain was as it is seen here."""
        claims = await self._redis.hgetall(self._key)
        return {_intent(name) for name, claim in claims.items() if self._is_held(claim, at)}

    async def take(self, intents: Collection[Intent], at: int) -> bool:
        """Claims tasks: all of them, or none if one is somebody else's."""
        numbers = (at, at + CLAIM_BLOCKS, EXPIRY)
        return bool(await self._run(self._take, numbers, intents))

    async def keep(self, busy: Collection[Intent], at: int) -> None:
        """Goes on claiming what is on its way, and ends this keeper's other claims."""
        numbers = (at, at + CLAIM_BLOCKS, EXPIRY, at - KEPT_BLOCKS)
        await self._run(self._keep, numbers, busy)

    async def _run(
        self, script: AsyncScript, numbers: Iterable[int], intents: Iterable[Intent]
    ) -> Any:
        values: list[str | int] = [self._worker, *numbers, *map(_name, intents)]
        return await script(keys=[self._key], args=values)

    def _is_held(self, claim: bytes | str, at: int) -> bool:
        last, worker = _text(claim).split(" ", 1)
        return worker != self._worker and int(last) >= at


def _name(intent: Intent) -> str:
    job, key = intent
    return f"{job} {key}"


def _intent(name: bytes | str) -> Intent:
    job, key = _text(name).split(" ", 1)
    return Job(job), key


def _text(answer: bytes | str) -> str:
    """Connections answer either, as they were told to."""
    return answer.decode() if isinstance(answer, bytes) else answer
