"""Every named division lies on its named side of the exact quotient, within one unit."""

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor

import pytest

from tests.helpers.draw import Draw
from tests.helpers.libraries import Library

pytestmark = pytest.mark.anvil

INPUTS = 10_000
QUOTE_IN_FEMTO = 10**9


@pytest.fixture
def fixed_point(libraries: dict[str, Library]) -> Library:
    return libraries["fixed_point"]


def quotients(draw: Draw, *, signed: bool) -> list[tuple[int, int]]:
    pairs = []
    for _ in range(INPUTS):
        denominator = draw.integer(1, 2**120)
        multiple = denominator * draw.unsigned(120)
        low = -(2**250) if signed else 0
        pairs.append((draw.integer(low, 2**250, multiple, -multiple), denominator))
    return pairs


@pytest.mark.parametrize(
    ("function", "signed", "rounded"),
    [
        ("div_up", False, ceil),
        ("signed_div_up", True, ceil),
        ("signed_div_down", True, floor),
    ],
)
def test_a_division_rounds_the_way_its_name_says(
    function: str, signed: bool, rounded: Callable[[Fraction], int], fixed_point: Library
) -> None:
    inputs = quotients(Draw(function), signed=signed)
    results = fixed_point.call(function, inputs)
    assert results == [rounded(Fraction(*pair)) for pair in inputs]


def test_quote_units_round_down_when_paid_and_up_when_owed(fixed_point: Library) -> None:
    draw = Draw("quote")
    inputs = [(draw.unsigned(200, QUOTE_IN_FEMTO, 7 * QUOTE_IN_FEMTO),) for _ in range(INPUTS)]
    exact = [Fraction(femto, QUOTE_IN_FEMTO) for (femto,) in inputs]
    assert fixed_point.call("quote_up", inputs) == list(map(ceil, exact))
    assert fixed_point.call("quote_down", inputs) == list(map(floor, exact))
    assert fixed_point.call("quote_ceiling", inputs) == list(map(ceil, exact))
    debts = [(-femto,) for (femto,) in inputs]
    assert fixed_point.call("quote_ceiling", debts) == [ceil(-amount) for amount in exact]
    assert fixed_point.call("quote_down", debts) == [floor(-amount) for amount in exact]


def test_a_magnitude_is_the_distance_from_zero(fixed_point: Library) -> None:
    draw = Draw("magnitude")
    numbers = [draw.signed(255) for _ in range(INPUTS)]
    results = fixed_point.call("magnitude", [(number,) for number in numbers])
    assert results == [max(number, -number) for number in numbers]
