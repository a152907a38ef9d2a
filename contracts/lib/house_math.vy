# pragma version 0.4.3
"""
@title The arithmetic of the house
@license MIT
@notice How fees and debts are shared between pool, insurance and treasury. All in quote units.
"""

from . import fixed_point
from . import words


@internal
@pure
def collect_fee(house: words.House, fee: uint256, terms: words.TradeTerms) -> words.House:
    """
    @notice Shares a trading fee. Insurance and treasury get their shares down, the pool the rest.
    @dev Unchecked: money stays below 2**97, and the two shares are together at most the whole.
    """
    to_insurance: uint256 = unsafe_div(unsafe_mul(fee, terms.insurance_share), fixed_point.PPM)
    to_treasury: uint256 = unsafe_div(unsafe_mul(fee, terms.treasury_share), fixed_point.PPM)
    house.insurance = unsafe_add(house.insurance, to_insurance)
    house.fees = unsafe_add(house.fees, to_treasury)
    house.pool_cash = unsafe_add(
        house.pool_cash, convert(unsafe_sub(unsafe_sub(fee, to_insurance), to_treasury), int256)
    )
    return house


@internal
@pure
def cover_deficit(house: words.House, deficit: uint256) -> words.House:
    """
    @notice A debt that nobody owes any more: insurance pays what it can, the pool bears the rest.
            The whole loss has been counted as the pool's gain before.
    """
    from_insurance: uint256 = min(deficit, house.insurance)
    house.insurance -= from_insurance
    house.pool_cash -= convert(deficit - from_insurance, int256)
    return house


@internal
@pure
def insurance_need(size: uint256, price: uint256, penalty: uint256) -> uint256:
    """
    @notice What liquidations of `size` lots may ask of insurance: a penalty on all of them, in quote
            units, up.
    @param penalty In ppm of notional.
    """
    return fixed_point.div_up(size * price * penalty, fixed_point.PPM * fixed_point.FEMTO)
