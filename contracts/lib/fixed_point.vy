# pragma version 0.4.3
"""
@title Divisions that say their direction
@license MIT
@notice Vyper's own division truncates toward zero: down for positive numbers, up for negative ones.
        Every division of the protocol goes through one of these, or is of unsigned numbers and
        says in its function's docstring which way it rounds and against whom.
@dev Unchecked: numerators stay below 2**255 by the ranges in `words.vy`, denominators are positive.
"""

PPM: constant(uint256) = 10**6
FEMTO: constant(uint256) = 10**9  # femto USD in one quote unit
FEMTO_INT: constant(int256) = 10**9
THOUSAND_USD: constant(uint256) = 10**18  # femto USD in a thousand USD
MAX_WAD_PRICE: constant(uint256) = 2**128
# WAD price * WAD lot size / 1e36 is USD per lot; a USD is 1e15 femto.
FEMTO_DENOMINATOR: constant(uint256) = 10**21


@internal
@pure
def div_up(numerator: uint256, denominator: uint256) -> uint256:
    """
    @notice numerator / denominator, toward infinity.
    """
    return unsafe_div(unsafe_add(numerator, unsafe_sub(denominator, 1)), denominator)


@internal
@pure
def signed_div_down(numerator: int256, denominator: int256) -> int256:
    """
    @notice numerator / denominator, toward minus infinity. The denominator is positive.
    """
    if numerator < 0:
        return unsafe_div(unsafe_sub(numerator, unsafe_sub(denominator, 1)), denominator)
    return unsafe_div(numerator, denominator)


@internal
@pure
def signed_div_up(numerator: int256, denominator: int256) -> int256:
    """
    @notice numerator / denominator, toward infinity. The denominator is positive.
    """
    if numerator > 0:
        return unsafe_div(unsafe_add(numerator, unsafe_sub(denominator, 1)), denominator)
    return unsafe_div(numerator, denominator)


@internal
@pure
def magnitude(number: int256) -> uint256:
    """
    @notice |number|.
    """
    if number < 0:
        return convert(unsafe_sub(0, number), uint256)
    return convert(number, uint256)


@internal
@pure
def quote_down(femto: int256) -> int256:
    """
    @notice Femto USD in quote units, toward minus infinity: what an account is paid.
    """
    return self.signed_div_down(femto, FEMTO_INT)


@internal
@pure
def quote_ceiling(femto: int256) -> int256:
    """
    @notice Femto USD in quote units, toward infinity.
    """
    return self.signed_div_up(femto, FEMTO_INT)


@internal
@pure
def quote_up(femto: uint256) -> uint256:
    """
    @notice Femto USD in quote units, toward infinity: what an account must bring.
    """
    return self.div_up(femto, FEMTO)


@internal
@pure
def femto_per_lot(price: uint256, lot_size: uint256) -> uint256:
    """
    @notice A price in WAD USD per base unit as one in femto USD per lot, down: a price has no side to
            favour.
    @param price Below `MAX_WAD_PRICE`.
    @param lot_size WAD base units per lot, below 2**80.
    """
    return unsafe_div(unsafe_mul(price, lot_size), FEMTO_DENOMINATOR)
