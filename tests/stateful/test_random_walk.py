"""Thousands of random actions of several accounts; every invariant checked after every one.

No revert is caught: an action that is refused must have been refused by one of the reasons that
its kind may meet, and then nothing at all may have changed. In the end one market is settled.
"""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boa
import pytest

from bulkhead.audit import compare
from bulkhead.chain import Block
from bulkhead.contracts import Contracts
from bulkhead.index import Index
from bulkhead.interfaces import Call
from bulkhead.protocol import words
from bulkhead.values import to_usd
from tests.helpers.chain import advance, now
from tests.helpers.protocol import LIMIT, MARKET, STOP, TAKE_PROFIT, TRAILING_STOP
from tests.sdk.index.recording import Node, Recording, deployment_of, recording
from tests.stateful.walk_accounts import AccountActions
from tests.stateful.walk_markets import HOUR, MarketActions
from tests.stateful.walk_orders import OrderActions

ACTIONS = int(os.environ.get("WALK_ACTIONS", "5200"))
LEAST = 30  # times that each kind of action must be accepted
RARE = {  # but for these
    "auto_deleverage": 5,
    "convert to cross": 10,
    "place by operator": 10,
    "convert to isolated": 10,
    "end_ramp": 5,
    "pass_days": 5,
    "ramp_tiers": 5,
    "set_referrer": 5,
    "shrink_share": 5,
    "withdraw_insurance": 3,
}
SEEN = {
    "increase": 300,
    "decrease": 100,
    "flip": 30,
    "filled mode 1": 50,
    "filled mode 2": 50,
    "filled hedge": 50,
    "filled of operator": 5,
    "filled child": 10,
    "ended child": 10,
    "filled of group": 10,
    "ended of group": 10,
    "ratcheted": 20,
    "builder paid": 20,
    "referrer paid": 10,
    "isolated liquidation": 30,
    "isolated partial": 5,
    "isolated deficit": 5,
    "top-up": 5,
    "cross liquidation": 30,
    "cross partial": 5,
    "cross deficit": 5,
    "netting": 5,
    "deleveraged": 5,
    "settled": 5,
}
FILLED_KINDS = {MARKET: 200, LIMIT: 50, STOP: 40, TAKE_PROFIT: 40, TRAILING_STOP: 10}
LAST_MARKET = 1  # which ends
LAST_ACTIONS = 30  # in each part of its end


