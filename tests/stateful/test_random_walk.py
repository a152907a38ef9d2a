"""Thousands of random actions of several accounts; every invariant checked after every one.

No revert is caught: an action that is refused must have been refused by one of the reasons that
its kind may meet, and then nothing at all may have changed.
"""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from bulkhead.protocol import words
from tests.helpers.chain import Contract, Receipt, advance, now
from tests.helpers.protocol import (
    BTC,
    CANCELLED,
    COOLDOWN,
    CROSS,
    DEFAULT,
    ETH,
    EXECUTED,
    ISOLATED,
    LIMIT,
    LONG,
    MARKET,
    ONE_WAY,
    PENDING,
    PPM,
    SHORT,
    SOL,
    STOP,
    TAKE_PROFIT,
    USD,
    Ledger,
    Order,
    Protocol,
    Terms,
    position_id,
    terms_named,
)

ACTIONS = 2_600
LEAST = 30  # times that each kind of action must be accepted
WAITING = {
    "price: too early",
    "price: stale",
    "price: not live",
    "price: not triggered",
    "price: not acceptable",
    "market: not open",
    "pool: short of cash",
}
ENDING = {
    "position: nothing to reduce",
    "size: below minimum",
    "balance: not withdrawable",
    "margin: below initial",
    "cap: open interest",
    "cap: skew",
    "cap: reserve",
    "order: expired",
    "order: wrong position mode",
    "operator: not allowed",
    "order: cancelled by owner",
}
PLACING = {
    "balance: below keeper fee",
    "balance: not withdrawable",
    "price: not live",
    "operator: not allowed",
    "size: zero",
}
EXIT = {
    "request: not mature",
    "request: lapsed",
    "pool: reserve",
    "price: before maturity",
    "price: not live",
}
TERMS = Terms(
    skew_scale=4 * 10**12,
    skew_cap=1_000,
    side_cap=1_250,
    funding_velocity=2 * 10**8,
    max_funding_rate=100_000,
)


