# pragma version 0.4.3
"""
@title Listing
@license MIT
@notice Which markets may exist: every bound that keeps a market from being milked is asserted here,
        at listing and at every change.
"""

from snekmate.auth import ownable

from ..interfaces import IMarkets
from ..lib import fixed_point
from ..lib import market_math
from ..lib import price_validity
from ..lib import words
from . import markets
from . import roles

uses: markets
uses: ownable
uses: roles

MAX_TIERS: constant(uint256) = 8
MAX_TAKER_FEE: constant(uint256) = 10_000  # 1 %
MAX_POOL_SHARES: constant(uint256) = 900_000  # 90 %, over all markets
MAX_FUNDING_RATE: constant(uint256) = 500_000  # 50 % a day, what the market word holds
MIN_LOT_PRICE: constant(uint256) = 10**11  # femto: 0.0001 USD
MAX_LOT_PRICE: constant(uint256) = 10**15  # femto: 1 USD
FUNDING_DAYS: constant(uint256) = 3_650  # the index must bear the maximum rate this long
MAX_SINGLE_FLOOR: constant(uint256) = 2**16 - 1  # thousand USD, the second tier's


@internal
def _list_market(
    symbol: String[16], terms: IMarkets.Terms, tiers: DynArray[IMarkets.Tier, MAX_TIERS]
) -> uint256:
    ownable._check_owner()
    market: uint256 = markets.count
    assert market < words.MAX_MARKETS, "market: too many"
    assert len(symbol) != 0, "symbol: empty"
    assert markets._ids[symbol] == 0, "symbol: taken"
    price: words.Price = markets._price(market)
    assert price_validity.is_live(price, block.timestamp), "price: not live"
    assert price.price >= MIN_LOT_PRICE and price.price <= MAX_LOT_PRICE, "lot: out of range"
    self._check_terms(terms, price.price)

    first: uint256 = 0
    second: uint256 = 0
    first, second = self._check_tiers(tiers, terms)
    markets._store_word(market, markets.FIRST_TIERS, first)
    markets._store_word(market, markets.SECOND_TIERS, second)
    state: words.Market = empty(words.Market)
    state.accrued_at = market_math.live_time(price, block.timestamp)
    state.maintenance_rate = tiers[0].maintenance_rate
    state.initial_rate = tiers[0].initial_rate
    if len(tiers) > 1:
        state.first_floor = tiers[1].floor
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
    assert price_validity.is_live(price, block.timestamp), "price: not live"
    state: words.Market = markets._accrued(market, price)
    self._check_terms(terms, price.price)
    self._check_against_tier(terms, state.maintenance_rate)
    market_word: uint256 = self._apply(market, terms, state, markets._trade_terms(market))
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
    assert shares <= MAX_POOL_SHARES, "pool: shares above 90 percent"
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
def _check_terms(terms: IMarkets.Terms, price: uint256):
    """
    @notice The bounds that need no tier. Together with the tiers' they keep every cycle of trade,
            liquidate, trade at a loss: no impact that liquidations skip is worth the penalty that
            insurance keeps.
    """
    assert terms.taker_fee <= MAX_TAKER_FEE, "fee: too high"
    assert terms.maker_fee <= terms.taker_fee, "fee: maker above taker"
    assert terms.insurance_share <= fixed_point.PPM and (
        terms.treasury_share <= fixed_point.PPM - terms.insurance_share
    ), "fee: shares above all of it"
    assert terms.skew_scale != 0 and terms.skew_scale <= words.MAX_SIZE, "skew: bad scale"
    assert terms.skew_cap <= terms.side_cap, "cap: skew above side"
    assert terms.min_notional != 0 and terms.min_notional < 2**16, "size: bad minimum"
    assert terms.pool_share <= fixed_point.PPM, "pool: bad share"
    assert terms.reserve_rate != 0 and terms.reserve_rate <= fixed_point.PPM, "pool: bad reserve"
    assert terms.max_funding_rate <= MAX_FUNDING_RATE, "funding: rate too high"
    assert terms.max_funding_rate * FUNDING_DAYS * price <= (
        convert(words.MAX_INDEX, uint256) * fixed_point.PPM
    ), "funding: index out of range"
    assert terms.funding_velocity < 2**28, "funding: velocity too high"
    assert terms.penalty <= fixed_point.PPM, "penalty: too high"
    assert terms.keeper_share <= fixed_point.PPM, "keeper: bad share"
    assert terms.keeper_floor <= terms.keeper_cap, "keeper: floor above cap"
    assert terms.keeper_cap < 2**40, "keeper: cap too high"
    assert terms.buffer <= fixed_point.PPM, "liquidation: bad buffer"
    assert terms.partial_above <= words.MAX_NOTIONAL, "liquidation: bad threshold"
    # What a keeper may get of the smallest position's penalty, in ppm of its notional.
    kept: uint256 = max(
        terms.penalty * terms.keeper_share // fixed_point.PPM,
        fixed_point.div_up(terms.keeper_floor, terms.min_notional),
    )
    assert kept <= terms.penalty, "keeper: floor above penalty"
    insured: uint256 = terms.penalty - kept
    assert terms.taker_fee <= insured, "fee: above insured penalty"
    assert terms.side_cap <= insured, "cap: above insured penalty"
    # One side full and the other empty must still leave the drift inside its word.
    assert terms.funding_velocity * terms.side_cap <= convert(words.MAX_DRIFT, uint256), (
        "funding: velocity too high"
    )