class Walk(OrderActions, AccountActions, MarketActions):
    """All of what may happen, by chance."""

    def run(self, actions: int) -> None:
        self.do(actions)
        self.end(LAST_MARKET)

    def do(self, actions: int) -> None:
        for kind in self.chosen(actions):
            self.act(kind)

    def act(self, kind: Callable[[], object]) -> None:
        self.step += 1
        try:
            kind()
            self.protocol.check_invariants()
        except AssertionError as error:
            error.add_note(f"at step {self.step}: {getattr(kind, '__name__', kind)}")
            raise

    def end(self, market: int) -> None:
        """Settles a market, things going on in all of them."""
        self.also_expected = {"market: settling", "market: settled", "price: not firm"}
        begins = self.announce_settlement(market)
        self.protocol.check_invariants()
        while now() + 4 * HOUR < begins:
            self.do(1)
            advance(HOUR // 2)
            self.refresh()
        for _ in range(15):
            self.act(partial(self.trade, market=market, kind=MARKET))
        while now() < begins:
            advance(min(HOUR // 2, begins - now()))
            self.refresh()
        ordinary: list[Callable[[], object]] = [self.trade, self.place, self.withdraw]
        ordinary += [self.execute_orders, self.move_price, self.deposit]
        while now() < begins + HOUR:
            for kind in self.random.sample(ordinary, 2):
                self.act(kind)
            advance(HOUR // 20)
            self.refresh()
        self.settle(market)
        self.do(LAST_ACTIONS)

    def chosen(self, actions: int) -> Sequence[Callable[[], object]]:
        kinds: list[tuple[Callable[[], object], int]] = [
            (self.trade, 46),
            (self.place, 10),
            (self.place_bracket, 8),
            (self.place_group, 5),
            (self.replace, 6),
            (self.execute, 8),
            (self.execute_orders, 8),
            (self.ratchet, 6),
            (self.cancel, 5),
            (self.cancel_orders, 4),
            (self.cancel_all, 4),
            (self.move_price, 8),
            (self.pass_time, 4),
            (self.squeeze, 12),
            (self.auto_deleverage, 4),
            (self.deposit, 12),
            (self.withdraw, 9),
            (self.deposit_margin, 5),
            (self.add_margin, 5),
            (self.remove_margin, 22),
            (self.set_auto_margin, 8),
            (self.convert_position, 9),
            (self.set_leverage, 6),
            (self.set_default_margin_mode, 5),
            (self.set_hedge_mode, 30),
            (self.set_operator, 5),
            (self.approve_builder, 3),
            (self.set_referral_share, 3),
            (self.set_referrer, 4),
            (self.add_liquidity, 5),
            (self.request_exit, 5),
            (self.fix_exit, 9),
            (self.fund_insurance, 4),
            (self.request_insurance, 5),
            (self.claim_fees, 5),
            (self.set_terms, 3),
            (self.set_status, 5),
            (self.ramp_tiers, 2),
            (self.end_ramp, 4),
        ]
        return self.random.choices(
            [kind for kind, _ in kinds], [weight for _, weight in kinds], k=actions
        )


@pytest.mark.slow
@pytest.mark.stateful
def test_a_random_walk_keeps_every_invariant(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with recording() as recorded:
        walk = Walk(seed=int(os.environ.get("WALK_SEED", "7")))
        walk.run(ACTIONS)
    with capsys.disabled():
        print(f"\naccepted {walk.accepted.total()}: {dict(walk.accepted)}")
        print(f"refused {walk.refused.total()}: {dict(walk.refused)}")
        print(f"reasons: {dict(walk.reasons)}")
        print(f"seen: {dict(walk.seen)}")
    assert walk.accepted.total() + walk.refused.total() >= 2_000
    assert walk.accepted.total() >= walk.refused.total()
    assert walk.refused["auto_deleverage"] >= 20
    few = {
        kind: walk.accepted[kind]
        for kind in walk.accepted.keys() | walk.refused.keys() | RARE.keys()
        if walk.accepted[kind] < RARE.get(kind, LEAST)
    }
    few |= {name: walk.seen[name] for name, least in SEEN.items() if walk.seen[name] < least}
    filled = {kind: walk.seen[f"filled kind {kind}"] for kind in FILLED_KINDS}
    few |= {f"kind {kind}": n for kind, n in filled.items() if n < FILLED_KINDS[kind]}
    assert not few
    assert walk.seen["isolated liquidation"] > walk.seen["isolated deficit"]
    assert walk.seen["cross liquidation"] > walk.seen["cross deficit"]
    check_index(walk, recorded, tmp_path / "index.db")


def check_index(walk: Walk, recorded: Recording, path: Path) -> None:
    """What an index makes of the walk's logs is what the chain holds, word for word."""
    deployment = deployment_of(walk.protocol)
    with Index(path, deployment) as index:
        index.catch_up(Node(recorded.timestamps, recorded.logs))
        state = index.state()
        reader: Any = SimpleNamespace(
            contracts=Contracts(deployment),
            deployment=deployment,
            chain=SimpleNamespace(read=lambda call, _: read(call)),
        )
        books = compare(reader, state, Block(index.block, now()))
        assert books.mismatches == ()
        assert books.is_clean
        for account, word in state.accounts.items():
            margins = sum(
                one.margin
                for (whose, _, slot), one in state.positions.items()
                if whose == account and slot >= words.ISOLATED_LONG
            )
            held = to_usd(word.cash + word.escrow + margins)
            assert sum(row.change for row in index.pnl(account)) == held


def read(call: Call) -> Any:
    found = boa.env.execute_code(to_address=call.to, data=call.data, is_modifying=False)
    assert not found.is_error
    return call.decode(found.output)
