"""Fees and debts move between the house's buckets; nothing is created, nothing lost."""

from fractions import Fraction
from math import ceil, floor

import pytest

from bulkhead.protocol.words import House, TradeTerms
from tests.helpers.draw import Draw
from tests.helpers.libraries import Library

pytestmark = pytest.mark.anvil

INPUTS = 10_000
PPM = 10**6
FEMTO = 10**9


@pytest.fixture
def house_math(libraries: dict[str, Library]) -> Library:
    return libraries["house_math"]


def test_a_fee_is_shared_to_the_last_unit_and_the_pool_keeps_what_rounding_leaves(
    house_math: Library,
) -> None:
    draw = Draw("fee")
    inputs = []
    for _ in range(INPUTS):
        insurance = draw.integer(0, PPM)
        terms = draw.struct(
            TradeTerms, insurance_share=insurance, treasury_share=draw.integer(0, PPM - insurance)
        )
        inputs.append((draw.struct(House), draw.unsigned(64), terms))
    for (house, fee, terms), shared in zip(
        inputs, house_math.call("collect_fee", inputs), strict=True
    ):
        to_insurance = shared.insurance - house.insurance
        to_treasury = shared.fees - house.fees
        assert to_insurance == floor(Fraction(fee * terms.insurance_share, PPM))
        assert to_treasury == floor(Fraction(fee * terms.treasury_share, PPM))
        assert shared.pool_cash - house.pool_cash == fee - to_insurance - to_treasury >= 0


def test_a_deficit_is_paid_by_insurance_first_and_by_the_pool_only_beyond_it(
    house_math: Library,
) -> None:
    draw = Draw("deficit")
    inputs = []
    for _ in range(INPUTS):
        house = draw.struct(House, insurance=draw.unsigned(draw.random.choice((4, 40, 76))))
        inputs.append((house, draw.unsigned(82, house.insurance)))
    for (house, deficit), covered in zip(
        inputs, house_math.call("cover_deficit", inputs), strict=True
    ):
        by_insurance = house.insurance - covered.insurance
        by_pool = house.pool_cash - covered.pool_cash
        assert by_insurance + by_pool == deficit
        assert min(by_insurance, by_pool, covered.insurance) >= 0
        assert by_pool == 0 or covered.insurance == 0
        assert covered.fees == house.fees


def test_insurance_needs_a_penalty_on_all_lots_up(house_math: Library) -> None:
    draw = Draw("need")
    inputs = [(draw.unsigned(64), draw.unsigned(64), draw.unsigned(20)) for _ in range(INPUTS)]
    for (size, price, penalty), need in zip(
        inputs, house_math.call("insurance_need", inputs), strict=True
    ):
        assert need == ceil(Fraction(size * price * penalty, PPM * FEMTO))
