"""What a keeper knows of an exchange: its state, and what waits in it. Fed by events alone."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import replace

from bulkhead import valuation
from bulkhead.decisions import CrossLedger, Vault
from bulkhead.deleveraging import Holding
from bulkhead.interfaces import Event
from bulkhead.orders import NO_GROUP, OrderStatus, PlacedOrder, placed_of
from bulkhead.replay import Replay, positions_of
from bulkhead.state import Slot

_PAID = ("account", "builder", "keeper", "liquidator", "receiver", "referrer")
_FIXED_OR_LAPSED = ("RedeemFixed", "RedeemLapsed")


class Book:
    """An exchange as its events tell it.

    Args:
        state: What it held before the first event that is taken in.

    Attributes:
        state: What it holds; of orders that have ended only the entries of brackets.
        requests: Those of liquidity providers that are not fixed, by id: the block of each.
        touched: The slots that have changed since somebody cleared it.
        paid: The accounts whose cash or escrow has, or may have.
    """

    def __init__(self, state: Replay) -> None:
        self.state = state
        self.requests: dict[int, int] = {}
        self.touched: set[Slot] = set()
        self.paid: set[str] = set()
        self._resting: dict[bytes, PlacedOrder] = {}
        self._entries: set[bytes] = set()
        self._open: dict[int, set[Slot]] = {}  # by market
        for slot, position in state.positions.items():
            if position.size:
                self._open.setdefault(slot[1], set()).add(slot)

    def take(self, event: Event) -> None:
        """Takes in one event."""
        self.state.take(event)
        self.remember(event)
        self.paid.update(event[one] for one in _PAID if one in event.arguments)
        for slot in positions_of(event):
            self.touched.add(slot)
            is_open = self.state.positions[slot].size
            slots = self._open.setdefault(slot[1], set())
            (slots.add if is_open else slots.discard)(slot)

    def forget_ended(self) -> None:
        """Drops what is known of ended orders that no other may ask for: they are many."""
        known = self.state.orders
        for ended in known.keys() - self._resting.keys() - self._entries:
            self._forget(ended)

    def remember(self, event: Event) -> None:
        """Takes in what waits, and what waits no longer, of an event that is in the state."""
        match event.name:
            case "OrderPlaced":
                placed = self._resting[event["order_hash"]] = placed_of(event)
                if placed.is_child:
                    self._entries.add(placed.order.group)
            case "OrderExecuted" | "OrderCancelled":
                self._resting.pop(event["order_hash"], None)
                if event["order_hash"] not in self._entries:
                    self._forget(event["order_hash"])
            case "RedeemRequest":
                self.requests[event["request_id"]] = event.block
            case name if name in _FIXED_OR_LAPSED:
                self.requests.pop(event["request_id"], None)

    def copy(self) -> Book:
        """The same, to go on from alone."""
        twin = copy(self)
        twin.state = self.state.copy()
        twin.requests = self.requests.copy()
        twin.touched, twin.paid = self.touched.copy(), self.paid.copy()
        twin._resting, twin._entries = self._resting.copy(), self._entries.copy()
        twin._open = {market: slots.copy() for market, slots in self._open.items()}
        return twin

    @property
    def resting(self) -> int:
        """How many orders wait."""
        return len(self._resting)

    def orders(self) -> Iterator[PlacedOrder]:
        """Those that wait, in the order of their placement."""
        return map(self._known, self._resting.values())

    def markets(self) -> set[int]:
        """Those in which something is open or waits."""
        waiting = {placed.order.market for placed in self._resting.values()}
        return waiting | {market for market, slots in self._open.items() if slots}

    def open_slots(self) -> Iterator[Slot]:
        """Every open position's."""
        for slots in self._open.values():
            yield from slots

    def vaults(self) -> Iterator[Vault]:
        """Every open isolated position."""
        for slot in self.open_slots():
            if valuation.is_isolated(slot[2]):
                yield Vault(*slot, self.state.positions[slot])

    def ledgers(self) -> Iterator[CrossLedger]:
        """The cross side of every account that has one."""
        for account in {
            slot[0] for slot in self.open_slots() if not valuation.is_isolated(slot[2])
        }:
            yield self.ledger(account)

    def ledger(self, account: str) -> CrossLedger:
        """An account's cross side."""
        word = self.state.accounts[account]
        keys = valuation.leg_keys(word)
        legs = {key: self.state.positions[account, *key] for key in keys}
        return CrossLedger(account, word, legs)

    def holdings(self, market: int) -> Iterator[Holding]:
        """A market's open positions, and what the other leg of a pair matches of each."""
        for account, _, slot in self._open.get(market, ()):
            position = self.state.positions[account, market, slot]
            hedged = 0
            if not valuation.is_isolated(slot):
                other = self.state.positions.get((account, market, slot ^ 1), valuation.CLOSED)
                hedged = min(position.size, other.size)
            yield Holding(account, market, slot, position, hedged)

    def _forget(self, ended: bytes) -> None:
        self.state.orders.pop(ended, None)
        self.state.placements.pop(ended, None)

    def _known(self, placed: PlacedOrder) -> PlacedOrder:
        """An order with what has become of it, of its entry and of its group."""
        group = placed.order.group
        extreme = self.state.orders[placed.hash].extreme
        if extreme != placed.extreme:
            placed = replace(placed, extreme=extreme)
        if placed.is_child:
            entry = self.state.orders[group]
            if entry.status != OrderStatus.PENDING:
                placed = replace(placed, entry=entry)
        elif group != NO_GROUP:
            key = (placed.order.account, placed.order.placer, group)
            if key in self.state.done_groups:
                placed = replace(placed, is_group_done=True)
        return placed
