"""Orders, as the chain and its logs have them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from bulkhead import orders, queries
from bulkhead.chain import Block, Program, verb
from bulkhead.errors import UnknownOrder
from bulkhead.exchange import ExchangeVerbs, MarketName
from bulkhead.fills import DECREASED, INCREASED, fill_of
from bulkhead.interfaces import Event
from bulkhead.orders import Exit, OpenOrders, Order, OrderStatus, Outcome, PlacedOrder, Preview
from bulkhead.protocol import words
from bulkhead.protocol.fixed_point import PPM
from bulkhead.protocol.words import OrderTerms
from bulkhead.values import up

_USD = 10**15  # femto


class OrderReads(ExchangeVerbs):
    """What can be asked about orders."""

    def hash_of(self, order: Order) -> bytes:
        """An order's hash, computed here: the same as the order book's."""
        return orders.hash_of(order, self.separator)

    @verb
    def preview_order(self, order: Order, block: Block | None = None) -> Program[Preview]:
        """What an order would do now, by the contracts' own code.

        Raises:
            Refused: For the reason that placing or executing it would be.
        """
        call = self.contracts.order_lens.call("preview_order", order.to_tuple())
        return orders.preview_of((yield from self.node.read(call, block, sender=order.placer)))

    @verb
    def exit(self, order: Order, block: Block | None = None) -> Program[Exit]:
        """A stop's trigger beside the liquidation price of what it protects; it names its mode."""
        call = self.contracts.order_lens.call("exit", order.to_tuple())
        return orders.exit_of((yield from self.node.read(call, block)))

    @verb
    def order_terms(self, market: MarketName, block: Block | None = None) -> Program[OrderTerms]:
        """Keeper fee, delay and window of a market's orders."""
        query = queries.order_terms(self.contracts, (yield from self.market_id(market)))
        return (yield from self.node.run(query, block))

    @verb
    def max_order_size(self, order: Order) -> Program[int]:
        """The most lots with which an order would fill at the current price, 0 if with none.

        Halves between what fills and what does not by previews, so it takes some fifty calls.

        Args:
            order: Any size; all else as it would be placed.

        Raises:
            BulkheadError: If it could not be placed with the least size either.
        """
        state = yield from self.market_state(order.market)
        cap = state.market.terms.skew_scale * state.market.terms.side_cap // PPM
        low = up(Fraction(state.market.terms.min_notional * _USD, max(state.price.price, 1)))
        high = 2 * cap + low  # a flip may close all of a side and open all of the other
        if not (yield from self._would_fill(order, low)):
            return 0
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (
                (middle, high) if (yield from self._would_fill(order, middle)) else (low, middle)
            )
        return low

    def _would_fill(self, order: Order, size: int) -> Program[bool]:
        return (yield from self.preview_order(replace(order, size=size))).reason == 0

    @verb
    def order_state(
        self, order_hash: bytes, block: Block | None = None
    ) -> Program[words.OrderState]:
        """All that the chain keeps of an order, at a block or now."""
        return self.node.run(queries.order_state(self.contracts, order_hash), block)

    @verb
    def order_status(self, order_hash: bytes, block: Block | None = None) -> Program[OrderStatus]:
        """The chain's word for an order's state."""
        return self.node.run(queries.order_status(self.contracts, order_hash), block)

    @verb
    def placed_order(self, order_hash: bytes) -> Program[PlacedOrder]:
        """An order from the log of its placement.

        Raises:
            UnknownOrder: If it was never placed here.
        """
        book = self.contracts.order_book
        topics = [[book.topic("OrderPlaced")], [order_hash]]
        first, last = self.deployment.block, (yield from self.block()).number
        logs = yield from self.node.logs([book.address], first, last, topics)
        if not logs:
            raise UnknownOrder(f"no order 0x{order_hash.hex()} was placed here")
        return orders.placed_of(self.contracts.decode_logs(logs)[0])

    @verb
    def outcome(self, placed: PlacedOrder, block: Block | None = None) -> Program[Outcome]:
        """What became of a placed order, as of a block."""
        at = block or (yield from self.block())
        status = yield from self.order_status(placed.hash, at)
        if status not in (OrderStatus.EXECUTED, OrderStatus.CANCELLED):
            return orders.resting(placed, at.timestamp)
        book, house = self.contracts.order_book, self.contracts.clearinghouse
        ends = [[book.topic("OrderExecuted"), book.topic("OrderCancelled")], [placed.hash]]
        logs = yield from self.node.logs([book.address], placed.block, at.number, ends)
        (end,) = self.contracts.decode_logs(logs)
        filled = [[house.topic(INCREASED), house.topic(DECREASED)], None, None, [placed.hash]]
        logs = yield from self.node.logs([house.address], end.block, end.block, filled)
        market = yield from self.market(placed.order.market, at)
        fills = tuple(fill_of(event, market) for event in self.contracts.decode_logs(logs))
        return orders.ended(end, fills)

    @verb
    def open_orders(
        self, account: str, first: int | None = None, block: Block | None = None
    ) -> Program[OpenOrders]:
        """An account's orders that rest, from the logs of their placements.

        Args:
            account: Whose.
            first: The block to look back to; the deployment's where it is None.
            block: At which; now where it is None.
        """
        at = block or (yield from self.block())
        start = self.deployment.block if first is None else first
        events = yield from self._placements(account, start, at.number)
        placed = [orders.placed_of(event) for event in events]
        query = queries.order_words(self.contracts, [one.hash for one in placed])
        found = yield from self.node.run(query, at)
        pending = [
            replace(one, extreme=state.extreme)
            for one, state in zip(placed, found, strict=True)
            if state.status == OrderStatus.PENDING
        ]
        return OpenOrders(tuple(pending), start, at.number)

    @verb
    def find_order(
        self, account: str, client_id: str, first: int | None = None
    ) -> Program[PlacedOrder | None]:
        """The order that an account placed under a client id, or None.

        Args:
            account: Whose.
            client_id: What it was called.
            first: The block to look back to; the deployment's where it is None.
        """
        salt = orders.salt_of(client_id)
        at = yield from self.block()
        start = self.deployment.block if first is None else first
        events = yield from self._placements(account, start, at.number)
        placed = (orders.placed_of(event) for event in reversed(events))
        return next((one for one in placed if one.order.salt == salt), None)

    @verb
    def children(self, entry: PlacedOrder) -> Program[tuple[PlacedOrder, ...]]:
        """What was placed with a bracket's entry, to close it."""
        events = yield from self._placements(entry.order.account, entry.block, entry.block)
        placed = (orders.placed_of(event) for event in events)
        return tuple(one for one in placed if one.is_child and one.order.group == entry.hash)

    def _placements(self, account: str, first: int, last: int) -> Program[tuple[Event, ...]]:
        book = self.contracts.order_book
        topics = [[book.topic("OrderPlaced")], None, [bytes.fromhex(account[2:]).rjust(32, b"\0")]]
        logs = yield from self.node.logs([book.address], first, last, topics)
        return self.contracts.decode_logs(logs)
