"""Amounts at the edge: Decimal in and out, exact integers inside, never a float.

USD amounts become quote units (1e-6 USD), leverage and rates parts per million. Sizes and prices
need to know their market's lot, so `Market` converts those. A conversion that can not be exact says
in its name which way it rounds.
"""

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TypeAlias

Amount: TypeAlias = Decimal | int | str
"""A number as people write it: USD, base units, or times of leverage."""

QUOTE_DECIMALS = 6
PPM_DECIMALS = 6
WAD_DECIMALS = 18
FEMTO_DECIMALS = 15


def decimal_of(amount: Amount, name: str = "amount") -> Decimal:
    """An amount as an exact Decimal.

    Args:
        amount: A Decimal, an int or a numeral in a string.
        name: What to call it in an error.

    Raises:
        TypeError: For a float, which has already lost the number that was meant.
        ValueError: For what is not a finite number.
    """
    if isinstance(amount, bool) or not isinstance(amount, Decimal | int | str):
        kind = type(amount).__name__
        raise TypeError(
            f'{name}: {kind} is not exact money; write Decimal("{amount}") or "{amount}" instead'
        )
    try:
        number = Decimal(amount)
    except InvalidOperation:
        raise ValueError(f"{name}: {amount!r} is not a number") from None
    if not number.is_finite():
        raise ValueError(f"{name}: {amount!r} is not a finite number")
    return number


def exact(ratio: Fraction, name: str, unit: str) -> int:
    """A ratio that must be whole."""
    if ratio.denominator != 1:
        raise _not_whole(name, unit)
    return ratio.numerator


def down(ratio: Fraction) -> int:
    """A ratio toward minus infinity."""
    return ratio.numerator // ratio.denominator


def up(ratio: Fraction) -> int:
    """A ratio toward infinity."""
    return -(-ratio.numerator // ratio.denominator)


def to_units(amount: Amount, decimals: int, name: str = "amount") -> int:
    """An amount in units of 10**-decimals; refused unless that is a whole number."""
    numerator, denominator = decimal_of(amount, name).as_integer_ratio()
    units: int
    units, rest = divmod(numerator * 10**decimals, denominator)
    if rest:
        raise _not_whole(name, f"units of 1e-{decimals}")
    return units


def from_units(units: int, decimals: int) -> Decimal:
    """Units of 10**-decimals as a Decimal, exact however many digits it takes."""
    digits = Decimal(units).as_tuple()
    return Decimal((digits.sign, digits.digits, -decimals))


def to_quote(usd: Amount, name: str = "amount") -> int:
    """USD in quote units of 1e-6 USD; refused unless that is a whole number, not negative."""
    quote = to_units(usd, QUOTE_DECIMALS, name)
    if quote < 0:
        raise ValueError(f"{name}: negative")
    return quote


def to_usd(quote: int) -> Decimal:
    """Quote units in USD, exact."""
    return from_units(quote, QUOTE_DECIMALS)


def femto_to_usd(femto: int) -> Decimal:
    """Femto USD in USD, exact."""
    return from_units(femto, FEMTO_DECIMALS)


def to_ppm(ratio: Amount, name: str = "ratio") -> int:
    """A ratio (10 for ten times, "0.005" for half a percent) in parts per million."""
    return to_units(ratio, PPM_DECIMALS, name)


def from_ppm(ppm: int) -> Decimal:
    """Parts per million as a ratio, exact."""
    return from_units(ppm, PPM_DECIMALS)


def to_wad(amount: Amount, name: str = "price") -> int:
    """An amount in units of 1e-18; refused unless that is a whole number."""
    return to_units(amount, WAD_DECIMALS, name)


def written(number: Decimal) -> str:
    """A number in digits: exact, without exponent and trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _not_whole(name: str, unit: str) -> ValueError:
    return ValueError(f"{name}: not a whole number of {unit}")
