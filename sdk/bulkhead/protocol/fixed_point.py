"""Divisions that say their direction.

Python's `//` rounds toward minus infinity, Vyper's toward zero. So every division of the protocol
goes through one of these, or is of numbers that are not negative and says which way it rounds.
Denominators are positive.
"""

PPM = 10**6
FEMTO = 10**9  # femto USD in one quote unit
THOUSAND_USD = 10**18  # femto USD in a thousand USD
MAX_WAD_PRICE = 2**128
# WAD price * WAD lot size / 1e36 is USD per lot; a USD is 1e15 femto.
FEMTO_DENOMINATOR = 10**21


def div_up(numerator: int, denominator: int) -> int:
    """Numerator / denominator, toward infinity. The numerator is not negative."""
    return -(-numerator // denominator)


def signed_div_down(numerator: int, denominator: int) -> int:
    """Numerator / denominator, toward minus infinity."""
    return numerator // denominator


def signed_div_up(numerator: int, denominator: int) -> int:
    """Numerator / denominator, toward infinity."""
    return -(-numerator // denominator)


def signed_div_to_zero(numerator: int, denominator: int) -> int:
    """Numerator / denominator, toward zero: Vyper's own division. The denominator may be negative.

    Only funding uses it, where what is lost favours neither side.
    """
    quotient = abs(numerator) // abs(denominator)
    return quotient if (numerator < 0) == (denominator < 0) else -quotient


def magnitude(number: int) -> int:
    """The number without its sign."""
    return abs(number)


def quote_down(femto: int) -> int:
    """Femto USD in quote units, toward minus infinity: what an account is paid."""
    return signed_div_down(femto, FEMTO)


def quote_ceiling(femto: int) -> int:
    """Femto USD in quote units, toward infinity."""
    return signed_div_up(femto, FEMTO)


def quote_up(femto: int) -> int:
    """Femto USD in quote units, toward infinity: what an account must bring. Not negative."""
    return div_up(femto, FEMTO)


def femto_per_lot(price: int, lot_size: int) -> int:
    """A price in WAD USD per base unit as one in femto USD per lot, down.

    Args:
        price: Below `MAX_WAD_PRICE`.
        lot_size: WAD base units per lot, below 2**80.
    """
    return price * lot_size // FEMTO_DENOMINATOR
