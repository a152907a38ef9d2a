# pragma version 0.4.3
"""
@title Which way requirements round
@license MIT
@notice What an account must bring is rounded up, what it is let off on a ramp down.
@dev The claims are unchecked: the ranges keep every product below 2**255.
"""

from contracts.lib import house_math
from contracts.lib import liquidation_math
from contracts.lib import margin_math
from contracts.lib import words


@external
@pure
def check_maintenance_is_rounded_up(notional: uint256, rate: uint256):
    if notional >= 2**120 or rate >= 2**20:
        return
    tiers: margin_math.Tiers = empty(margin_math.Tiers)
    tiers.maintenance_rate = rate
    self._prove_up(margin_math.maintenance_margin(notional, tiers), 10**6, unsafe_mul(notional, rate))


@external
@pure
def check_maintenance_above_a_floor_is_rounded_up(
    notional: uint256, rate: uint256, tail: words.Tier
):
    if notional >= 2**120 or tail.floor >= 2**24 or tail.floor == 0 or tail.maintenance_rate >= 2**20:
        return
    if rate > tail.maintenance_rate or tail.initial_rate >= 2**20:
        return
    tiers: margin_math.Tiers = empty(margin_math.Tiers)
    tiers.maintenance_rate = rate
    tiers.first = words.pack_tier(tail)
    floor_notional: uint256 = unsafe_mul(tail.floor, 10**18)
    due: uint256 = unsafe_mul(notional, rate)
    if notional > floor_notional:
        due = unsafe_add(
            unsafe_mul(floor_notional, rate),
            unsafe_mul(unsafe_sub(notional, floor_notional), tail.maintenance_rate),
        )
    self._prove_up(margin_math.maintenance_margin(notional, tiers), 10**6, due)


@external
@pure
def check_initial_margin_is_rounded_up(notional: uint256, leverage: uint256, rate: uint256):
    if notional >= 2**120 or rate >= 2**20 or leverage == 0 or leverage >= 2**28:
        return
    tiers: margin_math.Tiers = empty(margin_math.Tiers)
    tiers.initial_rate = rate
    due: uint256 = margin_math.initial_margin(notional, leverage, tiers)
    by_tier: uint256 = unsafe_mul(notional, rate)
    by_leverage: uint256 = unsafe_mul(notional, 10**6)
    self._prove(unsafe_mul(due, 10**6) >= by_tier)
    self._prove(unsafe_mul(due, leverage) >= by_leverage)
    self._prove(
        unsafe_mul(due, 10**6) < unsafe_add(by_tier, 10**6)
        or unsafe_mul(due, leverage) < unsafe_add(by_leverage, leverage)
    )


@external
@pure
def check_an_order_s_margin_is_rounded_up(notional: uint256, leverage: uint256, rate: uint256):
    if notional >= 2**120 or rate >= 2**20 or leverage == 0 or leverage >= 2**28:
        return
    margin: uint256 = margin_math.order_margin(notional, leverage, rate)
    self._prove(unsafe_mul(margin, 10**15) >= unsafe_mul(notional, rate))
    self._prove(
        unsafe_mul(unsafe_mul(margin, 10**15), leverage) >= unsafe_mul(notional, 10**12)
    )


@external
@pure
def check_unwinding_is_rounded_up(notional: uint256, taker_fee: uint256):
    if notional >= 2**120 or taker_fee >= 2**16:
        return
    due: uint256 = margin_math.unwinding_cost(notional, taker_fee)
    self._prove_up(due, 10**6, unsafe_mul(unsafe_mul(2, notional), taker_fee))


@external
@pure
def check_a_band_is_rounded_up(notional: uint256, confidence: uint256):
    if notional >= 2**120 or confidence >= 2**20:
        return
    self._prove_up(margin_math.band_of(notional, confidence), 10**6, unsafe_mul(notional, confidence))


@external
@pure
def check_a_buffer_is_rounded_up(maintenance: uint256, buffer: uint256):
    if maintenance >= 2**144 or buffer >= 2**20:
        return
    due: uint256 = liquidation_math.buffered(maintenance, buffer)
    self._prove_up(due, 10**6, unsafe_mul(maintenance, unsafe_add(10**6, buffer)))


@external
@pure
def check_insurance_s_need_is_rounded_up(size: uint256, price: uint256, penalty: uint256):
    if size >= 2**64 or price >= 2**64 or penalty >= 2**20:
        return
    need: uint256 = house_math.insurance_need(size, price, penalty)
    self._prove_up(need, 10**15, unsafe_mul(unsafe_mul(size, price), penalty))


@external
@pure
def check_a_rate_on_its_way_is_rounded_down(
    target: uint256, before: uint256, elapsed: uint256, duration: uint256
):
    if target >= 2**20 or before >= 2**20 or duration >= 2**36 or elapsed >= duration:
        return
    rate: uint256 = margin_math._ramped(target, before, elapsed, duration)
    exact: uint256 = unsafe_add(
        unsafe_mul(target, elapsed), unsafe_mul(before, unsafe_sub(duration, elapsed))
    )
    product: uint256 = unsafe_mul(rate, duration)
    self._prove(product <= exact and exact < unsafe_add(product, duration))
    self._prove(rate >= min(target, before) and rate <= max(target, before))


@internal
@pure
def _prove_up(quotient: uint256, denominator: uint256, numerator: uint256):
    product: uint256 = unsafe_mul(quotient, denominator)
    self._prove(product >= numerator)
    self._prove(product < unsafe_add(numerator, denominator))


@internal
@pure
def _prove(claim: bool):
    if not claim:
        raw_revert(abi_encode(convert(1, uint256), method_id=method_id("Panic(uint256)")))
