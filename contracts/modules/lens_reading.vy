# pragma version 0.4.3
"""
@title Lens reading
@license MIT
@notice Reads the core's words from outside, and brings a market up to now as the core does.
"""

from ..interfaces import ILedger
from ..interfaces import ILens
from ..interfaces import IPriceOracle
from ..lib import margin_math
from ..lib import market_math
from ..lib import price_validity
from ..lib import words
from . import markets

CLEARINGHOUSE: immutable(ILedger)
ORACLE: immutable(IPriceOracle)


struct Mark:
    market: uint256
    price: words.Price
    stored: words.Market  # as its last action left it
    state: words.Market  # with funding up to now
    area: int256  # what funding has added since, per price: see `price_bounds.Exposure`
    tiers: margin_math.Tiers  # all of them: those a notional does not reach add nothing
    taker_fee: uint256  # ppm
    is_live: bool
    is_fresh: bool


@deploy
def __init__(clearinghouse: address, price_oracle: address):
    CLEARINGHOUSE = ILedger(clearinghouse)
    ORACLE = IPriceOracle(price_oracle)


@internal
@view
def _account(account: address) -> words.Account:
    return words.unpack_account(staticcall CLEARINGHOUSE.account_word(account))


@internal
@view
def _position(account: address, market: uint256, slot: uint256) -> words.Position:
    return words.unpack_position(
        staticcall CLEARINGHOUSE.position_word(words.position_id(account, market, slot))
    )


@internal
@view
def _settings(account: address, market: uint256) -> words.Settings:
    return words.unpack_settings(staticcall CLEARINGHOUSE.settings_word(account, market))


@internal
@view
def _words(account: address, market: uint256) -> ILens.Words:
    """
    @notice All words of an account in a market, and of the market.
    """
    found: ILens.Words = empty(ILens.Words)
    found.account = staticcall CLEARINGHOUSE.account_word(account)
    found.market = staticcall CLEARINGHOUSE.market_words(market)
    for slot: uint256 in range(words.ISOLATED_SHORT + 1):
        found.positions[slot] = staticcall CLEARINGHOUSE.position_word(
            words.position_id(account, market, slot)
        )
    return found


@internal
@view
def _mark(market: uint256) -> Mark:
    return self._mark_from(market, staticcall CLEARINGHOUSE.market_words(market))


@internal
@view
def _mark_from(market: uint256, state: uint256[10]) -> Mark:
    """
    @notice A market by its words, at the oracle's price, now.
    """
    price: words.Price = words.unpack_price(staticcall ORACLE.price_word(market))
    stored: words.Market = words.unpack_market(state[markets.MARKET])
    # At the price that cancels the denominator, from zero, the index is the area itself.
    until: uint256 = market_math.live_time(price, block.timestamp)
    unmoved: words.Market = stored
    unmoved.funding_index = 0
    return Mark(
        market=market,
        price=price,
        stored=stored,
        state=market_math.accrue_funding(stored, price.price, until),
        area=market_math.accrue_funding(
            unmoved, convert(market_math.INDEX_DENOMINATOR, uint256), until
        ).funding_index,
        tiers=self._tiers(stored, state),
        taker_fee=words.unpack_trade_terms(state[markets.TRADE_TERMS]).taker_fee,
        is_live=price_validity.is_live(price, block.timestamp),
        is_fresh=price_validity.is_fresh(price, block.timestamp)
        and (price.kind != words.CHAINLINK or staticcall ORACLE.is_latest(market)),
    )


@internal
@view
def _tiers(stored: words.Market, state: uint256[10]) -> margin_math.Tiers:
    """
    @notice All of a market's tiers, as they are now on their ramp.
    """
    tiers: margin_math.Tiers = margin_math.Tiers(
        maintenance_rate=stored.maintenance_rate,
        initial_rate=stored.initial_rate,
        first=state[markets.FIRST_TIERS],
        second=state[markets.SECOND_TIERS],
    )
    if not stored.is_ramping:
        return tiers
    ramp: words.Ramp = words.unpack_ramp(state[markets.RAMP])
    return margin_math.ramped_tiers(
        tiers,
        margin_math.Tiers(
            maintenance_rate=ramp.maintenance_rate,
            initial_rate=ramp.initial_rate,
            first=state[markets.FIRST_TIERS_BEFORE],
            second=state[markets.SECOND_TIERS_BEFORE],
        ),
        block.timestamp - ramp.started_at,
        ramp.ends_at - ramp.started_at,
    )


@internal
@view
def _require_listed(market: uint256):
    assert market < staticcall CLEARINGHOUSE.market_count(), "market: unknown"
