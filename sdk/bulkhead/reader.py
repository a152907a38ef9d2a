"""Reads the exchange. Needs no key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bulkhead.chain import AsyncChain, Awaiting, Blocking, Chain, Sending
from bulkhead.deployment import Deployment
from bulkhead.exchange import MarketName as MarketName
from bulkhead.handles import AsyncOrderHandle, OrderHandle
from bulkhead.order_reads import OrderReads

if TYPE_CHECKING:
    from web3 import AsyncWeb3, Web3


class ReaderVerbs(OrderReads):
    """All that can be asked of one exchange."""


class Reader(Blocking, ReaderVerbs):
    """One exchange on a `Web3`. Needs no key.

    Args:
        w3: A connection.
        deployment: Where the exchange is.
        sending: How transactions of those who trade through it are sent.
    """

    verbs: ReaderVerbs

    def __init__(self, w3: Web3, deployment: Deployment, sending: Sending | None = None) -> None:
        self.chain = Chain(w3, sending)
        self.transport = self.chain.transport
        self.verbs = ReaderVerbs(self.chain.verbs, deployment)

    def handle(self, order_hash: bytes) -> OrderHandle:
        """A handle built again from an order's hash and the logs.

        Raises:
            UnknownOrder: If it was never placed here.
        """
        return OrderHandle(self, self.placed_order(order_hash))


class AsyncReader(Awaiting, ReaderVerbs):
    """One exchange on an `AsyncWeb3`. Needs no key.

    Args:
        w3: A connection.
        deployment: Where the exchange is.
        sending: How transactions of those who trade through it are sent.
    """

    verbs: ReaderVerbs

    def __init__(
        self, w3: AsyncWeb3[Any], deployment: Deployment, sending: Sending | None = None
    ) -> None:
        self.chain = AsyncChain(w3, sending)
        self.transport = self.chain.transport
        self.verbs = ReaderVerbs(self.chain.verbs, deployment)

    async def handle(self, order_hash: bytes) -> AsyncOrderHandle:
        """A handle built again from an order's hash and the logs.

        Raises:
            UnknownOrder: If it was never placed here.
        """
        return AsyncOrderHandle(self, await self.placed_order(order_hash))
