"""Auto-deleveraging from outside: who is in line, how far ahead, what a call would take off.

Pure, and the same arithmetic as `contracts/modules/deleveraging.vy`: nothing is proposed that the
contract would skip.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from bulkhead import valuation
from bulkhead.markets import MarketState
from bulkhead.protocol import fixed_point, liquidation_math, market_math, words
from bulkhead.protocol.words import House, Position

MAX_POSITIONS = 64  # that one call takes
_USD = 10**15  # femto


@dataclass(frozen=True, slots=True)
class Holding:
    """An open position of any margin mode.

    Attributes:
        account: Whose.
        market: Where.
        slot: 0 cross long, 1 cross short, 2 isolated long, 3 isolated short.
        position: What the chain holds.
        hedged: Lots that the other leg of its cross pair matches.
    """

    account: str
    market: int
    slot: int
    position: Position
    hedged: int = 0

    @property
    def id(self) -> int:
        """Its name in calls."""
        return words.position_id(int(self.account, 16), self.market, self.slot)

    @property
    def exposed(self) -> int:
        """Lots that no other leg matches: what may be taken off."""
        return self.position.size - self.hedged


@dataclass(frozen=True, slots=True)
class Round:
    """What one call may do to a market.

    Attributes:
        owed: To both sides together, femto.
        excess: What may be taken off, femto.
        is_long: The winning side.
        least: The least lots a position may have.
    """

    owed: int
    excess: int
    is_long: bool
    least: int


def side_value(state: MarketState, *, is_long: bool) -> int:
    """What a side is owed, femto; negative where it owes the pool."""
    side = state.long if is_long else state.short
    return market_math.side_value(side, is_long, state.price.price, state.funding.funding_index)


def is_long_winning(state: MarketState) -> bool:
    """Which side deleveraging would take from: the one that is owed more."""
    return side_value(state, is_long=True) >= side_value(state, is_long=False)


def owed_by(state: MarketState) -> int:
    """What a market owes all its traders together, femto."""
    return side_value(state, is_long=True) + side_value(state, is_long=False)


def round_of(state: MarketState, house: House) -> Round | None:
    """What a call may do now; None while it would be refused.

    Args:
        state: The market.
        house: The pool's cash, of which the market has a share.
    """
    if not state.may_trade or state.price.caution == words.ONLY_BANKRUPT:
        return None
    owed, terms = owed_by(state), state.market.terms
    excess = liquidation_math.excess_owed(owed, house.pool_cash, terms.pool_share)
    if not excess:
        return None
    least = fixed_point.div_up(terms.min_notional * _USD, state.price.price)
    return Round(owed, excess, is_long_winning(state), least)


def rank_of(holding: Holding, state: MarketState) -> int:
    """Profit per lot against the side's average, ppm: from 1,000,000 on it may be taken off.

    0 without profit, and for what a pair matches whole.
    """
    if not holding.exposed:
        return 0
    is_long = valuation.is_long(holding.slot)
    side = state.long if is_long else state.short
    return liquidation_math.deleveraging_rank(
        valuation.value_of(state, holding.slot, holding.position),
        holding.position.size,
        side_value(state, is_long=is_long),
        side.size,
    )


def size_of(holding: Holding, state: MarketState, call: Round, left: int) -> int:
    """How many lots a call takes off.

    Args:
        holding: A position.
        state: Its market, before the call.
        call: What the call may do.
        left: Femto, what the positions before it have left of the excess.
    """
    if valuation.is_long(holding.slot) != call.is_long:
        return 0
    if rank_of(holding, state) < fixed_point.PPM:
        return 0
    return liquidation_math.deleveraged_size(
        holding.position.size,
        holding.exposed,
        valuation.value_of(state, holding.slot, holding.position),
        call.excess,
        call.owed,
        left,
        call.least,
    )


def proposals(holdings: Iterable[Holding], state: MarketState, house: House) -> tuple[Holding, ...]:
    """The positions to name in one call, in the order it wants; none while it would be refused.

    The first in line come first where there are more than one call takes.
    """
    call = round_of(state, house)
    if call is None:
        return ()
    found = [one for one in holdings if size_of(one, state, call, call.excess)]
    first = sorted(found, key=lambda one: (-rank_of(one, state), one.id))[:MAX_POSITIONS]
    return tuple(sorted(first, key=lambda one: one.id))


def adl_quantile(holding: Holding, holdings: Iterable[Holding], state: MarketState) -> Decimal:
    """How many of its side's exposed lots in profit are behind a position or beside it, 0 to 1.

    1 is the first in line, 0 has no profit. It says so before deleveraging ever happens.

    Args:
        holding: A position.
        holdings: All of its market.
        state: The market.
    """
    own = rank_of(holding, state)
    if not own:
        return Decimal(0)
    is_long = valuation.is_long(holding.slot)
    ranked = [
        (rank_of(one, state), one.exposed)
        for one in holdings
        if valuation.is_long(one.slot) == is_long
    ]
    winning = sum(lots for rank, lots in ranked if rank)
    behind = sum(lots for rank, lots in ranked if 0 < rank <= own)
    return Decimal(behind) / Decimal(max(winning, 1))
