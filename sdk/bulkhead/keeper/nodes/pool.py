"""Several RPC addresses as one provider, so that none of them is a single point of failure.

What is asked goes to one address, the same for all that is asked within a block, so that answers
fit together; with a new block the first in the given order that has it is next. What one can not
answer the next one does. A transaction goes to all.

**The head never goes back**, but with the chain. The highest block that was told is the mark.
Whoever is below it, or more than `max_lag` below the best head of any address, is not asked for the
head, nor for anything at the head; and nobody is asked for a block that it does not have. The mark
goes back only when every address that is up is below it, and either each of them has another block
in the place of one that was told, which proves a reorg, or they have stayed below it for
`patience`: then the address that told it was wrong, or the node was set back.

**A wrong chain** is found before anything else is sent to an address: its chain id and the hash of
its block 0 are checked at the start, and again after each of its rests.

An address is trusted for what it says of the chain that it is on: what has the right form and the
right id is believed. A reverted call is an answer, and no other address is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from eth_utils.conversions import to_hex
from eth_utils.crypto import keccak
from hexbytes import HexBytes
from web3.providers.async_base import AsyncJSONBaseProvider

from bulkhead.errors import Rejected
from bulkhead.keeper.nodes import answers
from bulkhead.keeper.nodes.answers import Head
from bulkhead.keeper.nodes.endpoint import Endpoint, EndpointHealth, EndpointPolicy, Failed
from bulkhead.keeper.nodes.resting import now
from bulkhead.keeper.nodes.roster import Roster

if TYPE_CHECKING:
    from web3.types import RPCEndpoint, RPCResponse


class EndpointPool(AsyncJSONBaseProvider):
    """A provider for `AsyncWeb3` over several addresses of one chain.

    The first request starts it. It belongs to the event loop that it was started in.

    Args:
        urls: The addresses over HTTP, the preferred first.
        chain_id: The chain's id; what the first of them says where it is None.
        genesis_hash: The hash of its block 0; likewise.
        policy: How they are treated.

    Raises:
        ValueError: If there is no address, the same one twice, or one that is none.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        chain_id: int | None = None,
        genesis_hash: str | None = None,
        policy: EndpointPolicy | None = None,
    ) -> None:
        super().__init__()
        self.policy = policy or EndpointPolicy()
        self._roster = Roster(urls, chain_id, genesis_hash, self.policy)
        self._heads = self._roster.heads
        self._current: Endpoint | None = None
        self._low_since: float | None = None
        self._sends: set[asyncio.Task[RPCResponse]] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Checks which chain the addresses are on, and begins to watch them; once.

        Raises:
            WrongChain: If one of them is on another chain.
            Unreachable: If none of them answers.
        """
        await self._roster.start()

    async def close(self) -> None:
        """Ends what goes on, and every connection. What is asked later is refused."""
        for send in self._sends:
            send.cancel()
        await asyncio.gather(*self._sends, return_exceptions=True)
        await self._roster.close()

    async def disconnect(self) -> None:
        """`close`, under web3's name."""
        await self.close()

    @property
    def top(self) -> Head | None:
        """The highest block that any address has shown; None before there is one."""
        return self._heads.top

    def health(self) -> tuple[EndpointHealth, ...]:
        """Each address as it is now, in the given order."""
        return self._roster.health()

    async def is_connected(self, show_traceback: bool = False) -> bool:  # noqa: ARG002
        """Whether an address can be asked."""
        return bool(self._roster.up())

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """The answer of an address that is right.

        Raises:
            Unreachable: If no address gives one before the deadline.
            WrongChain: If all of them are on other chains.
            Rejected: If the request is about what one node keeps, like a filter; or may be done, or
                not, and must not be made twice.
        """
        await self._roster.ready()
        if answers.is_kept_by_one_node(method):
            raise Rejected(f"{method}: filters live in one node, and this asks several")
        if method == answers.SEND_RAW:
            return await self._send_raw(params)
        if answers.asks_for_head(method, params):
            return await self._read_head(method, params)
        if answers.is_read(method):
            return await self._read(method, params)
        return await self._do_once(method, params)

    async def make_batch_request(
        self, batch_requests: list[tuple[RPCEndpoint, Any]]
    ) -> list[RPCResponse]:
        """Several requests, each answered like one alone."""
        return list(await asyncio.gather(*(self.make_request(*one) for one in batch_requests)))

    # Reads

    async def _read(self, method: str, params: Sequence[Any]) -> RPCResponse:
        deadline = now() + self.policy.deadline
        while True:
            doubtful: RPCResponse | None = None
            for endpoint in self._sticky_order():
                if now() > deadline:
                    break
                try:
                    if not await self._has(endpoint, self._needed(method, params)):
                        continue
                    answer = await endpoint.ask(method, params)
                    if not await self._is_doubtful(endpoint, method, params, answer):
                        if doubtful is None:
                            self._current = endpoint
                        return answer
                except Failed:
                    continue
                doubtful = doubtful or answer
            if doubtful is not None:
                return doubtful
            await self._roster.wait(deadline, f"{method}: no address answers")

    async def _read_head(self, method: str, params: Sequence[Any]) -> RPCResponse:
        whole = [*params[:2], False][:2] if params else ["latest", False]
        deadline = now() + self.policy.deadline
        while True:
            low: list[tuple[Endpoint, Head, RPCResponse]] = []
            for endpoint in self._head_order():
                if now() > deadline:
                    break
                try:
                    answer = await endpoint.ask("eth_getBlockByNumber", whole)
                    head = self._heads.see(endpoint.saw(answer))
                except Failed:
                    continue
                if head.number >= self._heads.floor:
                    self._low_since = None
                    return self._told_as(method, endpoint, head, answer)
                low.append((endpoint, head, answer))
            if low and now() <= deadline and await self._went_back(low):
                self._low_since = None
                endpoint, head, answer = max(low, key=lambda one: one[1].number)
                self._heads.step_back(head)
                return self._told_as(method, endpoint, head, answer)
            await self._roster.wait(
                deadline, f"no address has block {self._heads.floor}, which was seen"
            )

    def _told_as(
        self, method: str, endpoint: Endpoint, head: Head, answer: RPCResponse
    ) -> RPCResponse:
        """Makes a head the mark, and answers with it."""
        if self._heads.tell(head):
            self._current = endpoint
        if method == "eth_blockNumber":
            return cast("RPCResponse", {**answer, "result": hex(head.number)})
        return answer

    async def _went_back(self, low: Iterable[tuple[Endpoint, Head, RPCResponse]]) -> bool:
        """Whether the chain has, and not just those who answer for it."""
        if self._low_since is None:
            self._low_since = now()
        if now() - self._low_since >= self.policy.patience:
            return True
        return all([await self._has_left(endpoint, head) for endpoint, head, _ in low])

    async def _has_left(self, endpoint: Endpoint, head: Head) -> bool:
        """Whether an address has another block in the place of one that was told."""
        told = self._heads.told_below(head)
        if told is None:
            return False
        height, name = told
        if height == head.number:
            return head.hash != name
        try:
            answer = await endpoint.ask("eth_getBlockByNumber", [hex(height), False])
        except Failed:
            return False
        found = answer.get("result")
        return isinstance(found, dict) and answers.head_of(found).hash != name

    def _needed(self, method: str, params: Sequence[Any]) -> int:
        """The block that an address must have to answer a request."""
        height = answers.height_of(method, params)
        return self._heads.floor if height is None else min(height, self._heads.best)

    async def _has(self, endpoint: Endpoint, number: int) -> bool:
        if endpoint.head is None or endpoint.head.number < number:
            self._heads.see(await endpoint.look())
        return endpoint.head is not None and endpoint.head.number >= number

    async def _is_doubtful(
        self, endpoint: Endpoint, method: str, params: Sequence[Any], answer: RPCResponse
    ) -> bool:
        if not answers.is_doubtful(method, answer):
            return False
        height = answers.height_of(method, params)
        if method == "eth_getBlockByNumber" and height is not None and "error" not in answer:
            head = self._heads.see(await endpoint.look())
            if height <= head.number:
                raise endpoint.fail(f"no block {height}, though its head is {head.number}")
        return True

    def _sticky_order(self) -> list[Endpoint]:
        up = self._roster.up()
        return sorted(up, key=lambda one: (one is not self._current, one.failures))

    def _head_order(self) -> list[Endpoint]:
        """Who has a block that was not told yet, then who has the one that was; last the stale."""
        return sorted(
            self._roster.up(),
            key=lambda one: (self._heads.is_stale(one.head), not self._heads.is_news(one.head)),
        )

    # Writes

    async def _send_raw(self, params: Sequence[Any]) -> RPCResponse:
        """Sends a signed transaction to all that can take it; the first that does is the answer."""
        expected = to_hex(keccak(HexBytes(params[0])))
        deadline = now() + self.policy.deadline
        while True:
            refusal: RPCResponse | None = None
            sends = {self._sent_to(one, params): one for one in self._roster.healthy()}
            for done in asyncio.as_completed(sends):
                try:
                    answer = await done
                except Failed:
                    continue
                if answer.get("result", "").lower() == expected:
                    return answer
                if refusal is None or answers.is_known(answer):
                    refusal = answer
            if refusal is not None:
                return refusal
            await self._roster.wait(deadline, "no address takes the transaction")

    def _sent_to(self, endpoint: Endpoint, params: Sequence[Any]) -> asyncio.Task[RPCResponse]:
        """Sends to one address, even if nobody waits any more: another has accepted."""

        async def send() -> RPCResponse:
            answer = await endpoint.ask(answers.SEND_RAW, params)
            error = answer.get("error")
            if isinstance(error, dict) and not answers.is_known(answer):
                endpoint.error = f"refused a transaction: {error['message'][:200]}"
            elif error is None and answer["result"].lower() != to_hex(keccak(HexBytes(params[0]))):
                raise endpoint.fail("it took another transaction than it was sent")
            return answer

        task = asyncio.create_task(send())
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)
        task.add_done_callback(lambda one: one.cancelled() or one.exception())
        return task

    async def _do_once(self, method: str, params: Sequence[Any]) -> RPCResponse:
        """Has one address do what must not be done twice."""
        deadline = now() + self.policy.deadline
        while True:
            for endpoint in self._sticky_order():
                try:
                    answer = await endpoint.ask(method, params)
                except Failed as error:
                    if not error.was_sent:
                        continue
                    raise Rejected(f"{method}: {error}; it may be done, or not") from None
                self._current = endpoint
                return answer
            await self._roster.wait(deadline, f"{method}: no address answers")
