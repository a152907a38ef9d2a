# pragma version 0.4.3
"""
@title Funding bounds
@license MIT
@notice How long a position lasts if nothing but funding moves: price, sizes and the drift stand still.
@dev What funding has cost by a moment first moves one way and then the other at most once, where the
     rate changes its sign: on the part that rises, halving finds the first moment that costs enough.
"""

from . import market_math
from . import words

NEVER: constant(uint256) = max_value(uint256)
HORIZON: constant(uint256) = 10 * 365 * 86_400  # seconds
HALVINGS: constant(uint256) = 29  # as many as there are bits in the horizon


@internal
@pure
def time_to_lose(
    market: words.Market, price: uint256, is_long: bool, size: uint256, cushion: int256
) -> uint256:
    """
    @notice Seconds until funding alone has cost a position at least its cushion, exact to the second, or
            `NEVER` within ten years.
    @param market With funding accrued up to now.
    @param price The mark price, femto per lot.
    @param size Lots, of the net position.
    @param cushion Femto: what it may lose before it is liquidatable.
    """
    if cushion <= 0:
        return 0
    rate: int256 = market.funding_rate if is_long else -market.funding_rate
    drift: int256 = market.funding_drift if is_long else -market.funding_drift
    first: uint256 = 0
    last: uint256 = HORIZON
    if drift < 0:
        last = 0
        if rate > 0:
            # The cost is greatest within a second of where the rate is zero.
            last = min(convert(rate * market_math.DAY // -drift, uint256) + 1, HORIZON)
    if last != 0 and self.lost_after(market, price, is_long, size, last) < cushion:
        last -= 1
    if self.lost_after(market, price, is_long, size, last) < cushion:
        return NEVER
    for _: uint256 in range(HALVINGS):
        if first >= last:
            break
        middle: uint256 = (first + last) // 2
        if self.lost_after(market, price, is_long, size, middle) >= cushion:
            last = middle
        else:
            first = middle + 1
    return last


@internal
@pure
def lost_after(
    market: words.Market, price: uint256, is_long: bool, size: uint256, elapsed: uint256
) -> int256:
    """
    @notice What funding costs a position in `elapsed` seconds, femto; negative where it earns.
    """
    later: words.Market = market_math.accrue_funding(market, price, market.accrued_at + elapsed)
    lost: int256 = convert(size, int256) * (later.funding_index - market.funding_index)
    return lost if is_long else -lost
