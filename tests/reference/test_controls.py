"""What the comparison must notice: each rule of the model doctored, and words of the chain."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from random import Random
from typing import Any

import boa
import pytest

from tests.helpers.protocol import mapped
from tests.reference import fills, funding, liquidation, margin, margins, placing
from tests.reference.machine import Actions, run
from tests.reference.state import PPM
from tests.reference.twin import Difference
from tests.reference.walking import world

STEPS = 1_500
WORLD = world()

Doctored = tuple[Any, str, Any]


def times(factor: Fraction | int, rule: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given, **named: rule(*given, **named) * factor


RULES: dict[str, Doctored] = {
    "a fee a thousandth too high": (
        fills,
        "fee_of",
        times(Fraction(1001, 1000), fills.fee_of),
    ),
    "an impact without the trade's own half": (
        fills,
        "impact_of",
        lambda market, price, lots: Fraction(lots) * price * market.skew / market.terms.skew_scale,
    ),
    "funding at the end's rate": (
        funding,
        "integral",
        lambda rate, drift, bound, days: ((rate + drift * days) * days, rate + drift * days),
    ),
    "profit that may be withdrawn": (
        margin.Ledger,
        "withdrawable",
        property(lambda self: max(0, self.cash + self.value - self.initial)),
    ),
    "vaults at 9x unless told otherwise": (placing, "DEFAULT_LEVERAGE", 9 * PPM),
    "all closed only below half of maintenance": (liquidation, "HEALING", Fraction(1, 2)),
    "no margin for a conversion's loss": (
        margins,
        "initial_margin",
        lambda tiers, notional, leverage: margin.initial_margin(tiers, notional, leverage) / 2,
    ),
    "a slot whose end is not counted": (fills, "end", lambda position: None),
}


@contextmanager
def doctored(rule: Doctored) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*rule)
        yield


@pytest.mark.slow
@pytest.mark.parametrize("name", RULES)
def test_a_doctored_rule_is_noticed(name: str) -> None:
    with doctored(RULES[name]), pytest.raises(Difference):
        run(7, STEPS, *WORLD)


def poke(actions: Actions, slot: int, change: int) -> None:
    clearinghouse = actions.protocol.clearinghouse
    word = clearinghouse.storage(slot) + change
    boa.env.set_storage(clearinghouse.address, slot, word)


def slot_of_house(actions: Actions) -> int:
    return actions.protocol.clearinghouse.slots["ledger._house"]


def slot_of_side(actions: Actions) -> int:
    return actions.protocol.clearinghouse.slots["markets._words"] + 1


def slot_of_account(actions: Actions) -> int:
    slots = actions.protocol.clearinghouse.slots
    return mapped(slots["ledger._accounts"], int(actions.traders[0], 16))


@pytest.mark.parametrize(
    ("slot", "change"),
    [
        pytest.param(slot_of_house, 1 << 160, id="a quote unit for the pool"),
        pytest.param(slot_of_house, 1 << 8, id="a quote unit for the treasury"),
        pytest.param(slot_of_side, 1, id="a lot for a side"),
        pytest.param(slot_of_side, 1 << 96, id="a femto for a side"),
        pytest.param(slot_of_account, 1 << 192, id="a quote unit for an account"),
    ],
)
def test_a_doctored_word_is_noticed(slot: Callable[[Actions], int], change: int) -> None:
    protocol, traders = WORLD
    with protocol.anchored():
        actions = Actions(protocol, traders, Random(1))
        poke(actions, slot(actions), change)
        with pytest.raises(Difference):
            actions.deposit()
