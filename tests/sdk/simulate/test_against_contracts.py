"""The random walk of the contracts, with the engine beside them: equal word for word.

After every call both have refused for the same reason, or returned and logged the same; and every
word of every account, position, market, order and of the house is the same.
"""

import os
from collections.abc import Callable, Sequence

import pytest

from tests.helpers.mirror import Mirror, Recorder, state_of
from tests.helpers.protocol import LIMIT, MARKET, STOP, TAKE_PROFIT
from tests.stateful.test_random_walk import Walk

ACTIONS = int(os.environ.get("MIRROR_ACTIONS", "400"))
SEED = int(os.environ.get("MIRROR_SEED", "11"))
CALLS = 1_000
SEEN = {
    "increase": 45,
    "decrease": 14,
    "flip": 2,
    f"filled kind {MARKET}": 30,
    f"filled kind {LIMIT}": 8,
    f"filled kind {STOP}": 4,
    f"filled kind {TAKE_PROFIT}": 4,
    "filled mode 1": 30,
    "filled mode 2": 30,
    "filled hedge": 10,
    "filled child": 4,
    "filled of group": 2,
    "ended": 30,
    "ratcheted": 4,
    "builder paid": 10,
    "isolated liquidation": 12,
    "isolated partial": 3,
    "isolated deficit": 3,
    "top-up": 2,
    "cross liquidation": 5,
    "cross partial": 1,
    "cross deficit": 2,
    "netting": 1,
    "settled": 3,
}
ACCEPTED = {
    "trade": 30,
    "place_bracket": 8,
    "place_group": 4,
    "replace": 2,
    "cancel": 2,
    "cancel_all": 1,
    "execute_orders": 10,
    "deposit": 10,
    "withdraw": 8,
    "deposit_margin": 4,
    "add_margin": 4,
    "remove_margin": 5,
    "set_auto_margin": 8,
    "convert to isolated": 2,
    "convert to cross": 2,
    "set_leverage": 4,
    "set_default_margin_mode": 3,
    "set_hedge_mode": 5,
    "set_operator": 1,
    "liquidate_isolated": 20,
    "liquidate_cross": 20,
    "auto_deleverage": 1,
    "add_liquidity": 2,
    "request_exit": 2,
    "fix_exit": 1,
    "set_terms": 2,
}
REFUSALS = 15  # reasons met


class MirroredWalk(Walk):
    def act(self, kind: Callable[[], object]) -> None:
        self.step += 1
        try:
            kind()
        except AssertionError as error:
            error.add_note(f"at step {self.step}: {getattr(kind, '__name__', kind)}")
            raise

    def chosen(self, actions: int) -> Sequence[Callable[[], object]]:
        kinds: list[tuple[Callable[[], object], int]] = [
            (self.trade, 40),
            (self.place_bracket, 12),
            (self.place_group, 6),
            (self.replace, 5),
            (self.execute, 5),
            (self.execute_orders, 6),
            (self.ratchet, 5),
            (self.cancel, 4),
            (self.cancel_orders, 3),
            (self.cancel_all, 2),
            (self.move_price, 4),
            (self.pass_time, 2),
            (self.squeeze, 22),
            (self.auto_deleverage, 3),
            (self.deposit, 9),
            (self.withdraw, 8),
            (self.deposit_margin, 5),
            (self.add_margin, 6),
            (self.remove_margin, 12),
            (self.set_auto_margin, 14),
            (self.convert_position, 10),
            (self.set_leverage, 6),
            (self.set_default_margin_mode, 4),
            (self.set_hedge_mode, 14),
            (self.set_operator, 3),
            (self.approve_builder, 3),
            (self.set_referral_share, 2),
            (self.set_referrer, 2),
            (self.add_liquidity, 3),
            (self.request_exit, 4),
            (self.fix_exit, 4),
            (self.fund_insurance, 2),
            (self.request_insurance, 1),
            (self.claim_fees, 2),
            (self.set_terms, 3),
            (self.set_status, 2),
            (self.ramp_tiers, 1),
            (self.end_ramp, 1),
        ]
        return self.random.choices(
            [kind for kind, _ in kinds], [weight for _, weight in kinds], k=actions
        )


@pytest.mark.slow
@pytest.mark.stateful
def test_the_engine_does_what_the_contracts_do(capsys: pytest.CaptureFixture[str]) -> None:
    recorder = Recorder()
    with recorder.watching():
        walk = MirroredWalk(seed=SEED)
    mirror = Mirror(walk.protocol, state_of(walk.protocol, recorder))
    walk.run(ACTIONS)
    with capsys.disabled():
        print(f"\ncalls {mirror.calls.total()}: {dict(mirror.calls)}")
        print(f"accepted: {dict(walk.accepted)}")
        print(f"refusals: {dict(mirror.refusals)}")
        print(f"seen: {dict(walk.seen)}")
    few = {name: walk.seen[name] for name, least in SEEN.items() if walk.seen[name] < least}
    few |= {
        name: walk.accepted[name] for name, least in ACCEPTED.items() if walk.accepted[name] < least
    }
    assert not few
    assert mirror.calls.total() >= CALLS
    assert len(mirror.refusals) >= REFUSALS
