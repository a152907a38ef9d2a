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
    """
    to_insurance: uint256 = unsafe_div(unsafe_mul(fee, terms.insurance_share), fixed_point.PPM)
    to_treasury: uint256 = unsafe_div(unsafe_mul(fee, terms.treasury_share), fixed_point.PPM)
    house.insurance += to_insurance
    house.fees += to_treasury
    house.pool_cash += convert(fee - to_insurance - to_treasury, int256)
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
