"""What the walk's accounts, operators and keepers do with orders."""

from collections.abc import Sequence
from typing import Any

from bulkhead.protocol import words
from tests.helpers.chain import Receipt, now
from tests.helpers.protocol import (
    CANCELLED,
    CROSS,
    DEFAULT,
    EXECUTED,
    ISOLATED,
    LIMIT,
    LONG,
    MARKET,
    NO_GROUP,
    ONE_WAY,
    PENDING,
    PPM,
    SHORT,
    STOP,
    TAKE_PROFIT,
    TRAILING_STOP,
    USD,
    Ledger,
    Order,
)
from tests.stateful.walking import MARKETS, Walker

WAITING = {
    "price: too early",
    "price: stale",
    "price: not firm",
    "price: not triggered",
    "price: not acceptable",
    "market: not open",
    "pool: short of cash",
    "order: entry not filled",
}
ENDING = {
    "position: nothing to reduce",
    "position: ended",
    "size: below minimum",
    "balance: not withdrawable",
    "margin: below initial",
    "cap: open interest",
    "cap: skew",
    "cap: reserve",
    "order: expired",
    "order: wrong position mode",
    "order: group is done",
    "order: cancelled by owner",
    "operator: not allowed",
}
PLACING = {
    "balance: below keeper fee",
    "balance: not withdrawable",
    "price: not firm",
    "size: zero",
    "builder: fee not approved",
    "operator: not allowed",
    "operator: notional spent",
    "operator: order too small",
}
CANCELLING = {"order: not pending", "order: market is binding", "operator: not allowed"}
REPLACING = {
    "order: group is done",
    "order: wrong position mode",
    "order: bad group",
    "position: ended",  # a child whose entry opened nothing
}
BATCH = 32


