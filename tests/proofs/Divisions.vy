# pragma version 0.4.3
"""
@title Which way the divisions round
@license MIT
@notice Each division of `fixed_point` is the floor or the ceiling its name says, for all that its callers
        may give it.
@dev The claims are unchecked, too: a claim that overflowed would end as a revert, which is no
     counterexample. The ranges keep every product below 2**255.
"""

from contracts.lib import fixed_point


@external
@pure
def check_div_up_is_the_ceiling(numerator: uint256, denominator: uint256):
    if numerator >= 2**254 or denominator == 0 or denominator >= 2**254:
        return
    quotient: uint256 = fixed_point.div_up(numerator, denominator)
    product: uint256 = unsafe_mul(quotient, denominator)
    self._prove(product >= numerator)
    self._prove(product < unsafe_add(numerator, denominator))


@external
@pure
def check_signed_div_down_is_the_floor(numerator: int256, denominator: int256):
    if numerator < -(2**253) or numerator > 2**253 or denominator <= 0 or denominator >= 2**253:
        return
    quotient: int256 = fixed_point.signed_div_down(numerator, denominator)
    product: int256 = unsafe_mul(quotient, denominator)
    self._prove(product <= numerator)
    self._prove(product > unsafe_sub(numerator, denominator))


@external
@pure
def check_signed_div_up_is_the_ceiling(numerator: int256, denominator: int256):
    if numerator < -(2**253) or numerator > 2**253 or denominator <= 0 or denominator >= 2**253:
        return
    quotient: int256 = fixed_point.signed_div_up(numerator, denominator)
    product: int256 = unsafe_mul(quotient, denominator)
    self._prove(product >= numerator)
    self._prove(product < unsafe_add(numerator, denominator))


@external
@pure
def check_quote_down_is_the_floor(femto: int256):
    if femto < -(2**253) or femto > 2**253:
        return
    back: int256 = unsafe_mul(fixed_point.quote_down(femto), 10**9)
    self._prove(back <= femto and femto < unsafe_add(back, 10**9))


@external
@pure
def check_quote_ceiling_is_the_ceiling(femto: int256):
    if femto < -(2**253) or femto > 2**253:
        return
    back: int256 = unsafe_mul(fixed_point.quote_ceiling(femto), 10**9)
    self._prove(back >= femto and femto > unsafe_sub(back, 10**9))


@external
@pure
def check_quote_up_is_the_ceiling(femto: uint256):
    if femto > 2**254:
        return
    back: uint256 = unsafe_mul(fixed_point.quote_up(femto), 10**9)
    self._prove(back >= femto and back < unsafe_add(femto, 10**9))


@external
@pure
def check_femto_per_lot_is_the_floor(price: uint256, lot_size: uint256):
    if price >= fixed_point.MAX_WAD_PRICE or lot_size >= 2**80:
        return
    product: uint256 = unsafe_mul(price, lot_size)
    back: uint256 = unsafe_mul(fixed_point.femto_per_lot(price, lot_size), 10**21)
    self._prove(back <= product and product < unsafe_add(back, 10**21))


@external
@pure
def check_magnitude_has_no_sign(number: int256):
    if number == min_value(int256):
        return
    size: int256 = convert(fixed_point.magnitude(number), int256)
    self._prove(size >= 0 and (size == number or size == unsafe_sub(0, number)))


@internal
@pure
def _prove(claim: bool):
    if not claim:
        raw_revert(abi_encode(convert(1, uint256), method_id=method_id("Panic(uint256)")))
