"""What holders do with shares of the pool, and controllers with their claims."""

from fractions import Fraction

from tests.helpers.chain import now
from tests.helpers.signing import key_of, permit
from tests.reference import shares
from tests.reference.orders import Refused
from tests.reference.provider_actions import ProviderActions
from tests.reference.state import Dust, State
from tests.reference.twin import Difference

NAME = "Bulkhead Liquidity"


class ShareActions(ProviderActions):
    """Each method is one thing that is done with shares."""

    def some_shares(self, owner: str) -> int:
        """Mostly a part of what there is."""
        return int(self.state.shares.held.get(owner, 0) * self.random.choice((0, 0.01, 0.3, 1.1)))

    def transfer_shares(self) -> None:
        owner, receiver = self.some_provider(), self.some_provider()
        amount = self.some_shares(owner)
        self.twin.both(
            "transfer",
            lambda: self.pool(owner, "transfer", receiver, amount),
            lambda state, dust: shares.transfer(state, owner, receiver, amount),
            0,
        )

    def approve_shares(self) -> None:
        owner, spender = self.some_provider(), self.some_provider()
        amount = self.random.choice((0, self.some_shares(owner), shares.EVER))

        def act(state: State, _: Dust) -> None:
            state.shares.allowances[owner, spender] = amount

        self.twin.both("approve", lambda: self.pool(owner, "approve", spender, amount), act, 0)

    def permit_shares(self) -> None:
        """Signed by who holds them, or by somebody else; in time, or not."""
        owner, spender = self.traders[1], self.some_provider()
        signer = key_of(self.names[1] if self.random.random() < 0.8 else self.names[0])
        amount, deadline = self.some_shares(owner), now() + self.random.choice((-1, 0, 60))
        signed = permit(signer, self.protocol.pool, NAME, spender, amount, deadline)

        def act(state: State, _: Dust) -> None:
            against = ["erc20: expired deadline"] if deadline < state.now else []
            if signer.address != owner:
                against.append("erc20: invalid signature")
            if against:
                raise Refused(*against)
            state.shares.allowances[owner, spender] = amount

        self.twin.both(
            "permit",
            lambda: self.pool(self.protocol.keeper, "permit", owner, spender, amount, *signed),
            act,
            0,
        )

    def transfer_shares_of_another(self) -> None:
        owner, spender, receiver = (self.some_provider() for _ in range(3))
        amount = self.some_shares(owner)

        def act(state: State, _: Dust) -> None:
            shares.spend(state, owner, spender, amount)
            shares.transfer(state, owner, receiver, amount)

        self.twin.both(
            "transferFrom",
            lambda: self.pool(spender, "transferFrom", owner, receiver, amount),
            act,
            0,
        )

    def set_share_operator(self) -> None:
        controller, operator = self.some_provider(), self.some_provider()
        is_allowed = self.random.random() < 0.6

        def act(state: State, _: Dust) -> None:
            if controller == operator:
                raise Refused("operator: bad address")
            known = state.shares.operators
            (known.add if is_allowed else known.discard)((controller, operator))

        self.twin.both(
            "setOperator",
            lambda: self.pool(controller, "setOperator", operator, is_allowed),
            act,
            0,
        )

    def withdraw_claim(self) -> None:
        """So much money of a claim, for as many of its shares, up."""
        controller, sender, held = self.some_claim(lambda claim: claim.assets)
        amount = max(1, int(held.assets * Fraction(self.random.choice((1, 30, 100, 101)), 100)))
        spent: list[int] = []

        def act(state: State, _: Dust) -> None:
            address = self.protocol.pool.address
            spent[:] = [int(shares.claim_assets(state, controller, sender, amount, address))]

        receipt = self.twin.both(
            "withdraw_claim",
            lambda: self.pool(sender, "withdraw", amount, sender, controller),
            act,
            0,
        )
        if receipt.refusal is None and receipt.result != spent[0]:
            raise Difference(f"{receipt.result} shares for {amount}, not {spent[0]}")
