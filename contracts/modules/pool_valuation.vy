# pragma version 0.4.3
"""
@title Pool valuation
@license MIT
@notice What the pool is worth: its cash less what all markets owe all traders, from the words of
        each market's two sides.
"""

from ..interfaces import ILedger
from ..interfaces import IPriceOracle
from ..lib import fixed_point
from ..lib import market_math
from ..lib import price_validity
from ..lib import words

CLEARINGHOUSE: immutable(ILedger)
ORACLE: immutable(IPriceOracle)


struct Valuation:
    cash: int256  # quote
    equity: int256  # femto, exact
    band: uint256  # femto, how far the prices' confidence may move it
    premium: uint256  # femto, the most that closing all skews would pay back of their premiums
    reserved: uint256  # quote, the least pool cash that covers every market's reserve
    is_live: bool  # whether every market with open interest has a live price
    is_firm: bool  # and one that liquidity may move at
    oldest: uint256  # seconds, when the oldest of those prices was published, final ones left out


@deploy
def __init__(clearinghouse: address, price_oracle: address):
    CLEARINGHOUSE = ILedger(clearinghouse)
    ORACLE = IPriceOracle(price_oracle)


@internal
@view
def _value_pool() -> Valuation:
    house: words.House = words.unpack_house(staticcall CLEARINGHOUSE.house_word())
    pool: Valuation = Valuation(
        cash=house.pool_cash,
        equity=house.pool_cash * fixed_point.FEMTO_INT,
        band=0,
        premium=0,
        reserved=0,
        is_live=True,
        is_firm=True,
        oldest=block.timestamp,
    )
    for market: uint256 in range(staticcall CLEARINGHOUSE.market_count(), bound=words.MAX_MARKETS):
        state: uint256[4] = staticcall CLEARINGHOUSE.market_state(market)
        long: words.Side = words.unpack_side(state[1])
        short: words.Side = words.unpack_side(state[2])
        if long.size == 0 and short.size == 0:
            continue
        price: words.Price = words.unpack_price(staticcall ORACLE.price_word(market))
        if not price_validity.is_live(price, block.timestamp):
            pool.is_live = False
        if not price_validity.may_move_liquidity(price, block.timestamp) or (
            price.kind == words.CHAINLINK and not staticcall ORACLE.is_latest(market)
        ):
            pool.is_firm = False
        stored: words.Market = words.unpack_market(state[0])
        until: uint256 = market_math.live_time(price, block.timestamp)
        index: int256 = market_math.accrue_funding(stored, price.price, until).funding_index
        pool.equity -= market_math.side_value(long, True, price.price, index)
        pool.equity -= market_math.side_value(short, False, price.price, index)
        terms: words.TradeTerms = words.unpack_trade_terms(state[3])
        skew: int256 = market_math.skew_of(long.size, short.size)
        exposure: uint256 = fixed_point.magnitude(skew) * price.price
        # A market that is settled closes without a premium.
        if not price_validity.is_settled(price):
            pool.oldest = min(pool.oldest, price.published_at)
            pool.premium += fixed_point.magnitude(
                market_math.impact_cost(-skew, skew, terms.skew_scale, price.price)
            )
        pool.band += fixed_point.div_up(exposure * price.confidence, fixed_point.PPM)
        if exposure != 0:
            if terms.pool_share == 0:
                pool.reserved = max_value(uint256)
            else:
                pool.reserved = max(
                    pool.reserved,
                    fixed_point.div_up(
                        exposure * terms.reserve_rate, terms.pool_share * fixed_point.FEMTO
                    ),
                )
    return pool