class Walk:
    """The accounts, what they do, and what became of it."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        scales = {"BTC-PERP": 4 * 10**12, "ETH-PERP": 8 * 10**12, "SOL-PERP": 2 * 10**12}
        listed = [
            replace(m, terms=replace(TERMS, skew_scale=scales[m.symbol])) for m in (BTC, ETH, SOL)
        ]
        self.protocol = Protocol(*listed, insurance=2_000 * USD)
        self.prices = [Decimal(m.price) for m in listed]
        self.traders = [self.protocol.actor(f"trader {i}") for i in range(8)]
        for trader in self.traders:
            self.protocol.deposit(trader, 3_000 * USD)
        for trader in self.traders[4:6]:
            self.protocol.clearinghouse.send(trader, "set_hedge_mode", True)
        self.hedgers = set(self.traders[4:6])
        self.open_orders: list[Order] = []
        self.accepted: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.requests: list[int] = []

    def run(self, actions: int) -> None:
        kinds: list[tuple[Callable[[], None], int]] = [
            (self.trade, 40),
            (self.place, 10),
            (self.execute, 9),
            (self.execute_orders, 4),
            (self.cancel, 6),
            (self.move_price, 14),
            (self.pass_time, 3),
            (self.squeeze, 4),
            (self.liquidate_isolated, 2),
            (self.liquidate_cross, 2),
            (self.deposit, 7),
            (self.withdraw, 5),
            (self.deposit_margin, 4),
            (self.add_margin, 7),
            (self.remove_margin, 11),
            (self.set_leverage, 5),
            (self.set_default_margin_mode, 4),
            (self.set_hedge_mode, 7),
            (self.set_operator, 2),
            (self.add_liquidity, 4),
            (self.request_exit, 4),
            (self.fix_exit, 4),
            (self.fund_insurance, 4),
            (self.claim_fees, 5),
            (self.set_terms, 4),
            (self.set_status, 4),
        ]
        chosen = self.random.choices(
            [kind for kind, _ in kinds], [weight for _, weight in kinds], k=actions
        )
        for kind in chosen:
            kind()
            self.protocol.check_invariants()

    # What happens to a call

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
            assert receipt.refusal in reasons, f"{kind}{arguments}: {receipt.refusal!r}"
            self.refused[kind] += 1
            self.reasons[receipt.refusal] += 1
            assert before is None or self.protocol.state() == before
        return receipt

    # Orders

    def place(self, *, is_ready: bool = False) -> None:
        """Commits an order; one that is ready waits for nothing but the next price."""
        roll = self.random
        # Two of them trade so rarely that they are often flat.
        busy = self.traders if roll.random() < 0.1 else self.traders[:6]
        account, market = roll.choice(busy), roll.randrange(3)
        mark = self.protocol.price(market).price
        is_buy = roll.random() < 0.5
        kind = roll.choice((MARKET, MARKET, MARKET, LIMIT, STOP, TAKE_PROFIT))
        reduce_only = roll.random() < 0.1
        notional = int(10 ** roll.uniform(2.7, 4.8)) * 10**15  # femto: 500 to 63,000 USD
        fields: dict[str, Any] = {
            "kind": kind,
            "is_buy": is_buy,
            "reduce_only": reduce_only,
            "margin_mode": roll.choice((DEFAULT, CROSS, CROSS, ISOLATED)),
            "position_side": roll.choice((LONG, SHORT)) if account in self.hedgers else ONE_WAY,
        }
        if kind == LIMIT:
            better = roll.uniform(1, 1.01) if is_buy else roll.uniform(0.99, 1)
            fields["acceptable_price"] = int(
                mark * (better if is_ready else roll.uniform(0.99, 1.01))
            )
        if kind in (STOP, TAKE_PROFIT):
            crossed = roll.uniform(0.985, 1)
            if is_buy != (kind == STOP):
                crossed = roll.uniform(1, 1.015)
            fields["trigger_price"] = int(
                mark * (crossed if is_ready else roll.uniform(0.985, 1.015))
            )
        if kind != MARKET and roll.random() < 0.4:
            fields["expiry"] = now() + roll.randrange(30, 4_000)
        if not reduce_only:
            fields["leverage"] = roll.choice((0, 10, 20, 40, 80)) * PPM
            if fields["margin_mode"] == ISOLATED and roll.random() < 0.2:
                fields["margin"] = notional // 10**9 // roll.randrange(5, 60)
        size = 0 if reduce_only and roll.random() < 0.4 else notional // mark
        placer = account
        if roll.random() < 0.05:
            placer = self.protocol.keeper
        order = self.protocol.order(account, market, size, **fields)
        receipt = self.attempt(
            "place",
            PLACING,
            *(self.protocol.book, placer, "place", order),
        )
        if receipt.refusal is None:
            event = receipt.event("OrderPlaced")
            placed = Order(*event.order)
            self.protocol.orders[event.order_hash] = placed
            self.open_orders.append(placed)

    def trade(self) -> None:
        """Places an order and executes it at the next price."""
        known = len(self.open_orders)
        self.place(is_ready=True)
        if len(self.open_orders) == known:
            return
        order = self.open_orders[-1]
        self.wait(order.market)
        receipt = self.attempt(
            "trade",
            WAITING,
            *(self.protocol.book, self.protocol.keeper, "execute", order),
        )
        if receipt.refusal is None:
            self.count_fills(receipt)
        self.forget_ended()

    def pick(self) -> Order:
        """A pending order, or now and then one that has ended."""
        if not self.open_orders or self.random.random() < 0.03:
            return self.protocol.order(self.traders[0], 0, 10**6)
        return self.random.choice(self.open_orders)

    def execute(self) -> None:
        order = self.pick()
        if self.random.random() < 0.8:
            self.wait(order.market)
        receipt = self.attempt(
            "execute",
            WAITING | {"order: not pending"},
            *(self.protocol.book, self.protocol.keeper, "execute", order),
        )
        if receipt.refusal is None:
            assert receipt.result in (EXECUTED, CANCELLED)
            self.count_fills(receipt)
        self.forget_ended()

    def execute_orders(self) -> None:
        orders = [self.pick() for _ in range(self.random.randrange(8))]
        for market in range(3):
            self.wait(market)
        receipt = self.attempt(
            "execute_orders",
            set(),
            *(self.protocol.book, self.protocol.keeper, "execute_orders", orders),
        )
        statuses = [self.protocol.status(order) for order in orders]
        assert list(receipt.result) == statuses
        self.count_fills(receipt)
        self.forget_ended()

    def cancel(self) -> None:
        order = self.pick()
        sender = order.account if self.random.random() < 0.8 else self.protocol.keeper
        self.attempt(
            "cancel",
            {"order: not pending", "order: market is binding", "operator: not allowed"},
            *(self.protocol.book, sender, "cancel", order),
        )
        self.forget_ended()

    def wait(self, market: int) -> None:
        advance(self.protocol.markets[market].delay)
        self.protocol.push_price(market, self.prices[market])

    def forget_ended(self) -> None:
        ledger = Ledger(self.protocol)
        status = words.unpack_order_state
        self.open_orders = [
            order
            for order_hash, order in self.protocol.orders.items()
            if status(ledger.order(order_hash)).status == PENDING
        ]
        self.protocol.orders = {
            order_hash: order
            for order_hash, order in self.protocol.orders.items()
            if order in self.open_orders
        }

    def count_fills(self, receipt: Receipt) -> None:
        decreased = receipt.named("PositionDecreased")
        increased = receipt.named("PositionIncreased")
        self.seen["increase"] += len(increased)
        self.seen["decrease"] += len(decreased)
        by_hash = {event.order_hash for event in increased}
        self.seen["flip"] += sum(event.order_hash in by_hash for event in decreased)
        for event in receipt.named("OrderExecuted"):
            order = self.protocol.orders[event.order_hash]
            self.seen[f"filled kind {order.kind}"] += 1
            self.seen[f"filled mode {order.margin_mode}"] += 1
            self.seen["filled hedge"] += order.position_side != ONE_WAY
        for event in receipt.named("OrderCancelled"):
            assert event.reason in ENDING, event
            self.reasons[event.reason] += 1
            self.seen["ended"] += 1

    # Prices and time

    def move_price(self) -> None:
        market = self.random.randrange(3)
        wild = self.random.random() < 0.2
        factor = self.random.uniform(0.86, 1.15) if wild else self.random.uniform(0.98, 1.02)
        self.shift_price(market, factor)
        self.protocol.push_price(market, self.prices[market])
        self.accepted["move_price"] += 1
        if self.random.random() < 0.8:  # keepers follow prices
            self.liquidate_isolated()
            self.protocol.check_invariants()
            self.liquidate_cross()

    def shift_price(self, market: int, factor: float) -> None:
        start = Decimal(self.protocol.markets[market].price)
        moved = self.prices[market] * Decimal(str(round(factor, 6)))
        self.prices[market] = round(min(max(moved, start / 3), start * 2), 4)

    def pass_time(self) -> None:
        """Hours of funding; mostly with prices all along, sometimes in silence."""
        silent = self.random.random() < 0.1
        hours = self.random.randrange(1, 4)
        for _ in range(hours):
            advance(3_500)
            if not silent:
                for market in range(3):
                    self.protocol.publish(market, self.prices[market])
        self.accepted["pass_time"] += 1

    def squeeze(self) -> None:
        """A price goes against a cross leg, step by step, keepers at its heels."""
        ledger = Ledger(self.protocol)
        legs = [
            (words.unpack_position(ledger.position(account, market, slot)).size, market, slot)
            for account in self.traders
            for market in range(3)
            for slot in range(2)
        ]
        size, market, slot = self.random.choice([leg for leg in legs if leg[0]] or [(0, 0, 0)])
        if size == 0:
            return
        self.accepted["squeeze"] += 1
        before = self.seen["cross liquidation"]
        for _ in range(10):
            self.shift_price(market, 0.98 if slot == 0 else 1.02)
            self.liquidate_cross()
            self.protocol.check_invariants()
            if self.seen["cross liquidation"] != before:
                return

    # Liquidations

    def liquidate_isolated(self) -> None:
        ids = [position_id(*self.vault_slot()) for _ in range(20)]
        self.refresh()
        receipt = self.attempt(
            "liquidate_isolated",
            set(),
            *(self.protocol.clearinghouse, self.protocol.keeper, "liquidate_isolated", ids),
        )
        events = receipt.named("PositionLiquidated")
        assert receipt.result == len(events)
        self.seen["isolated liquidation"] += len(events)
        deficits = [event for event in events if event.deficit]
        self.seen["isolated deficit"] += len(deficits)
        assert all(event.penalty == 0 for event in deficits)

    def liquidate_cross(self) -> None:
        if self.random.random() < 0.8:
            self.refresh()
        receipt = self.attempt(
            "liquidate_cross",
            set(),
            *(self.protocol.clearinghouse, self.protocol.keeper, "liquidate_cross", self.traders),
        )
        self.seen["cross liquidation"] += receipt.result
        self.seen["cross deficit"] += len(receipt.named("DebtWrittenOff"))

    def refresh(self) -> None:
        advance(1)
        for market in range(3):
            self.protocol.publish(market, self.prices[market])

    # Money

    def deposit(self) -> None:
        account = self.random.choice(self.traders)
        amount = int(10 ** self.random.uniform(1, 3.5) * USD)
        if self.protocol.cash(account) > 3_000 * USD:
            amount = 1
        self.attempt(
            "deposit",
            {"token: balance too low"},
            *(self.protocol.clearinghouse, account, "deposit", account, amount),
        )

    def withdraw(self) -> None:
        account = self.random.choice(self.traders)
        most = max(self.protocol.cash(account), 0) + 1
        amount = max(int(most * self.random.random() ** 3), 1)
        self.attempt(
            "withdraw",
            {"balance: not withdrawable", "price: not live"},
            *(self.protocol.clearinghouse, account, "withdraw", amount, account),
        )

    def vault_slot(self) -> tuple[str, int, int]:
        account, market, is_long = self.vault()
        return account, market, 2 if is_long else 3

    def vault(self) -> tuple[str, int, bool]:
        """An open vault if there is one."""
        ledger = Ledger(self.protocol)
        found = [
            (account, market, slot == 2)
            for account in self.traders
            for market in range(3)
            for slot in (2, 3)
            if words.unpack_position(ledger.position(account, market, slot)).size
        ]
        if found and self.random.random() < 0.95:
            return self.random.choice(found)
        return self.traders[0], 0, True

    def deposit_margin(self) -> None:
        account, market, is_long = self.vault()
        amount = int(10 ** self.random.uniform(0, 1.5) * USD)
        self.attempt(
            "deposit_margin",
            {"position: not open"},
            *(self.protocol.clearinghouse, self.protocol.keeper, "deposit_margin", account),
            *(market, is_long, amount),
        )

    def add_margin(self) -> None:
        account, market, is_long = self.vault()
        amount = int(10 ** self.random.uniform(0, 2.5) * USD)
        self.attempt(
            "add_margin",
            {"position: not open", "balance: not withdrawable", "price: not live"},
            *(self.protocol.clearinghouse, account, "add_margin", market, is_long, amount),
        )

    def remove_margin(self) -> None:
        account, market, is_long = self.vault()
        amount = int(10 ** self.random.uniform(0, 1.3) * USD)
        self.attempt(
            "remove_margin",
            {"position: not open", "margin: below initial", "price: not live"},
            *(self.protocol.clearinghouse, account, "remove_margin", market, is_long, amount),
        )

    # Settings

    def set_leverage(self) -> None:
        self.attempt(
            "set_leverage",
            {"margin: below initial", "price: not live", "leverage: out of range"},
            *(self.protocol.clearinghouse, self.random.choice(self.traders), "set_leverage"),
            self.random.randrange(3),
            self.random.choice((0, 1, 5 * PPM, 10 * PPM, 50 * PPM)),
            self.random.random() < 0.5,
            self.random.random() < 0.5,
        )

    def set_default_margin_mode(self) -> None:
        self.attempt(
            "set_default_margin_mode",
            {"market: unknown"},
            self.protocol.clearinghouse,
            self.random.choice(self.traders),
            "set_default_margin_mode",
            self.random.randrange(4),
            self.random.random() < 0.5,
        )

    def set_hedge_mode(self) -> None:
        """Switches one of those who are often flat."""
        flat = [
            account
            for account in self.traders[6:]
            if not self.protocol.account(account).legs and not self.protocol.account(account).vaults
        ]
        account = self.random.choice(flat or self.traders[6:])
        is_hedge = (
            account not in self.hedgers if self.random.random() < 0.5 else (account in self.hedgers)
        )
        receipt = self.attempt(
            "set_hedge_mode",
            {"account: not flat"},
            *(self.protocol.clearinghouse, account, "set_hedge_mode", is_hedge),
        )
        if receipt.refusal is None:
            (self.hedgers.add if is_hedge else self.hedgers.discard)(account)

    def set_operator(self) -> None:
        self.attempt(
            "set_operator",
            set(),
            *(self.protocol.clearinghouse, self.random.choice(self.traders), "set_operator"),
            *(self.protocol.keeper, self.random.choice((0, now() + 5_000))),
        )

    # The pool

    def add_liquidity(self) -> None:
        self.refresh()
        self.attempt(
            "add_liquidity",
            {"pool: insolvent", "price: not live"},
            *(self.protocol.pool, self.protocol.liquidity_provider, "deposit"),
            int(10 ** self.random.uniform(1, 4)) * USD,
            self.protocol.liquidity_provider,
        )

    def request_exit(self) -> None:
        provider = self.protocol.liquidity_provider
        shares = int(self.protocol.pool.read("balanceOf", provider))
        receipt = self.attempt(
            "request_exit",
            set(),
            *(self.protocol.pool, provider, "requestRedeem"),
            *(max(shares // 1_000, 1), provider, provider),
        )
        self.requests.append(int(receipt.result))

    def fix_exit(self) -> None:
        """The oldest request: fixed or lapsed, and claimed."""
        if not self.requests:
            return
        if self.random.random() < 0.8:
            for _ in range(2):
                advance(COOLDOWN // 2)
                self.refresh()
        request = self.requests[0]
        receipt = self.attempt(
            "fix_exit",
            EXIT,
            *(self.protocol.pool, self.protocol.keeper, "fix", request),
        )
        provider = self.protocol.liquidity_provider
        if receipt.refusal == "request: lapsed":
            self.protocol.pool.send(self.protocol.keeper, "lapse", request)
        if receipt.refusal in (None, "request: lapsed"):
            self.requests.pop(0)
        if receipt.refusal is None:
            shares = self.protocol.pool.read("maxRedeem", provider)
            self.protocol.pool.send(provider, "redeem", shares, provider, provider)

    # The house

    def fund_insurance(self) -> None:
        self.attempt(
            "fund_insurance",
            set(),
            *(self.protocol.clearinghouse, self.protocol.owner, "fund_insurance"),
            self.random.randrange(1, 100 * USD),
        )

    def claim_fees(self) -> None:
        self.attempt(
            "claim_fees",
            {"amount: zero"},
            *(self.protocol.clearinghouse, self.protocol.owner, "claim_fees"),
            self.protocol.owner,
        )

    def set_terms(self) -> None:
        market = self.random.randrange(3)
        scale = self.protocol.markets[market].terms.skew_scale
        self.refresh()
        self.attempt(
            "set_terms",
            {"fee: maker above taker"},
            *(self.protocol.clearinghouse, self.protocol.owner, "set_terms", market),
            terms_named(
                skew_scale=scale,
                taker_fee=self.random.choice((0, 150, 500, 1_000)),
                maker_fee=self.random.choice((0, 200)),
                funding_velocity=self.random.choice((0, 2 * 10**8)),
                max_funding_rate=self.random.choice((10_000, 100_000)),
            ),
        )

    def set_status(self) -> None:
        market, status = self.random.randrange(3), int(self.random.random() < 0.15)
        sender = self.protocol.owner if status == 0 else self.protocol.guardian
        self.attempt(
            "set_status",
            set(),
            *(self.protocol.clearinghouse, sender, "set_status", market, status),
        )


@pytest.mark.slow
@pytest.mark.stateful
def test_a_random_walk_keeps_every_invariant(capsys: pytest.CaptureFixture[str]) -> None:
    walk = Walk(seed=int(os.environ.get("WALK_SEED", "7")))
    walk.run(ACTIONS)
    with capsys.disabled():
        print(f"\naccepted {walk.accepted.total()}: {dict(walk.accepted)}")
        print(f"refused {walk.refused.total()}: {dict(walk.refused)}")
        print(f"reasons: {dict(walk.reasons)}")
        print(f"seen: {dict(walk.seen)}")
    assert walk.accepted.total() + walk.refused.total() >= 2_000
    assert walk.accepted.total() >= walk.refused.total()
    for kind in walk.accepted.keys() | walk.refused.keys():
        assert walk.accepted[kind] >= LEAST, kind
    for number in (MARKET, LIMIT, STOP, TAKE_PROFIT):
        assert walk.seen[f"filled kind {number}"] >= LEAST
    for name in ("increase", "decrease", "filled mode 1", "filled mode 2", "filled hedge"):
        assert walk.seen[name] >= LEAST, name
    assert walk.seen["flip"] >= 10
    assert walk.seen["isolated liquidation"] >= 20
    assert walk.seen["cross liquidation"] >= 20
    assert walk.seen["isolated liquidation"] > walk.seen["isolated deficit"]
    assert walk.seen["cross liquidation"] > walk.seen["cross deficit"]
    assert walk.seen["isolated deficit"] + walk.seen["cross deficit"] >= 5
