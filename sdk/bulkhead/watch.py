"""What the logs say: which orders are open, which slots may be."""

from __future__ import annotations

from collections.abc import Iterator

from bulkhead.interfaces import Event
from bulkhead.orders import PlacedOrder, placed_of
from bulkhead.protocol import words
from bulkhead.reader import Reader

Slot = tuple[str, int, int]  # account, market, slot

_ENDED = ("OrderExecuted", "OrderCancelled")


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
        for slot, word in _positions_of(event):
            place = (event["account"], event["market"], slot)
            if words.unpack_position(word).size:
                self.slots.add(place)
            else:
                self.slots.discard(place)


def _positions_of(event: Event) -> Iterator[tuple[int, int]]:
    """The slots that an event speaks of, and the position words it left there."""
    if "position_word" in event.arguments:
        yield event["slot"], event["position_word"]
    if event.name == "PositionConverted":
        yield event["slot"] ^ 2, event["target_word"]
    if event.name == "PairNetted":
        yield words.CROSS_LONG, event["long_position_word"]
        yield words.CROSS_SHORT, event["short_position_word"]
