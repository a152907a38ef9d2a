"""What the walk's accounts do with money, margin and settings; providers with the pool."""

from bulkhead.protocol import words
from tests.helpers.chain import advance, now
from tests.helpers.protocol import COOLDOWN, PPM, USD
from tests.stateful.walking import DAY, MARKETS, Walker

EXIT = {
    "request: not mature",
    "request: lapsed",
    "pool: reserve",
    "price: before maturity",
    "price: not firm",
}


class AccountActions(Walker):
    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.requests: list[tuple[int, int]] = []  # redemptions: id, and when it was asked for

    # Money

    def deposit(self) -> None:
        poorest = min(self.traders, key=self.protocol.cash)
        account = self.random.choice((*self.traders, *[poorest] * 8))
        amount = self.quote(2, 3.8)
        if self.protocol.cash(account) > 3_000 * USD:
            amount = 1
        self.attempt(
            "deposit",
            {"token: balance too low"},
            *(self.protocol.clearinghouse, account, "deposit", account, amount),
        )

    def withdraw(self) -> None:
        self.refresh_mostly()
        account = self.random.choice(self.traders)
        most = max(self.protocol.cash(account), 0) + 1
        amount = max(int(most * self.random.random() ** 3), 1)
        self.attempt(
            "withdraw",
            {"balance: not withdrawable", "price: not firm"},
            *(self.protocol.clearinghouse, account, "withdraw", amount, account),
        )

    # Margin

    def deposit_margin(self) -> None:
        account, market, is_long = self.vault()
        self.attempt(
            "deposit_margin",
            {"position: not open"},
            *(self.protocol.clearinghouse, self.protocol.keeper, "deposit_margin", account),
            *(market, is_long, self.quote(0, 1.5)),
        )

    def add_margin(self) -> None:
        self.refresh_mostly()
        account, market, is_long = self.vault()
        self.attempt(
            "add_margin",
            {"position: not open", "balance: not withdrawable", "price: not firm"},
            *(self.protocol.clearinghouse, account, "add_margin"),
            *(market, is_long, self.quote(0, 2.5)),
        )

    def remove_margin(self) -> None:
        self.refresh_mostly()
        account, market, is_long = self.vault()
        self.attempt(
            "remove_margin",
            {"position: not open", "margin: below initial", "price: not firm"},
            *(self.protocol.clearinghouse, account, "remove_margin"),
            *(market, is_long, self.quote(0, 1.3)),
        )

    def set_auto_margin(self) -> None:
        account, market, is_long = self.vault()
        allowance = 0 if self.chance(0.1) else self.quote(1.5, 3.5)
        self.attempt(
            "set_auto_margin",
            {"position: not open"},
            *(self.protocol.clearinghouse, account, "set_auto_margin"),
            *(market, is_long, allowance),
        )

    def convert_position(self) -> None:
        self.refresh_mostly()
        slots = self.random.choice(
            ((words.CROSS_LONG, words.CROSS_SHORT), (words.ISOLATED_LONG, words.ISOLATED_SHORT))
        )
        account, market, slot = self.some_position(slots)
        to_isolated = slot < words.ISOLATED_LONG
        amount = self.quote(1, 3) if to_isolated and self.chance(0.3) else 0
        self.attempt(
            "convert to isolated" if to_isolated else "convert to cross",
            {
                "position: not open",
                "position: other side open",
                "balance: not withdrawable",
                "margin: below initial",
                "price: not firm",
            },
            *(self.protocol.clearinghouse, account, "convert_position"),
            *(market, slot & 1 == 0, to_isolated, amount),
        )

    # Settings

    def set_leverage(self) -> None:
        self.refresh_mostly()
        self.attempt(
            "set_leverage",
            {"margin: below initial", "price: not firm", "leverage: out of range"},
            *(self.protocol.clearinghouse, self.random.choice(self.traders), "set_leverage"),
            self.random.choice(MARKETS),
            self.random.choice((0, 1, 5 * PPM, 10 * PPM, 50 * PPM)),
            self.chance(0.5),
            self.chance(0.5),
        )

    def set_default_margin_mode(self) -> None:
        self.attempt(
            "set_default_margin_mode",
            {"market: unknown"},
            self.protocol.clearinghouse,
            self.random.choice(self.traders),
            "set_default_margin_mode",
            *(self.random.randrange(4), self.chance(0.5)),
        )

    def set_hedge_mode(self) -> None:
        """Switches one of those who are often flat."""
        states = {account: self.protocol.account(account) for account in self.traders[6:]}
        flat = [account for account, state in states.items() if not state.legs | state.vaults]
        account = self.random.choice(flat or self.traders[6:])
        is_hedge = (account in self.hedgers) != self.chance(0.5)
        receipt = self.attempt(
            "set_hedge_mode",
            {"account: not flat"},
            *(self.protocol.clearinghouse, account, "set_hedge_mode", is_hedge),
        )
        if receipt.refusal is None:
            (self.hedgers.add if is_hedge else self.hedgers.discard)(account)

    # The pool

    def add_liquidity(self) -> None:
        self.refresh_mostly()
        provider = self.protocol.liquidity_provider
        self.attempt(
            "add_liquidity",
            {"pool: insolvent", "price: not firm"},
            *(self.protocol.pool, provider, "deposit", self.quote(1, 4), provider),
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
        self.requests.append((int(receipt.result), now()))

    def fix_exit(self) -> None:
        """The oldest request that has not lapsed: fixed and claimed."""
        pool, provider = self.protocol.pool, self.protocol.liquidity_provider
        while self.requests and now() > self.requests[0][1] + COOLDOWN + DAY:
            pool.send(self.protocol.keeper, "lapse", self.requests.pop(0)[0])
            self.seen["lapse"] += 1
        if not self.requests:
            return
        if self.chance(0.8):
            for _ in range(2):
                advance(COOLDOWN // 2)
                self.refresh()
        receipt = self.attempt(
            "fix_exit", EXIT, *(pool, self.protocol.keeper, "fix", self.requests[0][0])
        )
        if receipt.refusal is None:
            self.requests.pop(0)
            pool.send(provider, "redeem", pool.read("maxRedeem", provider), provider, provider)
