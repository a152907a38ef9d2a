# pragma version 0.4.3
"""
@title The arithmetic of a market
@license MIT
@notice Funding, skew, price impact, fees, and what a side of the market is owed.
@dev Unchecked where the ranges of `words.vy` prove it: lots stay below 2**64, prices below 2**64,
     funding rates below 2**40 (in 1e-12 per day), times below 2**36.
"""

from . import fixed_point
from . import words

DAY: constant(int256) = 86_400
RATE_PER_PPM: constant(int256) = 10**6  # the word counts rates in 1e-12, terms in ppm
INDEX_DENOMINATOR: constant(int256) = 2 * 86_400 * 10**12
FEE_DENOMINATOR: constant(uint256) = 10**15  # ppm and femto per quote unit


@internal
@pure
def accrue_funding(market: words.Market, price: uint256, until: uint256) -> words.Market:
    """
    @notice Moves rate and index to `until`. The rate drifts linearly and stops at its maximum; the
            index grows by the exact area under the rate, times the price.
    @dev Both sides pay by the same index, so the direction of its rounding (down) favours nobody.
         The index saturates at the end of its range instead of reverting.
    @param market The market's word.
    @param price The mark price, femto per lot.
    @param until Now on the market's clock, which `accrued_at` is on, too: see `live_time`.
    """
    if until <= market.accrued_at:
        return market
    elapsed: int256 = convert(unsafe_sub(until, market.accrued_at), int256)
    limit: int256 = unsafe_mul(convert(market.max_funding_rate, int256), RATE_PER_PPM)
    rate: int256 = max(min(market.funding_rate, limit), unsafe_sub(0, limit))
    target: int256 = unsafe_add(rate, unsafe_div(unsafe_mul(market.funding_drift, elapsed), DAY))
    doubled_area: int256 = 0
    if target > limit or target < unsafe_sub(0, limit):
        target = max(min(target, limit), unsafe_sub(0, limit))
        ramp: int256 = unsafe_div(unsafe_mul(unsafe_sub(target, rate), DAY), market.funding_drift)
        doubled_area = unsafe_add(
            unsafe_mul(unsafe_add(rate, target), ramp),
            unsafe_mul(unsafe_mul(2, target), unsafe_sub(elapsed, ramp)),
        )
    else:
        doubled_area = unsafe_mul(unsafe_add(rate, target), elapsed)
    index: int256 = unsafe_add(
        market.funding_index,
        fixed_point.signed_div_down(
            unsafe_mul(doubled_area, convert(price, int256)), INDEX_DENOMINATOR
        ),
    )
    market.funding_index = max(min(index, words.MAX_INDEX), -words.MAX_INDEX)
    market.funding_rate = target
    market.accrued_at = until
    return market


@internal
@pure
def live_time(price: words.Price, now: uint256) -> uint256:
    """
    @notice The market's own clock, in seconds: it stands still while the feed is silent, from the
            end of the last price's life to the next price. So funding never accrues across a
            silence, and what came before one is not lost. It ends where the market's settlement
            begins.
    """
    until: uint256 = min(now, unsafe_add(price.published_at, price.max_age))
    if price.settles_at != 0:
        until = min(until, unsafe_mul(price.settles_at, words.HOUR))
    return unsafe_sub(until, min(until, price.silence))


@internal
@pure
def funding_drift(velocity: uint256, skew: int256, skew_scale: uint256) -> int256:
    """
    @notice velocity * clamp(skew / skew_scale, -1, 1) in 1e-12 per day per day, toward zero, so
            that both sides are treated alike.
    """
    scale: int256 = convert(skew_scale, int256)
    clamped: int256 = max(min(skew, scale), unsafe_sub(0, scale))
    drift: int256 = unsafe_div(
        unsafe_mul(unsafe_mul(convert(velocity, int256), RATE_PER_PPM), clamped),
        scale,
    )
    return max(min(drift, words.MAX_DRIFT), -words.MAX_DRIFT)


@internal
@pure
def skew_of(long_size: uint256, short_size: uint256) -> int256:
    """
    @notice Long minus short lots.
    """
    return unsafe_sub(convert(long_size, int256), convert(short_size, int256))


@internal
@pure
def impact_cost(size_delta: int256, skew: int256, skew_scale: uint256, price: uint256) -> int256:
    """
    @notice What a trade pays beyond the mark price, in femto: size_delta * price *
            (skew + size_delta / 2) / skew_scale, up (against the trader). Negative where the trade
            shrinks the skew and is paid for it. Path independent but for the rounding.
    """
    return fixed_point.signed_div_up(
        unsafe_mul(
            unsafe_mul(size_delta, convert(price, int256)),
            unsafe_add(unsafe_mul(2, skew), size_delta),
        ),
        unsafe_mul(2, convert(skew_scale, int256)),
    )


@internal
@pure
def builder_fee(size: uint256, price: uint256, rate: uint256) -> uint256:
    """
    @notice What a builder gets for `size` lots at the mark price, in quote units, up.
    @param rate In ppm.
    """
    return fixed_point.div_up(unsafe_mul(unsafe_mul(size, price), rate), FEE_DENOMINATOR)


@internal
@pure
def trade_fee(
    size_delta: int256, skew: int256, price: uint256, maker_fee: uint256, taker_fee: uint256
) -> uint256:
    """
    @notice The fee in quote units, up: the maker rate on the part that shrinks the skew, the taker
            rate on the rest, both on notional at the mark price.
    """
    size: uint256 = fixed_point.magnitude(size_delta)
    making: uint256 = 0
    if (size_delta < 0) != (skew < 0):
        making = min(size, fixed_point.magnitude(skew))
    return fixed_point.div_up(
        unsafe_mul(
            price,
            unsafe_add(
                unsafe_mul(making, maker_fee), unsafe_mul(unsafe_sub(size, making), taker_fee)
            ),
        ),
        FEE_DENOMINATOR,
    )


@internal
@pure
def side_value(side: words.Side, is_long: bool, price: uint256, funding_index: int256) -> int256:
    """
    @notice What the pool owes all positions of a side together, in femto, exactly: the sum of
            their values at this price and index. Negative where they owe the pool.
    """
    worth: int256 = unsafe_sub(
        unsafe_mul(
            convert(side.size, int256),
            unsafe_sub(convert(price, int256), funding_index),
        ),
        side.basis,
    )
    if is_long:
        return worth
    return unsafe_sub(0, worth)
