"""What accounts allow others: operators who trade for them, builders whom they pay."""

from dataclasses import astuple

from tests.helpers.chain import now
from tests.helpers.protocol import USD
from tests.reference.book import Operator
from tests.reference.orders import Refused
from tests.reference.state import Dust, State
from tests.reference.walking import Walker


class RightsActions(Walker):
    """Each method is one thing that an account allows, or takes back."""

    def set_operator(self) -> None:
        account, operator = self.random.sample(self.traders, 2)
        allowed = Operator(
            self.random.choice((0, 2 | 8, 1 | 2, 1 | 2 | 4, 15, 15, 15)),
            self.random.choice((0b101, 0b111, 0b111)),
            int(10 ** self.random.uniform(2, 7)) * USD,
            self.random.choice((0, now() + 3_000, 2**40 - 1, 2**40 - 1)),
        )

        def act(state: State, _: Dust) -> None:
            state.book.operators[account, operator] = allowed

        permissions, markets, notional, expiry = astuple(allowed)
        self.twin.both(
            "set_operator",
            lambda: self.twin.call(
                self.protocol.book,
                *(account, "set_operator", operator, permissions, markets, notional, expiry),
            ),
            act,
            0,
        )

    def approve_builder(self) -> None:
        account, builder = self.random.choice(self.traders), self.random.choice(self.traders)
        most = self.random.choice((0, 100, 500, 1_000, 1_000))

        def act(state: State, _: Dust) -> None:
            state.book.approved[account, builder] = most

        self.twin.both(
            "approve_builder",
            lambda: self.twin.call(self.protocol.book, account, "approve_builder", builder, most),
            act,
            0,
        )

    def set_referral_share(self) -> None:
        builder = self.random.choice(self.traders)
        share = self.random.choice((0, 1, 333_333, 1_000_000))

        def act(state: State, _: Dust) -> None:
            state.book.shares[builder] = share

        self.twin.both(
            "set_referral_share",
            lambda: self.twin.call(self.protocol.book, builder, "set_referral_share", share),
            act,
            0,
        )

    def set_referrer(self) -> None:
        account, referrer = self.random.choice(self.traders), self.random.choice(self.traders)

        def act(state: State, _: Dust) -> None:
            if account == referrer:
                raise Refused("referral: bad referrer")
            if account in state.book.referrers:
                raise Refused("referral: referrer is set")
            state.book.referrers[account] = referrer

        self.twin.both(
            "set_referrer",
            lambda: self.twin.call(self.protocol.book, account, "set_referrer", referrer),
            act,
            0,
        )
