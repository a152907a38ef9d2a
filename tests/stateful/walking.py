"""What all actions of the random walk share: accounts, prices, time, and what became of it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

from bulkhead.protocol import words
from tests.helpers.chain import Contract, Receipt, advance
from tests.helpers.protocol import (
    BTC,
    ETH,
    PPM,
    SOL,
    USD,
    Ledger,
    Order,
    Protocol,
    Terms,
    terms_named,
)

DAY = 86_400
MARKETS = range(3)
TERMS = Terms(
    skew_scale=4 * 10**12,
    skew_cap=1_000,
    side_cap=1_250,
    funding_velocity=2 * 10**8,
    partial_above=1_000 * USD,
)
SCALES = {"BTC-PERP": 4 * 10**12, "ETH-PERP": 8 * 10**12, "SOL-PERP": 2 * 10**12}
BUILDER_FEE = 500  # ppm, what everybody lets the builder charge at first


class Walker:
    """The accounts of a walk, and one way for them to act."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        listed = [
            replace(m, terms=replace(TERMS, skew_scale=SCALES[m.symbol])) for m in (BTC, ETH, SOL)
        ]
        self.protocol = Protocol(*listed, insurance=2_000 * USD)
        self.prices = [Decimal(m.price) for m in listed]
        self.running = list(MARKETS)  # the markets that are not over
        self.traders = [self.protocol.actor(f"trader {i}") for i in range(8)]
        self.operator, self.builder, self.referrer = [
            self.protocol.actor(name) for name in ("operator", "builder", "referrer")
        ]
        book, clearinghouse = self.protocol.book, self.protocol.clearinghouse
        for trader in self.traders:
            self.protocol.deposit(trader, 3_000 * USD)
            book.send(trader, "approve_builder", self.builder, BUILDER_FEE)
            self.protocol.set_operator(trader, self.operator, notional=10**6 * USD)
        self.hedgers = set(self.traders[4:6])
        for trader in sorted(self.hedgers):
            clearinghouse.send(trader, "set_hedge_mode", True)
        self.open_orders: list[Order] = []
        self.accepted: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.also_expected: set[str] = set()  # by whatever is done, while a market ends
        self.step = 0

    def attempt(
        self,
        kind: str,
        reasons: set[str],
        contract: Contract,
        sender: str,
        function: str,
        *arguments: Any,
    ) -> Receipt:
        """One action. A refusal must be one that the action may meet, and change nothing."""
        before = self.protocol.state() if self.random.random() < 0.05 else None
        receipt = contract.attempt(sender, function, *arguments)
        if receipt.refusal is None:
            self.accepted[kind] += 1
        else:
            assert receipt.refusal in reasons | self.also_expected, (
                f"step {self.step}, {kind}{arguments}: {receipt.refusal!r}"
            )
            self.refused[kind] += 1
            self.reasons[receipt.refusal] += 1
            assert before is None or self.protocol.state() == before
        return receipt

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    # Prices and time

    def refresh(self) -> None:
        """Keepers publish every market's price a second later."""
        advance(1)
        for market in self.running:
            self.protocol.publish(market, self.prices[market])

    def refresh_mostly(self) -> None:
        if self.chance(0.85):
            self.refresh()

    def wait(self, market: int) -> None:
        """The delay of the market's orders passes, and keepers publish; mostly all prices."""
        advance(self.protocol.markets[market].delay)
        if self.chance(0.95):
            self.refresh()
        elif market in self.running:
            self.protocol.push_price(market, self.prices[market])

    def shift_price(self, market: int, factor: float) -> None:
        start = Decimal(self.protocol.markets[market].price)
        moved = self.prices[market] * Decimal(str(round(factor, 6)))
        self.prices[market] = round(min(max(moved, start / 3), start * 2), 4)

    def set_terms_of(self, kind: str, reasons: set[str], market: int, **changes: int) -> Receipt:
        scale = self.protocol.markets[market].terms.skew_scale
        return self.attempt(
            kind,
            reasons,
            *(self.protocol.clearinghouse, self.protocol.owner, "set_terms", market),
            terms_named(skew_scale=scale, partial_above=TERMS.partial_above, **changes),
        )

    # What is open

    def positions(self) -> Iterator[tuple[str, int, int, words.Position]]:
        """Every open one of the traders: account, market, slot."""
        ledger = Ledger(self.protocol)
        for account in self.traders:
            for market in MARKETS:
                for slot in range(4):
                    position = words.unpack_position(ledger.position(account, market, slot))
                    if position.size:
                        yield account, market, slot, position

    def some_position(self, slots: tuple[int, ...]) -> tuple[str, int, int]:
        """An open one in one of the slots, if there is one."""
        found = [(account, market, slot) for account, market, slot, _ in self.positions()]
        found = [place for place in found if place[2] in slots]
        if found and self.chance(0.95):
            return self.random.choice(found)
        return self.traders[0], 0, slots[0]

    def vault(self) -> tuple[str, int, bool]:
        account, market, slot = self.some_position((words.ISOLATED_LONG, words.ISOLATED_SHORT))
        return account, market, slot == words.ISOLATED_LONG

    def quote(self, least: float, most: float) -> int:
        """An amount, small ones as likely as large ones: exponents of ten USD."""
        return int(10 ** self.random.uniform(least, most) * USD)

    def leverage(self, *times: int) -> int:
        return self.random.choice(times) * PPM
