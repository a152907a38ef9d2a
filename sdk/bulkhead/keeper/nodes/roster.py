"""The RPC addresses of one chain: verified before they are used, and watched."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from bulkhead.errors import Rejected, Unreachable, WrongChain
from bulkhead.keeper.nodes.answers import Head
from bulkhead.keeper.nodes.endpoint import (
    Endpoint,
    EndpointHealth,
    EndpointPolicy,
    EndpointState,
    Failed,
    Identity,
)
from bulkhead.keeper.nodes.heads import Heads
from bulkhead.keeper.nodes.resting import now
from bulkhead.keeper.nodes.sessions import checked_url, shown

PULSE_SECONDS = 0.25  # between two tries while no address can answer


class Roster:
    """Addresses, and who of them may be asked.

    Args:
        urls: The addresses over HTTP, the preferred first.
        chain_id: The chain's id; what the first that answers says where it is None.
        genesis_hash: The hash of its block 0; likewise.
        policy: How they are treated.

    Attributes:
        heads: What they have shown.

    Raises:
        ValueError: If there is no address, the same one twice, or one that is none.
    """

    def __init__(
        self,
        urls: Sequence[str],
        chain_id: int | None,
        genesis_hash: str | None,
        policy: EndpointPolicy,
    ) -> None:
        if not urls:
            raise ValueError("urls: none")
        if len(set(urls)) != len(urls):
            raise ValueError("urls: the same one twice")
        self.policy = policy
        self.heads = Heads(policy.max_lag)
        self._endpoints = [
            Endpoint(checked_url(url), label, policy)
            for url, label in zip(urls, _labels(urls), strict=True)
        ]
        self._chain_id = chain_id
        self._genesis_hash = genesis_hash
        self._starting = asyncio.Lock()
        self._watches: list[asyncio.Task[None]] = []
        self._is_closed = False
        self._news = asyncio.Event()

    async def start(self) -> None:
        """Checks which chain the addresses are on, and begins to watch them; once.

        Raises:
            WrongChain: If one of them is on another chain.
            Unreachable: If none of them answers.
        """
        async with self._starting:
            if self._watches:
                return
            try:
                for endpoint in self._endpoints:
                    endpoint.open()
                await self._verify_all()
            except BaseException:
                await self._disconnect()
                raise
            self._is_closed = False
            self._watches = [asyncio.create_task(self._watch(one)) for one in self._endpoints]

    async def close(self) -> None:
        """Ends what goes on, and every connection, until it is started again."""
        self._is_closed = True
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        self._watches = []
        await self._disconnect()

    async def ready(self) -> None:
        """Starts it if nobody has.

        Raises:
            Rejected: If it was closed.
        """
        self._require_open()
        if not self._watches:
            await self.start()

    def up(self) -> list[Endpoint]:
        """Who may be asked, in the given order."""
        return [one for one in self._endpoints if one.is_up]

    def healthy(self) -> list[Endpoint]:
        """Who may be asked and is not stale; if nobody is, who may be asked."""
        return [one for one in self.up() if not self.heads.is_stale(one.head)] or self.up()

    def health(self) -> tuple[EndpointHealth, ...]:
        """Each address as it is now, in the given order."""
        return tuple(
            EndpointHealth(
                url=one.label,
                state=self._state_of(one),
                head=one.head.number if one.head else None,
                failures=one.failures,
                error=one.error,
                rest=one.rest_left,
            )
            for one in self._endpoints
        )

    async def wait(self, deadline: float, trouble: str) -> None:
        """Waits for news of an address.

        Raises:
            Rejected: If it is closed.
            Unreachable: If it is too late for news.
            WrongChain: If there is no address left.
        """
        self._require_open()
        if all(one.is_wrong for one in self._endpoints):
            raise WrongChain(f"no address is on {self._identity}")
        left = deadline - now()
        if left <= 0:
            troubles = (f"{one.label}: {one.error or 'behind'}" for one in self._endpoints)
            raise Unreachable(f"{trouble}: {'; '.join(troubles)}")
        self._news.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(min(PULSE_SECONDS, left)):
                await self._news.wait()

    async def _verify_all(self) -> None:
        found = await asyncio.gather(*map(_identity, self._endpoints))
        known = next((one for one in found if one is not None), None)
        if known is None:
            troubles = (f"{one.label}: {one.error}" for one in self._endpoints)
            raise Unreachable(f"no address answers: {'; '.join(troubles)}")
        self._chain_id = known.chain_id if self._chain_id is None else self._chain_id
        self._genesis_hash = self._genesis_hash or known.genesis_hash
        answering = [
            (endpoint, identity)
            for endpoint, identity in zip(self._endpoints, found, strict=True)
            if identity is not None
        ]
        for endpoint, identity in answering:
            if identity != self._identity:
                raise WrongChain(f"{endpoint.label} is on {identity} instead of {self._identity}")
        for endpoint, _ in answering:
            endpoint.admit()
        for head in await asyncio.gather(*(_head(endpoint) for endpoint, _ in answering)):
            if head is not None:
                self.heads.see(head)

    @property
    def _identity(self) -> Identity:
        return Identity(self._chain_id or 0, (self._genesis_hash or "").lower())

    async def _watch(self, endpoint: Endpoint) -> None:
        """Follows an address's head; verifies it again when it has rested."""
        while not endpoint.is_wrong:
            await endpoint.rested()
            try:
                if not endpoint.is_verified:
                    await self._verify(endpoint)
                if endpoint.is_up:
                    self.heads.see(await endpoint.look(now() - self.policy.poll))
            except Failed:
                continue
            finally:
                self._news.set()
            await endpoint.stood(self.policy.poll)

    async def _verify(self, endpoint: Endpoint) -> None:
        identity = await endpoint.identity()
        if identity == self._identity:
            endpoint.admit()
        else:
            endpoint.exclude(f"it is on {identity} instead of {self._identity}")

    def _state_of(self, endpoint: Endpoint) -> EndpointState:
        if endpoint.is_wrong:
            return EndpointState.WRONG_CHAIN
        if endpoint.rest_left:
            return EndpointState.RESTING
        if not endpoint.is_verified:
            return EndpointState.UNVERIFIED
        if self.heads.is_stale(endpoint.head):
            return EndpointState.STALE
        return EndpointState.HEALTHY

    def _require_open(self) -> None:
        if self._is_closed:
            raise Rejected("the addresses are closed")

    async def _disconnect(self) -> None:
        for endpoint in self._endpoints:
            await endpoint.disconnect()


async def _identity(endpoint: Endpoint) -> Identity | None:
    try:
        return await endpoint.identity()
    except Failed:
        return None


async def _head(endpoint: Endpoint) -> Head | None:
    try:
        return await endpoint.look()
    except Failed:
        return None


def _labels(urls: Sequence[str]) -> list[str]:
    """What addresses are called: two of one host are told apart by their places."""
    bare = [shown(checked_url(url)) for url in urls]
    return [
        one if bare.index(one) == place else f"{one}#{place + 1}" for place, one in enumerate(bare)
    ]
