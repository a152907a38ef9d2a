"""What accounts and keepers do with orders."""

from typing import Any

from tests.helpers.chain import advance, now
from tests.helpers.protocol import (
    DEFAULT,
    LIMIT,
    MARKET,
    ONE_WAY,
    PPM,
    STOP,
    TAKE_PROFIT,
    Order,
)
from tests.reference.orders import PENDING
from tests.reference.state import ISOLATED, Dust, State
from tests.reference.walking import LISTED, Walker


class OrderActions(Walker):
    """Each method is one thing that is done with an order."""

    def order(self) -> Order:
        roll = self.random
        account, market = roll.choice(self.traders), roll.randrange(3)
        mark = int(self.state.prices[market].price * 10**9)
        is_buy = roll.random() < 0.5
        reduce_only = roll.random() < 0.2
        kind = roll.choice((MARKET, MARKET, MARKET, LIMIT, STOP, TAKE_PROFIT))
        mode, side = roll.choice((1, 2, 2, DEFAULT)), roll.choice((1, 2))
        held = [place for place, position in self.state.positions.items() if position.size]
        if held and roll.random() < 0.4:  # against what is open
            account, market, slot = roll.choice(held)
            mark = int(self.state.prices[market].price * 10**9)
            mode, side, is_buy = 2 if slot >= ISOLATED else 1, 1 + (slot & 1), slot & 1 == 1
        hedge = self.state.accounts[account].is_hedge
        fields: dict[str, Any] = {
            "kind": kind,
            "is_buy": is_buy,
            "reduce_only": reduce_only,
            "margin_mode": mode,
            "position_side": side if hedge != (roll.random() < 0.02) else ONE_WAY,
        }
        if kind == LIMIT:
            fields["acceptable_price"] = int(mark * roll.uniform(0.99, 1.01))
        elif kind != MARKET:
            fields["trigger_price"] = int(mark * roll.uniform(0.985, 1.015))
        elif roll.random() < 0.1:
            fields["acceptable_price"] = int(mark * roll.uniform(0.999, 1.001))
        if kind != MARKET and roll.random() < 0.4:
            fields["expiry"] = now() + roll.randrange(30, 4_000)
        notional = int(10 ** roll.uniform(0.7, 4.8) * 10**15)
        if not reduce_only and fields["margin_mode"] == 2:
            fields["leverage"] = roll.choice((5, 10, 20, 40, 80)) * PPM
            if roll.random() < 0.2:
                fields["margin"] = max(1, notional // 10**9 // roll.randrange(5, 60))
        size = 0 if reduce_only and roll.random() < 0.4 else max(1, notional // mark)
        return self.protocol.order(account, market, size, **fields)

    def place(self) -> bytes | None:
        return self.twin.place(self.order())

    def trade(self) -> None:
        placed = self.place()
        if placed is None:
            return
        market = self.twin.orders[placed].placed.market
        advance(LISTED[market].delay)
        if self.random.random() < 0.9:
            self.refresh()
        self.twin.execute(placed, self.some_keeper())

    def pick(self) -> bytes | None:
        pending = [h for h, order in self.twin.orders.items() if order.status == PENDING]
        if self.twin.orders and self.random.random() < 0.05:
            pending = list(self.twin.orders)
        return self.random.choice(pending) if pending else None

    def execute(self) -> None:
        placed = self.pick()
        if placed is None:
            return
        if self.random.random() < 0.5:
            self.refresh()
        self.twin.execute(placed, self.some_keeper())

    def cancel(self) -> None:
        placed = self.pick()
        if placed is None:
            return
        owner = self.twin.orders[placed].placed.account
        sender = owner if self.random.random() < 0.8 else self.random.choice(self.traders)
        self.twin.cancel(placed, sender)

    def cancel_all(self) -> None:
        account = self.random.choice(self.traders)

        def act(state: State, dust: Dust) -> None:
            state.accounts[account].epoch += 1

        self.twin.both(
            "cancel_all",
            lambda: self.protocol.book.attempt(account, "cancel_all", account),
            act,
            0,
        )
