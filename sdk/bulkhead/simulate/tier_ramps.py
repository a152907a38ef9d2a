"""How a market's margin rates change: `modules/tier_ramps.vy`.

Linearly over a day or more, so that no change makes anybody liquidatable in the block it lands in;
at once only where nothing is open.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bulkhead.listings import TierTerms
from bulkhead.markets import tier_words
from bulkhead.protocol import margin_math, words
from bulkhead.protocol.words import Market, Ramp, Tier
from bulkhead.simulate import market_bounds
from bulkhead.simulate.guards import require
from bulkhead.simulate.ledger import Ledger

MIN_DURATION = 86_400  # seconds
MAX_DURATION = 90 * 86_400


def ramp_tiers(ledger: Ledger, market: int, tiers: Sequence[TierTerms], duration: int) -> None:
    """Begins to move a market's rates to others, whose floors are the same."""
    ledger.require_listed(market)
    require(MIN_DURATION <= duration <= MAX_DURATION, "tier: bad duration")
    state = ledger.state.markets[market]
    require(not is_under_way(ledger, market), "tier: ramp under way")
    before = ledger.state.tiers[market]
    after = store_tiers(ledger, market, state, tiers)
    _check_against_terms(ledger, market, after.maintenance_rate)
    first, second = ledger.state.tiers[market]
    require(
        all(
            _floor_of(before, place) == _floor_of((first, second), place)
            for place in range(margin_math.TAIL_TIERS)
        ),
        "tier: floors are fixed",
    )
    ramp = Ramp(ledger.now, ledger.now + duration, state.maintenance_rate, state.initial_rate)
    ramp_word = words.pack_ramp(ramp)
    ledger.put(ledger.state.ramps, market, (ramp_word, *before))
    ledger.log(
        "TiersRamped",
        market=market,
        tiers=tables_of(tiers),
        market_word=ledger.store_market(market, replace(after, is_ramping=True)),
        first_word=first,
        second_word=second,
        ramp_word=ramp_word,
        first_before_word=before[0],
        second_before_word=before[1],
    )


def end_ramp(ledger: Ledger, market: int) -> None:
    """Takes the mark of a ramp that is over off its market."""
    ledger.require_listed(market)
    state = ledger.state.markets[market]
    require(state.is_ramping, "tier: no ramp")
    require(not is_under_way(ledger, market), "tier: ramp under way")
    word = ledger.store_market(market, replace(state, is_ramping=False))
    ledger.log("RampEnded", market=market, market_word=word)


def replace_tiers(ledger: Ledger, market: int, tiers: Sequence[TierTerms]) -> None:
    """Changes a market's tiers at once, while nothing is open."""
    ledger.require_listed(market)
    sizes = [ledger.side(market, is_long).size for is_long in (True, False)]
    require(max(sizes) == 0, "tier: fixed while open")
    state = store_tiers(ledger, market, ledger.state.markets[market], tiers)
    _check_against_terms(ledger, market, state.maintenance_rate)
    first, second = ledger.state.tiers[market]
    ledger.log(
        "TiersReplaced",
        market=market,
        tiers=tables_of(tiers),
        market_word=ledger.store_market(market, replace(state, is_ramping=False)),
        first_word=first,
        second_word=second,
    )


def store_tiers(ledger: Ledger, market: int, state: Market, tiers: Sequence[TierTerms]) -> Market:
    """Checks tiers, and stores those above the first.

    Returns:
        The market with what its own word keeps of the tiers, not stored yet.
    """
    market_bounds.check_tiers(tiers)
    first, second = tier_words(Tier(*tier) for tier in tiers)
    ledger.put(ledger.state.tiers, market, (first, second))
    return replace(
        state,
        maintenance_rate=tiers[0].maintenance_rate,
        initial_rate=tiers[0].initial_rate,
        first_floor=words.unpack_tier(first).floor,
    )


def is_under_way(ledger: Ledger, market: int) -> bool:
    """Whether a market's rates are still on their way."""
    return ledger.state.markets[market].is_ramping and ledger.now < _ramp(ledger, market).ends_at


def lowest_rate(ledger: Ledger, market: int, state: Market) -> int:
    """The lowest maintenance rate the market has now or will have.

    During a ramp terms must hold at both of its ends, and then hold all the way.
    """
    if not state.is_ramping:
        return state.maintenance_rate
    return min(state.maintenance_rate, _ramp(ledger, market).maintenance_rate)


def tables_of(tiers: Sequence[TierTerms]) -> tuple[dict[str, Any], ...]:
    """Tiers as an event has them."""
    return tuple(tier._asdict() for tier in tiers)


def _ramp(ledger: Ledger, market: int) -> Ramp:
    return words.unpack_ramp(ledger.state.ramps[market][0])


def _floor_of(tail: tuple[int, int], place: int) -> int:
    return margin_math.tier_at(margin_math.Tiers(0, 0, *tail), place).floor


def _check_against_terms(ledger: Ledger, market: int, maintenance_rate: int) -> None:
    state = ledger.state
    terms = state.liquidation_terms[market]
    market_bounds.check_against_rate(
        state.trade_terms[market].side_cap, terms.penalty, terms.buffer, maintenance_rate
    )
