"""When and for whom: shares against fractions, and nothing lost between them."""

from fractions import Fraction
from math import ceil, floor

import pytest

from bulkhead.protocol.words import LiquidationTerms
from tests.helpers.draw import Draw
from tests.helpers.libraries import Library
from tests.helpers.tiers import PPM

pytestmark = pytest.mark.anvil

INPUTS = 10_000


@pytest.fixture
def liquidation_math(libraries: dict[str, Library]) -> Library:
    return libraries["liquidation_math"]


def test_an_account_is_liquidatable_where_margin_is_due_and_not_below_equity(
    liquidation_math: Library,
) -> None:
    draw = Draw("liquidatable")
    inputs = []
    for _ in range(INPUTS):
        due = draw.unsigned(draw.random.choice((4, 60, 200)))
        inputs.append((draw.signed(202, due, -due), due))
    assert liquidation_math.call("is_liquidatable", inputs) == [
        due != 0 and equity - due <= 0 for equity, due in inputs
    ]


def penalties(draw: Draw) -> list[tuple[int, int, LiquidationTerms]]:
    inputs = []
    for _ in range(INPUTS):
        terms = draw.struct(LiquidationTerms)
        notional = draw.unsigned(draw.random.choice((60, 90, 120)))
        full = ceil(Fraction(notional * terms.penalty, 10**15))
        inputs.append((draw.signed(100, full, full // 2, terms.keeper_floor), notional, terms))
    return inputs


def test_a_penalty_is_rounded_up_and_shrinks_rather_than_cause_a_deficit(
    liquidation_math: Library,
) -> None:
    inputs = penalties(Draw("penalty"))
    for (equity, notional, terms), (penalty, _, _) in zip(
        inputs, liquidation_math.call("split_penalty", inputs), strict=True
    ):
        full = ceil(Fraction(notional, 10**9) * Fraction(terms.penalty, PPM))
        assert penalty == max(min(full, equity), 0)


def test_a_keeper_gets_a_clamped_share_and_insurance_adds_up_to_the_floor_only(
    liquidation_math: Library,
) -> None:
    inputs = penalties(Draw("keeper"))
    for (_, notional, terms), (penalty, keeper, added) in zip(
        inputs, liquidation_math.call("split_penalty", inputs), strict=True
    ):
        full = ceil(Fraction(notional, 10**9) * Fraction(terms.penalty, PPM))
        share = floor(full * Fraction(terms.keeper_share, PPM))
        assert 0 <= keeper <= penalty
        assert keeper + added <= terms.keeper_cap
        assert keeper == min(max(share, terms.keeper_floor), terms.keeper_cap, penalty)
        floored = min(terms.keeper_floor, terms.keeper_cap, full)
        if added:
            assert keeper + added == floored
        else:
            assert keeper >= floored


def test_charges_shrink_in_order_before_a_deficit_exists(liquidation_math: Library) -> None:
    draw = Draw("charges")
    inputs = []
    for _ in range(INPUTS):
        charges = [draw.unsigned(draw.random.choice((4, 40))) for _ in range(3)]
        sums = [sum(charges[:count]) for count in range(4)]
        inputs.append((draw.unsigned(42, *sums), *charges))
    for (shortfall, *charges), (*cuts, deficit) in zip(
        inputs, liquidation_math.call("shrink_charges", inputs), strict=True
    ):
        assert sum(cuts) + deficit == shortfall
        assert all(0 <= cut <= charge for cut, charge in zip(cuts, charges, strict=True))
        # A charge is touched only once those before it are gone, a deficit is the last resort.
        untouched = [cut < charge for cut, charge in zip(cuts, charges, strict=True)]
        later = [*cuts[1:], deficit]
        assert all(not any(later[i:]) for i in range(3) if untouched[i])
