"""The arithmetic of a market: funding, skew, price impact, fees, and what a side is owed."""

from dataclasses import replace

from bulkhead.protocol.fixed_point import (
    FEMTO,
    PPM,
    div_up,
    magnitude,
    signed_div_down,
    signed_div_to_zero,
    signed_div_up,
)
from bulkhead.protocol.words import HOUR, MAX_DRIFT, MAX_INDEX, Market, Price, Side

DAY = 86_400
RATE_PER_PPM = 10**6  # the word counts rates in 1e-12, terms in ppm
INDEX_DENOMINATOR = 2 * DAY * 10**12
FEE_DENOMINATOR = PPM * FEMTO


def _clamp(number: int, limit: int) -> int:
    return max(min(number, limit), -limit)


def accrue_funding(market: Market, price: int, until: int) -> Market:
    """Moves rate and index to `until`.

    The rate drifts linearly and stops at its maximum; the index grows by the exact area under the
    rate, times the price. Both sides pay by the same index, so the direction of its rounding
    (down) favours nobody. The index saturates at the end of its range.

    Args:
        market: The market's word.
        price: The mark price, femto per lot.
        until: Now on the market's clock, which `accrued_at` is on, too: see `live_time`.

    Returns:
        The market with its funding accrued; the same one where no time has passed.
    """
    if until <= market.accrued_at:
        return market
    elapsed = until - market.accrued_at
    limit = market.max_funding_rate * RATE_PER_PPM
    rate = _clamp(market.funding_rate, limit)
    target = rate + signed_div_to_zero(market.funding_drift * elapsed, DAY)
    ramp = elapsed
    if abs(target) > limit:
        target = _clamp(target, limit)
        ramp = signed_div_to_zero((target - rate) * DAY, market.funding_drift)
    doubled_area = (rate + target) * ramp + 2 * target * (elapsed - ramp)
    index = market.funding_index + signed_div_down(doubled_area * price, INDEX_DENOMINATOR)
    return replace(
        market, accrued_at=until, funding_rate=target, funding_index=_clamp(index, MAX_INDEX)
    )


def live_time(price: Price, now: int) -> int:
    """The market's own clock, in seconds.

    It stands still while the feed is silent, from the end of the last price's life to the next
    price. So funding never accrues across a silence, and what came before one is not lost. It ends
    where the market's settlement begins.

    Args:
        price: The market's price.
        now: The chain's time, seconds.
    """
    until = min(now, price.published_at + price.max_age)
    if price.settles_at:
        until = min(until, price.settles_at * HOUR)
    return until - min(until, price.silence)


def funding_drift(velocity: int, skew: int, skew_scale: int) -> int:
    """The drift velocity * clamp(skew / skew_scale, -1, 1), toward zero: both sides are alike.

    Args:
        velocity: Parts per million per day per day.
        skew: Long minus short lots.
        skew_scale: Lots.

    Returns:
        The drift of the funding rate, 1e-12 per day per day, within the range of its field.
    """
    clamped = _clamp(skew, skew_scale)
    drift = signed_div_to_zero(velocity * RATE_PER_PPM * clamped, skew_scale)
    return _clamp(drift, MAX_DRIFT)


def skew_of(long_size: int, short_size: int) -> int:
    """Long minus short lots."""
    return long_size - short_size


def impact_cost(size_delta: int, skew: int, skew_scale: int, price: int) -> int:
    """What a trade pays beyond the mark price, up (against the trader).

    size_delta * price * (skew + size_delta / 2) / skew_scale. Negative where the trade shrinks the
    skew and is paid for it. Path independent but for the rounding.

    Args:
        size_delta: Lots, positive where bought.
        skew: Long minus short lots before the trade.
        skew_scale: Lots.
        price: The mark price, femto per lot.

    Returns:
        The cost in femto.
    """
    return signed_div_up(size_delta * price * (2 * skew + size_delta), 2 * skew_scale)


def builder_fee(size: int, price: int, rate: int) -> int:
    """What a builder gets for a fill at the mark price, up.

    Args:
        size: Lots.
        price: Femto per lot.
        rate: Parts per million of notional.

    Returns:
        Quote units.
    """
    return div_up(size * price * rate, FEE_DENOMINATOR)


def trade_fee(size_delta: int, skew: int, price: int, maker_fee: int, taker_fee: int) -> int:
    """The fee of a trade, up, on notional at the mark price.

    The part that shrinks the skew pays the maker rate, the rest the taker rate.

    Args:
        size_delta: Lots, positive where bought.
        skew: Long minus short lots before the trade.
        price: The mark price, femto per lot.
        maker_fee: Parts per million.
        taker_fee: Parts per million.

    Returns:
        The fee in quote units.
    """
    size = magnitude(size_delta)
    making = min(size, magnitude(skew)) if (size_delta < 0) != (skew < 0) else 0
    return div_up(price * (making * maker_fee + (size - making) * taker_fee), FEE_DENOMINATOR)


def side_value(side: Side, is_long: bool, price: int, funding_index: int) -> int:
    """What the pool owes all positions of a side together, femto, exact.

    It is the sum of their values at this price and index; negative where they owe the pool.
    """
    worth = side.size * (price - funding_index) - side.basis
    return worth if is_long else -worth
