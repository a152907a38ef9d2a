# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Settlements
@license MIT
@notice How a market ends: at the average of its prices over an hour announced at least a day before
        or, where its feed has long been dead, at the last good one. It says which price; who may
        ask for it, and where prices are kept, is the oracle's.
"""

from ..interfaces import IPriceOracle
from ..lib import price_validity
from ..lib import settlement_math
from ..lib import words

NOTICE: constant(uint256) = 86_400  # seconds between an announcement and its hour
PATIENCE: constant(uint256) = 3 * 86_400  # seconds that an hour without a price is waited for one
DEAD_AFTER: constant(uint256) = 7 * 86_400  # seconds of silence
MAX_HOUR: constant(uint256) = 2**20  # of those that fit a word

_words: uint256[words.MAX_MARKETS]  # settlement words


@internal
@view
def _announced(price: words.Price, hour: uint256) -> words.Price:
    """
    @notice A market's price once its end is announced.
    """
    self._require_running(price)
    assert price.price != 0, "price: none"
    assert price.settles_at == 0, "settlement: announced already"
    assert hour < MAX_HOUR, "settlement: bad hour"
    assert hour * words.HOUR >= block.timestamp + NOTICE, "settlement: too soon"
    announced: words.Price = price
    announced.settles_at = hour
    return announced


@internal
@view
def _cancelled(price: words.Price) -> words.Price:
    self._require_running(price)
    assert price.settles_at != 0, "settlement: none"
    cancelled: words.Price = price
    cancelled.settles_at = 0
    return cancelled


@internal
def _count(market: uint256, last: words.Price, published_at: uint256):
    """
    @notice Adds what the last price counts until a new one, if any of it lies in the hour.
    """
    before: words.Settlement = words.unpack_settlement(self._words[market])
    after: words.Settlement = settlement_math.count(before, last, published_at)
    if after.counted != before.counted:
        word: uint256 = words.pack_settlement(after)
        self._words[market] = word
        log IPriceOracle.SettlementCounted(market=market, settlement_word=word)


@internal
def _fixed(market: uint256, price: words.Price) -> words.Price:
    """
    @notice A market's final price once its hour is over: the average, or the last good price where
            the feed was silent for all of the hour and has been given time to return.
    """
    self._require_unsettled(price.kind)
    assert price.settles_at != 0, "settlement: none"
    end: uint256 = (price.settles_at + 1) * words.HOUR
    assert block.timestamp >= end, "settlement: not over"
    self._count(market, price, block.timestamp)
    average: uint256 = settlement_math.average(words.unpack_settlement(self._words[market]))
    if average == 0:
        assert block.timestamp >= end + PATIENCE, "settlement: no price yet"
        average = price.price
    return self._settled(price, average)


@internal
@view
def _dead(price: words.Price) -> words.Price:
    """
    @notice A market's final price where its feed has been silent for too long: the last good one.
    """
    self._require_running(price)
    assert price.price != 0, "price: none"
    assert block.timestamp > price.published_at + price.max_age + DEAD_AFTER, "feed: not dead"
    ended: words.Price = price
    ended.settles_at = block.timestamp // words.HOUR
    return self._settled(ended, price.price)


@internal
@view
def _settled(price: words.Price, final: uint256) -> words.Price:
    """
    @dev The final price is one of now; the silence up to the market's end keeps its clock where it is.
    """
    settled: words.Price = price
    settled.price = final
    settled.confidence = 0
    settled.silence += settlement_math.silence_until(price, block.timestamp)
    settled.published_at = block.timestamp
    settled.accepted_at = block.timestamp
    settled.kind = words.SETTLED
    settled.caution = words.NO_CAUTION
    return settled


@internal
@view
def _require_running(price: words.Price):
    self._require_unsettled(price.kind)
    assert not price_validity.is_settling(price, block.timestamp), "market: settling"


@internal
@pure
def _require_unsettled(kind: uint256):
    assert kind != words.SETTLED, "market: settled"
