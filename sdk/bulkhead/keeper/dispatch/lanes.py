"""A lane: one signer, and the order of its nonces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from bulkhead.chain import AsyncChain, Fees, TransactionSigner, transaction_hash
from bulkhead.keeper.dispatch.flights import Content, Flight, Version
from bulkhead.keeper.dispatch.journal import Journal
from bulkhead.keeper.work import Intent, Job

TRANSFER_GAS = 21_000

Result = TypeVar("Result")


class LaneState(StrEnum):
    """Whether a lane takes work."""

    READY = "ready"
    FULL = "full"
    """It has as much on its way as it may."""
    UNFUNDED = "insufficient funds"
    """Its signer can not pay for gas. It goes on by itself once it can."""
    PRICED_OUT = "gas costs more than the cap"
    """It goes on by itself once gas is cheaper."""
    GONE = "no signer"
    """The journal has transactions of a signer that this process does not have."""


class Lane:
    """One signer's transactions: signed, journaled and sent, a nonce after the other.

    Args:
        chain: Where they go.
        journal: Where they are stored first.
        address: Whose they are.
        signer: Who signs; None where nobody does any more.
        capacity: How many may be on their way at once.

    Attributes:
        turn: Whoever acts on the lane holds it.
        flying: How many are on their way.
        claimed: How many batches wait for the turn.
        missing: Wei that the signer must have before it goes on; None if it has enough.
        is_priced_out: Whether gas cost more than the cap when it was last asked.
    """

    def __init__(
        self,
        chain: AsyncChain,
        journal: Journal,
        address: str,
        signer: TransactionSigner | None,
        capacity: int,
    ) -> None:
        self.address = address
        self.signer = signer
        self.turn = asyncio.Lock()
        self.flying = 0
        self.claimed = 0
        self.missing: int | None = None
        self.is_priced_out = False
        self._chain = chain
        self._journal = journal
        self._capacity = capacity

    @property
    def state(self) -> LaneState:
        """Whether it takes work."""
        if self.signer is None:
            return LaneState.GONE
        if self.missing is not None:
            return LaneState.UNFUNDED
        if self.is_priced_out:
            return LaneState.PRICED_OUT
        return LaneState.READY if self.flying + self.claimed < self._capacity else LaneState.FULL

    @property
    def free(self) -> int:
        """How many batches it takes now."""
        is_ready = self.state is LaneState.READY
        return self._capacity - self.flying - self.claimed if is_ready else 0

    async def flights(self) -> tuple[Flight, ...]:
        """What is on its way, by nonce."""
        found = await kept(lambda: self._journal.flights(self.address))
        self.flying = len(found)
        return found

    async def is_funded(self, wei: int) -> bool:
        """Whether the signer has so much. If not, the lane waits until it does."""
        enough = await self._chain.balance(self.address) >= wei
        self.missing = None if enough else wei
        return enough

    async def next_nonce(self) -> int:
        """The nonce of a new transaction: above all that the node or the journal knows of."""
        pending = await self._chain.nonce(self.address)
        ours = (flight.nonce + 1 for flight in await self.flights())
        return max(pending, *ours, 0)

    async def launch(
        self,
        nonce: int,
        content: Content,
        gas: int,
        fees: Fees,
        block: int,
        job: Job | None = None,
        intents: Sequence[Intent] = (),
    ) -> Flight:
        """Signs a new transaction and stores it; what is left is to send it."""
        version = await self._signed(nonce, content, gas, fees, block, is_cancel=job is None)
        return await kept(
            lambda: self._journal.record(self.address, nonce, content, gas, version, job, intents)
        )

    async def replace(self, flight: Flight, fees: Fees, block: int, *, is_cancel: bool) -> Version:
        """Signs what takes the place of a transaction and stores it; what is left is to send it."""
        content, gas = flight.content, flight.gas
        if is_cancel:
            content, gas = self.nothing, TRANSFER_GAS
        version = await self._signed(flight.nonce, content, gas, fees, block, is_cancel=is_cancel)
        await kept(lambda: self._journal.add_version(flight, version))
        return version

    @property
    def nothing(self) -> Content:
        """A call that does nothing: a transfer of nothing to the signer itself."""
        return Content(self.address, b"")

    async def _signed(
        self,
        nonce: int,
        content: Content,
        gas: int,
        fees: Fees,
        block: int,
        *,
        is_cancel: bool,
    ) -> Version:
        signer = self.signer
        if signer is None:
            raise RuntimeError(f"nobody signs for {self.address}")
        fields: dict[str, Any] = {
            "chainId": self._journal.chain_id,  # a node of another chain takes nothing of ours
            "nonce": nonce,
            "to": content.to,
            "data": "0x" + content.data.hex(),
            "value": content.value,
            "gas": gas,
        }
        signed = await asyncio.to_thread(lambda: signer.sign_transaction(fields | fees.fields()))
        raw = bytes(signed.raw_transaction)
        return Version(transaction_hash(raw), raw, fees, block, is_cancel)


async def kept(function: Callable[[], Result]) -> Result:
    """What the database does, off the event loop; a task that is cancelled waits for its end."""
    task = asyncio.ensure_future(asyncio.to_thread(function))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