class OrderActions(Walker):
    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.children: set[bytes] = set()
        self.operated: set[bytes] = set()

    # Placing

    def some_order(self, *, is_ready: bool = False, **given: Any) -> Order:
        """An order; one that is ready waits for nothing but the next price."""
        roll = self.random
        # Two of them trade so rarely that they are often flat.
        busy = self.traders if self.chance(0.1) else self.traders[:6]
        account, market = roll.choice(busy), given.pop("market", roll.choice(MARKETS))
        mark = self.protocol.price(market).price
        is_buy = self.chance(0.5)
        kinds = (MARKET, MARKET, MARKET, MARKET, LIMIT, STOP, TAKE_PROFIT, TRAILING_STOP)
        fields: dict[str, Any] = {
            "kind": roll.choice(kinds),
            "is_buy": is_buy,
            "reduce_only": self.chance(0.1),
            "margin_mode": roll.choice((DEFAULT, CROSS, ISOLATED, ISOLATED)),
            "position_side": roll.choice((LONG, SHORT)) if account in self.hedgers else ONE_WAY,
        } | given
        kind, reduce_only = fields["kind"], fields["reduce_only"]
        fields |= self.prices_of(kind, is_buy, mark, is_ready)
        if kind != MARKET and self.chance(0.4):
            fields["expiry"] = now() + roll.randrange(30, 4_000)
        notional = int(10 ** roll.uniform(2.7, 4.8)) * 10**15  # femto: 500 to 63,000 USD
        if not reduce_only:
            fields["leverage"] = self.leverage(0, 10, 20, 40, 80)
            if fields["margin_mode"] == ISOLATED and self.chance(0.2):
                fields["margin"] = notional // 10**9 // roll.randrange(5, 60)
        if self.chance(0.3):
            most = self.protocol.book.read("max_builder_fee", account, self.builder)
            fee = roll.randrange(1, 1_000) if self.chance(0.1) else most
            if fee:
                fields |= {"builder": self.builder, "builder_fee": fee}
        size = 0 if reduce_only and self.chance(0.4) else notional // mark
        fields["placer"] = self.operator if self.chance(0.12) else account
        return self.protocol.order(account, market, size, **fields)

    def prices_of(self, kind: int, is_buy: bool, mark: int, is_ready: bool) -> dict[str, Any]:
        """The prices an order names, near the mark."""
        roll = self.random
        if kind == LIMIT:
            better = roll.uniform(1, 1.01) if is_buy else roll.uniform(0.99, 1)
            return {
                "acceptable_price": int(mark * (better if is_ready else roll.uniform(0.99, 1.01)))
            }
        if kind == TRAILING_STOP:
            activation = int(mark * roll.uniform(0.99, 1.01)) if self.chance(0.3) else 0
            return {"callback_rate": roll.randrange(500, 10_000), "trigger_price": activation}
        if kind == MARKET:
            return {}
        crossed = roll.uniform(0.985, 1)
        if is_buy != (kind == STOP):
            crossed = roll.uniform(1, 1.015)
        return {"trigger_price": int(mark * (crossed if is_ready else roll.uniform(0.985, 1.015)))}

    def remember(self, receipt: Receipt) -> tuple[Order, ...]:
        """The orders that a call has placed."""
        placed = self.protocol.placed_in(receipt)
        self.open_orders += placed
        for event in receipt.named("OrderPlaced"):
            state = words.unpack_order_state(event.order_word)
            if state.is_child:
                self.children.add(event.order_hash)
            if Order(*event.order).placer == self.operator:
                self.operated.add(event.order_hash)
        return placed

    def place(self, *, is_ready: bool = False, **given: Any) -> tuple[Order, ...]:
        order = self.some_order(is_ready=is_ready, **given)
        kind = "place" if order.placer == order.account else "place by operator"
        return self.remember(
            self.attempt(kind, PLACING, self.protocol.book, order.placer, "place", order)
        )

    def trade(self, **given: Any) -> None:
        """Places an order and executes it at the next price."""
        for order in self.place(is_ready=True, **given):
            self.execute_at_next("trade", order)

    def execute_at_next(self, kind: str, order: Order) -> None:
        self.wait(order.market)
        self.fill(kind, WAITING, order)

    def place_bracket(self) -> None:
        """An entry with children on both sides of it, mostly filled at once."""
        kind = self.random.choice((MARKET, MARKET, LIMIT))
        entry = self.some_order(is_ready=True, kind=kind, reduce_only=False)
        if entry.position_side != ONE_WAY:
            entry = entry._replace(position_side=LONG if entry.is_buy else SHORT)
        mark, sign = self.protocol.price(entry.market).price, 1 if entry.is_buy else -1
        away = int(mark * self.random.uniform(0.002, 0.02))
        exits = [
            self.protocol.exit_of(entry, kind=STOP, trigger_price=mark - sign * away),
            self.protocol.exit_of(entry, kind=TAKE_PROFIT, trigger_price=mark + sign * away),
            self.protocol.exit_of(
                entry, kind=TRAILING_STOP, trigger_price=0, callback_rate=away * PPM // mark
            ),
        ]
        children = self.random.sample(exits, self.random.choice((1, 2, 2)))
        receipt = self.attempt(
            "place_bracket",
            PLACING,
            *(self.protocol.book, entry.placer, "place_bracket", entry, children),
        )
        placed = self.remember(receipt)
        if placed and self.chance(0.85):
            self.execute_at_next("trade", placed[0])
            if self.chance(0.5):
                self.shift_price(entry.market, 1 + self.random.choice((-1.05, 1.05)) * away / mark)
                self.wait(entry.market)
                self.fill_batch(placed[1:])

    def place_group(self) -> None:
        """Two orders of which one is to fill; often the keeper tries both at once."""
        group = self.random.randbytes(32)
        first = self.some_order(is_ready=True, kind=LIMIT, group=group)
        receipts = [
            self.attempt(
                "place_group", PLACING, *(self.protocol.book, order.placer, "place", order)
            )
            for order in (first, self.twin_of(first))
        ]
        placed = [order for receipt in receipts for order in self.remember(receipt)]
        if self.chance(0.8):
            self.wait(first.market)
            self.fill_batch(placed)

    def twin_of(self, order: Order) -> Order:
        self.protocol._salt += 1
        return order._replace(salt=self.protocol._salt)

    def replace(self) -> None:
        """The account, or now and then the operator, changes an order's prices."""
        found = [order for order in self.open_orders if order.kind != MARKET]
        old = self.random.choice(found) if found and self.chance(0.95) else self.pick()
        mark = self.protocol.price(old.market).price
        order = self.twin_of(old)._replace(
            expiry=0, **self.prices_of(old.kind, old.is_buy, mark, is_ready=self.chance(0.5))
        )
        sender = self.operator if self.chance(0.1) else old.placer
        self.remember(
            self.attempt(
                "replace",
                PLACING | CANCELLING | REPLACING,
                *(self.protocol.book, sender, "replace", old, order),
            )
        )
        self.forget_ended()

    # Executing

    def pick(self) -> Order:
        """A pending order, or now and then one that was never placed."""
        if not self.open_orders or self.chance(0.03):
            return self.protocol.order(self.traders[0], 0, 10**6)
        return self.random.choice(self.open_orders)

    def execute(self) -> None:
        order = self.pick()
        if self.chance(0.8):
            self.wait(order.market)
        self.fill("execute", WAITING | {"order: not pending"}, order)

    def fill(self, kind: str, reasons: set[str], order: Order) -> None:
        receipt = self.attempt(
            kind, reasons, *(self.protocol.book, self.protocol.keeper, "execute", order)
        )
        if receipt.refusal is None:
            assert receipt.result in (EXECUTED, CANCELLED)
            self.count_fills(receipt)
        self.forget_ended()

    def execute_orders(self) -> None:
        self.wait(self.random.choice(MARKETS))
        self.fill_batch([self.pick() for _ in range(self.random.randrange(12))])

    def fill_batch(self, orders: Sequence[Order]) -> None:
        receipt = self.attempt(
            "execute_orders",
            set(),
            *(self.protocol.book, self.protocol.keeper, "execute_orders", orders),
        )
        # One that is named twice may wait at first, and end once another of its bracket has filled.
        last = dict(zip(orders, receipt.result, strict=True))
        assert last == {order: self.protocol.status(order) for order in last}
        self.count_fills(receipt)
        self.forget_ended()

    def ratchet(self) -> None:
        """Keepers show prices to all trailing stops, and fill those whose price has come back."""
        orders = [order for order in self.open_orders if order.kind == TRAILING_STOP][-BATCH:]
        self.refresh_mostly()
        receipt = self.attempt(
            "ratchet", set(), *(self.protocol.book, self.protocol.keeper, "ratchet", orders)
        )
        self.seen["ratcheted"] += len(receipt.named("OrderRatcheted"))
        assert receipt.result == len(receipt.named("OrderRatcheted"))
        if orders and self.chance(0.5):
            order = self.random.choice(orders)
            self.shift_price(order.market, 1.008 if order.is_buy else 0.992)
            self.wait(order.market)
        self.fill_batch(orders)

    # Cancelling

    def cancel(self) -> None:
        order = self.pick()
        sender = order.account if self.chance(0.8) else self.operator
        self.attempt("cancel", CANCELLING, *(self.protocol.book, sender, "cancel", order))
        self.forget_ended()

    def cancel_orders(self) -> None:
        account = self.random.choice(self.traders)
        orders = [
            order
            for order in self.open_orders
            if order.account == account and (order.kind != MARKET or self.chance(0.1))
        ]
        sender = account if self.chance(0.8) else self.operator
        self.attempt(
            "cancel_orders", CANCELLING, *(self.protocol.book, sender, "cancel_orders", orders[:4])
        )
        self.forget_ended()

    def cancel_all(self) -> None:
        account = self.random.choice(self.traders)
        sender = account if self.chance(0.8) else self.operator
        self.attempt(
            "cancel_all",
            {"operator: not allowed"},
            *(self.protocol.book, sender, "cancel_all", account),
        )

    # What became of them

    def forget_ended(self) -> None:
        ledger = Ledger(self.protocol)
        self.protocol.orders = {
            order_hash: order
            for order_hash, order in self.protocol.orders.items()
            if words.unpack_order_state(ledger.order(order_hash)).status == PENDING
        }
        self.open_orders = list(self.protocol.orders.values())

    def count_fills(self, receipt: Receipt) -> None:
        decreased = receipt.named("PositionDecreased")
        increased = receipt.named("PositionIncreased")
        self.seen["increase"] += len(increased)
        self.seen["decrease"] += len(decreased)
        by_hash = {event.order_hash for event in increased}
        self.seen["flip"] += sum(event.order_hash in by_hash for event in decreased)
        for event in receipt.named("OrderExecuted"):
            order = self.protocol.orders[event.order_hash]
            self.seen[f"filled kind {order.kind}"] += 1
            self.seen[f"filled mode {order.margin_mode}"] += 1
            self.seen["filled hedge"] += order.position_side != ONE_WAY
            self.seen["filled of operator"] += event.order_hash in self.operated
            is_child = event.order_hash in self.children
            self.seen["filled child"] += is_child
            self.seen["filled of group"] += order.group != NO_GROUP and not is_child
        for event in receipt.named("OrderCancelled"):
            assert event.reason in ENDING, event
            self.reasons[event.reason] += 1
            self.seen["ended"] += 1
            is_child = event.order_hash in self.children
            self.seen["ended child"] += is_child
            self.seen["ended of group"] += event.reason == "order: group is done" and not is_child
        for event in receipt.named("BuilderPaid"):
            self.seen["builder paid"] += event.builder_fee > 0
            self.seen["referrer paid"] += event.referral > 0

    # Who else may trade, and who is paid for it

    def set_operator(self) -> None:
        self.attempt(
            "set_operator",
            set(),
            *(self.protocol.book, self.random.choice(self.traders), "set_operator", self.operator),
            self.random.choice((0, 2 | 8, 1 | 2, 1 | 2 | 4, 15, 15)),
            self.random.choice((0b101, 0b111)),
            self.random.choice((10**4 * USD, 10**6 * USD, 10**6 * USD)),
            self.random.choice((0, now() + 5_000, 2**40 - 1, 2**40 - 1)),
        )

    def approve_builder(self) -> None:
        self.attempt(
            "approve_builder",
            set(),
            *(self.protocol.book, self.random.choice(self.traders), "approve_builder"),
            *(self.builder, self.random.choice((0, 100, 500, 1_000))),
        )

    def set_referral_share(self) -> None:
        share = self.random.choice((0, 1, 333_333, PPM))
        self.attempt(
            "set_referral_share",
            set(),
            *(self.protocol.book, self.builder, "set_referral_share", share),
        )

    def set_referrer(self) -> None:
        self.attempt(
            "set_referrer",
            {"referral: referrer is set"},
            *(self.protocol.book, self.random.choice(self.traders), "set_referrer", self.referrer),
        )
