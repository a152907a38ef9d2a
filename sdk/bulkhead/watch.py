"""What the logs say: which orders are open, which slots may be."""

from __future__ import annotations

from bulkhead.interfaces import Event
from bulkhead.orders import PlacedOrder, placed_of
from bulkhead.protocol import words
from bulkhead.reader import Reader

Slot = tuple[str, int, int]  # account, market, slot

_ENDED = ("OrderExecuted", "OrderCancelled")
_MOVED = ("PositionIncreased", "PositionDecreased", "PositionLiquidated")


class Watch:
    """Follows the exchange's logs, and remembers what is open.

    Args:
        reader: The exchange.
        first_block: Where to begin; the deployment's block where it is None.

    Attributes:
        orders: Placed and not ended, by hash.
        slots: Every open position.
    """

    def __init__(self, reader: Reader, first_block: int | None = None) -> None:
        self.orders: dict[bytes, PlacedOrder] = {}
        self.slots: set[Slot] = set()
        self._reader = reader
        self._next = reader.deployment.block if first_block is None else first_block

    def follow(self, last: int) -> None:
        """Takes in all logs up to and including block `last`."""
        if last < self._next:
            return
        for event in self._reader.events(self._next, last):
            self.take(event)
        self._next = last + 1

    def take(self, event: Event) -> None:
        """Takes in one event."""
        if event.name == "OrderPlaced":
            self.orders[event["order_hash"]] = placed_of(event)
        elif event.name in _ENDED:
            self.orders.pop(event["order_hash"], None)
        elif event.name in _MOVED:
            slot = (event["account"], event["market"], event["slot"])
            if words.unpack_position(event["position_word"]).size:
                self.slots.add(slot)
            else:
                self.slots.discard(slot)
