"""Random actions on the twin: what hypothesis chooses from."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from random import Random

import boa
from eth_abi.abi import encode

from tests.helpers.chain import advance, now
from tests.helpers.protocol import (
    BTC,
    DEFAULT,
    ETH,
    LIMIT,
    MARKET,
    ONE_WAY,
    PPM,
    SOL,
    STOP,
    TAKE_PROFIT,
    USD,
    WAD,
    Protocol,
    Terms,
    position_id,
)
from tests.reference import layouts, liquidation, margins
from tests.reference.margin import Ledger, is_firm, vault_equity
from tests.reference.orders import PENDING, Refused
from tests.reference.reading import Reader
from tests.reference.state import ISOLATED, SIGN, Dust, State
from tests.reference.twin import Twin

TERMS = Terms(
    skew_scale=4 * 10**12,
    funding_velocity=2 * 10**8,
    partial_above=1_000 * USD,
)
SCALES = (4 * 10**12, 8 * 10**12, 2 * 10**12)
LISTED = [
    replace(market, terms=replace(TERMS, skew_scale=scale), trade_age=60, max_age=3_600)
    for market, scale in zip((BTC, ETH, SOL), SCALES, strict=True)
]
TRADERS = ("alice", "bob", "carol", "dave")


def world() -> tuple[Protocol, list[str]]:
    protocol = Protocol(*LISTED, insurance=2_000 * USD)
    traders = [protocol.actor(name) for name in TRADERS]
    for trader in traders:
        protocol.deposit(trader, 3_000 * USD)
    protocol.clearinghouse.send(traders[3], "set_hedge_mode", True)
    return protocol, traders


class Actions:
    """Each method is one thing that somebody does."""

    def __init__(self, protocol: Protocol, traders: list[str], random: Random) -> None:
        self.protocol = protocol
        self.random = random
        self.traders = traders
        accounts = [*traders, protocol.keeper, protocol.pool.address, protocol.owner]
        self.twin = Twin(protocol, Reader(protocol, accounts, LISTED))
        self.prices = [Decimal(market.price) for market in LISTED]

    @property
    def state(self) -> State:
        return self.twin.state

    def attempt(self, sender: str, function: str, *arguments: object) -> object:
        return self.protocol.clearinghouse.attempt(sender, function, *arguments)

    @contextmanager
    def anchored(self) -> Iterator[None]:
        """Whatever happens in the block is undone after it, in the model too."""
        state, orders, seen = self.twin.state, dict(self.twin.orders), Counter(self.twin.seen)
        with self.protocol.anchored():
            yield
        self.twin.state, self.twin.orders, self.twin.seen = state, orders, seen

    # Prices and time

    def refresh_all(self) -> None:
        """Keepers bring every price, the feeds being alive."""
        self.refresh()

    def wait_all(self) -> None:
        advance(max(market.delay for market in LISTED))
        self.refresh()

    def leave_orders(self) -> None:
        """Owners cancel all; what binds them is cleared by a keeper once it is over."""
        advance(max(market.delay + market.window for market in LISTED) + 1)
        self.refresh()
        for order in self.twin.orders.values():
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
        word = self.price_after(market)
        oracle, at = self.protocol.oracle, self.protocol.oracle.slots["_prices"] + market
        if self.random.random() < 0.9:
            boa.env.set_storage(oracle.address, at, word)
            return
        self.update(market)
        taken = layouts.PRICE.read(oracle.storage(at))
        assert taken == layouts.PRICE.read(word), (taken, layouts.PRICE.read(word), now())
        self.twin.seen["update"] += 1

    def price_after(self, market: int) -> int:
        """A price's word once a newer one is taken: a feed's silence ends now."""
        oracle = self.protocol.oracle
        word = layouts.PRICE.read(oracle.storage(oracle.slots["_prices"] + market))
        lapsed = now() - word["published_at"] - word["max_age"]
        return layouts.PRICE.write(
            word
            | {
                "price": int(self.prices[market] * WAD) // (10**3 * LISTED[market].lots),
                "published_at": now(),
                "accepted_in": now(),
                "silence": word["silence"] + max(0, lapsed),
            }
        )

    def update(self, market: int) -> None:
        price = int(self.prices[market] * WAD)
        self.protocol.oracle.send(
            self.protocol.owner, "update", market, encode(["uint256", "uint256"], [price, now()])
        )

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

    def squeeze(self) -> None:
        """A price goes to where something is due, or a little before or beyond it."""
        found = [place for place, position in self.state.positions.items() if position.size]
        if not found:
            return
        self.refresh()
        account, market, slot = self.random.choice(found)
        position = self.state.positions[account, market, slot]
        notional = float(position.size * self.state.prices[market].price)
        due = 0.005 * notional
        if slot >= ISOLATED:
            equity = float(vault_equity(self.state, account, market, slot & 1))
        else:
            ledger = Ledger(self.state, account)
            equity, due = float(ledger.equity), float(ledger.maintenance)
        aim = self.random.uniform(0.5, 1.02)
        factor = 1 - SIGN[slot & 1] * (equity - aim * due) / notional
        self.shift(market, min(max(factor, 0.7), 1.4))
        self.liquidate_isolated()
        self.liquidate_cross()

    def pass_time(self) -> None:
        advance(self.random.choice((1, 30, 600, 3_000, 5_000, 20_000)))
        self.twin.sync()
        if self.random.random() < 0.8:
            self.refresh()

    # Money

    def deposit(self) -> None:
        account = self.random.choice(self.traders)
        poor = self.state.accounts[account].cash < 3_000 * USD
        amount = self.random.randrange(1, 2_000 * USD if poor else 100)

        def act(state: State, dust: Dust) -> None:
            state.accounts[account].cash += amount

        self.twin.both("deposit", lambda: self.attempt(account, "deposit", account, amount), act, 0)

    def withdraw(self) -> None:
        account = self.random.choice(self.traders)
        most = max(self.state.accounts[account].cash, 0) + 2
        if self.random.random() < 0.5:
            free = Ledger(self.state, account).withdrawable
            most = int(free) + self.random.randrange(-20, 20)
        amount = max(int(most * self.random.random() ** 3), 1)
        if self.random.random() < 0.3:
            amount = max(int(most), 1)

        def act(state: State, dust: Dust) -> None:
            if not is_firm(state, account):
                raise Refused("price: not firm", "balance: not withdrawable")
            held = state.legs(account)
            free = Ledger(state, account).withdrawable
            if amount > free if not held else not dust.holds(free, amount):
                raise Refused("balance: not withdrawable")
            state.accounts[account].cash -= amount

        self.twin.both(
            "withdraw", lambda: self.attempt(account, "withdraw", amount, account), act, 0
        )

    # Margin and settings

    def vault(self) -> tuple[str, int, int] | None:
        found = [
            place
            for place, position in self.state.positions.items()
            if position.size and place[2] >= ISOLATED
        ]
        return self.random.choice(found) if found else None

    def deposit_margin(self) -> None:
        if (place := self.vault()) is None:
            return
        account, market, slot = place
        amount = self.random.randrange(1, 30 * USD)
        self.twin.both(
            "deposit_margin",
            lambda: self.attempt(
                self.protocol.keeper, "deposit_margin", account, market, slot == ISOLATED, amount
            ),
            lambda state, dust: margins.bring(state, place, amount),
            0,
        )

    def add_margin(self) -> None:
        if (place := self.vault()) is None:
            return
        account, market, slot = place
        amount = int(10 ** self.random.uniform(0, 2.5) * USD)
        self.twin.both(
            "add_margin",
            lambda: self.attempt(account, "add_margin", market, slot == ISOLATED, amount),
            lambda state, dust: margins.add(state, place, amount, dust),
            0,
        )

    def remove_margin(self) -> None:
        if (place := self.vault()) is None:
            return
        account, market, slot = place
        amount = int(10 ** self.random.uniform(0, 2) * USD)
        self.twin.both(
            "remove_margin",
            lambda: self.attempt(account, "remove_margin", market, slot == ISOLATED, amount),
            lambda state, dust: margins.remove(state, place, amount, dust),
            0,
        )

    def set_auto_margin(self) -> None:
        if (place := self.vault()) is None:
            return
        account, market, slot = place
        allowance = (
            0 if self.random.random() < 0.1 else int(10 ** self.random.uniform(1, 3.5) * USD)
        )

        def act(state: State, dust: Dust) -> None:
            state.positions[place].is_auto = allowance > 0
            state.allowances[place] = allowance

        self.twin.both(
            "set_auto_margin",
            lambda: self.attempt(account, "set_auto_margin", market, slot == ISOLATED, allowance),
            act,
            0,
        )

    def set_leverage(self) -> None:
        account, market = self.random.choice(self.traders), self.random.randrange(3)
        leverage = self.random.choice((0, 1, 5 * PPM, 10 * PPM, 50 * PPM))
        is_isolated, is_long = self.random.random() < 0.5, self.random.random() < 0.5
        slot = (ISOLATED if is_long else ISOLATED + 1) if is_isolated else 0
        self.twin.both(
            "set_leverage",
            lambda: self.attempt(account, "set_leverage", market, leverage, is_isolated, is_long),
            lambda state, dust: margins.set_leverage(
                state, (account, market, slot), leverage, dust
            ),
            0,
        )

    def set_default_margin_mode(self) -> None:
        account, market = self.random.choice(self.traders), self.random.randrange(3)
        is_isolated = self.random.random() < 0.5

        def act(state: State, dust: Dust) -> None:
            (state.isolates.add if is_isolated else state.isolates.discard)((account, market))

        self.twin.both(
            "set_default_margin_mode",
            lambda: self.attempt(account, "set_default_margin_mode", market, is_isolated),
            act,
            0,
        )

    def convert_position(self) -> None:
        found = [place for place, position in self.state.positions.items() if position.size]
        if not found:
            return
        account, market, slot = place = self.random.choice(found)
        to_isolated = slot < ISOLATED
        amount = 0
        if to_isolated and self.random.random() < 0.3:
            amount = int(10 ** self.random.uniform(1, 3) * USD)
        self.twin.both(
            "convert to isolated" if to_isolated else "convert to cross",
            lambda: self.attempt(
                account, "convert_position", market, slot & 1 == 0, to_isolated, amount
            ),
            lambda state, dust: margins.convert(state, place, amount, dust),
        )

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

    def set_status(self) -> None:
        market, status = self.random.randrange(3), int(self.random.random() < 0.3)
        sender = self.protocol.guardian if status else self.protocol.owner

        def act(state: State, dust: Dust) -> None:
            state.markets[market].is_reduce_only = bool(status)

        self.twin.both(
            "set_status", lambda: self.attempt(sender, "set_status", market, status), act, 0
        )

    # Orders

    def order(self):  # noqa
        roll = self.random
        account, market = roll.choice(self.traders), roll.randrange(3)
        mark = int(self.state.prices[market].price * 10**9)
        is_buy = roll.random() < 0.5
        reduce_only = roll.random() < 0.2
        kind = roll.choice((MARKET, MARKET, MARKET, LIMIT, STOP, TAKE_PROFIT))
        hedge = self.state.accounts[account].is_hedge
        fields = {
            "kind": kind,
            "is_buy": is_buy,
            "reduce_only": reduce_only,
            "margin_mode": roll.choice((1, 2, 2, DEFAULT)),
            "position_side": roll.choice((1, 2)) if hedge != (roll.random() < 0.02) else ONE_WAY,
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

    def some_keeper(self) -> str:
        return self.random.choice((self.protocol.keeper, self.protocol.keeper, self.traders[0]))

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
        before = self.protocol
        receipt = self.twin.both(
            "liquidate_isolated",
            lambda: before.clearinghouse.attempt(keeper, "liquidate_isolated", ids),
            lambda state, dust: liquidation.liquidate_vaults(state, places, keeper, dust),
            cuts=max(1, len(places)),
            earner=keeper,
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
            lambda: self.protocol.clearinghouse.attempt(keeper, "liquidate_cross", self.traders),
            lambda state, dust: liquidation.liquidate_ledgers(state, self.traders, keeper, dust),
            cuts=8,
            earner=keeper,
        )
        for event in receipt.events:
            self.twin.seen[f"cross {event.name}"] += 1
            if event.name == "PositionLiquidated":
                left = layouts.POSITION.read(event.position_word)["size"]
                self.twin.seen["cross partial"] += left > 0


def kinds_of(actions: Actions) -> list[Callable[[], object]]:
    """Each kind of action as often as it is to be chosen."""
    weighted: dict[Callable[[], object], int] = {
        actions.trade: 40,
        actions.place: 10,
        actions.execute: 12,
        actions.cancel: 5,
        actions.cancel_all: 2,
        actions.move_price: 15,
        actions.pass_time: 4,
        actions.squeeze: 8,
        actions.deposit: 10,
        actions.withdraw: 8,
        actions.liquidate_isolated: 8,
        actions.liquidate_cross: 8,
        actions.deposit_margin: 3,
        actions.add_margin: 4,
        actions.remove_margin: 5,
        actions.set_auto_margin: 4,
        actions.set_leverage: 4,
        actions.set_default_margin_mode: 2,
        actions.convert_position: 8,
        actions.set_status: 2,
    }
    return [kind for kind, weight in weighted.items() for _ in range(weight)]


def run(seed: int, steps: int, protocol: Protocol, traders: list[str]) -> Actions:
    """A walk without hypothesis: what a seed says, again and again."""
    with protocol.anchored():
        actions = Actions(protocol, traders, Random(seed))
        kinds = kinds_of(actions)
        while actions.twin.steps < steps:
            kind = actions.random.choice(kinds)
            try:
                kind()
            except AssertionError as error:
                error.add_note(f"seed {seed}, step {actions.twin.steps}: {kind.__name__}")
                raise
        return actions
