# pragma version 0.4.3
"""
@title The arithmetic of a settlement
@license MIT
@notice A market ends at the average of its prices over the hour that begins at `settles_at`. Each
        price weighs as many seconds of that hour as it was the newest and its feed not silent: from
        its publish time to the next one's. When it was brought plays no part, so nobody gains by
        bringing one late, and the one before the hour counts from the hour's start.
@dev Unchecked: times stay below 2**37, prices below 2**64, and what is taken away is part of what
     there is.
"""

from . import words


@internal
@pure
def count(settlement: words.Settlement, price: words.Price, until: uint256) -> words.Settlement:
    """
    @notice Adds a price's share of the hour.
    @param price The newest price up to now.
    @param until When the next was published, or anything after the hour.
    """
    start: uint256 = unsafe_mul(price.settles_at, words.HOUR)
    since: uint256 = max(price.published_at, start)
    end: uint256 = min(
        min(until, unsafe_add(price.published_at, price.max_age)),
        unsafe_add(start, words.HOUR),
    )
    seconds: uint256 = unsafe_sub(end, min(since, end))
    return words.Settlement(
        sum=unsafe_add(settlement.sum, unsafe_mul(price.price, seconds)),
        counted=unsafe_add(settlement.counted, seconds),
    )


@internal
@pure
def average(settlement: words.Settlement) -> uint256:
    """
    @notice The price that a settlement has counted, down, femto per lot; zero where it counted none.
    """
    if settlement.counted == 0:
        return 0
    return settlement.sum // settlement.counted


@internal
@pure
def silence_until(price: words.Price, published_at: uint256) -> uint256:
    """
    @notice How long the feed was silent between a price and the next, in seconds: from the end of the
            first one's life. Nothing after the settlement begins counts, as the market's clock has
            ended there: see `market_math.live_time`.
    """
    until: uint256 = published_at
    if price.settles_at != 0:
        until = min(until, unsafe_mul(price.settles_at, words.HOUR))
    return unsafe_sub(until, min(until, unsafe_add(price.published_at, price.max_age)))
