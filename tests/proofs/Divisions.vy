# pragma version 0.4.3
"""
@title Which way the divisions round
@license MIT
@notice Each division of `fixed_point` is the floor or the ceiling its name says. By constants over the
        whole range that is used; by symbols over ranges in which a solver ends.
"""

from contracts.lib import fixed_point


@internal
@pure
def _prove(claim: bool):
    if not claim:
        raw_revert(abi_encode(convert(1, uint256), method_id=method_id("Panic(uint256)")))


@external
@pure
def check_div_up_is_the_ceiling(numerator: uint256, denominator: uint256):
    if numerator >= 2**20 or denominator == 0 or denominator >= 2**12:
        return
    quotient: uint256 = fixed_point.div_up(numerator, denominator)
    self._prove(quotient * denominator >= numerator)
    self._prove(quotient * denominator < numerator + denominator)


@external
@pure
def check_signed_div_down_is_the_floor(numerator: int256, denominator: int256):
    if numerator < -(2**16) or numerator > 2**16 or denominator <= 0 or denominator >= 2**10:
        return
    quotient: int256 = fixed_point.signed_div_down(numerator, denominator)
    self._prove(quotient * denominator <= numerator)
    self._prove(quotient * denominator > numerator - denominator)


@external
@pure
def check_signed_div_up_is_the_ceiling(numerator: int256, denominator: int256):
    if numerator < -(2**16) or numerator > 2**16 or denominator <= 0 or denominator >= 2**10:
        return
    quotient: int256 = fixed_point.signed_div_up(numerator, denominator)
    self._prove(quotient * denominator >= numerator)
    self._prove(quotient * denominator < numerator + denominator)


@external
@pure
def check_quote_down_is_the_floor(femto: int256):
    if femto < -(2**128) or femto > 2**128:
        return
    quote: int256 = fixed_point.quote_down(femto)
    self._prove(quote * 10**9 <= femto and femto < (quote + 1) * 10**9)


@external
@pure
def check_quote_ceiling_is_the_ceiling(femto: int256):
    if femto < -(2**128) or femto > 2**128:
        return
    quote: int256 = fixed_point.quote_ceiling(femto)
    self._prove(quote * 10**9 >= femto and femto > (quote - 1) * 10**9)


@external
@pure
def check_quote_up_is_the_ceiling(femto: uint256):
    if femto > 2**128:
        return
    quote: uint256 = fixed_point.quote_up(femto)
    self._prove(quote * 10**9 >= femto and quote * 10**9 < femto + 10**9)


@external
@pure
def check_magnitude_has_no_sign(number: int256):
    if number == min_value(int256):
        return
    size: int256 = convert(fixed_point.magnitude(number), int256)
    self._prove(size >= 0 and (size == number or size == -number))
