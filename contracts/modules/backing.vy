# pragma version 0.4.3
"""
@title Backing
@license MIT
@notice What a market owes its traders, against its share of the pool that must pay it.
"""

from ..lib import liquidation_math
from ..lib import market_math
from ..lib import words
from . import ledger
from . import markets

uses: ledger
uses: markets


@internal
@view
def _owed(market: uint256, state: words.Market, price: uint256) -> int256:
    """
    @notice What the pool owes all traders of a market together, in femto, exactly.
    @param state The market's word, accrued.
    """
    owed: int256 = market_math.side_value(
        markets._side(market, True), True, price, state.funding_index
    )
    return owed + market_math.side_value(
        markets._side(market, False), False, price, state.funding_index
    )


@internal
@view
def _require_backed(owed: int256, pool_share: uint256):
    # As auto-deleveraging judges it.
    excess: uint256 = liquidation_math.excess_owed(owed, ledger._load_house().pool_cash, pool_share)
    assert excess == 0, "pool: owes above its share"
