# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Price checks
@license MIT
@notice What a market's prices must stand up to: how certain they are, and what a second source says.
        A price that the second source disputes is taken, as only the feed decides on prices; but
        nothing opens at it, and for a while only the bankrupt are liquidated. A second source that
        is dead or stale disputes nothing: else it could freeze a market.
@dev A dispute is remembered for `DISPUTE_MEMORY` even when the sources agree in between: else
     disputes that come and go could hold liquidations off for longer than `DISPUTE_GRACE` an hour.
"""

from ..interfaces import IPriceOracle
from ..lib import fixed_point
from ..lib import words
from . import aggregators

DISPUTE_GRACE: constant(uint256) = 900  # seconds
DISPUTE_MEMORY: constant(uint256) = 3_600  # seconds
DEFAULT_CONFIDENCE: constant(uint256) = 20_000  # ppm
MAX_CONFIDENCE: constant(uint256) = 100_000  # ppm
MAX_ANSWER: constant(int256) = 2**128

_checks: uint256[words.MAX_MARKETS]  # check words


@internal
@view
def _require_certain(market: uint256, is_checked: bool, confidence: uint256):
    """
    @param is_checked Whether the market has a check.
    @param confidence In ppm of the price.
    """
    bound: uint256 = DEFAULT_CONFIDENCE
    if is_checked:
        chosen: uint256 = words.unpack_check(self._checks[market]).max_confidence
        if chosen != 0:
            bound = chosen
    assert confidence <= bound, "price: too uncertain"


@internal
def _caution(market: uint256, price: words.Price, lot_size: uint256) -> uint256:
    """
    @notice What a price that its second source disputes is not good for. Keeps since when.
    """
    check: words.Check = words.unpack_check(self._checks[market])
    if check.second == empty(address):
        return words.NO_CAUTION
    second: uint256 = self._second_price(check, price.max_age, lot_size)
    if second == 0:
        return words.NO_CAUTION
    off: uint256 = max(price.price, second) - min(price.price, second)
    if off * fixed_point.PPM <= check.max_deviation * second:
        if check.disputed_at != 0 and check.disputed_at + DISPUTE_MEMORY <= block.timestamp:
            check.disputed_at = 0
            word: uint256 = words.pack_check(check)
            self._checks[market] = word
            log IPriceOracle.DisputeEnded(market=market, check_word=word)
        return words.NO_CAUTION
    if check.disputed_at == 0:
        check.disputed_at = block.timestamp
        word: uint256 = words.pack_check(check)
        self._checks[market] = word
        log IPriceOracle.DisputeBegan(market=market, check_word=word)
    if block.timestamp < check.disputed_at + DISPUTE_GRACE:
        return words.ONLY_BANKRUPT
    return words.NO_OPENING


@internal
@view
def _second_price(check: words.Check, max_age: uint256, lot_size: uint256) -> uint256:
    """
    @notice The second source's price in femto USD per lot, down; zero where it has none of use.
    """
    round: aggregators.Round = aggregators._latest(check.second)
    if (
        not round.success
        or round.answer <= 0
        or round.answer >= MAX_ANSWER
        or round.updated_at > block.timestamp
        or round.updated_at + max_age < block.timestamp
    ):
        return 0
    price: uint256 = convert(round.answer, uint256) * 10**(18 - check.decimals)
    if price >= fixed_point.MAX_WAD_PRICE:
        return 0
    return fixed_point.femto_per_lot(price, lot_size)


@internal
def _set(market: uint256, second: address, max_deviation: uint256, max_confidence: uint256) -> bool:
    """
    @return Whether there is anything to check now.
    """
    check: words.Check = empty(words.Check)
    assert max_confidence <= MAX_CONFIDENCE, "check: bad confidence"
    check.max_confidence = max_confidence
    if second != empty(address):
        assert max_deviation != 0 and max_deviation < fixed_point.PPM, "check: bad deviation"
        check.second = second
        check.decimals = aggregators._decimals(second)
        check.max_deviation = max_deviation
    word: uint256 = words.pack_check(check)
    self._checks[market] = word
    log IPriceOracle.CheckSet(market=market, check_word=word)
    return word != 0
