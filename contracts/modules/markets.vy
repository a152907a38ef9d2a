# pragma version 0.4.3
"""
@title Markets
@license MIT
@notice Where markets keep their words, and how one is brought up to now.
@dev A market's words lie side by side in one array, so that reading one costs no hash.
     Unchecked: a market's id is a listed one's, or a position's and so below 2**24; then the array's
     bound refuses it. Floors are below 2**16.
"""

from ..interfaces import IPriceOracle
from ..lib import fixed_point
from ..lib import margin_math
from ..lib import market_math
from ..lib import price_validity
from ..lib import words

STRIDE: constant(uint256) = 16  # words a market has room for
KINDS: constant(uint256) = 10  # words a market has
MARKET: constant(uint256) = 0
LONG: constant(uint256) = 1
SHORT: constant(uint256) = 2
TRADE_TERMS: constant(uint256) = 3
LIQUIDATION_TERMS: constant(uint256) = 4
FIRST_TIERS: constant(uint256) = 5
SECOND_TIERS: constant(uint256) = 6
RAMP: constant(uint256) = 7
FIRST_TIERS_BEFORE: constant(uint256) = 8
SECOND_TIERS_BEFORE: constant(uint256) = 9

OPEN: constant(uint256) = 0  # trade_terms.status
REDUCE_ONLY: constant(uint256) = 1

ORACLE: immutable(IPriceOracle)

count: uint256
pool_shares: uint256  # ppm, sum over all markets
_words: uint256[words.MAX_MARKETS * STRIDE]  # word `kind` of `market` at STRIDE * market + kind
_symbols: HashMap[uint256, String[16]]
_ids: HashMap[String[16], uint256]  # market id + 1


@deploy
def __init__(oracle: address):
    ORACLE = IPriceOracle(oracle)


@internal
@view
def _is_listed(market: uint256) -> bool:
    return market < self.count


@internal
@view
def _word(market: uint256, kind: uint256) -> uint256:
    return self._words[unsafe_add(unsafe_mul(market, STRIDE), kind)]


@internal
def _store_word(market: uint256, kind: uint256, word: uint256):
    self._words[unsafe_add(unsafe_mul(market, STRIDE), kind)] = word


@internal
@view
def _price(market: uint256) -> words.Price:
    return words.unpack_price(staticcall ORACLE.price_word(market))


@internal
@view
def _feed_lot_size(market: uint256) -> uint256:
    """
    @notice WAD base units per lot: the feed converts prices, so it is the one that knows.
    """
    return staticcall ORACLE.lot_size(market)


@internal
@view
def _is_latest(market: uint256) -> bool:
    """
    @notice Whether a push feed's price is the latest its source has: nobody picks between a round
            taken and one that is out.
    """
    return staticcall ORACLE.is_latest(market)


@internal
@view
def _is_fresh(market: uint256, price: words.Price) -> bool:
    return price_validity.is_fresh(price, block.timestamp) and (
        price.kind != words.CHAINLINK or self._is_latest(market)
    )


@internal
@view
def _is_firm(market: uint256, price: words.Price) -> bool:
    return price_validity.is_firm(price, block.timestamp) and (
        price.kind != words.CHAINLINK or self._is_latest(market)
    )


@internal
@view
def _may_trade(market: uint256, price: words.Price) -> bool:
    return price_validity.may_trade(price, block.timestamp) and (
        price.kind != words.CHAINLINK or self._is_latest(market)
    )


@internal
@view
def _accrued(market: uint256, price: words.Price) -> words.Market:
    """
    @notice A market's word with funding up to now, or to the end of its last price's life.
    """
    state: words.Market = words.unpack_market(self._word(market, MARKET))
    until: uint256 = market_math.live_time(price, block.timestamp)
    return market_math.accrue_funding(state, price.price, until)


@internal
@view
def _side(market: uint256, is_long: bool) -> words.Side:
    return words.unpack_side(self._word(market, LONG if is_long else SHORT))


@internal
def _store_side(market: uint256, is_long: bool, side: words.Side) -> uint256:
    word: uint256 = words.pack_side(side)
    self._store_word(market, LONG if is_long else SHORT, word)
    return word


@internal
def _store_market(market: uint256, state: words.Market) -> uint256:
    word: uint256 = words.pack_market(state)
    self._store_word(market, MARKET, word)
    return word


@internal
@view
def _trade_terms(market: uint256) -> words.TradeTerms:
    return words.unpack_trade_terms(self._word(market, TRADE_TERMS))


@internal
@view
def _liquidation_terms(market: uint256) -> words.LiquidationTerms:
    return words.unpack_liquidation_terms(self._word(market, LIQUIDATION_TERMS))


@internal
@view
def _tiers(market: uint256, state: words.Market, notional: uint256) -> margin_math.Tiers:
    """
    @notice The tiers that a notional (femto) reaches: most need no word beyond the market's own.
    """
    tiers: margin_math.Tiers = margin_math.Tiers(
        maintenance_rate=state.maintenance_rate,
        initial_rate=state.initial_rate,
        first=0,
        second=0,
    )
    reaches: bool = state.first_floor != 0 and (
        notional > unsafe_mul(state.first_floor, fixed_point.THOUSAND_USD)
    )
    if reaches:
        tiers.first, tiers.second = self._tail(market, FIRST_TIERS)
    if state.is_ramping:
        ramp: words.Ramp = words.unpack_ramp(self._word(market, RAMP))
        before: margin_math.Tiers = margin_math.Tiers(
            maintenance_rate=ramp.maintenance_rate,
            initial_rate=ramp.initial_rate,
            first=0,
            second=0,
        )
        if reaches:
            before.first, before.second = self._tail(market, FIRST_TIERS_BEFORE)
        return margin_math.ramped_tiers(
            tiers, before, block.timestamp - ramp.started_at, ramp.ends_at - ramp.started_at
        )
    return tiers


@internal
@view
def _ramped_initial_rate(market: uint256, state: words.Market) -> uint256:
    """
    @notice The initial rate of the first tier now, in ppm, of a market whose tiers ramp.
    """
    return self._tiers(market, state, 0).initial_rate


@internal
@view
def _tail(market: uint256, kind: uint256) -> (uint256, uint256):
    """
    @notice The words of the tiers beyond the first. Where the first is not full nothing is in the second.
    """
    first: uint256 = self._word(market, kind)
    if words.unpack_tier(first >> (3 * margin_math.TIER_BITS)).floor == 0:
        return first, 0
    return first, self._word(market, unsafe_add(kind, 1))


@internal
@view
def _require_listed(market: uint256):
    assert self._is_listed(market), "market: unknown"
