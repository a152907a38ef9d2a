from decimal import Decimal

import pytest

from bulkhead import values


def test_usd_becomes_quote_units_exactly() -> None:
    assert values.to_quote("1.000001") == 1_000_001
    assert values.to_quote(Decimal("0.000001")) == 1
    assert values.to_quote(5_000) == 5_000_000_000


@pytest.mark.parametrize("amount", [1.5, True, None, b"1"])
def test_what_is_not_exact_is_refused_with_advice(amount: object) -> None:
    with pytest.raises(TypeError, match=r"not exact money; write Decimal\("):
        values.to_quote(amount)  # type: ignore[arg-type]


@pytest.mark.parametrize("amount", ["0.0000001", "1.0000005"])
def test_a_part_of_a_quote_unit_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="not a whole number of units of 1e-6"):
        values.to_quote(amount)


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "five"])
def test_what_is_no_number_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="number"):
        values.to_quote(amount)


def test_money_is_not_negative() -> None:
    with pytest.raises(ValueError, match="margin: negative"):
        values.to_quote(-1, "margin")


@pytest.mark.parametrize("quote", [0, 1, -1, 10**6, 2**255, -(2**255) + 1])
def test_every_integer_survives_the_way_out_and_back(quote: int) -> None:
    assert values.to_units(values.to_usd(quote), 6) == quote


def test_ratios_are_parts_per_million() -> None:
    assert values.to_ppm(10) == 10_000_000
    assert values.from_ppm(5_000) == Decimal("0.005")


def test_a_ratio_rounds_the_way_its_function_says() -> None:
    from fractions import Fraction

    assert values.down(Fraction(-3, 2)) == -2
    assert values.up(Fraction(-3, 2)) == -1
