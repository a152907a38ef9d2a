"""An order, from its placement to its end."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from bulkhead.ccxt import Number, Structure, exact, order_to_ccxt
from bulkhead.chain import Awaiting, Blocking, Program, Verbs, verb
from bulkhead.chain.requests import Sleep
from bulkhead.orders import Order, OrderState, Outcome, PlacedOrder

if TYPE_CHECKING:
    from bulkhead.reader import AsyncReader, Reader, ReaderVerbs

POLL_SECONDS = 0.25


class HandleVerbs(Verbs):
    """Follows one order. Every question is answered by the chain as it is now.

    Attributes:
        placed: The order as the log of its placement has it.
    """

    def __init__(self, exchange: ReaderVerbs, placed: PlacedOrder) -> None:
        self._exchange = exchange
        self.placed = placed

    @property
    def hash(self) -> bytes:
        """The order's name; with it, `Reader.handle` builds this again."""
        return self.placed.hash

    @property
    def order(self) -> Order:
        """The order as resolved and hashed."""
        return self.placed.order

    @property
    def executable_from(self) -> int:
        """Seconds: a price must be published then or later to fill it."""
        return self.placed.executable_from

    @verb
    def outcome(self) -> Program[Outcome]:
        """What became of it: state, reason, block, fills."""
        return (yield from self._exchange.outcome(self.placed))

    @verb
    def state(self) -> Program[OrderState]:
        """PENDING, EXECUTED, CANCELLED or EXPIRED, now."""
        found = yield from self.outcome()
        return found.state

    @verb
    def wait(self, timeout: float | None = None) -> Program[Outcome]:
        """What became of it, once it has: until then it waits.

        Args:
            timeout: Seconds of the host; forever where it is None.

        Raises:
            TimeoutError: If it still rests then. It goes on resting.
        """
        waited = 0.0
        while True:
            found = yield from self.outcome()
            if found.state is not OrderState.PENDING:
                return found
            if timeout is not None and waited >= timeout:
                raise TimeoutError(f"order 0x{self.hash.hex()} rests after {timeout} s")
            pause = POLL_SECONDS if timeout is None else min(POLL_SECONDS, timeout - waited)
            yield Sleep(pause)
            waited += pause

    @verb
    def waits_for(self) -> Program[str]:
        """Why executing it now would not fill it, in the contracts' words; empty if it would."""
        if (yield from self.state()) is not OrderState.PENDING:
            return ""
        found = yield from self._exchange.preview_order(self.order)
        return found.text

    @verb
    def to_ccxt(self, number: Number = exact) -> Program[Structure]:
        """The order and what became of it, in the shape of a CCXT order."""
        outcome = yield from self.outcome()
        market = yield from self._exchange.market(self.order.market)
        return order_to_ccxt(self.placed, outcome, market, number)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(0x{self.hash.hex()})"


class OrderHandle(Blocking, HandleVerbs):
    """An order on a blocking reader."""

    verbs: HandleVerbs

    def __init__(self, reader: Reader, placed: PlacedOrder) -> None:
        self.transport = reader.transport
        self.verbs = HandleVerbs(reader.verbs, placed)


class AsyncOrderHandle(Awaiting, HandleVerbs):
    """An order on an asynchronous reader. Awaited, it is what `wait` returns."""

    verbs: HandleVerbs

    def __init__(self, reader: AsyncReader, placed: PlacedOrder) -> None:
        self.transport = reader.transport
        self.verbs = HandleVerbs(reader.verbs, placed)

    def __await__(self) -> Generator[Any, None, Outcome]:
        return self.wait().__await__()
