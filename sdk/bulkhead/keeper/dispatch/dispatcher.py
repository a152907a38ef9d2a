"""The dispatcher: a pool of signers, each with an order of nonces of its own.

What is signed is journaled before it is sent, so that a process that dies in between leaves the
next one the same bytes to send.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bulkhead.chain import AsyncChain, Block, TransactionSigner, address_of
from bulkhead.errors import (
    BulkheadError,
    DeploymentError,
    InsufficientFunds,
    NonceTaken,
    Rejected,
)
from bulkhead.keeper.dispatch.bidding import SendingPolicy, first_fees
from bulkhead.keeper.dispatch.flights import Content, FlightState, Sent, Settled
from bulkhead.keeper.dispatch.journal import Journal
from bulkhead.keeper.dispatch.lanes import Lane, kept
from bulkhead.keeper.dispatch.watching import Watcher
from bulkhead.keeper.watch.logs import Log
from bulkhead.keeper.work import Batch, Intent

CLOSE_SECONDS = 3.0  # that what is being sent has to end
NONCE_TRIES = 3

_log = Log("dispatch")


class Dispatcher:
    """Sends batches, and sees every transaction to its end. One at a time on a journal.

    Args:
        chain: A connection.
        journal: A companion of an open index.
        signers: Who sends: anything with an address that signs transactions.
        policy: When a transaction is stuck, and what it may pay.

    Raises:
        ValueError: If there is no signer, or one twice.
    """

    def __init__(
        self,
        chain: AsyncChain,
        journal: Journal,
        signers: Sequence[TransactionSigner],
        policy: SendingPolicy,
    ) -> None:
        addresses = [address_of(signer) for signer in signers]
        if not addresses or len(set(addresses)) != len(addresses):
            raise ValueError("signers: at least one, and each once")
        self._chain = chain
        self._journal = journal
        self._policy = policy
        self._watcher = Watcher(chain, journal, policy)
        self._lanes = {
            address: Lane(chain, journal, address, signer, policy.in_flight)
            for address, signer in zip(addresses, signers, strict=True)
        }
        self._is_closed = False

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """One for each signer, with its `state`; also of signers that only the journal knows."""
        return tuple(self._lanes.values())

    @property
    def free(self) -> int:
        """How many batches can be sent now."""
        return 0 if self._is_closed else sum(lane.free for lane in self.lanes)

    def busy(self) -> set[Intent]:
        """The tasks that are on their way: nothing more is sent for them."""
        return self._journal.busy()

    async def recover(self) -> int:
        """Takes up what the last process left: what the node does not have is sent again.

        To be called once, before anything else, when the index has caught up.

        Returns:
            How many were sent again.

        Raises:
            DeploymentError: If the chain is another than the journal's.
            IndexBusy: If another process writes to the database.
        """
        found, expected = await self._chain.chain_id(), self._journal.chain_id
        if found != expected:
            raise DeploymentError(f"the node is of chain {found}, the journal of {expected}")
        await kept(self._journal.claim)
        block = (await self._chain.block()).number
        again = 0
        for lane in await self._all_lanes():
            async with lane.turn:
                again += (await self._watcher.bring_back(lane, await lane.flights(), block))[1]
        return again

    async def settle(self, at: Block) -> tuple[Settled, ...]:
        """Looks at everything that is on its way, and does what each transaction needs.

        Args:
            at: The last block that is in the index. What is mined above it is not looked at yet:
                what its events say of the tasks is not known.

        Returns:
            What has ended since the last call, in no order.

        Raises:
            BulkheadError: What the node refuses. Nothing is lost: the next call goes on.
        """
        if not self._is_closed:
            await self._watcher.take_back(at)
            lanes = await self._all_lanes()
            await asyncio.gather(*(self._watcher.look(lane, at) for lane in lanes))
        return self._watcher.take_settled()

    async def send(self, batch: Batch, at: Block) -> Sent | None:
        """Sends a batch, and returns without waiting for it.

        Args:
            batch: What is to be done.
            at: The head.

        Returns:
            None if no lane takes work now: `lanes` say why.

        Raises:
            ValueError: If one of its tasks is on its way already.
            Rejected: If the node does not take it. It is dropped.
            BulkheadError: If the node does not answer before it is sent: nothing is.
        """
        tried: set[str] = set()
        while (lane := self._free_lane(tried)) is not None:
            tried.add(lane.address)
            lane.claimed += 1
            try:
                async with lane.turn:
                    sent = await self._send(lane, batch, at)
            finally:
                lane.claimed -= 1
            if sent is not None:
                return sent
        return None

    async def close(self) -> None:
        """Takes nothing more, and waits a moment for what is being sent.

        All that is on its way is in the journal, for the next process.
        """
        self._is_closed = True
        turns = asyncio.gather(*(_passed(lane.turn) for lane in self.lanes))
        try:
            await asyncio.wait_for(turns, CLOSE_SECONDS)
        except TimeoutError:
            _log.warning("the node has not answered in time; what it was sent is journaled")

    def _free_lane(self, tried: set[str]) -> Lane | None:
        if self._is_closed:
            return None
        lanes = [lane for lane in self.lanes if lane.free and lane.address not in tried]
        return max(lanes, key=lambda lane: lane.free, default=None)

    async def _all_lanes(self) -> tuple[Lane, ...]:
        """Those of our signers, and of those that the journal knows alone."""
        for address in await kept(self._journal.signers):
            if address not in self._lanes:
                self._lanes[address] = Lane(self._chain, self._journal, address, None, 0)
        return self.lanes

    async def _send(self, lane: Lane, batch: Batch, at: Block) -> Sent | None:
        intents = tuple(task.intent for task in batch.tasks)
        if self._is_closed:
            return None
        fees = first_fees(await self._chain.gas_price(), self._policy)
        lane.is_priced_out = fees is None
        if fees is None:
            return None
        content = Content(batch.call.to, batch.call.data, batch.call.value)
        reserved = sum(flight.reserve for flight in await lane.flights())
        if not await lane.is_funded(reserved + batch.gas * fees.most + content.value):
            return None
        for _ in range(NONCE_TRIES):
            nonce = await lane.next_nonce()
            flight = await lane.launch(
                nonce, content, batch.gas, fees, at.number, batch.job, intents
            )
            lane.flying += 1
            try:
                await self._chain.broadcast(flight.last.raw)
            except (NonceTaken, Rejected) as error:
                lane.flying -= 1
                await self._watcher.end(flight, FlightState.DROPPED, at.number, str(error))
                if isinstance(error, NonceTaken):
                    continue  # another process signs for this address, too
                if not isinstance(error, InsufficientFunds):
                    raise
                lane.missing = reserved + flight.reserve
                return None
            except BulkheadError as error:
                # Nobody knows whether it has arrived: it is looked at with the next block.
                _log.info("may not have arrived", signer=lane.address, nonce=nonce, error=error)
            return Sent(lane.address, nonce, flight.last.hash, fees)
        return None


async def _passed(turn: asyncio.Lock) -> None:
    async with turn:
        pass
