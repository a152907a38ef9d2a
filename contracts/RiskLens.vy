# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Risk lens
@license MIT
@notice What may become of positions if nobody does anything: how long funding alone lets them live, and
        who is in line for auto-deleveraging. Stateless: it reads the core's words and computes with
        the core's libraries.
"""

from .interfaces import IRiskLens
from .lib import fixed_point
from .lib import funding_bounds
from .lib import liquidation_math
from .lib import margin_math
from .lib import market_math
from .lib import position_math
from .lib import price_validity
from .lib import words
from .modules import lens_accounts
from .modules import lens_reading
from .modules import markets

implements: IRiskLens

initializes: lens_reading
initializes: lens_accounts[lens_reading := lens_reading]

BATCH: constant(uint256) = 64


struct Backing:
    mark: lens_reading.Mark
    sides: words.Side[2]
    values: int256[2]  # femto, what the pool owes either side
    terms: words.TradeTerms
    owed: int256  # femto, to both together
    pool_cash: int256  # quote
    excess: uint256  # femto, what auto-deleveraging would take off


@deploy
def __init__(clearinghouse: address, price_oracle: address):
    lens_reading.__init__(clearinghouse, price_oracle)


@external
@view
def risks(ids: DynArray[uint256, BATCH]) -> DynArray[IRiskLens.Risk, BATCH]:
    seen: DynArray[IRiskLens.Risk, BATCH] = []
    for id: uint256 in ids:
        account: address = empty(address)
        market: uint256 = 0
        slot: uint256 = 0
        account, market, slot = words.split_position_id(id)
        lens_reading._require_listed(market)
        backing: Backing = self._backing(market)
        risk: IRiskLens.Risk = empty(IRiskLens.Risk)
        risk.market = market
        risk.slot = slot
        risk.time_to_liquidation = funding_bounds.NEVER
        position: words.Position = lens_reading._position(account, market, slot)
        if position.size != 0:
            risk.size = position.size
            if slot >= words.ISOLATED_LONG:
                risk.time_to_liquidation = self._time_of_vault(backing.mark, slot, position)
            else:
                risk.time_to_liquidation = self._time_of_leg(account, backing.mark)
            risk.deleverage_rank, risk.deleverage_size = self._deleveraging(
                account, slot, position, backing
            )
        seen.append(risk)
    return seen


@external
@view
def market_risk(market: uint256) -> IRiskLens.MarketRisk:
    lens_reading._require_listed(market)
    backing: Backing = self._backing(market)
    return IRiskLens.MarketRisk(
        market=market,
        owed=fixed_point.quote_ceiling(backing.owed),
        backing=convert(max(backing.pool_cash, 0), uint256)
        * backing.terms.pool_share // fixed_point.PPM,
        is_deleveraging=backing.excess != 0,
        excess=fixed_point.quote_up(backing.excess),
    )


@internal
@view
def _backing(market: uint256) -> Backing:
    state: uint256[10] = staticcall lens_reading.CLEARINGHOUSE.market_words(market)
    backing: Backing = empty(Backing)
    backing.mark = lens_reading._mark_from(market, state)
    backing.terms = words.unpack_trade_terms(state[markets.TRADE_TERMS])
    price: uint256 = backing.mark.price.price
    index: int256 = backing.mark.state.funding_index
    for side: uint256 in range(2):
        backing.sides[side] = words.unpack_side(state[markets.LONG + side])
        backing.values[side] = market_math.side_value(backing.sides[side], side == 0, price, index)
    backing.owed = backing.values[0] + backing.values[1]
    backing.pool_cash = words.unpack_house(
        staticcall lens_reading.CLEARINGHOUSE.house_word()
    ).pool_cash
    backing.excess = liquidation_math.excess_owed(
        backing.owed, backing.pool_cash, backing.terms.pool_share
    )
    return backing


@internal
@view
def _time_of_vault(mark: lens_reading.Mark, slot: uint256, position: words.Position) -> uint256:
    """
    @notice Seconds until funding has cost a vault all that keeps it from liquidation.
    """
    is_long: bool = slot == words.ISOLATED_LONG
    notional: uint256 = position.size * mark.price.price
    equity: int256 = convert(position.margin * fixed_point.FEMTO, int256) + position_math.value_of(
        position, is_long, mark.price.price, mark.state.funding_index
    )
    band: uint256 = margin_math.band_of(notional, mark.price.confidence)
    maintenance: uint256 = margin_math.maintenance_margin(notional, mark.tiers)
    return self._time_to_lose(
        mark, is_long, position.size, equity + convert(band, int256) - convert(maintenance, int256)
    )


@internal
@view
def _time_of_leg(account: address, mark: lens_reading.Mark) -> uint256:
    """
    @notice Seconds until this market's funding has cost an account all that keeps it from liquidation.
    """
    ledger: lens_accounts.Ledger = lens_accounts._ledger(account, lens_reading._account(account))
    pair: lens_accounts.Pair = lens_accounts._pair(account, mark)
    is_long: bool = pair.long.size >= pair.short.size
    size: uint256 = max(pair.long.size, pair.short.size) - min(pair.long.size, pair.short.size)
    cushion: int256 = (
        lens_accounts._equity(ledger)
        + convert(ledger.band, int256)
        - convert(ledger.maintenance, int256)
    )
    return self._time_to_lose(mark, is_long, size, cushion)


@internal
@view
def _time_to_lose(
    mark: lens_reading.Mark, is_long: bool, size: uint256, cushion: int256
) -> uint256:
    # While a feed is silent, and once its market settles, funding stands still.
    if cushion > 0 and (
        not mark.is_live or price_validity.is_settling(mark.price, block.timestamp)
    ):
        return funding_bounds.NEVER
    return funding_bounds.time_to_lose(mark.state, mark.price.price, is_long, size, cushion)


@internal
@view
def _deleveraging(
    account: address, slot: uint256, position: words.Position, backing: Backing
) -> (uint256, uint256):
    """
    @notice As `deleveraging`: a position's rank, and how many lots may be taken off it now.
    """
    side: uint256 = slot & 1
    value: int256 = position_math.value_of(
        position, side == 0, backing.mark.price.price, backing.mark.state.funding_index
    )
    rank: uint256 = liquidation_math.deleveraging_rank(
        value, position.size, backing.values[side], backing.sides[side].size
    )
    exposed: uint256 = position.size
    if slot < words.ISOLATED_LONG:
        other: words.Position = lens_reading._position(account, backing.mark.market, slot ^ 1)
        exposed -= min(exposed, other.size)
    if exposed == 0:
        return 0, 0
    is_winning: bool = (side == 0) == (backing.values[0] >= backing.values[1])
    if backing.excess == 0 or rank < fixed_point.PPM or not is_winning:
        return rank, 0
    return rank, liquidation_math.deleveraged_size(
        position.size,
        exposed,
        convert(value, uint256),
        backing.excess,
        convert(backing.owed, uint256),
        backing.excess,
        fixed_point.div_up(backing.terms.min_notional * 10**15, max(backing.mark.price.price, 1)),
    )
