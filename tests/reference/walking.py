"""The world of the twin, its prices and its time: what all actions share."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from random import Random

import boa

from tests.helpers.chain import Receipt, advance, now
from tests.helpers.protocol import (
    BTC,
    ETH,
    MARKET,
    SOL,
    USD,
    WAD,
    Terms,
)
from tests.helpers.signing import key_of
from tests.reference import layouts
from tests.reference.book import PENDING
from tests.reference.doubt import Doubt
from tests.reference.reading import Reader
from tests.reference.sources import CHECKED, MOST_OFF, PYTH, World
from tests.reference.state import CERTAIN, DAY, State
from tests.reference.twin import Difference, Twin

TERMS = Terms(
    skew_scale=4 * 10**12,
    funding_velocity=2 * 10**8,
    partial_above=1_000 * USD,
)
SCALES = (4 * 10**12, 8 * 10**12, 2 * 10**12)
# Positions reach all but the first market's, which are in one word of the chain's or in two.
FLOORS = ((0, 1_000, 5_000), (0, 5, 20), (0, 1, 2, 4, 8, 16))
LISTED = [
    replace(
        market,
        terms=replace(TERMS, skew_scale=scale),
        tiers=tuple(
            (floor, 5_000 + 2_500 * i, 10_000 + 5_000 * i) for i, floor in enumerate(floors)
        ),
        trade_age=60,
        max_age=3_600,
    )
    for market, scale, floors in zip((BTC, ETH, SOL), SCALES, FLOORS, strict=True)
]
POOL = 40_000 * USD  # of which each market may owe a fifth: 8,000
TRADERS = ("alice", "bob", "carol", "dave")


def world() -> tuple[World, list[str]]:
    protocol = World(*LISTED, pool_cash=POOL, insurance=2_000 * USD)
    traders = [str(key_of(name).address) for name in TRADERS]
    for trader in traders:
        protocol.accounts.add(trader)
        protocol.endow(trader)
        protocol.deposit(trader, 3_000 * USD)
    for trader in traders[2:]:
        protocol.clearinghouse.send(trader, "set_hedge_mode", True)
    return protocol, traders


class Walker:
    """The accounts, prices and time that actions share."""

    names = TRADERS

    def __init__(self, protocol: World, traders: list[str], random: Random) -> None:
        self.protocol = protocol
        self.random = random
        self.traders = traders
        self.twin = Twin(protocol, Reader(protocol, traders, LISTED))
        self.prices = [Decimal(market.price) for market in LISTED]
        self.confidence = [0] * len(LISTED)  # ppm
        self.doubt = Doubt(MOST_OFF)

    @property
    def state(self) -> State:
        return self.twin.state

    def attempt(self, sender: str, function: str, *arguments: object) -> Receipt:
        return self.twin.call(self.protocol.clearinghouse, sender, function, *arguments)

    @contextmanager
    def anchored(self) -> Iterator[None]:
        """Whatever happens in the block is undone after it, in the model too."""
        state, seen, doubt = self.twin.state, Counter(self.twin.seen), self.doubt
        with self.protocol.anchored():
            yield
        self.twin.state, self.twin.seen, self.doubt = state, seen, doubt

    # Prices and time

    def some_keeper(self) -> str:
        """Mostly somebody without a position; else one who may be judged by its own call."""
        return self.random.choice((self.protocol.keeper, self.protocol.keeper, self.traders[0]))

    def refresh_all(self) -> None:
        """Keepers bring every price, the feeds being alive."""
        self.refresh()

    def end_doubts(self) -> None:
        """Prices are certain, and the second source is dead."""
        self.confidence = [0] * len(LISTED)
        self.dispute(Decimal(1), now() - 10 * DAY)
        self.refresh()

    def wait_all(self) -> None:
        advance(max(rules.delay for rules in self.state.book.rules))
        self.refresh()

    def leave_orders(self) -> None:
        """Owners cancel all; what binds them is cleared by a keeper once it is over."""
        orders = self.state.book.orders.values()
        binding = [order.last for order in orders if order.placed.kind == MARKET]
        advance(max([0, *(last + 1 - now() for last in binding)]))
        self.refresh()
        for order in self.state.book.orders.values():
            if order.status == PENDING:
                self.protocol.book.send(order.placed.account, "cancel", order.placed)
        self.twin.sync()
        for name in self.traders:
            assert self.state.accounts[name].escrow == 0, f"escrow of {name}"

    def held_by_others(self) -> int:
        """Cash of accounts that do not leave."""
        return self.protocol.cash(self.protocol.owner)

    def publish(self, market: int) -> None:
        """Mostly writes what the oracle would, which is faster; now and then asks it."""
        if self.state.prices[market].is_settling(now()):
            self.count_towards_the_end(market)
            return
        was_cautious = self.state.prices[market].caution != CERTAIN
        is_doubted = was_cautious or (market == CHECKED and self.is_watched())
        word = self.price_after(market)
        oracle, at = self.protocol.oracle, self.protocol.oracle.slots["_prices"] + market
        if self.random.random() < 0.9 and not is_doubted:
            boa.env.set_storage(oracle.address, at, word)
            return
        self.update(market)
        taken, foretold = (layouts.PRICE.read(known) for known in (oracle.storage(at), word))
        if taken != foretold:
            raise Difference(f"price of {market}: {foretold} but {taken}")
        self.twin.seen["update"] += 1

    def count_towards_the_end(self, market: int) -> None:
        """Brings a price of a settlement's hour, or after it; now and then late."""
        price = self.state.prices[market]
        if not price.is_settled:
            lag = self.random.choice((0, 0, 0, 20, 400))
            if market == CHECKED:
                femto = self.femto(market, self.prices[market])
                _, self.doubt = self.doubt.judge(femto, now(), price.max_age)
            self.update(market, max(now() - lag, price.published_at + 1))

    def price_after(self, market: int) -> int:
        """A price's word once a newer one is taken: a feed's silence ends now."""
        oracle = self.protocol.oracle
        word = layouts.PRICE.read(oracle.storage(oracle.slots["_prices"] + market))
        lapsed = now() - word["published_at"] - word["max_age"]
        price, confidence, caution = self.femto(market, self.prices[market]), 0, CERTAIN
        if market == PYTH:
            confidence = self.protocol.certainty(self.prices[market], self.confidence[market])
        if market == CHECKED:
            caution, self.doubt = self.doubt.judge(price, now(), word["max_age"])
        return layouts.PRICE.write(
            word
            | {
                "price": price,
                "confidence": confidence,
                "caution": caution,
                "published_at": now(),
                "accepted_in": now(),
                "silence": word["silence"] + max(0, lapsed),
            }
        )

    def femto(self, market: int, price: Decimal) -> int:
        return int(price * WAD) // (10**3 * LISTED[market].lots)

    def is_watched(self) -> bool:
        """Whether the second source has something to say, or has said it."""
        live = self.doubt.is_live(now(), self.state.prices[CHECKED].max_age)
        return live or self.doubt.disputed_at > 0

    def dispute(self, price: Decimal, at: int) -> None:
        """The second source answers."""
        self.protocol.answer(price, at)
        self.doubt = replace(self.doubt, answer=self.femto(CHECKED, price), answered_at=at)

    def update(self, market: int, published_at: int | None = None) -> None:
        payload = self.protocol.payload(
            market, self.prices[market], published_at or now(), self.confidence[market]
        )
        receipt = self.twin.call(
            self.protocol.oracle, self.protocol.owner, "update", market, payload
        )
        assert receipt.refusal is None, receipt

    def refresh(self) -> None:
        advance(1)
        for market in range(len(LISTED)):
            self.publish(market)
        self.twin.sync()

    def move_price(self) -> None:
        market = self.random.randrange(3)
        wild = self.random.random() < 0.2
        factor = self.random.uniform(0.86, 1.15) if wild else self.random.uniform(0.98, 1.02)
        self.shift(market, factor)

    def shift(self, market: int, factor: float) -> None:
        start = Decimal(LISTED[market].price)
        moved = self.prices[market] * Decimal(str(round(factor, 6)))
        self.prices[market] = round(min(max(moved, start / 3), start * 2), 4)
        advance(1)
        self.publish(market)
        self.twin.sync()

    def pass_time(self) -> None:
        advance(self.random.choice((1, 30, 600, 3_000, 5_000, 20_000)))
        self.twin.sync()
        if self.random.random() < 0.8:
            self.refresh()
