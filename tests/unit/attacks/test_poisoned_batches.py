"""Whatever one entry of a batch is, the entries before and after it are done.

The worst entries are those in a market whose aggregator has turned on whoever asks it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.helpers.chain import Contract, advance
from tests.helpers.feeds import bring, use_aggregator
from tests.helpers.protocol import (
    CANCELLED,
    CROSS,
    EXECUTED,
    ISOLATED,
    TRAILING_STOP,
    USD,
    Order,
    Protocol,
    position_id,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
HOSTILE = 0  # the market whose aggregator turns
SOUND = 1
MODES = ("reverts", "bombs", "bombs in a revert", "falls short", "burns", "empty")
GAS = 16_000_000  # of one transaction


@dataclass(frozen=True, slots=True)
class Scene:
    """Two accounts, one in each market, and one market's aggregator about to turn."""

    protocol: Protocol
    aggregator: Contract

    @property
    def victim(self) -> str:
        return self.protocol.trader

    @property
    def other(self) -> str:
        return self.protocol.attacker

    def bring(self) -> None:
        """Prices of now in both markets; the hostile aggregator says 50,000 for ever."""
        advance(3)
        bring(self.protocol, HOSTILE)
        self.protocol.publish(SOUND, self.protocol.dollars(SOUND))

    def size(self, market: int, dollars: int = 5_000) -> int:
        return dollars * 10**15 // self.protocol.price(market).price

    def place(self) -> list[Order]:
        """An order in a market each."""
        orders = []
        for account, market in ((self.victim, SOUND), (self.other, HOSTILE)):
            self.protocol.deposit(account, 510 * USD)
            orders.append(self.protocol.place(account, market, self.size(market, 1_000)))
        return orders

    def open(self, mode: int) -> None:
        """5,000 USD in a market each."""
        for account, market in ((self.victim, SOUND), (self.other, HOSTILE)):
            self.protocol.deposit(account, 510 * USD)
            order = self.protocol.place(account, market, self.size(market), margin_mode=mode)
            self.bring()
            assert self.protocol.execute(order).result == EXECUTED

    def turn(self) -> None:
        """The sound market falls by a tenth, then the other's aggregator turns."""
        self.bring()
        self.protocol.push_price(SOUND, self.protocol.dollars(SOUND) * 9 // 10)
        self.aggregator.send(self.protocol.owner, "turn")


@pytest.fixture(params=range(len(MODES)), ids=MODES)
def scene(protocol: Protocol, request: pytest.FixtureRequest) -> Scene:
    aggregator = Contract("mocks/HostileAggregator", request.param)
    use_aggregator(protocol, HOSTILE, aggregator)
    bring(protocol, HOSTILE)
    return Scene(protocol, aggregator)


def both_ways(
    scene: Scene, verb: str, good: Any, bad: Any, check: Callable[[], Sequence[object]]
) -> None:
    """The good entry first and last, and twice around the bad one."""
    protocol = scene.protocol
    contract = protocol.book if verb in protocol.book.functions else protocol.clearinghouse
    for entries in ([good, bad], [bad, good], [good, bad, good], [bad, bad, good]):
        with protocol.anchored():
            contract.send(protocol.keeper, verb, entries, gas=GAS)
            found, expected = check()
            assert found == expected, f"{verb}: the good entry of {entries}"
            protocol.check_invariants()


@pytest.mark.parametrize("mode", [ISOLATED, CROSS])
def test_who_is_due_is_liquidated_beside_one_of_a_hostile_feed(scene: Scene, mode: int) -> None:
    scene.open(mode)
    scene.turn()
    protocol, slot = scene.protocol, 2 if mode == ISOLATED else 0
    verb, good, bad = (
        ("liquidate_cross", scene.victim, scene.other)
        if mode == CROSS
        else (
            "liquidate_isolated",
            position_id(scene.victim, SOUND, slot),
            position_id(scene.other, HOSTILE, slot),
        )
    )
    both_ways(
        scene, verb, good, bad, lambda: (protocol.position(scene.victim, SOUND, slot).size, 0)
    )


def test_an_order_is_filled_beside_one_of_a_hostile_feed(scene: Scene) -> None:
    protocol = scene.protocol
    good, bad = scene.place()
    scene.turn()

    both_ways(scene, "execute_orders", good, bad, lambda: (protocol.status(good), EXECUTED))


def test_a_stop_is_shown_the_price_beside_one_of_a_hostile_feed(scene: Scene) -> None:
    scene.open(CROSS)
    protocol = scene.protocol
    trailing = {"kind": TRAILING_STOP, "callback_rate": 500_000, "is_buy": False}
    good, bad = (
        protocol.place(account, market, 0, reduce_only=True, **trailing)
        for account, market in ((scene.victim, SOUND), (scene.other, HOSTILE))
    )
    scene.turn()
    before = protocol.order_state(good).extreme

    both_ways(
        scene,
        "ratchet",
        good,
        bad,
        lambda: (protocol.order_state(good).extreme != before, True),
    )


def test_an_expired_order_is_cleared_beside_one_of_a_hostile_feed(scene: Scene) -> None:
    protocol = scene.protocol
    good, bad = scene.place()
    scene.turn()
    advance(3_600)
    both_ways(scene, "execute_orders", good, bad, lambda: (protocol.status(good), CANCELLED))
