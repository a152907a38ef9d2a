"""What makes prices uncertain: a second source that disputes them, and Pyth's own confidence."""

from decimal import Decimal

from tests.helpers.chain import Receipt, advance, now
from tests.helpers.protocol import NOBODY
from tests.reference import settlement
from tests.reference.doubt import GRACE, Doubt
from tests.reference.orders import Refused
from tests.reference.sources import CHECKED, MOST_OFF, PYTH, UNCERTAIN
from tests.reference.state import CERTAIN, HOUR, Dust, State
from tests.reference.twin import Difference
from tests.reference.walking import Walker

TOLERANCES = (2_000, MOST_OFF, MOST_OFF, 20_000)  # ppm


class DoubtActions(Walker):
    """Each method is one thing that makes prices more or less certain."""

    def contest(self) -> None:
        """The second source answers, off or not; or has not done so for a while."""
        if self.state.prices[CHECKED].is_settling(now()):
            return
        off = Decimal(str(round(self.random.choice((0, 0.02, -0.02, 0.005)), 3)))
        lag = self.random.choice((0, 0, 0, HOUR - 60, 2 * HOUR))
        self.dispute(round(self.prices[CHECKED] * (1 + off), 4), now() - lag)
        advance(1)
        self.publish(CHECKED)
        self.twin.sync()
        self.twin.seen["disputed"] += self.state.prices[CHECKED].caution != CERTAIN
        if self.random.random() < 0.3:
            advance(self.random.choice((60, GRACE - 1, GRACE, HOUR)))
            self.refresh()

    def rejudge(self) -> None:
        """A cautious price is brought once more: caution passes with time."""
        price = self.state.prices[CHECKED]
        if price.caution == CERTAIN or price.is_settling(now()):
            return
        advance(self.random.choice((1, 30, GRACE)))
        self.twin.sync()
        before = self.state.prices[CHECKED]
        femto = self.femto(CHECKED, self.prices[CHECKED])
        caution, self.doubt = self.doubt.judge(femto, now(), before.max_age)
        self.update(CHECKED, before.published_at)
        self.twin.sync()
        after = self.state.prices[CHECKED]
        if (after.caution, after.published_at) != (caution, before.published_at):
            raise Difference(f"judged again: {caution} but {after.caution}")
        self.twin.seen["rejudged"] += after.caution != before.caution

    def blur(self) -> None:
        """Pyth is more or less certain of its price; of too little of it none is taken."""
        if self.state.prices[PYTH].is_settling(now()):
            return
        self.confidence[PYTH] = self.random.choice((0, 300, 3_000, UNCERTAIN))
        self.refresh()
        if self.random.random() < 0.2:
            advance(1)
            payload = self.protocol.payload(PYTH, self.prices[PYTH], now(), UNCERTAIN + 1)
            receipt = self.protocol.oracle.attempt(self.protocol.keeper, "update", PYTH, payload)
            assert receipt.refusal == "price: too uncertain"

    def set_check(self) -> None:
        """Another tolerance, or no second source; what was disputed is forgotten."""
        most_off = self.random.choice(TOLERANCES)
        second = NOBODY if self.random.random() < 0.2 else self.protocol.second.address

        def call() -> Receipt:
            arguments = (CHECKED, second, most_off, 0)
            return self.twin.call(
                self.protocol.oracle, self.protocol.owner, "set_check", *arguments
            )

        def act(state: State, _: Dust) -> None:
            if against := settlement.against_change(state.prices[CHECKED], state.now):
                raise Refused(*against)

        receipt = self.twin.both("set_check", call, act, 0)
        if receipt.refusal is None:
            self.doubt = Doubt(most_off, is_set=second != NOBODY)
            self.dispute(self.prices[CHECKED], now())
