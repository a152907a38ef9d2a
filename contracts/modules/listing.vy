# pragma version 0.4.3
"""
@title Listing
@license MIT
@notice Which markets exist, and on which terms. What terms may be is `market_bounds`.
"""

from snekmate.auth import ownable

from ..interfaces import IMarkets
from ..lib import market_math
from ..lib import price_validity
from ..lib import words
from . import backing
from . import market_bounds
from . import markets
from . import roles
from . import tier_ramps

uses: backing
uses: markets
uses: ownable
uses: roles
uses: tier_ramps


@internal
def _list_market(
    symbol: String[16],
    terms: IMarkets.Terms,
    tiers: DynArray[IMarkets.Tier, market_bounds.MAX_TIERS],
) -> uint256:
    ownable._check_owner()
    market: uint256 = markets.count
    assert market < words.MAX_MARKETS, "market: too many"
    assert len(symbol) != 0, "symbol: empty"
    assert markets._ids[symbol] == 0, "symbol: taken"
    price: words.Price = markets._price(market)
    self._require_live(price)
    assert (
        price.price >= market_bounds.MIN_LOT_PRICE and price.price <= market_bounds.MAX_LOT_PRICE
    ), "lot: out of range"
    market_bounds._check_terms(terms, price.price)

    state: words.Market = empty(words.Market)
    state.accrued_at = market_math.live_time(price, block.timestamp)
    state = tier_ramps._store_tiers(market, state, tiers)
    self._check_against_rate(terms, state.maintenance_rate)
    market_word: uint256 = self._apply(market, terms, state, empty(words.TradeTerms))
    lot_size: uint256 = markets._feed_lot_size(market)
    markets._ids[symbol] = market + 1
    markets._symbols[market] = symbol
    markets.count = market + 1
    log IMarkets.MarketListed(
        market=market,
        symbol=symbol,
        lot_size=lot_size,
        terms=terms,
        tiers=tiers,
        market_word=market_word,
    )
    return market


@internal
def _set_terms(market: uint256, terms: IMarkets.Terms):
    ownable._check_owner()
    markets._require_listed(market)
    price: words.Price = markets._price(market)
    self._require_live(price)
    state: words.Market = tier_ramps._without_past_ramp(market, markets._accrued(market, price))
    market_bounds._check_terms(terms, price.price)
    self._check_against_rate(terms, tier_ramps._lowest_rate(market, state))
    old: words.TradeTerms = markets._trade_terms(market)
    if terms.pool_share < old.pool_share:
        # A smaller share must not have anybody deleveraged in the block it lands.
        owed: int256 = backing._owed(market, state, price.price)
        backing._require_backed(owed, terms.pool_share)
    market_word: uint256 = self._apply(market, terms, state, old)
    log IMarkets.TermsChanged(market=market, terms=terms, market_word=market_word)


@internal
def _set_status(market: uint256, status: uint256):
    markets._require_listed(market)
    assert status <= markets.REDUCE_ONLY, "status: unknown"
    if msg.sender != roles.guardian or status == markets.OPEN:
        ownable._check_owner()
    terms: words.TradeTerms = markets._trade_terms(market)
    terms.status = status
    markets._store_word(market, markets.TRADE_TERMS, words.pack_trade_terms(terms))
    log IMarkets.StatusChanged(market=market, status=status)


@internal
def _apply(
    market: uint256, terms: IMarkets.Terms, state: words.Market, old: words.TradeTerms
) -> uint256:
    """
    @notice Stores checked terms, and restarts the drift under them.
    """
    shares: uint256 = markets.pool_shares - old.pool_share + terms.pool_share
    assert shares <= market_bounds.MAX_POOL_SHARES, "pool: shares above 90 percent"
    markets.pool_shares = shares
    markets._store_word(
        market,
        markets.TRADE_TERMS,
        words.pack_trade_terms(
            words.TradeTerms(
                taker_fee=terms.taker_fee,
                maker_fee=terms.maker_fee,
                insurance_share=terms.insurance_share,
                treasury_share=terms.treasury_share,
                skew_scale=terms.skew_scale,
                skew_cap=terms.skew_cap,
                side_cap=terms.side_cap,
                min_notional=terms.min_notional,
                pool_share=terms.pool_share,
                reserve_rate=terms.reserve_rate,
                funding_velocity=terms.funding_velocity,
                status=old.status,
            )
        ),
    )
    markets._store_word(
        market,
        markets.LIQUIDATION_TERMS,
        words.pack_liquidation_terms(
            words.LiquidationTerms(
                penalty=terms.penalty,
                keeper_share=terms.keeper_share,
                keeper_floor=terms.keeper_floor,
                keeper_cap=terms.keeper_cap,
                buffer=terms.buffer,
                partial_above=terms.partial_above,
            )
        ),
    )
    long_size: uint256 = markets._side(market, True).size
    short_size: uint256 = markets._side(market, False).size
    # Another scale would change what open positions get back of the impact they paid.
    assert terms.skew_scale == old.skew_scale or max(long_size, short_size) == 0, (
        "skew: scale fixed while open"
    )
    after: words.Market = state
    after.max_funding_rate = terms.max_funding_rate
    after.funding_drift = market_math.funding_drift(
        terms.funding_velocity, market_math.skew_of(long_size, short_size), terms.skew_scale
    )
    return markets._store_market(market, after)


@internal
@pure
def _check_against_rate(terms: IMarkets.Terms, maintenance_rate: uint256):
    market_bounds._check_against_rate(terms.side_cap, terms.penalty, terms.buffer, maintenance_rate)


@internal
@view
def _require_live(price: words.Price):
    assert price_validity.is_live(price, block.timestamp), "price: not live"