@internal
@pure
def _check_against_tier(terms: IMarkets.Terms, maintenance_rate: uint256):
    """
    @notice The bounds against the lowest maintenance rate, which is the first tier's.
    """
    assert 2 * terms.side_cap <= maintenance_rate, "cap: above half maintenance"
    assert 2 * terms.penalty <= maintenance_rate, "penalty: above half maintenance"
    assert (fixed_point.PPM + terms.buffer) * maintenance_rate > (
        2 * terms.penalty * fixed_point.PPM
    ), "liquidation: buffer too small"


@internal
@pure
def _check_tiers(
    tiers: DynArray[IMarkets.Tier, MAX_TIERS], terms: IMarkets.Terms
) -> (uint256, uint256):
    """
    @notice Tiers must rise, so that the requirements are convex.
    @return The two words of the tiers above the first.
    """
    assert len(tiers) != 0, "tier: none"
    first: uint256 = 0
    second: uint256 = 0
    for i: uint256 in range(MAX_TIERS):
        if i == len(tiers):
            break
        tier: IMarkets.Tier = tiers[i]
        assert (
            tier.maintenance_rate != 0
            and max(tier.maintenance_rate, tier.initial_rate) <= fixed_point.PPM
        ), "tier: bad rate"
        assert 2 * tier.initial_rate >= 3 * tier.maintenance_rate, (
            "tier: initial below 1.5 times"
        )
        if i == 0:
            assert tier.floor == 0, "tier: bad floor"
            self._check_against_tier(terms, tier.maintenance_rate)
            continue
        below: IMarkets.Tier = tiers[i - 1]
        assert tier.floor > below.floor and tier.floor < 2**24, "tier: bad floor"
        assert i != 1 or tier.floor <= MAX_SINGLE_FLOOR, "tier: bad floor"
        assert tier.maintenance_rate >= below.maintenance_rate and (
            tier.initial_rate >= below.initial_rate
        ), "tier: rates must rise"
        packed: uint256 = words.pack_tier(
            words.Tier(
                floor=tier.floor,
                maintenance_rate=tier.maintenance_rate,
                initial_rate=tier.initial_rate,
            )
        )
        if i <= 4:
            first |= packed << (64 * (i - 1))
        else:
            second |= packed << (64 * (i - 5))
    return first, second
