"""Which markets exist, and on which terms: `modules/listing.vy`."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from bulkhead.deleveraging import owed_by
from bulkhead.listings import Terms, TierTerms
from bulkhead.markets import OPEN, REDUCE_ONLY
from bulkhead.protocol import market_math, price_validity, words
from bulkhead.protocol.words import LiquidationTerms, Market, TradeTerms
from bulkhead.simulate import market_bounds, tier_ramps
from bulkhead.simulate.backing import require_backed
from bulkhead.simulate.guards import require
from bulkhead.simulate.ledger import Ledger

_TRADE_TERMS = tuple(field.name for field in fields(TradeTerms) if field.name != "status")
_LIQUIDATION_TERMS = tuple(field.name for field in fields(LiquidationTerms))
_NO_MARKET = words.unpack_market(0)


def list_market(ledger: Ledger, symbol: str, terms: Terms, tiers: Sequence[TierTerms]) -> int:
    """Lists a market whose feed is set and live.

    Returns:
        Its id.
    """
    state = ledger.state
    market = max(state.markets, default=-1) + 1
    require(market < words.MAX_MARKETS, "market: too many")
    require(symbol != "", "symbol: empty")
    require(symbol not in state.symbols.values(), "symbol: taken")
    price = ledger.price(market)
    _require_live(ledger, market)
    require(
        market_bounds.MIN_LOT_PRICE <= price.price <= market_bounds.MAX_LOT_PRICE,
        "lot: out of range",
    )
    market_bounds.check_terms(terms, price.price)
    listed = replace(_NO_MARKET, accrued_at=market_math.live_time(price, ledger.now))
    listed = tier_ramps.store_tiers(ledger, market, listed, tiers)
    _check_against_rate(terms, listed.maintenance_rate)
    market_word = _apply(ledger, market, terms, listed)
    ledger.put(state.symbols, market, symbol)
    ledger.log(
        "MarketListed",
        market=market,
        symbol=symbol,
        lot_size=state.lot_sizes[market],
        terms=terms._asdict(),
        tiers=tier_ramps.tables_of(tiers),
        market_word=market_word,
    )
    return market


def set_terms(ledger: Ledger, market: int, terms: Terms) -> None:
    """Changes a market's terms, funding accrued at the old ones."""
    ledger.require_listed(market)
    _require_live(ledger, market)
    now = ledger.market_state(market)
    state = replace(now.funding, is_ramping=tier_ramps.is_under_way(ledger, market))
    market_bounds.check_terms(terms, now.price.price)
    _check_against_rate(terms, tier_ramps.lowest_rate(ledger, market, state))
    if terms.pool_share < now.market.terms.pool_share:
        # A smaller share must not have anybody deleveraged in the block it lands.
        require_backed(ledger, owed_by(now), terms.pool_share)
    market_word = _apply(ledger, market, terms, state)
    ledger.log("TermsChanged", market=market, terms=terms._asdict(), market_word=market_word)


def set_status(ledger: Ledger, market: int, status: int) -> None:
    """Makes a market reduce-only, or opens it again."""
    ledger.require_listed(market)
    require(status <= REDUCE_ONLY, "status: unknown")
    terms = ledger.state.trade_terms
    ledger.put(terms, market, replace(terms[market], status=status))
    ledger.log("StatusChanged", market=market, status=status)


def _apply(ledger: Ledger, market: int, terms: Terms, state: Market) -> int:
    """Stores checked terms, and restarts the drift under them."""
    table = ledger.state.trade_terms
    old = table.get(market)
    shares = sum(one.pool_share for other, one in table.items() if other != market)
    require(
        shares + terms.pool_share <= market_bounds.MAX_POOL_SHARES,
        "pool: shares above 90 percent",
    )
    given: Mapping[str, Any] = terms._asdict()
    trade_terms = TradeTerms(
        **{name: given[name] for name in _TRADE_TERMS}, status=old.status if old else OPEN
    )
    liquidation_terms = LiquidationTerms(**{name: given[name] for name in _LIQUIDATION_TERMS})
    words.pack_trade_terms(trade_terms)
    words.pack_liquidation_terms(liquidation_terms)
    ledger.put(table, market, trade_terms)
    ledger.put(ledger.state.liquidation_terms, market, liquidation_terms)
    long, short = ledger.side(market, True).size, ledger.side(market, False).size
    # Another scale would change what open positions get back of the impact they paid.
    require(
        (old is not None and terms.skew_scale == old.skew_scale) or max(long, short) == 0,
        "skew: scale fixed while open",
    )
    drift = market_math.funding_drift(
        terms.funding_velocity, market_math.skew_of(long, short), terms.skew_scale
    )
    return ledger.store_market(
        market, replace(state, max_funding_rate=terms.max_funding_rate, funding_drift=drift)
    )


def _check_against_rate(terms: Terms, maintenance_rate: int) -> None:
    market_bounds.check_against_rate(terms.side_cap, terms.penalty, terms.buffer, maintenance_rate)


def _require_live(ledger: Ledger, market: int) -> None:
    require(price_validity.is_live(ledger.price(market), ledger.now), "price: not live")
