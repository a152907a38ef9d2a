# pragma version 0.4.3
"""
@title Lens markets
@license MIT
@notice What markets look like.
"""

from ..interfaces import ILedger
from ..interfaces import ILens
from ..interfaces import IMarkets
from ..interfaces import IOrderBook
from ..interfaces import IPriceOracle
from ..lib import fixed_point
from ..lib import margin_math
from ..lib import market_math
from ..lib import words
from . import lens_reading
from . import markets

uses: lens_reading

ORDER_BOOK: immutable(IOrderBook)


@deploy
def __init__(order_book: address):
    ORDER_BOOK = IOrderBook(order_book)


@internal
@view
def _listing(market: uint256) -> ILens.Listing:
    state: uint256[10] = staticcall lens_reading.CLEARINGHOUSE.market_words(market)
    mark: lens_reading.Mark = lens_reading._mark_from(market, state)
    return ILens.Listing(
        market=market,
        symbol=staticcall lens_reading.CLEARINGHOUSE.market_symbol(market),
        status=words.unpack_trade_terms(state[markets.TRADE_TERMS]).status,
        price=mark.price.price,
        is_live=mark.is_live,
        is_fresh=mark.is_fresh,
        funding_rate=mark.state.funding_rate,
        long_size=words.unpack_side(state[markets.LONG]).size,
        short_size=words.unpack_side(state[markets.SHORT]).size,
    )


@internal
@view
def _market(market: uint256) -> ILens.Market:
    state: uint256[10] = staticcall lens_reading.CLEARINGHOUSE.market_words(market)
    mark: lens_reading.Mark = lens_reading._mark_from(market, state)
    terms: words.TradeTerms = words.unpack_trade_terms(state[markets.TRADE_TERMS])
    order_terms: words.OrderTerms = words.unpack_order_terms(
        staticcall ORDER_BOOK.order_terms_word(market)
    )
    long: words.Side = words.unpack_side(state[markets.LONG])
    short: words.Side = words.unpack_side(state[markets.SHORT])
    skew: int256 = market_math.skew_of(long.size, short.size)
    price: uint256 = mark.price.price
    house: words.House = words.unpack_house(staticcall lens_reading.CLEARINGHOUSE.house_word())
    bound: int256 = self._skew_bound(terms, house, skew, price)
    return ILens.Market(
        market=market,
        symbol=staticcall lens_reading.CLEARINGHOUSE.market_symbol(market),
        lot_size=staticcall lens_reading.ORACLE.lot_size(market),
        status=terms.status,
        is_opening_stopped=house.flags & words.FLAG_STOPPED != 0,
        price=price,
        confidence=mark.price.confidence,
        published_at=mark.price.published_at,
        accepted_at=mark.price.accepted_at,
        silence=mark.price.silence,
        age=block.timestamp - min(mark.price.published_at, block.timestamp),
        trade_age=mark.price.trade_age,
        max_age=mark.price.max_age,
        is_live=mark.is_live,
        is_fresh=mark.is_fresh,
        funding_index=mark.state.funding_index,
        funding_rate=mark.state.funding_rate,
        funding_drift=mark.state.funding_drift,
        long_size=long.size,
        short_size=short.size,
        skew=skew,
        long_notional=fixed_point.quote_up(long.size * price),
        short_notional=fixed_point.quote_up(short.size * price),
        buyable=self._room(terms, long.size, bound - skew),
        sellable=self._room(terms, short.size, bound + skew),
        owed_to_longs=self._owed(long, True, mark),
        owed_to_shorts=self._owed(short, False, mark),
        keeper_fee=order_terms.keeper_fee,
        order_delay=order_terms.delay,
        order_window=order_terms.window,
        terms=self._terms(
            terms,
            words.unpack_liquidation_terms(state[markets.LIQUIDATION_TERMS]),
            mark.stored.max_funding_rate,
        ),
        tiers=self._tiers(mark.tiers),
    )


@internal
@pure
def _skew_bound(
    terms: words.TradeTerms, house: words.House, skew: int256, price: uint256
) -> int256:
    """
    @notice How far |skew| may go, in lots, down: as far as cap and reserve allow, and no further
            than it is where it is beyond. As `fills._limit_reason`.
    """
    bound: uint256 = terms.skew_scale * terms.skew_cap // fixed_point.PPM
    backing: uint256 = convert(max(house.pool_cash, 0), uint256) * terms.pool_share
    bound = min(bound, backing * fixed_point.FEMTO // (price * terms.reserve_rate))
    return convert(max(bound, fixed_point.magnitude(skew)), int256)


@internal
@pure
def _room(terms: words.TradeTerms, size: uint256, skew_room: int256) -> uint256:
    cap: uint256 = terms.skew_scale * terms.side_cap // fixed_point.PPM
    return min(cap - min(size, cap), convert(skew_room, uint256))


@internal
@pure
def _owed(side: words.Side, is_long: bool, mark: lens_reading.Mark) -> int256:
    """
    @notice Up, against the pool.
    """
    return fixed_point.signed_div_up(
        market_math.side_value(side, is_long, mark.price.price, mark.state.funding_index),
        fixed_point.FEMTO_INT,
    )


@internal
@pure
def _terms(
    trade: words.TradeTerms, liquidation: words.LiquidationTerms, max_funding_rate: uint256
) -> IMarkets.Terms:
    return IMarkets.Terms(
        taker_fee=trade.taker_fee,
        maker_fee=trade.maker_fee,
        insurance_share=trade.insurance_share,
        treasury_share=trade.treasury_share,
        skew_scale=trade.skew_scale,
        skew_cap=trade.skew_cap,
        side_cap=trade.side_cap,
        min_notional=trade.min_notional,
        pool_share=trade.pool_share,
        reserve_rate=trade.reserve_rate,
        funding_velocity=trade.funding_velocity,
        max_funding_rate=max_funding_rate,
        penalty=liquidation.penalty,
        keeper_share=liquidation.keeper_share,
        keeper_floor=liquidation.keeper_floor,
        keeper_cap=liquidation.keeper_cap,
        buffer=liquidation.buffer,
        partial_above=liquidation.partial_above,
    )


@internal
@pure
def _tiers(tiers: margin_math.Tiers) -> DynArray[IMarkets.Tier, 8]:
    listed: DynArray[IMarkets.Tier, 8] = [
        IMarkets.Tier(
            floor=0,
            maintenance_rate=tiers.maintenance_rate,
            initial_rate=tiers.initial_rate,
        )
    ]
    for i: uint256 in range(margin_math.TAIL_TIERS):
        tier: words.Tier = margin_math.tier_at(tiers, i)
        if tier.floor == 0:
            break
        listed.append(
            IMarkets.Tier(
                floor=tier.floor,
                maintenance_rate=tier.maintenance_rate,
                initial_rate=tier.initial_rate,
            )
        )
    return listed
