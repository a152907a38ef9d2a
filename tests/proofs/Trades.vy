# pragma version 0.4.3
"""
@title Which way trades and their prices round
@license MIT
@notice What a trader pays is rounded up, what he gets down; what has no side is rounded down.
@dev The claims are unchecked: the ranges keep every product below 2**255.
"""

from contracts.lib import market_math
from contracts.lib import position_math
from contracts.lib import settlement_math
from contracts.lib import words


@external
@pure
def check_impact_is_rounded_up(size_delta: int256, skew: int256, skew_scale: uint256, price: uint256):
    if size_delta <= -(2**56) or size_delta >= 2**56 or skew <= -(2**64) or skew >= 2**64:
        return
    if skew_scale == 0 or skew_scale >= 2**56 or price >= 2**64:
        return
    exact: int256 = unsafe_mul(
        unsafe_mul(size_delta, convert(price, int256)),
        unsafe_add(unsafe_mul(2, skew), size_delta),
    )
    scale: int256 = unsafe_mul(2, convert(skew_scale, int256))
    product: int256 = unsafe_mul(
        market_math.impact_cost(size_delta, skew, skew_scale, price), scale
    )
    self._prove(product >= exact and product < unsafe_add(exact, scale))


@external
@pure
def check_a_builder_s_fee_is_rounded_up(size: uint256, price: uint256, rate: uint256):
    if size >= 2**56 or price >= 2**64 or rate >= 2**16:
        return
    exact: uint256 = unsafe_mul(unsafe_mul(size, price), rate)
    product: uint256 = unsafe_mul(market_math.builder_fee(size, price, rate), 10**15)
    self._prove(product >= exact and product < unsafe_add(exact, 10**15))


@external
@pure
def check_a_fee_is_rounded_up_between_its_rates(
    size_delta: int256, skew: int256, price: uint256, maker: uint256, taker: uint256
):
    if size_delta <= -(2**56) or size_delta >= 2**56 or skew <= -(2**64) or skew >= 2**64:
        return
    if price >= 2**64 or taker >= 2**16 or maker > taker:
        return
    size: uint256 = convert(max(size_delta, unsafe_sub(0, size_delta)), uint256)
    notional: uint256 = unsafe_mul(price, size)
    product: uint256 = unsafe_mul(
        market_math.trade_fee(size_delta, skew, price, maker, taker), 10**15
    )
    self._prove(product >= unsafe_mul(notional, maker))
    self._prove(product < unsafe_add(unsafe_mul(notional, taker), 10**15))


@external
@pure
def check_an_entry_is_rounded_against_the_trader(
    size: uint256, is_long: bool, price: uint256, cost: int256
):
    if size >= 2**56 or price >= 2**64 or cost <= -(2**125) or cost >= 2**125:
        return
    notional: int256 = convert(unsafe_mul(size, price), int256)
    if is_long:
        exact: int256 = unsafe_add(notional, cost)
        if exact < 0:
            return
        entry: int256 = convert(
            position_math.entry_notional_of(size, True, price, cost), int256
        )
        product: int256 = unsafe_mul(entry, 10**9)
        self._prove(product >= exact and product < unsafe_add(exact, 10**9))
    else:
        exact: int256 = max(unsafe_sub(notional, cost), 0)
        entry: int256 = convert(
            position_math.entry_notional_of(size, False, price, cost), int256
        )
        product: int256 = unsafe_mul(entry, 10**9)
        self._prove(product <= exact and exact < unsafe_add(product, 10**9))


@external
@pure
def check_a_mean_index_is_rounded_against_the_account(
    held: uint256, held_index: int256, added: uint256, index: int256, is_long: bool
):
    if held == 0 or added == 0 or held >= 2**56 or added >= 2**56:
        return
    if held_index > words.MAX_INDEX or held_index < -words.MAX_INDEX:
        return
    if index > words.MAX_INDEX or index < -words.MAX_INDEX:
        return
    position: words.Position = empty(words.Position)
    position.size = held
    position.funding_index = held_index
    after: words.Position = position_math.increase(position, is_long, added, 0, index)
    exact: int256 = unsafe_add(
        unsafe_mul(convert(held, int256), held_index), unsafe_mul(convert(added, int256), index)
    )
    total: int256 = convert(after.size, int256)
    product: int256 = unsafe_mul(after.funding_index, total)
    if is_long:
        self._prove(product <= exact and exact < unsafe_add(product, total))
    else:
        self._prove(product >= exact and exact > unsafe_sub(product, total))


@external
@pure
def check_what_a_part_takes_is_rounded_against_the_account(
    position: words.Position, is_long: bool, size: uint256
):
    if position.size >= 2**56 or position.margin >= 2**56 or position.entry_notional >= 2**56:
        return
    if size >= position.size:
        return
    left: words.Position = empty(words.Position)
    released: words.Position = empty(words.Position)
    left, released = position_math.decrease(position, is_long, size)
    entry: uint256 = unsafe_mul(released.entry_notional, position.size)
    exact_entry: uint256 = unsafe_mul(position.entry_notional, size)
    if is_long:
        self._prove(entry >= exact_entry and entry < unsafe_add(exact_entry, position.size))
    else:
        self._prove(entry <= exact_entry and exact_entry < unsafe_add(entry, position.size))
    margin: uint256 = unsafe_mul(released.margin, position.size)
    exact_margin: uint256 = unsafe_mul(position.margin, size)
    self._prove(margin <= exact_margin and exact_margin < unsafe_add(margin, position.size))


@external
@pure
def check_an_average_is_rounded_down(settlement: words.Settlement):
    if settlement.sum >= 2**128 or settlement.counted == 0 or settlement.counted >= 2**12:
        return
    product: uint256 = unsafe_mul(settlement_math.average(settlement), settlement.counted)
    self._prove(product <= settlement.sum)
    self._prove(settlement.sum < unsafe_add(product, settlement.counted))


@internal
@pure
def _prove(claim: bool):
    if not claim:
        raw_revert(abi_encode(convert(1, uint256), method_id=method_id("Panic(uint256)")))
