"""What accounts and keepers do with orders."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.helpers.chain import Receipt, advance, now
from tests.helpers.protocol import (
    DEFAULT,
    LIMIT,
    MARKET,
    NO_GROUP,
    ONE_WAY,
    PPM,
    STOP,
    TAKE_PROFIT,
    TRAILING_STOP,
    Order,
)
from tests.reference import orders, placing
from tests.reference.book import PENDING
from tests.reference.state import FEMTO, ISOLATED, Dust, State
from tests.reference.twin import Difference
from tests.reference.walking import Walker

KINDS = (MARKET, MARKET, MARKET, LIMIT, STOP, TAKE_PROFIT, TRAILING_STOP)


class OrderActions(Walker):
    """Each method is one thing that is done with an order."""

    def mark(self, market: int) -> int:
        return int(self.state.prices[market].price * FEMTO)

    def book(self, sender: str, function: str, *arguments: Any) -> Receipt:
        return self.twin.call(self.protocol.book, sender, function, *arguments)

    def some_order(self, **given: Any) -> Order:
        roll = self.random
        account, market = roll.choice(self.traders), roll.randrange(3)
        mark = self.mark(market)
        is_buy = roll.random() < 0.5
        reduce_only = roll.random() < 0.2
        kind = given.get("kind", roll.choice(KINDS))
        mode, side = roll.choice((1, 2, 2, DEFAULT)), roll.choice((1, 2))
        held = [place for place, position in self.state.positions.items() if position.size]
        if held and roll.random() < 0.4:  # against what is open
            account, market, slot = roll.choice(held)
            mark = self.mark(market)
            mode, side, is_buy = 2 if slot >= ISOLATED else 1, 1 + (slot & 1), slot & 1 == 1
        hedge = self.state.accounts[account].is_hedge
        fields: dict[str, Any] = {
            "kind": kind,
            "is_buy": is_buy,
            "reduce_only": reduce_only,
            "margin_mode": mode,
            "position_side": side if hedge != (roll.random() < 0.02) else ONE_WAY,
        } | given
        fields |= self.prices_of(kind, mark)
        if kind != MARKET and roll.random() < 0.4:
            fields["expiry"] = now() + roll.randrange(30, 4_000)
        notional = int(10 ** roll.uniform(0.7, 4.8) * 10**15)
        if not fields["reduce_only"] and fields["margin_mode"] == 2:
            fields["leverage"] = roll.choice((5, 10, 20, 40, 80)) * PPM
            if roll.random() < 0.2:
                fields["margin"] = max(1, notional // FEMTO // roll.randrange(5, 60))
        fields |= self.others_of(account)
        size = 0 if fields["reduce_only"] and roll.random() < 0.4 else max(1, notional // mark)
        return self.protocol.order(account, market, size, **fields)

    def prices_of(self, kind: int, mark: int) -> dict[str, int]:
        """The prices that an order of a kind names, near the mark."""
        roll = self.random
        if kind == LIMIT:
            return {"acceptable_price": int(mark * roll.uniform(0.99, 1.01))}
        if kind == TRAILING_STOP:
            activation = int(mark * roll.uniform(0.99, 1.01)) if roll.random() < 0.3 else 0
            return {"callback_rate": roll.randrange(500, 8_000), "trigger_price": activation}
        if kind != MARKET:
            return {"trigger_price": int(mark * roll.uniform(0.985, 1.015))}
        if roll.random() < 0.1:
            return {"acceptable_price": int(mark * roll.uniform(0.999, 1.001))}
        return {}

    def others_of(self, account: str) -> dict[str, Any]:
        """Now and then somebody else places it, or has brought who does."""
        roll, book = self.random, self.state.book
        fields: dict[str, Any] = {}
        operators = [who for whose, who in book.operators if whose == account]
        if operators and roll.random() < 0.25:
            fields["placer"] = roll.choice(operators)
        elif roll.random() < 0.01:
            fields["placer"] = roll.choice(self.traders)
        builders = [
            who for (whose, who), most in book.approved.items() if whose == account and most
        ]
        if builders and roll.random() < 0.5:
            builder = roll.choice(builders)
            most = book.approved[account, builder]
            fee = most if roll.random() < 0.9 else roll.randrange(1, 1_000)
            fields |= {"builder": builder, "builder_fee": fee}
        return fields

    # Placing

    def placed(
        self,
        name: str,
        call: Callable[[], Receipt],
        act: Callable[[State], Sequence[bytes]],
    ) -> list[bytes]:
        """The names of orders that were placed, as the model foretold them."""
        made: list[tuple[bytes, Order]] = []

        def noted(state: State, _: Dust) -> None:
            made[:] = [(made, state.book.orders[made].placed) for made in act(state)]

        receipt = self.twin.both(name, call, noted)
        if receipt.refusal is not None:
            return []
        logged = [(e.order_hash, Order(*e.order)) for e in receipt.named("OrderPlaced")]
        if logged != made:
            raise Difference(f"resolved: {made} but {logged}")
        return [name for name, _ in made]

    def place(self) -> bytes | None:
        return self.commit("place", self.some_order())

    def commit(self, name: str, order: Order) -> bytes | None:
        made = self.placed(
            name,
            lambda: self.book(order.placer, "place", order),
            lambda state: [placing.place(state, order)],
        )
        return made[0] if made else None

    def trade(self) -> None:
        name = self.place()
        if name is not None:
            self.fill(name)

    def fill(self, name: bytes) -> None:
        """Executes an order at the next price."""
        advance(self.state.book.rules[self.state.book.orders[name].placed.market].delay)
        if self.random.random() < 0.9:
            self.refresh()
        self.execute_one(name)

    def replace(self) -> None:
        """Prices, size or expiry change, and now and then what may not."""
        name = self.pick()
        if name is None:
            return
        old = self.state.book.orders[name].placed
        self.protocol._salt += 1
        kind = old.kind
        if old.reduce_only and kind != MARKET:
            kind = self.random.choice((STOP, TAKE_PROFIT, TRAILING_STOP))
        fields: dict[str, Any] = {
            "salt": self.protocol._salt,
            "kind": kind,
            "trigger_price": 0,
            "callback_rate": 0,
            "acceptable_price": 0,
            "expiry": 0,
        }
        fields |= self.prices_of(kind, self.mark(old.market))
        if self.random.random() < 0.1:
            fields["is_buy"] = not old.is_buy
        sender = old.account if self.random.random() < 0.9 else self.random.choice(self.traders)
        order = old._replace(placer=sender, **fields)
        self.placed(
            "replace",
            lambda: self.book(sender, "replace", old, order),
            lambda state: [placing.replace(state, name, order)],
        )

    # Executing

    def pick(self) -> bytes | None:
        known = self.state.book.orders
        pending = [name for name, order in known.items() if order.status == PENDING]
        if known and self.random.random() < 0.05:
            pending = list(known)
        return self.random.choice(pending) if pending else None

    def execute(self) -> None:
        name = self.pick()
        if name is None:
            return
        if self.random.random() < 0.5:
            self.refresh()
        self.execute_one(name)

    def execute_one(self, name: bytes) -> None:
        keeper = self.some_keeper()
        order = self.state.book.orders[name].placed
        receipts: list[Receipt] = []

        def call() -> Receipt:
            receipts[:] = [self.book(keeper, "execute", order)]
            return receipts[0]

        def act(state: State, dust: Dust) -> None:
            ended = orders.execute(state, name, keeper, dust)
            check_ends(receipts[0], state, {name: ended})

        receipt = self.twin.both("execute", call, act, cuts=3, earners=self.paid_by([order]))
        if receipt.refusal is None:
            self.count(receipt)
        else:
            self.twin.seen[receipt.refusal] += 1

    def execute_orders(self) -> None:
        """A batch, of which some wait, some are over and some were never placed."""
        names = [name for name in (self.pick() for _ in range(8)) if name is not None]
        self.refresh()
        self.execute_many(names)

    def execute_many(self, names: Sequence[bytes]) -> None:
        keeper = self.some_keeper()
        batch = [self.state.book.orders[name].placed for name in names]
        if self.random.random() < 0.3:
            poison = self.some_order()
            batch.append(poison)
            names = [*names, self.state.book.name(poison)]
        receipts: list[Receipt] = []

        def call() -> Receipt:
            receipts[:] = [self.book(keeper, "execute_orders", batch)]
            return receipts[0]

        def act(state: State, dust: Dust) -> None:
            statuses, ended = orders.execute_all(state, names, keeper, dust)
            if receipts[0].refusal is None and list(receipts[0].result) != statuses:
                raise orders.Refused(f"model: {statuses}, chain: {receipts[0].result}")
            found = {name: why for name, why in zip(names, ended, strict=True) if why}
            check_ends(receipts[0], state, found)

        cuts = 3 * max(1, len(batch))
        receipt = self.twin.both("execute_orders", call, act, cuts, self.paid_by(batch))
        self.count(receipt)

    def paid_by(self, batch: Sequence[Order]) -> set[str]:
        """Builders, and who referred accounts to them: their fees are rounded up."""
        builders = {order.builder for order in batch}
        return builders | {self.state.book.referrers.get(order.account, "") for order in batch}

    def count(self, receipt: Receipt) -> None:
        seen, known = self.twin.seen, self.state.book.orders
        for event in receipt.events:
            if event.name == "OrderCancelled":
                seen[f"ended: {event.reason}"] += 1
            elif event.name in ("PositionIncreased", "PositionDecreased"):
                seen[f"{event.name} {event.slot}"] += 1
            elif event.name == "BuilderPaid":
                seen["builder paid"] += event.builder_fee > 0
                seen["referrer paid"] += event.referral > 0
            elif event.name == "OrderExecuted":
                order = known[event.order_hash]
                seen[f"filled kind {order.placed.kind}"] += 1
                seen["filled child"] += order.is_child
                seen["filled of group"] += order.placed.group != NO_GROUP and not order.is_child
                seen["filled of operator"] += order.placed.placer != order.placed.account

    # Cancelling

    def cancel(self) -> None:
        name = self.pick()
        if name is None:
            return
        order = self.state.book.orders[name].placed
        sender = order.account if self.random.random() < 0.8 else self.random.choice(self.traders)
        self.twin.both(
            "cancel",
            lambda: self.book(sender, "cancel", order),
            lambda state, dust: orders.take_back(state, name, sender),
        )

    def cancel_orders(self) -> None:
        account = self.random.choice(self.traders)
        known = self.state.book.orders
        names = [n for n in known if known[n].placed.account == account]
        names = self.random.sample(names, min(len(names), 3))
        self.twin.both(
            "cancel_orders",
            lambda: self.book(account, "cancel_orders", [known[name].placed for name in names]),
            lambda state, dust: orders.take_all_back(state, names, account),
        )

    def cancel_all(self) -> None:
        account = self.random.choice(self.traders)
        sender = account if self.random.random() < 0.8 else self.random.choice(self.traders)
        self.twin.both(
            "cancel_all",
            lambda: self.book(sender, "cancel_all", account),
            lambda state, dust: orders.advance_epoch(state, account, sender),
            0,
        )


def check_ends(receipt: Receipt, state: State, ended: dict[bytes, tuple[str, ...]]) -> None:
    """The chain ends the same orders, each for a reason that the model knows."""
    if receipt.refusal is not None:
        return
    logged = {event.order_hash: event.reason for event in receipt.named("OrderCancelled")}
    known = {name: why for name, why in ended.items() if why}
    if logged.keys() != known.keys() or any(logged[n] not in why for n, why in known.items()):
        raise orders.Refused(f"model ends {known}, chain {logged}")
