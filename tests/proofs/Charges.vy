# pragma version 0.4.3
"""
@title What fees, penalties and parts may not exceed
@license MIT
@notice Money is shared out and none appears: shares are together the whole, and nobody pays more than
        there is.
"""

from contracts.lib import house_math
from contracts.lib import liquidation_math
from contracts.lib import position_math
from contracts.lib import words


@internal
@pure
def _prove(claim: bool):
    if not claim:
        raw_revert(abi_encode(convert(1, uint256), method_id=method_id("Panic(uint256)")))


@external
@pure
def check_a_fee_is_shared_whole(house: words.House, fee: uint256, insurance: uint256, treasury: uint256):
    if fee >= 2**56 or insurance >= 2**20 or treasury >= 2**20 or insurance + treasury > 10**6:
        return
    if house.insurance >= 2**76 or house.fees >= 2**76:
        return
    if house.pool_cash >= 2**95 or house.pool_cash < -(2**95):
        return
    terms: words.TradeTerms = empty(words.TradeTerms)
    terms.insurance_share = insurance
    terms.treasury_share = treasury
    shared: words.House = house_math.collect_fee(house, fee, terms)
    to_pool: int256 = shared.pool_cash - house.pool_cash
    to_others: uint256 = shared.insurance - house.insurance + shared.fees - house.fees
    self._prove(to_pool >= 0 and convert(to_pool, uint256) + to_others == fee)


@external
@pure
def check_charges_shrink_before_a_deficit(
    shortfall: uint256, fee: uint256, impact: uint256, keeper_fee: uint256
):
    if shortfall >= 2**128 or fee >= 2**128 or impact >= 2**128 or keeper_fee >= 2**128:
        return
    fee_cut: uint256 = 0
    impact_cut: uint256 = 0
    keeper_cut: uint256 = 0
    deficit: uint256 = 0
    fee_cut, impact_cut, keeper_cut, deficit = liquidation_math.shrink_charges(
        shortfall, fee, impact, keeper_fee
    )
    self._prove(fee_cut <= fee and impact_cut <= impact and keeper_cut <= keeper_fee)
    self._prove(fee_cut + impact_cut + keeper_cut + deficit == shortfall)
    self._prove(deficit == 0 or fee_cut + impact_cut + keeper_cut == fee + impact + keeper_fee)


@external
@pure
def check_a_deficit_is_borne_whole(house: words.House, deficit: uint256):
    if deficit >= 2**90 or house.insurance >= 2**76:
        return
    if house.pool_cash >= 2**95 or house.pool_cash < -(2**95):
        return
    after: words.House = house_math.cover_deficit(house, deficit)
    paid: int256 = convert(house.insurance - after.insurance, int256) + house.pool_cash - after.pool_cash
    self._prove(paid == convert(deficit, int256))
    self._prove(after.insurance == 0 or after.pool_cash == house.pool_cash)


@external
@pure
def check_a_penalty_is_no_more_than_equity(
    equity: int256, notional: uint256, terms: words.LiquidationTerms
):
    if equity <= -(2**96) or equity >= 2**96 or notional >= 2**120 or terms.penalty >= 2**20:
        return
    if terms.keeper_share >= 2**20 or terms.keeper_floor >= 2**40 or terms.keeper_cap >= 2**40:
        return
    penalty: uint256 = 0
    reward: uint256 = 0
    topped_up: uint256 = 0
    penalty, reward, topped_up = liquidation_math.split_penalty(equity, notional, terms)
    self._prove(penalty == 0 or convert(penalty, int256) <= equity)
    self._prove(reward <= penalty)


@external
@pure
def check_a_keeper_gets_no_more_than_its_bounds(
    equity: int256, notional: uint256, terms: words.LiquidationTerms
):
    if equity <= -(2**96) or equity >= 2**96 or notional >= 2**120 or terms.penalty >= 2**20:
        return
    if terms.keeper_share >= 2**20 or terms.keeper_floor >= 2**40 or terms.keeper_cap >= 2**40:
        return
    penalty: uint256 = 0
    reward: uint256 = 0
    topped_up: uint256 = 0
    penalty, reward, topped_up = liquidation_math.split_penalty(equity, notional, terms)
    self._prove(reward <= terms.keeper_cap)
    self._prove(topped_up == 0 or unsafe_add(reward, topped_up) <= terms.keeper_floor)


@external
@pure
def check_a_part_and_the_rest_are_the_whole(
    position: words.Position, is_long: bool, size: uint256
):
    if position.size >= 2**56 or position.margin >= 2**56 or position.entry_notional >= 2**56:
        return
    if size >= position.size:
        return
    left: words.Position = empty(words.Position)
    released: words.Position = empty(words.Position)
    left, released = position_math.decrease(position, is_long, size)
    self._prove(released.size == size and released.margin <= position.margin)
    self._prove(released.entry_notional <= position.entry_notional)
    self._prove(unsafe_add(left.size, released.size) == position.size)
    self._prove(unsafe_add(left.margin, released.margin) == position.margin)
    self._prove(unsafe_add(left.entry_notional, released.entry_notional) == position.entry_notional)
