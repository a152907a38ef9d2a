"""What the walk's prices do, and what keepers and the owner do with markets: up to their end."""

from bulkhead.protocol import market_math, words
from tests.helpers.chain import Receipt, advance, now
from tests.helpers.protocol import PPM, TIERS, USD, Ledger, position_id
from tests.stateful.walking import DAY, MARKETS, Walker

HOUR = words.HOUR
SIX_HOURS = 6 * HOUR


class MarketActions(Walker):
    def move_price(self) -> None:
        market = self.random.choice(self.running)
        wild = self.chance(0.2)
        factor = self.random.uniform(0.86, 1.15) if wild else self.random.uniform(0.98, 1.02)
        self.shift_price(market, factor)
        self.protocol.push_price(market, self.prices[market])
        self.accepted["move_price"] += 1
        if self.chance(0.8):  # keepers follow prices
            self.liquidate_isolated()
            self.protocol.check_invariants()
            self.liquidate_cross()

    def pass_time(self) -> None:
        """Hours of funding; mostly with prices all along, sometimes in silence."""
        silent = self.chance(0.1)
        for _ in range(self.random.randrange(1, 4)):
            advance(3_500)
            if not silent:
                self.refresh()
        self.accepted["pass_time"] += 1

    def pass_days(self, days: int) -> None:
        """A price every six hours: it is silent in between, and then funding does not accrue."""
        if self.also_expected:
            return  # else the last hour of a market would be missed
        for _ in range(4 * days):
            advance(SIX_HOURS)
            self.refresh()
        self.accepted["pass_days"] += 1

    def squeeze(self) -> None:
        """A price goes to where a position is due, or to a little before or beyond it."""
        found = [place for place in self.positions() if place[1] in self.running]
        if not found:
            return
        self.accepted["squeeze"] += 1
        # Positions of both sides of a market are few, and netted when they are due.
        pairs = [p for p in found if p[2] < 2 and self.protocol.position(p[0], p[1], p[2] ^ 1).size]
        self.refresh()
        chosen = pairs if pairs and self.chance(0.3) else found
        edges = [self.edge_of(*self.random.choice(chosen)[:3]) for _ in range(4)]
        self.shift_price(*min(edges, key=lambda edge: abs(edge[1] - 1)))
        self.liquidate_isolated()
        self.protocol.check_invariants()
        self.liquidate_cross()

    def edge_of(self, account: str, market: int, slot: int) -> tuple[int, float]:
        """The market and the factor by which its price is off from a liquidation, about.

        Equity is to be 0.6 to 1 of maintenance margin: below two thirds all is closed.
        """
        price = self.protocol.price(market).price
        position = self.protocol.position(account, market, slot)
        exposure, equity, maintenance = position.size, position.margin * 10**9, 0
        if slot < words.ISOLATED_LONG:
            exposure = position.size - self.protocol.position(account, market, slot ^ 1).size
            state = self.protocol.account(account)
            equity = (state.cash + state.escrow) * 10**9
            for other in MARKETS:
                sizes = [self.protocol.position(account, other, side).size for side in range(2)]
                if other != market:
                    notional = max(sizes) * self.protocol.price(other).price
                    maintenance += notional * self.protocol.market(other).maintenance_rate // PPM
                equity += sum(self.protocol.value(account, other, side) for side in range(2))
        else:
            equity += self.protocol.value(account, market, slot)
        rate = self.protocol.market(market).maintenance_rate / PPM
        aim = self.random.uniform(0.6, 1)
        # equity + sign * exposure * price * (f - 1) = aim * (maintenance + rate * size * price * f)
        sign = 1 if slot & 1 == 0 else -1
        free = (equity - aim * maintenance) / (position.size * price)
        part = sign * exposure / position.size
        slope = part - aim * rate
        factor = (part - free) / slope if slope else 1
        return market, min(max(factor, 0.85), 1.15)

    # Liquidations

    def liquidate_isolated(self) -> None:
        ids = [position_id(*self.vault()[:2], 2 + self.random.randrange(2)) for _ in range(2)]
        ids += [
            position_id(account, market, slot)
            for account, market, slot, _ in self.positions()
            if slot >= words.ISOLATED_LONG
        ]
        self.refresh()
        receipt = self.attempt(
            "liquidate_isolated",
            set(),
            *(self.protocol.clearinghouse, self.protocol.keeper, "liquidate_isolated", ids),
        )
        events = receipt.named("PositionLiquidated")
        topped = receipt.named("MarginToppedUp")
        assert receipt.result == len(events) + len(topped)
        self.seen["isolated liquidation"] += len(events)
        self.seen["top-up"] += len(topped)
        self.seen["isolated partial"] += self.partial(receipt)
        deficits = [event for event in events if event.deficit]
        self.seen["isolated deficit"] += len(deficits)
        assert all(event.penalty == 0 for event in deficits)

    def liquidate_cross(self) -> None:
        if self.chance(0.8):
            self.refresh()
        receipt = self.attempt(
            "liquidate_cross",
            set(),
            *(self.protocol.clearinghouse, self.protocol.keeper, "liquidate_cross", self.traders),
        )
        self.seen["cross liquidation"] += receipt.result
        self.seen["cross deficit"] += len(receipt.named("DebtWrittenOff"))
        self.seen["cross partial"] += self.partial(receipt)
        self.seen["netting"] += len(receipt.named("PairNetted"))

    def partial(self, receipt: Receipt) -> int:
        """How many positions a liquidation has only cut."""
        events = receipt.named("PositionLiquidated")
        return sum(words.unpack_position(event.position_word).size != 0 for event in events)

    def ids_in(self, market: int) -> list[int]:
        return sorted(
            position_id(account, at, slot)
            for account, at, slot, _ in self.positions()
            if at == market
        )

    def owed(self, market: int) -> int:
        """What the pool owes a market's traders now, femto."""
        price, index = (
            self.protocol.price(market).price,
            self.protocol.accrued(market).funding_index,
        )
        return sum(
            market_math.side_value(self.protocol.side(market, side), side, price, index)
            for side in (True, False)
        )

    def auto_deleverage(self) -> None:
        """A keeper tries; often after the owner has shrunk the market's share of the pool."""
        market = self.random.choice(self.running)
        is_shrunk = self.chance(0.6)
        if is_shrunk:
            favourable = 1.02 if self.protocol.skew(market) > 0 else 0.98
            self.refresh()
            for _ in range(4):
                if self.owed(market) < 0:
                    self.shift_price(market, favourable)
                    self.refresh()
            share = max(self.owed(market), 0) // (self.protocol.house().pool_cash * 1_000) + 2
            self.set_terms_of(
                "shrink_share", {"pool: owes above its share"}, market, pool_share=share
            )
            self.shift_price(market, favourable)
        self.refresh_mostly()
        receipt = self.attempt(
            "auto_deleverage",
            {"market: within its share", "price: stale"},
            *(self.protocol.clearinghouse, self.protocol.keeper, "auto_deleverage"),
            *(market, self.ids_in(market)),
        )
        self.seen["deleveraged"] += len(receipt.named("PositionDeleveraged"))
        if is_shrunk:
            self.protocol.check_invariants()
            self.refresh()
            self.set_terms_of("set_terms", set(), market)

    # Terms

    def set_terms(self) -> None:
        self.refresh()
        self.set_terms_of(
            "set_terms",
            {"fee: maker above taker"},
            self.random.choice(self.running),
            taker_fee=self.random.choice((0, 150, 500, 1_000)),
            maker_fee=self.random.choice((0, 200)),
            funding_velocity=self.random.choice((0, 2 * 10**8)),
            max_funding_rate=self.random.choice((1_000, 10_000)),
        )

    def set_status(self) -> None:
        market, status = self.random.choice(self.running), int(self.chance(0.15))
        sender = self.protocol.owner if status == 0 else self.protocol.guardian
        self.attempt(
            "set_status",
            set(),
            *(self.protocol.clearinghouse, sender, "set_status", market, status),
        )

    def ramp_tiers(self) -> None:
        """Rates of up to twice the first ones, a day from now, which mostly passes."""
        factor = self.random.uniform(1, 2)
        tiers = [(floor, int(rate * factor), int(2 * rate * factor)) for floor, rate, _ in TIERS]
        market = self.random.choice(self.running)
        self.attempt(
            "ramp_tiers",
            {"tier: ramp under way"},
            *(self.protocol.clearinghouse, self.protocol.owner, "ramp_tiers", market, tiers, DAY),
        )
        if self.chance(0.4):
            self.pass_days(1)
            self.end_ramp(market)

    def end_ramp(self, market: int | None = None) -> None:
        self.attempt(
            "end_ramp",
            {"tier: no ramp", "tier: ramp under way"},
            *(self.protocol.clearinghouse, self.protocol.keeper, "end_ramp"),
            self.random.choice(self.running) if market is None else market,
        )

    # The house

    def fund_insurance(self) -> None:
        self.attempt(
            "fund_insurance",
            set(),
            *(self.protocol.clearinghouse, self.protocol.owner, "fund_insurance"),
            self.random.randrange(1, 300 * USD),
        )

    def request_insurance(self) -> None:
        self.attempt(
            "request_insurance",
            {"insurance: too little"},
            *(self.protocol.clearinghouse, self.protocol.owner, "request_insurance"),
            self.quote(-1, 3),
        )
        if self.chance(0.4):
            self.pass_days(3)
        self.withdraw_insurance()

    def withdraw_insurance(self) -> None:
        self.refresh_mostly()
        self.attempt(
            "withdraw_insurance",
            {
                "insurance: none requested",
                "insurance: too early",
                "insurance: too little",
                "insurance: lapsed",
                "pool: short of cash",
                "pool: owes above its share",
                "price: not firm",
                "amount: zero",
            },
            *(self.protocol.clearinghouse, self.protocol.owner, "withdraw_insurance"),
            self.protocol.owner,
        )

    def claim_fees(self) -> None:
        self.attempt(
            "claim_fees",
            {"amount: zero"},
            *(self.protocol.clearinghouse, self.protocol.owner, "claim_fees"),
            self.protocol.owner,
        )

    # The end of a market

    def announce_settlement(self, market: int) -> int:
        """Returns the second its last hour begins in."""
        hour = (now() + DAY) // HOUR + 1
        self.protocol.oracle.send(self.protocol.owner, "announce_settlement", market, hour)
        return hour * HOUR

    def settle(self, market: int) -> None:
        """Its hour is over: the average becomes its price, at which all that is open is closed."""
        self.protocol.oracle.send(self.protocol.keeper, "fix_settlement", market)
        self.running.remove(market)
        self.protocol.check_invariants()
        ids = self.ids_in(market)
        assert ids, "nothing was open in the market"
        for half in (ids[::2], ids[1::2]):
            receipt = self.protocol.settle_positions(*half)
            assert receipt.result == len(half)
            self.seen["settled"] += receipt.result
            self.protocol.check_invariants()
        found = Ledger(self.protocol).market_words(market)[1:3]
        assert [words.unpack_side(word) for word in found] == [words.Side(0, 0)] * 2
