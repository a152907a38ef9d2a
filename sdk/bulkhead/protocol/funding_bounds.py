"""How long a position lasts if nothing but funding moves: price, sizes and drift stand still.

What funding has cost by a moment first moves one way and then the other at most once, where the
rate changes its sign: on the part that rises, halving finds the first moment that costs enough.
"""

from bulkhead.protocol.fixed_point import signed_div_to_zero
from bulkhead.protocol.market_math import DAY, accrue_funding
from bulkhead.protocol.words import Market

NEVER = 2**256 - 1
HORIZON = 10 * 365 * 86_400  # seconds
HALVINGS = 29  # as many as there are bits in the horizon


def time_to_lose(market: Market, price: int, is_long: bool, size: int, cushion: int) -> int:
    """Seconds until funding alone has cost a position at least its cushion, exact to the second.

    Args:
        market: With funding accrued up to now.
        price: The mark price, femto per lot.
        is_long: Which side.
        size: Lots, of the net position.
        cushion: Femto: what it may lose before it is liquidatable.

    Returns:
        Seconds, or `NEVER` within ten years.
    """
    if cushion <= 0:
        return 0
    sign = 1 if is_long else -1
    rate, drift = sign * market.funding_rate, sign * market.funding_drift
    first, last = 0, HORIZON
    if drift < 0:
        last = 0
        if rate > 0:
            # The cost is greatest within a second of where the rate is zero.
            last = min(signed_div_to_zero(rate * DAY, -drift) + 1, HORIZON)

    if last and lost_after(market, price, is_long, size, last) < cushion:
        last -= 1
    if lost_after(market, price, is_long, size, last) < cushion:
        return NEVER
    while first < last:
        middle = (first + last) // 2
        if lost_after(market, price, is_long, size, middle) >= cushion:
            last = middle
        else:
            first = middle + 1
    return last


def lost_after(market: Market, price: int, is_long: bool, size: int, elapsed: int) -> int:
    """What funding costs a position in a time, femto; negative where it earns.

    Args:
        market: With funding accrued up to now.
        price: The mark price, femto per lot.
        is_long: Which side.
        size: Lots.
        elapsed: Seconds.
    """
    later = accrue_funding(market, price, market.accrued_at + elapsed)
    lost = size * (later.funding_index - market.funding_index)
    return lost if is_long else -lost
