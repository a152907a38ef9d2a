"""What owner and guardian do to markets."""

from dataclasses import astuple, replace

from tests.helpers.chain import Receipt, advance
from tests.helpers.protocol import WAD
from tests.reference import house, ramps, settlement
from tests.reference.book import Rules
from tests.reference.orders import Refused
from tests.reference.reading import terms_of, tiers_of
from tests.reference.sources import PLAIN
from tests.reference.state import DAY, USD, Dust, State
from tests.reference.walking import FLOORS, LISTED, Walker

SHORTEST_WINDOW = 10  # seconds that a market order lives
THOUSAND = 1_000 * USD
Listed = tuple[tuple[int, int, int], ...]  # floor in thousand USD, rates in ppm


class MarketActions(Walker):
    """Each method is one thing that is done to a market."""

    def set_status(self) -> None:
        market, status = self.random.randrange(3), int(self.random.random() < 0.15)
        sender = self.protocol.guardian if status else self.protocol.owner

        def act(state: State, dust: Dust) -> None:
            state.markets[market].is_reduce_only = bool(status)

        self.twin.both(
            "set_status", lambda: self.attempt(sender, "set_status", market, status), act, 0
        )

    def set_terms(self) -> None:
        """Fees, funding and penalty change; what accrued so far accrued at the old terms."""
        market = self.random.randrange(len(LISTED))
        terms = replace(
            LISTED[market].terms,
            taker_fee=self.random.choice((200, 500, 1_000)),
            maker_fee=self.random.choice((0, 200)),
            funding_velocity=self.random.choice((0, 2 * 10**8)),
            max_funding_rate=self.random.choice((1_000, 10_000)),
            penalty=self.random.choice((2_500, 2_500, 2_600, 4_000)),
        )

        changed = terms_of(terms)

        def call() -> Receipt:
            receipt = self.attempt(self.protocol.owner, "set_terms", market, astuple(terms))
            if receipt.refusal is None:
                self.twin.reader.terms[market] = changed
            return receipt

        self.twin.both(
            "set_terms",
            call,
            lambda state, dust: house.set_terms(state, market, terms_of(terms)),
            0,
        )

    def set_order_terms(self) -> None:
        """Of orders from now on: one that is placed keeps its fee, its delay and its expiry."""
        market, owner = self.random.randrange(len(LISTED)), self.protocol.owner
        rules = Rules(
            self.random.choice((0, 200_000, 200_000, 350_000)),
            self.random.choice((1, 2, 2, 20)),
            self.random.choice((9, 60, 60, 300)),
            self.random.choice((0, 0, 600, 3_000)),
        )

        def act(state: State, dust: Dust) -> None:
            if rules.window < SHORTEST_WINDOW:
                raise Refused("order: bad window")
            state.book.rules[market] = rules

        arguments = (market, *astuple(rules))
        self.twin.both(
            "set_order_terms",
            lambda: self.twin.call(self.protocol.book, owner, "set_order_terms", *arguments),
            act,
            0,
        )

    def set_published_feed(self) -> None:
        """A price's life changes, but not while it is over; lots never do."""
        lot = WAD // LISTED[PLAIN].lots + (self.random.random() < 0.1)
        trade_age, max_age = self.random.choice((30, 60, 60)), self.random.choice((1_800, 3_600))

        def act(state: State, dust: Dust) -> None:
            price = state.prices[PLAIN]
            against = settlement.against_change(price, state.now)
            if lot * LISTED[PLAIN].lots != WAD:
                against.append("lot: size is fixed")
            life = min(price.max_age, max_age)
            if price.max_age != max_age and state.now > price.published_at + life:
                against.append("feed: silent")
            if against:
                raise Refused(*against)
            price.trade_age, price.max_age = trade_age, max_age

        self.twin.both(
            "set_published_feed",
            lambda: self.twin.call(
                *(self.protocol.oracle, self.protocol.owner, "set_published_feed"),
                *(PLAIN, lot, trade_age, max_age),
            ),
            act,
            0,
        )

    # Tiers

    def some_tiers(self, floors: tuple[int, ...]) -> Listed:
        """Now and then such as no market may have."""
        roll = self.random
        rates = sorted(roll.randrange(5_000, 60_000) for _ in floors)
        rates[0] = min(rates[0], roll.choice((5_000, 8_000, 20_000)))
        if roll.random() < 0.1:
            rates.reverse()
        factor = roll.choice((1.5, 2, 2, 3)) if roll.random() < 0.95 else 1.4
        return tuple(
            (floor, rate, int(rate * factor + 0.5))
            for floor, rate in zip(floors, rates, strict=True)
        )

    def ramp_tiers(self) -> None:
        """Mostly from the floors there are; then a part of the ramp goes by, or all of it."""
        market, owner = self.random.randrange(len(LISTED)), self.protocol.owner
        floors = [int(tier.floor // THOUSAND) for tier in self.state.markets[market].tiers]
        if self.random.random() < 0.1:
            floors[-1] += 1
        tiers = self.some_tiers(tuple(floors))
        days = self.random.choice((1, 1, 1, 2, 90)) if self.random.random() < 0.95 else 91
        duration = days * DAY - (self.random.random() < 0.05)
        self.twin.both(
            "ramp_tiers",
            lambda: self.attempt(owner, "ramp_tiers", market, tiers, duration),
            lambda state, dust: ramps.ramp(state, market, tiers_of(tiers), duration),
            0,
        )
        if self.random.random() < 0.6:
            advance(int(DAY * self.random.uniform(0, 1.2)))
            self.refresh()

    def end_ramp(self) -> None:
        """Of one that has a mark, mostly; often once it is over."""
        marked = [n for n, market in enumerate(self.state.markets) if market.ramp.ends_at]
        market = self.random.choice(marked or range(len(LISTED)))
        left = self.state.markets[market].ramp.ends_at - self.state.now
        if 0 < left <= 2 * DAY and self.random.random() < 0.6:
            advance(left - (self.random.random() < 0.2))
            self.refresh()
        self.twin.both(
            "end_ramp",
            lambda: self.attempt(self.protocol.keeper, "end_ramp", market),
            lambda state, dust: ramps.end(state, market),
            0,
        )

    def replace_tiers(self) -> None:
        """Of a market in which nothing is open, mostly."""
        empty = [n for n, market in enumerate(self.state.markets) if not any(market.sizes)]
        is_any = not empty or self.random.random() < 0.2
        market = self.random.choice(range(len(LISTED)) if is_any else empty)
        tiers = self.some_tiers(self.random.choice(FLOORS))
        self.twin.both(
            "replace_tiers",
            lambda: self.attempt(self.protocol.owner, "replace_tiers", market, tiers),
            lambda state, dust: ramps.replace_all(state, market, tiers_of(tiers)),
            0,
        )
