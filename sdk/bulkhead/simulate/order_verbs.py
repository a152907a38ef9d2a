"""What accounts, operators and keepers do with orders: `OrderBook.vy` and `OrderLogic.vy`."""

from collections.abc import Sequence

from bulkhead.orders import Order, PlacedOrder
from bulkhead.simulate import builders, operators, order_book, order_groups, placement
from bulkhead.simulate.calls import Caller, Done


class OrderVerbs(Caller):
    """The first argument of each is who calls, the others are the contract's."""

    def place(self, placer: str, order: Order) -> Done[bytes]:
        """Commits an order; returns its hash."""
        return self.call(placement.place, placer, order)

    def place_bracket(
        self, placer: str, entry: Order, children: Sequence[Order]
    ) -> Done[tuple[bytes, ...]]:
        """Commits an entry and what closes it; returns their hashes."""
        return self.call(placement.place_bracket, placer, entry, tuple(children))

    def replace(self, sender: str, old: Order, order: Order) -> Done[bytes]:
        """Cancels an order for another of the same position; returns the new one's hash."""
        return self.call(order_book.replace_order, sender, old, order)

    def execute(self, keeper: str, order: Order) -> Done[int]:
        """Fills an order at the current price, or ends it; returns its status."""
        return self.call(order_book.execute, keeper, order)

    def execute_orders(self, keeper: str, orders: Sequence[Order]) -> Done[tuple[int, ...]]:
        """The same for many; what must wait or fails is left as it was."""
        return self.call(order_book.execute_orders, keeper, tuple(orders))

    def ratchet(self, keeper: str, orders: Sequence[Order]) -> Done[int]:
        """Shows the current prices to trailing stops; returns how many it moved."""
        del keeper  # anyone may, and nobody is paid
        return self.call(order_book.ratchet, tuple(orders))

    def cancel(self, sender: str, order: Order) -> Done[None]:
        """Ends an order and returns its keeper's fee."""
        return self.call(order_book.cancel, sender, order)

    def cancel_orders(self, sender: str, orders: Sequence[Order]) -> Done[None]:
        """The same for many; those that are not pending are skipped."""
        return self.call(order_book.cancel_orders, sender, tuple(orders))

    def cancel_all(self, sender: str, account: str) -> Done[None]:
        """Ends all resting orders that an account has placed so far."""
        return self.call(order_book.cancel_all, sender, account)

    def set_operator(
        self,
        account: str,
        operator: str,
        permissions: int,
        markets: int,
        notional: int,
        expiry: int,
    ) -> Done[None]:
        """Lets somebody trade for an account; no permissions revoke it."""
        return self.call(
            operators.set_operator, account, operator, permissions, markets, notional, expiry
        )

    def approve_builder(self, account: str, builder: str, max_fee: int) -> Done[None]:
        """Lets a builder charge up to a fee, ppm."""
        return self.call(builders.approve_builder, account, builder, max_fee)

    def set_referral_share(self, builder: str, share: int) -> Done[None]:
        """Sets what a builder gives to its users' referrers, ppm of its fees."""
        return self.call(builders.set_referral_share, builder, share)

    def set_referrer(self, account: str, referrer: str) -> Done[None]:
        """Names an account's referrer, once."""
        return self.call(builders.set_referrer, account, referrer)

    def hash_of(self, order: Order) -> bytes:
        """An order's name."""
        return self.ledger.hash_of(order)

    def placed(self, order_hash: bytes) -> PlacedOrder:
        """An order that was placed, with what became of its bracket or group."""
        state, order = self.ledger.order(order_hash), self.ledger.placed[order_hash]
        reason = order_groups.reason_of(self.ledger, order, is_child=state.is_child)
        return PlacedOrder(
            hash=order_hash,
            order=order,
            keeper_fee=state.keeper_fee,
            executable_from=state.executable_from,
            block=0,
            is_child=state.is_child,
            extreme=state.extreme,
            entry=self.ledger.order(order.group) if state.is_child else None,
            is_group_done=reason != 0 and not state.is_child,
        )
