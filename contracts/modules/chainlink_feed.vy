# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Chainlink feed
@license MIT
@notice Prices from the rounds of an aggregator in USD, brought by anyone. Rounds are told apart by
        when they were updated, never by their number, so a new phase is nothing special.
"""

from ..lib import fixed_point
from ..lib import words
from . import aggregators

MAX_ANSWER: constant(int256) = 2**128


@internal
@view
def _price(feed: words.Feed) -> (uint256, uint256):
    """
    @notice The latest answer in WAD USD per base unit, and when it was updated. An aggregator that
            has reached a bound of its own answers the bound instead of the price: refused.
    """
    round: aggregators.Round = aggregators._latest(feed.source)
    assert round.success, "feed: no answer"
    assert round.answer >= 0, "price: negative"
    assert round.answer < MAX_ANSWER, "price: too large"
    assert self._is_inside_bounds(feed, round.answer), "price: at the feed's bound"
    return self._scale(round.answer, feed.decimals), round.updated_at


@internal
@view
def _has_newer(feed: words.Feed, published_at: uint256) -> bool:
    round: aggregators.Round = aggregators._latest(feed.source)
    return round.success and round.updated_at > published_at


@internal
@view
def _would_revive(feed: words.Feed, last: words.Price) -> bool:
    """
    @notice Whether the feed has a newer price that could be taken: one that waits to be brought.
    """
    round: aggregators.Round = aggregators._latest(feed.source)
    if not round.success or round.answer < 0 or round.answer >= MAX_ANSWER:
        return False
    if (
        round.updated_at <= last.published_at
        or round.updated_at > block.timestamp
        or round.updated_at + last.max_age < block.timestamp
        or not self._is_inside_bounds(feed, round.answer)
    ):
        return False
    price: uint256 = self._scale(round.answer, feed.decimals)
    if price >= fixed_point.MAX_WAD_PRICE:
        return False
    price = fixed_point.femto_per_lot(price, feed.lot_size)
    return price != 0 and price <= words.MAX_PRICE


@internal
@view
def _is_bounded(aggregator: address) -> bool:
    minimum: int256 = 0
    maximum: int256 = 0
    minimum, maximum = aggregators._bounds(aggregator)
    return minimum != aggregators.LOWEST or maximum != aggregators.HIGHEST


@internal
@view
def _is_inside_bounds(feed: words.Feed, answer: int256) -> bool:
    if not feed.is_bounded:
        return True
    minimum: int256 = 0
    maximum: int256 = 0
    minimum, maximum = aggregators._bounds(feed.source)
    return answer > minimum and answer < maximum


@internal
@pure
def _scale(answer: int256, decimals: uint256) -> uint256:
    return convert(answer, uint256) * 10**(18 - decimals)
