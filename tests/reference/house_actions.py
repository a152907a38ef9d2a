"""What keepers, guardian and owner do to positions and to the house."""

from fractions import Fraction

from tests.helpers.chain import advance, now
from tests.helpers.protocol import USD, position_id
from tests.reference import deleveraging, house, layouts, liquidation
from tests.reference.margin import Ledger, requirement, vault_equity
from tests.reference.sources import CHECKED
from tests.reference.state import DAY, ISOLATED, SIGN, Dust, State
from tests.reference.walking import Walker


class HouseActions(Walker):
    """Each method is one thing that is done to them."""

    # Liquidation

    def liquidate_isolated(self) -> None:
        if self.random.random() < 0.8:
            self.refresh()
        places = [
            (account, market, ISOLATED + side)
            for account in self.traders
            for market in range(3)
            for side in range(2)
            if self.state.position(account, market, ISOLATED + side).size
        ]
        keeper = self.some_keeper()
        ids = [position_id(*place) for place in places]
        receipt = self.twin.both(
            "liquidate_isolated",
            lambda: self.attempt(keeper, "liquidate_isolated", ids),
            lambda state, dust: liquidation.liquidate_vaults(state, places, keeper, dust),
            cuts=max(1, len(places)),
            earners={keeper},
        )
        self.twin.seen["top-up"] += len(receipt.named("MarginToppedUp"))
        for event in receipt.named("PositionLiquidated"):
            self.twin.seen["isolated liquidation"] += 1
            left = layouts.POSITION.read(event.position_word)["size"]
            self.twin.seen["isolated partial"] += left > 0
            self.twin.seen["isolated deficit"] += event.deficit > 0

    def liquidate_cross(self) -> None:
        if self.random.random() < 0.8:
            self.refresh()
        keeper = self.some_keeper()
        receipt = self.twin.both(
            "liquidate_cross",
            lambda: self.attempt(keeper, "liquidate_cross", self.traders),
            lambda state, dust: liquidation.liquidate_ledgers(state, self.traders, keeper, dust),
            cuts=8,
            earners={keeper},
        )
        for event in receipt.events:
            self.twin.seen[f"cross {event.name}"] += 1
            if event.name == "PositionLiquidated":
                left = layouts.POSITION.read(event.position_word)["size"]
                self.twin.seen["cross partial"] += left > 0

    def auto_deleverage(self) -> None:
        """Of everything that is open in the most lopsided market, after its price has gone on."""
        listed = enumerate(self.state.markets)
        skews = [market.skew * self.state.prices[n].price for n, market in listed]
        number = max(range(len(skews)), key=lambda n: abs(Fraction(skews[n])))
        if self.random.random() < 0.6:
            self.shift(number, 1.4 if skews[number] > 0 else 0.6)
        if self.random.random() < 0.9:
            self.refresh()
        ids = {
            position_id(*place): place
            for place, position in self.state.positions.items()
            if position.size and place[1] == number
        }
        places = [ids[key] for key in sorted(ids)]
        receipt = self.twin.both(
            "auto_deleverage",
            lambda: self.attempt(self.protocol.keeper, "auto_deleverage", number, sorted(ids)),
            lambda state, dust: deleveraging.deleverage(state, number, places, dust),
            cuts=max(1, len(places)),
        )
        self.twin.seen["deleveraged"] += len(receipt.named("PositionDeleveraged"))

    def squeeze(self) -> None:
        """A price goes to where something is due, or a little before or beyond it."""
        found = [place for place, position in self.state.positions.items() if position.size]
        if not found:
            return
        self.refresh()
        # Both sides of a market in one ledger are few, and netted when they are due.
        pairs = [
            place
            for place in found
            if place[2] < ISOLATED and self.state.position(*place[:2], place[2] ^ 1).size
        ]
        if pairs and self.random.random() < 0.4:
            found = pairs
        account, market, slot = self.random.choice(found)
        position = self.state.positions[account, market, slot]
        notional = float(position.size * self.state.prices[market].price)
        tiers = self.state.markets[market].tiers
        due = float(requirement(tiers, Fraction(notional), initial=False))
        if slot >= ISOLATED:
            equity = float(vault_equity(self.state, account, market, slot & 1))
        else:
            ledger = Ledger(self.state, account)
            equity, due = float(ledger.equity), float(ledger.maintenance)
        if market == CHECKED and self.random.random() < 0.4:
            self.dispute(self.prices[market], now())  # whoever is behind disputes the jump
        aim = self.random.uniform(0.5, 1.02)
        factor = 1 - SIGN[slot & 1] * (equity - aim * due) / notional
        self.shift(market, min(max(factor, 0.7), 1.4))
        self.liquidate_isolated()
        self.liquidate_cross()

    # The house

    def stop_opening(self) -> None:
        """The guardian stops, the owner resumes."""
        stops = self.random.random() < 0.12
        sender = self.protocol.guardian if stops else self.protocol.owner

        def act(state: State, dust: Dust) -> None:
            state.house.is_stopped = stops

        self.twin.both("stop_opening", lambda: self.attempt(sender, "stop_opening", stops), act, 0)

    # Insurance and fees

    def fund_insurance(self) -> None:
        amount = self.random.randrange(1, 300 * USD)

        def act(state: State, dust: Dust) -> None:
            state.house.insurance += amount

        owner = self.protocol.owner
        self.twin.both(
            "fund_insurance", lambda: self.attempt(owner, "fund_insurance", amount), act, 0
        )

    def announce_insurance(self) -> None:
        owner, insurance = self.protocol.owner, int(self.state.house.insurance)
        amount = self.random.choice((0, 10 * USD, insurance // 2, insurance, insurance + 1))
        self.twin.both(
            "request_insurance",
            lambda: self.attempt(owner, "request_insurance", amount),
            lambda state, dust: house.announce(state, amount),
            0,
        )

    def withdraw_insurance(self) -> None:
        """Three days later, mostly."""
        if self.random.random() < 0.5:
            self.announce_insurance()
        if self.random.random() < 0.6:
            advance(self.random.choice((3, 3, 4, 10)) * DAY)
            self.twin.sync()
        if self.random.random() < 0.8:
            self.refresh()
        owner = self.protocol.owner
        self.twin.both(
            "withdraw_insurance",
            lambda: self.attempt(owner, "withdraw_insurance", owner),
            lambda state, dust: house.withdraw_insurance(state, dust),
            0,
        )

    def claim_fees(self) -> None:
        owner = self.protocol.owner
        self.twin.both(
            "claim_fees",
            lambda: self.attempt(owner, "claim_fees", owner),
            lambda state, dust: house.claim_fees(state),
            0,
        )
