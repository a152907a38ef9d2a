"""How a keeper keeps up: the chain into the index, the index into the book and the screens."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bulkhead.keeper.book import Book
from bulkhead.keeper.screening import LiquidationIndex

if TYPE_CHECKING:
    from bulkhead.index import Index, Progress
    from bulkhead.interfaces import Event
    from bulkhead.reader import AsyncReader

WAITING = (
    *("OrderPlaced", "OrderExecuted", "OrderCancelled"),
    *("RedeemRequest", "RedeemFixed", "RedeemLapsed"),
)
"""The events that say what waits, and what waits no longer."""


class Following:
    """An exchange, followed.

    Args:
        index: Where all events are kept.
        reader: Whose chain is followed.

    Attributes:
        book: What is known as of `block`.
        screens: Whose positions may be liquidatable, as of the same.
        block: The last block that is in both.
        fresh: The events that the last `catch_up` brought; none where it began anew.
    """

    book: Book
    screens: LiquidationIndex

    def __init__(self, index: Index, reader: AsyncReader) -> None:
        self.index = index
        self.reader = reader
        self.block: int | None = None
        self.fresh: Sequence[Event] = ()

    async def catch_up(self) -> Progress:
        """Takes in everything up to the chain's latest block, and forgets what it abandoned."""
        progress = await self.index.catch_up(self.reader)
        if self.block is None or progress.rolled_back_to is not None:
            self.fresh = ()
            await asyncio.to_thread(self._begin)
        elif progress.block > self.block:
            self.fresh = await asyncio.to_thread(self._read, self.block + 1, progress.block)
            for event in self.fresh:
                self.book.take(event)
            self._screen()
        else:
            self.fresh = ()
        self.block = progress.block
        return progress

    def _begin(self) -> None:
        self.book = Book(self.index.state())
        for event in self.index.events(*WAITING):
            self.book.remember(event)
        self.book.forget_ended()
        self.screens = LiquidationIndex()
        state = self.book.state
        self.screens.load(
            {account: word for account, word in state.accounts.items() if word.legs},
            {slot: state.positions[slot] for slot in self.book.open_slots()},
        )

    def _read(self, first: int, last: int) -> list[Event]:
        return list(self.index.events(first=first, last=last))

    def _screen(self) -> None:
        state = self.book.state
        accounts = {account for account, _, _ in self.book.touched} | self.book.paid
        for slot in self.book.touched:
            self.screens.set_position(*slot, state.positions[slot])
        for account in accounts:
            if account in state.accounts:
                self.screens.set_account(account, state.accounts[account])
        self.book.touched.clear()
        self.book.paid.clear()
