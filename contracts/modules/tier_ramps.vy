# pragma version 0.4.3
"""
@title Tier ramps
@license MIT
@notice How a market's margin rates change: linearly over a day or more, so that no change makes
        anybody liquidatable in the block it lands in; at once only where nothing is open.
"""

from snekmate.auth import ownable

from ..interfaces import IMarkets
from ..lib import margin_math
from ..lib import words
from . import market_bounds
from . import markets

uses: markets
uses: ownable

MIN_DURATION: constant(uint256) = 86_400
MAX_DURATION: constant(uint256) = 90 * 86_400


@internal
def _ramp_tiers(
    market: uint256,
    tiers: DynArray[IMarkets.Tier, market_bounds.MAX_TIERS],
    duration: uint256,
):
    ownable._check_owner()
    markets._require_listed(market)
    assert duration >= MIN_DURATION and duration <= MAX_DURATION, "tier: bad duration"
    # The rates' word alone changes: funding goes on as it was.
    state: words.Market = words.unpack_market(markets._word(market, markets.MARKET))
    assert not self._is_under_way(market, state), "tier: ramp under way"
    before: margin_math.Tiers = self._stored(market, state)

    state = self._store_tiers(market, state, tiers)
    self._check_against_terms(market, state.maintenance_rate)
    self._require_same_floors(before, self._stored(market, state))
    state.is_ramping = True
    ramp_word: uint256 = words.pack_ramp(
        words.Ramp(
            started_at=block.timestamp,
            ends_at=block.timestamp + duration,
            maintenance_rate=before.maintenance_rate,
            initial_rate=before.initial_rate,
        )
    )
    markets._store_word(market, markets.RAMP, ramp_word)
    markets._store_word(market, markets.FIRST_TIERS_BEFORE, before.first)
    markets._store_word(market, markets.SECOND_TIERS_BEFORE, before.second)
    market_word: uint256 = markets._store_market(market, state)
    log IMarkets.TiersRamped(
        market=market,
        tiers=tiers,
        market_word=market_word,
        first_word=markets._word(market, markets.FIRST_TIERS),
        second_word=markets._word(market, markets.SECOND_TIERS),
        ramp_word=ramp_word,
        first_before_word=before.first,
        second_before_word=before.second,
    )


@internal
def _end_ramp(market: uint256):
    markets._require_listed(market)
    state: words.Market = words.unpack_market(markets._word(market, markets.MARKET))
    assert state.is_ramping, "tier: no ramp"
    assert not self._is_under_way(market, state), "tier: ramp under way"
    state.is_ramping = False
    market_word: uint256 = markets._store_market(market, state)
    log IMarkets.RampEnded(market=market, market_word=market_word)


@internal
def _replace_tiers(market: uint256, tiers: DynArray[IMarkets.Tier, market_bounds.MAX_TIERS]):
    ownable._check_owner()
    markets._require_listed(market)
    assert (
        max(markets._side(market, True).size, markets._side(market, False).size) == 0
    ), "tier: fixed while open"
    state: words.Market = words.unpack_market(markets._word(market, markets.MARKET))
    state = self._store_tiers(market, state, tiers)
    self._check_against_terms(market, state.maintenance_rate)
    state.is_ramping = False
    market_word: uint256 = markets._store_market(market, state)
    log IMarkets.TiersReplaced(
        market=market,
        tiers=tiers,
        market_word=market_word,
        first_word=markets._word(market, markets.FIRST_TIERS),
        second_word=markets._word(market, markets.SECOND_TIERS),
    )


@internal
def _store_tiers(
    market: uint256,
    state: words.Market,
    tiers: DynArray[IMarkets.Tier, market_bounds.MAX_TIERS],
) -> words.Market:
    """
    @notice Checks tiers, and stores those above the first.
    @return The market with what its own word keeps of the tiers, not stored yet.
    """
    first: uint256 = 0
    second: uint256 = 0
    first, second = market_bounds._check_tiers(tiers)
    markets._store_word(market, markets.FIRST_TIERS, first)
    markets._store_word(market, markets.SECOND_TIERS, second)
    after: words.Market = state
    after.maintenance_rate = tiers[0].maintenance_rate
    after.initial_rate = tiers[0].initial_rate
    after.first_floor = words.unpack_tier(first).floor
    return after


@internal
@view
def _without_past_ramp(market: uint256, state: words.Market) -> words.Market:
    """
    @notice The market without the mark of a ramp that has ended: its rates are where they were to go.
    """
    after: words.Market = state
    after.is_ramping = self._is_under_way(market, state)
    return after


@internal
@view
def _lowest_rate(market: uint256, state: words.Market) -> uint256:
    """
    @notice The lowest maintenance rate the market has now or will have: during a ramp terms must hold
            at both of its ends, and then hold all the way.
    """
    if not state.is_ramping:
        return state.maintenance_rate
    ramp: words.Ramp = words.unpack_ramp(markets._word(market, markets.RAMP))
    return min(state.maintenance_rate, ramp.maintenance_rate)


@internal
@view
def _is_under_way(market: uint256, state: words.Market) -> bool:
    return state.is_ramping and block.timestamp < (
        words.unpack_ramp(markets._word(market, markets.RAMP)).ends_at
    )


@internal
@view
def _stored(market: uint256, state: words.Market) -> margin_math.Tiers:
    """
    @notice All tiers as they are stored: where a ramp leads to.
    """
    return margin_math.Tiers(
        maintenance_rate=state.maintenance_rate,
        initial_rate=state.initial_rate,
        first=markets._word(market, markets.FIRST_TIERS),
        second=markets._word(market, markets.SECOND_TIERS),
    )


@internal
@view
def _check_against_terms(market: uint256, maintenance_rate: uint256):
    terms: words.LiquidationTerms = markets._liquidation_terms(market)
    market_bounds._check_against_rate(
        markets._trade_terms(market).side_cap, terms.penalty, terms.buffer, maintenance_rate
    )


@internal
@pure
def _require_same_floors(before: margin_math.Tiers, after: margin_math.Tiers):
    for i: uint256 in range(margin_math.TAIL_TIERS):
        assert (
            margin_math.tier_at(before, i).floor == margin_math.tier_at(after, i).floor
        ), "tier: floors are fixed"
