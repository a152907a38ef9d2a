"""What is done with orders that are tied: brackets, groups, and stops that follow the price."""

from typing import Any

from tests.helpers.protocol import (
    LIMIT,
    MARKET,
    ONE_WAY,
    PPM,
    STOP,
    TAKE_PROFIT,
    TRAILING_STOP,
    Order,
)
from tests.reference import orders, placing
from tests.reference.book import PENDING
from tests.reference.order_actions import OrderActions
from tests.reference.state import SIGN, Dust, State
from tests.reference.twin import Difference

BATCH = 32


class TiedActions(OrderActions):
    """Each method is one thing that is done with them."""

    def some_entry(self) -> Order:
        kind = self.random.choice((MARKET, MARKET, MARKET, LIMIT, STOP))
        reduces = self.random.random() < 0.03
        entry = self.some_order(kind=kind, reduce_only=reduces)
        if entry.position_side != ONE_WAY and self.random.random() < 0.95:
            entry = entry._replace(position_side=1 if entry.is_buy else 2)
        return entry

    def exits_of(self, entry: Order) -> list[Order]:
        """A stop, a take-profit or a trailing stop, or two of them."""
        mark, sign = self.mark(entry.market), SIGN[0 if entry.is_buy else 1]
        away = int(mark * self.random.uniform(0.001, 0.02))
        named: list[dict[str, Any]] = [
            {"kind": STOP, "trigger_price": mark - sign * away},
            {"kind": TAKE_PROFIT, "trigger_price": mark + sign * away},
            {"kind": TRAILING_STOP, "callback_rate": away * PPM // mark, "trigger_price": 0},
        ]
        chosen = self.random.sample(named, self.random.choice((0, 1, 2, 2, 2)))
        return [self.exit_of(entry, fields) for fields in chosen]

    def exit_of(self, entry: Order, fields: dict[str, Any]) -> Order:
        if self.random.random() < 0.02:
            fields = fields | {"is_buy": entry.is_buy}  # which is no exit
        return self.protocol.exit_of(entry, **fields)

    def place_bracket(self) -> None:
        """An entry that is often filled at once, and then a price at which a child fills."""
        entry = self.some_entry()
        children = self.exits_of(entry)
        made = self.placed(
            "place_bracket",
            lambda: self.book(entry.placer, "place_bracket", entry, children),
            lambda state: placing.place_bracket(state, entry, children),
        )
        if not made or self.random.random() < 0.2:
            return
        self.fill(made[0])
        if len(made) > 1 and self.random.random() < 0.6:
            self.reach(made[-1])
            self.execute_many(made[1:])

    def reach(self, name: bytes) -> None:
        """Moves the price to where an order triggers, mostly."""
        order = self.state.book.orders[name].placed
        beyond = 1 + self.random.uniform(-0.001, 0.003) * self.random.choice((-1, 1))
        mark = self.mark(order.market)
        factor = (order.trigger_price or mark) / mark * beyond
        self.shift(order.market, min(max(factor, 0.9), 1.1))
        self.refresh()

    def place_group(self) -> None:
        """Two of which one is to fill, often tried in one batch."""
        group = self.random.randbytes(32)
        kind = self.random.choice((LIMIT, STOP, TAKE_PROFIT))
        first = self.some_order(kind=kind, group=group)
        self.protocol._salt += 1
        second = first._replace(salt=self.protocol._salt)
        names = [self.commit("place_group", order) for order in (first, second)]
        made = [name for name in names if name is not None]
        if made and self.random.random() < 0.6:
            self.reach(made[-1])
            self.execute_many(made)
            if self.random.random() < 0.3:
                self.protocol._salt += 1
                self.commit("place_group", first._replace(salt=self.protocol._salt))

    def ratchet(self) -> None:
        """Keepers show prices to trailing stops; now and then to others, too."""
        known = self.state.book.orders
        names = [
            name
            for name, order in known.items()
            if (order.follows and order.status == PENDING) or self.random.random() < 0.05
        ][-BATCH:]
        if not names:
            return
        if self.random.random() < 0.8:
            self.refresh()
        taken: list[int] = []

        def act(state: State, _: Dust) -> None:
            taken[:] = [orders.ratchet(state, names)]

        placed = [known[name].placed for name in names]
        receipt = self.twin.both(
            "ratchet", lambda: self.book(self.protocol.keeper, "ratchet", placed), act, 0
        )
        if receipt.refusal is None and receipt.result != taken[0]:
            raise Difference(f"{receipt.result} took it, not {taken[0]}")
        self.twin.seen["ratcheted"] += taken[0]
        if self.random.random() < 0.5:
            name = self.random.choice(names)
            order = known[name].placed
            self.shift(order.market, 1.006 if order.is_buy else 0.994)
            self.refresh()
            self.execute_many([name])
