"""What ends markets: the owner announces it, anybody fixes the price and closes positions at it."""

from collections import Counter

from tests.helpers.chain import Receipt, advance, now
from tests.helpers.protocol import position_id
from tests.reference import settlement
from tests.reference.state import DAY, HOUR, Dust, State
from tests.reference.twin import Difference
from tests.reference.walking import LISTED, Walker

NOTICE_HOURS = 25  # of the current one: at least a day


class SettlementActions(Walker):
    """Each method is one thing that brings a market nearer to its end."""

    def oracle(self, sender: str, function: str, *arguments: object) -> Receipt:
        return self.twin.call(self.protocol.oracle, sender, function, *arguments)

    def some_market(self, *, is_announced: bool) -> int:
        """One whose end is announced but has not come, or not even announced, mostly."""
        found = [
            number
            for number, price in enumerate(self.state.prices)
            if not price.is_settled and bool(price.settles_at) == is_announced
        ]
        is_any = not found or self.random.random() < 0.1
        return self.random.choice(range(len(LISTED)) if is_any else found)

    @property
    def running(self) -> int:
        return sum(not price.settles_at for price in self.state.prices)

    def announce_settlement(self) -> None:
        """Mostly of where most is open; of the last one always too soon, so that it goes on."""
        market = self.some_market(is_announced=False)
        held = Counter(
            place[1] for place, position in self.state.positions.items() if position.size
        )
        if held and self.random.random() < 0.7:
            market = held.most_common(1)[0][0]
        is_soon = self.running < 2 or self.random.random() < 0.1
        hour = now() // HOUR + NOTICE_HOURS - is_soon
        self.twin.both(
            "announce_settlement",
            lambda: self.oracle(self.protocol.owner, "announce_settlement", market, hour),
            lambda state, dust: settlement.announce(state, market, hour),
            0,
        )

    def cancel_settlement(self) -> None:
        if self.running == len(LISTED):
            self.announce_settlement()
        market = self.some_market(is_announced=True)
        self.twin.both(
            "cancel_settlement",
            lambda: self.oracle(self.protocol.owner, "cancel_settlement", market),
            lambda state, dust: settlement.cancel(state, market),
            0,
        )

    def pass_hour(self) -> None:
        """Time goes on to the hour of a market that ends, and prices come in it."""
        market = self.some_market(is_announced=True)
        price = self.state.prices[market]
        if not price.settles_at or price.is_settled:
            return
        start = price.settles_at
        if now() < start:
            advance(max(0, start + self.random.choice((-90, -5, 0, 1, 300, 3_000)) - now()))
            self.refresh()
        while now() < start + HOUR and self.random.random() < 0.7:
            advance(self.random.choice((1, 60, 500, 1_500)))
            self.shift(market, self.random.uniform(0.97, 1.03))

    def fix_settlement(self) -> None:
        """Mostly when the hour is over, now and then long after; then positions may close."""
        if not any(p.settles_at and not p.is_settled for p in self.state.prices):
            self.announce_settlement()
        if self.random.random() < 0.8:
            self.pass_hour()
        market = self.some_market(is_announced=True)
        end = self.state.prices[market].settles_at + HOUR
        if end > HOUR and self.random.random() < 0.8:
            advance(max(0, end - (self.random.random() < 0.1) - now()))
            if self.random.random() < 0.2:
                advance(3 * DAY)
            if self.random.random() < 0.8:
                self.refresh()
        self.twin.sync()
        self.twin.both(
            "fix_settlement",
            lambda: self.oracle(self.protocol.keeper, "fix_settlement", market),
            lambda state, dust: settlement.fix(state, market),
            0,
        )
        if self.random.random() < 0.4:
            self.settle_positions()

    def settle_dead(self) -> None:
        """All feeds are silent for a week, mostly."""
        market = self.some_market(is_announced=False)
        if self.running < 2:
            return
        price = self.state.prices[market]
        if self.random.random() < 0.6:
            dead_at = price.published_at + price.max_age + 7 * DAY
            advance(max(0, dead_at + self.random.randrange(2) - now()))
        self.twin.sync()
        self.twin.both(
            "settle_dead",
            lambda: self.oracle(self.protocol.keeper, "settle_dead", market),
            lambda state, dust: settlement.settle_dead(state, market),
            0,
        )
        self.refresh()

    def settle_positions(self) -> None:
        """Everything that is open, or a part of it."""
        whole = self.random.random() < 0.5
        places = [
            place
            for place, position in self.state.positions.items()
            if position.size and (whole or self.random.random() < 0.3)
        ]
        closed: list[int] = []

        def act(state: State, _: Dust) -> None:
            closed[:] = [settlement.settle_positions(state, places)]

        receipt = self.twin.both(
            "settle_positions",
            lambda: self.attempt(
                self.protocol.keeper, "settle_positions", [position_id(*p) for p in places]
            ),
            act,
            cuts=max(1, len(places)),
        )
        for event in receipt.named("PositionSettled"):
            self.twin.seen[f"settled {event.slot}"] += 1
            self.twin.seen["settled with a deficit"] += event.deficit > 0
        if receipt.result != closed[0]:
            raise Difference(f"{receipt.result} closed, not {closed[0]}")
