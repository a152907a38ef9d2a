"""What is on its way, seen to its end.

With every block each transaction is looked at: it is mined, or it is sent again, replaced while it
is stuck, and cancelled where more than the cap would be needed. What is mined is looked at until it
is final, as a reorg may take it back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import groupby

from bulkhead.chain import AsyncChain, Block, Receipt
from bulkhead.errors import BulkheadError, InsufficientFunds, NotFound, Rejected
from bulkhead.keeper.dispatch.bidding import SendingPolicy, first_fees, next_bid
from bulkhead.keeper.dispatch.flights import Flight, FlightState, Settled
from bulkhead.keeper.dispatch.journal import Journal
from bulkhead.keeper.dispatch.lanes import TRANSFER_GAS, Lane, kept
from bulkhead.keeper.watch.logs import Log

_log = Log("watching")


class Watcher:
    """Looks at transactions.

    Args:
        chain: A connection.
        journal: Where they are stored.
        policy: When one is stuck, and what it may pay.
    """

    def __init__(self, chain: AsyncChain, journal: Journal, policy: SendingPolicy) -> None:
        self._chain = chain
        self._journal = journal
        self._policy = policy
        self._settled: list[Settled] = []

    def take_settled(self) -> tuple[Settled, ...]:
        """What has ended since the last call."""
        settled, self._settled = tuple(self._settled), []
        return settled

    async def take_back(self, at: Block) -> None:
        """What was mined in a block that the chain has left is on its way again."""
        last = at.number - self._policy.confirmations
        mined = await kept(lambda: self._journal.mined_since(last))
        latest_first = sorted(mined, key=lambda flight: -(flight.block or 0))
        for number, flights in groupby(latest_first, key=lambda flight: flight.block):
            try:
                block = await self._chain.block(number)
            except NotFound:
                continue  # a node that is behind
            gone = [flight for flight in flights if flight.block_hash != block.hash]
            for flight in gone:
                await self._take_back(flight)
            if not gone:
                return  # what is below a block that is still there is still there, too

    async def look(self, lane: Lane, at: Block) -> None:
        """Looks at all that a lane has on its way, and does what it needs."""
        async with lane.turn:
            since = at.number - self._policy.confirmations
            dropped = await kept(lambda: self._journal.dropped_since(lane.address, since))
            flights = (*dropped, *await lane.flights())
            if flights:
                # Asked for first: what is mined meanwhile has its receipt.
                used = await self._chain.mined_nonce(lane.address)
                looks = (self._is_waiting(flight, used, at) for flight in flights)
                still = await asyncio.gather(*looks)
                waiting = [flight for flight, is_one in zip(flights, still, strict=True) if is_one]
                left, _ = await self.bring_back(lane, waiting, at.number)
                if left:
                    await self._unstick(lane, left, used, at)
            await lane.flights()
            await self._check_pause(lane)

    async def bring_back(
        self, lane: Lane, flights: Sequence[Flight], block: int
    ) -> tuple[list[Flight], int]:
        """Sends again what the node does not have.

        Returns:
            Those that are still on their way, and how many were sent again.
        """
        known = await asyncio.gather(*(self._chain.knows(one.last.hash) for one in flights))
        left: list[Flight] = []
        again = 0
        for flight, is_known in zip(flights, known, strict=True):
            if not is_known:
                if not flight.intents and flight is flights[-1]:
                    await self.end(flight, FlightState.DROPPED, block, "nothing is left to do")
                    continue
                if not await self._send_again(lane, flight, block):
                    continue
                again += 1
            left.append(flight)
        return left, again

    async def end(
        self,
        flight: Flight,
        state: FlightState,
        block: int,
        reason: str,
        receipt: Receipt | None = None,
    ) -> None:
        """Stores what became of a transaction, for the engine to hear of."""
        block_hash = None if receipt is None else receipt.block_hash
        undone = reason or "skipped"
        found = await kept(lambda: self._journal.end(flight, state, block, block_hash, undone))
        self._settled.append(
            Settled(
                state=state,
                signer=flight.signer,
                nonce=flight.nonce,
                job=flight.job,
                hashes=tuple(version.hash for version in flight.versions),
                transaction=None if receipt is None else receipt.transaction,
                done=found.done,
                lost=found.lost,
                failed=found.failed,
                open_again=found.open,
                gas_used=0 if receipt is None else receipt.gas_used,
                cost=0 if receipt is None else receipt.gas_used * receipt.gas_price,
                block=block,
                reason=reason,
            )
        )

    async def _take_back(self, flight: Flight) -> None:
        _log.info("its block is gone", signer=flight.signer, nonce=flight.nonce)
        await kept(lambda: self._journal.take_back(flight))

    async def _is_waiting(self, flight: Flight, used: int, at: Block) -> bool:
        """Whether a transaction is not mined yet. If it has ended, that is stored."""
        asked = (self._chain.find_receipt(version.hash) for version in flight.versions)
        receipt = next((found for found in await asyncio.gather(*asked) if found), None)
        if receipt is not None:
            if receipt.block <= at.number:
                await self._land(flight, receipt)
            return False
        if flight.state is FlightState.DROPPED:
            return False
        if used > flight.nonce:
            reason = f"another transaction has nonce {flight.nonce}"
            await self.end(flight, FlightState.DROPPED, at.number, reason)
            return False
        return True

    async def _land(self, flight: Flight, receipt: Receipt) -> None:
        mined = next(one for one in flight.versions if one.hash == receipt.transaction)
        if receipt.is_reverted:
            failure = await self._chain.failure_of(receipt)
            await self.end(flight, FlightState.FAILED, receipt.block, str(failure), receipt)
        elif mined.is_cancel:
            reason = "it was stuck at the most that it may pay, or others had done its tasks"
            await self.end(flight, FlightState.CANCELLED, receipt.block, reason, receipt)
        else:
            await self.end(flight, FlightState.MINED, receipt.block, "", receipt)

    async def _send_again(self, lane: Lane, flight: Flight, block: int) -> bool:
        """Sends the same bytes; whether they are still on their way."""
        try:
            await self._chain.broadcast(flight.last.raw)
        except Rejected as error:
            if isinstance(error, InsufficientFunds):
                lane.missing = flight.reserve
            await self.end(flight, FlightState.DROPPED, block, str(error))
            return False
        except BulkheadError as error:
            _log.info("may not have arrived", signer=lane.address, nonce=flight.nonce, error=error)
        return True

    async def _unstick(self, lane: Lane, waiting: Sequence[Flight], used: int, at: Block) -> None:
        """Moves the transaction that all others of its lane wait for, if it waits too long."""
        for flight in waiting:
            if flight.since is None:
                await kept(lambda flight=flight: self._journal.wait_since(flight, at.number))  # type: ignore[misc]
        first = waiting[0]
        if first.since is None or at.number - first.since < self._policy.patience_blocks:
            return
        if lane.signer is None:
            reason = "it is stuck, and nobody signs for its signer any more"
            await self.end(first, FlightState.DROPPED, at.number, reason)
        elif first.nonce > used:
            await self._fill(lane, used, at)
        else:
            await self._outbid(lane, first, at)

    async def _fill(self, lane: Lane, nonce: int, at: Block) -> None:
        """Uses a nonce that nobody has a transaction for, so that those above it can be mined."""
        fees = first_fees(await self._chain.gas_price(), self._policy)
        if fees is None or await self._chain.nonce(lane.address) > nonce:
            return  # gas is too dear, or somebody's is on its way
        flight = await lane.launch(nonce, lane.nothing, TRANSFER_GAS, fees, at.number)
        await self._send_again(lane, flight, at.number)

    async def _outbid(self, lane: Lane, flight: Flight, at: Block) -> None:
        bid = next_bid(flight, await self._chain.gas_price(), self._policy)
        if bid is None:
            return
        version = await lane.replace(flight, bid.fees, at.number, is_cancel=bid.is_cancel)
        event = "cancelled" if bid.is_cancel else "replaced"
        _log.info(event, signer=lane.address, nonce=flight.nonce, fee_wei=bid.fees.most)
        try:
            await self._chain.broadcast(version.raw)
        except BulkheadError as error:
            # The one before it may still be mined; this one is sent again with the next block.
            _log.info("may not have arrived", signer=lane.address, nonce=flight.nonce, error=error)

    async def _check_pause(self, lane: Lane) -> None:
        """Whether a lane that has stopped can go on."""
        if lane.missing is not None:
            await lane.is_funded(lane.missing)
        if lane.is_priced_out:
            price = await self._chain.gas_price()
            lane.is_priced_out = first_fees(price, self._policy) is None
