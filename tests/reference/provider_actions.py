"""What liquidity providers do, and who fixes their requests."""

from collections.abc import Callable
from fractions import Fraction

from tests.helpers.chain import Receipt, advance
from tests.helpers.protocol import USD
from tests.reference import shares
from tests.reference.providers import Claim
from tests.reference.state import DAY, Dust, State
from tests.reference.twin import Difference
from tests.reference.walking import Walker

NEAR = Fraction(1, 10**6)  # of shares: the pool's equity is rounded to quote units
LARGEST = 5_000 * USD


class ProviderActions(Walker):
    """Each method is one thing that somebody does with shares of the pool."""

    def pool(self, sender: str, function: str, *arguments: object) -> Receipt:
        return self.twin.call(self.protocol.pool, sender, function, *arguments)

    @property
    def providers(self) -> tuple[str, ...]:
        """A trader may be one, too."""
        return self.protocol.liquidity_provider, self.traders[1]

    def some_provider(self) -> str:
        return self.random.choice(self.providers)

    def enter(self) -> None:
        """Shares are made for what is brought, down, at the pool's equity; or exactly, up."""
        provider, is_exact = self.some_provider(), self.random.random() < 0.3
        amount = int(10 ** self.random.uniform(0, 4) * USD)
        price = shares.price(self.state)
        wanted = int(amount / price)
        receipts: list[Receipt] = []

        def call() -> Receipt:
            function, given = ("mint", wanted) if is_exact else ("deposit", amount)
            receipts[:] = [self.pool(provider, function, given, provider)]
            return receipts[0]

        def act(state: State, _: Dust) -> None:
            found = receipts[0].result or 0
            minted, assets = (wanted, found) if is_exact else (found, amount)
            shares.enter(state, provider, assets, minted)

        receipt = self.twin.both("mint" if is_exact else "enter", call, act, 0)
        if receipt.refusal is None:
            fair = wanted * price if is_exact else amount / price
            if abs(receipt.result - fair) > NEAR * fair + 1:
                raise Difference(f"{receipt.result} for {amount}, not {float(fair)}")

    def request_redeem(self) -> None:
        owner, controller = self.some_provider(), self.some_provider()
        held = self.state.shares.held.get(owner, 0)
        worth = int(LARGEST * self.random.random() / shares.price(self.state))
        amount = max(1, min(held, worth) + (self.random.random() < 0.1) * held)
        sender = owner if self.random.random() < 0.8 else self.some_provider()

        def act(state: State, _: Dust) -> None:
            shares.request(state, owner, controller, amount, sender)

        self.twin.both(
            "request_redeem",
            lambda: self.pool(sender, "requestRedeem", amount, controller, owner),
            act,
            0,
        )

    def some_request(self) -> int:
        waiting = list(self.state.shares.requests)
        if waiting and self.random.random() < 0.95:
            return self.random.choice(waiting)
        return self.random.randrange(1, self.state.shares.count + 2)

    def fix(self) -> None:
        if not self.state.shares.requests:
            self.request_redeem()
        number, keeper = self.some_request(), self.some_keeper()
        waiting = self.state.shares.requests.get(number)
        if waiting is not None and self.random.random() < 0.6:
            advance(max(0, waiting.matures_at - self.state.now))
        if self.random.random() < 0.9:
            self.refresh()
        self.twin.sync()
        claimed: list[Fraction] = []
        address = self.protocol.pool.address

        def act(state: State, dust: Dust) -> None:
            claimed[:] = [shares.fix(state, number, address, dust)]

        receipt = self.twin.both("fix", lambda: self.pool(keeper, "fix", number), act)
        if receipt.refusal is None:
            if not 0 <= claimed[0] - receipt.result <= 3:
                raise Difference(f"{receipt.result} claimable, not {float(claimed[0])}")
            assert waiting is not None
            self.correct(waiting.controller, claimed[0] - receipt.result)

    def correct(self, controller: str, dust: Fraction) -> None:
        """A claim is what the chain made of it: what it was rounded by is the pool's."""
        held = self.state.shares.claims[controller]
        self.state.shares.claims[controller] = Claim(held.shares, held.assets - dust)

    def lapse(self) -> None:
        number = self.some_request()
        waiting = self.state.shares.requests.get(number)
        if waiting is not None and self.random.random() < 0.5:
            advance(max(0, waiting.matures_at + DAY + 1 - self.state.now))
            self.refresh()

        self.twin.both(
            "lapse",
            lambda: self.pool(self.protocol.keeper, "lapse", number),
            lambda state, dust: shares.lapse(state, number),
            0,
        )

    def some_claim(self, measure: Callable[[Claim], object]) -> tuple[str, str, Claim]:
        """Whose there is, if one can be come by, who asks for it, and what it is."""
        if not any(map(measure, self.state.shares.claims.values())):
            self.fix()
        claims = [who for who, claim in self.state.shares.claims.items() if measure(claim)]
        controller = self.random.choice(claims) if claims else self.some_provider()
        sender = controller if self.random.random() < 0.8 else self.some_provider()
        return controller, sender, self.state.shares.claims.get(controller, Claim())

    def redeem(self) -> None:
        controller, sender, held = self.some_claim(lambda claim: claim.shares)
        amount = max(1, int(held.shares * self.random.choice((0.3, 1, 1.01))))
        if held.shares and self.random.random() < 0.5:
            amount = held.shares
        claimed: list[Fraction] = []

        def act(state: State, _: Dust) -> None:
            address = self.protocol.pool.address
            claimed[:] = [Fraction(shares.claim(state, controller, sender, amount, address))]

        receipt = self.twin.both(
            "redeem", lambda: self.pool(sender, "redeem", amount, sender, controller), act
        )
        if receipt.refusal is None:
            dust = claimed[0] - receipt.result
            if not 0 <= dust < 1:
                raise Difference(f"{receipt.result} claimed, not {float(claimed[0])}")
            self.correct(controller, -dust)
