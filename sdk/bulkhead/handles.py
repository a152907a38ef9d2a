"""An order, from its placement to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkhead.orders import Order, OrderState, Outcome, PlacedOrder

if TYPE_CHECKING:
    from bulkhead.reader import Reader


class OrderHandle:
    """Follows one order. Every question is answered by the chain as it is now."""

    def __init__(self, reader: Reader, placed: PlacedOrder) -> None:
        self._reader = reader
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

    def outcome(self) -> Outcome:
        """What became of it: state, reason, block, fills."""
        return self._reader.outcome(self.placed)

    def state(self) -> OrderState:
        """PENDING, EXECUTED, CANCELLED or EXPIRED, now."""
        return self.outcome().state

    def waits_for(self) -> str:
        """Why executing it now would not fill it, in the contracts' words; empty if it would."""
        if self.state() is not OrderState.PENDING:
            return ""
        return self._reader.preview_order(self.order).text

    def __repr__(self) -> str:
        return f"OrderHandle(0x{self.hash.hex()})"
