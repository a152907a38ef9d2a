"""What the logs say: which orders are open, which slots may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bulkhead.interfaces import Event
from bulkhead.orders import NO_GROUP, OrderStatus, PlacedOrder, placed_of
from bulkhead.protocol import words
from bulkhead.reader import Reader

Slot = tuple[str, int, int]  # account, market, slot

_ENDED = ("OrderExecuted", "OrderCancelled")
_CANCELLED = replace(words.unpack_order_state(0), status=int(OrderStatus.CANCELLED))


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
        self._entries: dict[bytes, set[bytes]] = {}  # the pending children of brackets' entries
        self._ended: dict[bytes, words.OrderState] = {}  # entries that had children when they ended
        self._done: set[tuple[str, str, bytes]] = set()  # groups of which one has filled
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
            self._place(event)
        elif event.name == "OrderRatcheted":
            self._ratchet(event)
        elif event.name in _ENDED:
            self._end(event)
        for slot, word in _positions_of(event):
            place = (event["account"], event["market"], slot)
            if words.unpack_position(word).size:
                self.slots.add(place)
            else:
                self.slots.discard(place)

    def _place(self, event: Event) -> None:
        placed = placed_of(event)
        if placed.is_child:
            entry = self._ended.get(placed.order.group)
            placed = replace(placed, entry=entry)
            self._entries.setdefault(placed.order.group, set()).add(placed.hash)
        elif _group_of(placed) in self._done:
            placed = replace(placed, is_group_done=True)
        self.orders[placed.hash] = placed

    def _ratchet(self, event: Event) -> None:
        placed = self.orders.get(event["order_hash"])
        if placed is not None:
            state = words.unpack_order_state(event["order_word"])
            self.orders[placed.hash] = replace(placed, extreme=state.extreme)

    def _end(self, event: Event) -> None:
        order_hash = event["order_hash"]
        is_executed = event.name == "OrderExecuted"
        placed = self.orders.pop(order_hash, None)
        if order_hash in self._entries:
            # Its children need to know what became of it, and so will those that replace them.
            state = _CANCELLED
            if is_executed:
                state = self._reader.order_state(order_hash)
            self._tell(order_hash, state)
        if placed is None:
            return
        if placed.is_child:
            self._entries[placed.order.group].discard(order_hash)
            if is_executed and placed.order.group in self._ended:
                entry = self._ended[placed.order.group]
                self._tell(placed.order.group, replace(entry, is_spent=True))
        elif is_executed and placed.order.group != NO_GROUP:
            key = _group_of(placed)
            self._done.add(key)
            for one in list(self.orders.values()):
                if not one.is_child and _group_of(one) == key:
                    self.orders[one.hash] = replace(one, is_group_done=True)

    def _tell(self, entry_hash: bytes, state: words.OrderState) -> None:
        self._ended[entry_hash] = state
        for child in self._entries[entry_hash]:
            self.orders[child] = replace(self.orders[child], entry=state)


def _group_of(placed: PlacedOrder) -> tuple[str, str, bytes]:
    order = placed.order
    return order.account, order.placer, order.group


def _positions_of(event: Event) -> Iterator[tuple[int, int]]:
    """The slots that an event speaks of, and the position words it left there."""
    if "position_word" in event.arguments:
        yield event["slot"], event["position_word"]
    if event.name == "PositionConverted":
        yield event["slot"] ^ 2, event["target_word"]
    if event.name == "PairNetted":
        yield words.CROSS_LONG, event["long_position_word"]
        yield words.CROSS_SHORT, event["short_position_word"]
