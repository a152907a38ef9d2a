# pragma version 0.4.3
"""
@title Lens accounts
@license MIT
@notice What accounts and positions look like: the core's valuation, spelled out. Its tests compare
        every figure with execution.
"""

from ..interfaces import ILens
from ..lib import fixed_point
from ..lib import liquidation_math
from ..lib import margin_math
from ..lib import position_math
from ..lib import price_bounds
from ..lib import price_validity
from ..lib import words
from . import fills
from . import lens_reading

uses: lens_reading

UNBOUNDED: constant(uint256) = max_value(uint256)


struct Pair:
    mark: lens_reading.Mark
    long: words.Position
    short: words.Position
    value: int256  # femto, exact
    worth: int256  # femto, what the account may count of it
    notional: uint256  # femto, of the larger leg
    initial: uint256  # femto
    maintenance: uint256  # femto
    band: uint256  # femto, what the price's confidence may add to the worth


struct Ledger:
    account: address
    state: words.Account
    worth: int256  # femto
    notional: uint256  # femto
    initial: uint256  # femto
    maintenance: uint256  # femto
    band: uint256  # femto
    caution: uint256  # the gravest of the prices'
    is_firm: bool
    is_current: bool


@internal
@view
def _ledger(account: address, state: words.Account) -> Ledger:
    """
    @notice Values a cross ledger at the current prices.
    """
    ledger: Ledger = Ledger(
        account=account,
        state=state,
        worth=0,
        notional=0,
        initial=0,
        maintenance=0,
        band=0,
        caution=words.NO_CAUTION,
        is_firm=True,
        is_current=True,
    )
    left: uint256 = state.legs
    for _: uint256 in range(fills.MAX_LEGS):
        if left == 0:
            break
        market: uint256 = words.lowest_bit_index(left) >> 1
        left &= ~(3 << (market << 1))
        ledger = self._with_pair(ledger, self._pair(account, lens_reading._mark(market)))
    return ledger


@internal
@view
def _with_pair(ledger: Ledger, pair: Pair) -> Ledger:
    after: Ledger = ledger
    after.worth += pair.worth
    after.notional += pair.notional
    after.initial += pair.initial
    after.maintenance += pair.maintenance
    if pair.mark.is_fresh:
        # The doubt about a price that is not fresh shields nobody.
        after.band += pair.band
        after.caution = max(ledger.caution, pair.mark.price.caution)
    after.is_firm = ledger.is_firm and self._is_firm(pair.mark)
    after.is_current = ledger.is_current and (pair.mark.is_fresh or not pair.mark.is_live)
    return after


@internal
@view
def _pair(account: address, mark: lens_reading.Mark) -> Pair:
    """
    @notice An account's cross legs in a market. A closed slot holds its generation and no size.
    """
    return self._value_pair(
        mark,
        lens_reading._position(account, mark.market, words.CROSS_LONG),
        lens_reading._position(account, mark.market, words.CROSS_SHORT),
    )


@internal
@view
def _value_pair(mark: lens_reading.Mark, long: words.Position, short: words.Position) -> Pair:
    """
    @notice As `cross_margin`: margin for the larger leg only, at the leverage the two share. The
            profit of a silent pair counts for a while, its loss for good.
    """
    price: uint256 = mark.price.price
    value: int256 = self._value_at(long, short, price, mark.state.funding_index)
    worth: int256 = value
    if not price_validity.profit_counts(mark.price, block.timestamp):
        worth = min(value, 0)
    larger: uint256 = max(long.size, short.size)
    matched: uint256 = min(long.size, short.size)
    notional: uint256 = larger * price
    leverage: uint256 = long.margin if long.size != 0 else short.margin
    pair: Pair = empty(Pair)
    pair.mark = mark
    pair.long = long
    pair.short = short
    pair.value = value
    pair.worth = worth
    pair.notional = notional
    if not price_validity.is_settled(mark.price):
        pair.initial = margin_math.initial_margin(
            notional, leverage, mark.tiers
        ) + margin_math.unwinding_cost(matched * price, mark.taker_fee)
        pair.maintenance = margin_math.maintenance_margin(notional, mark.tiers)
        pair.band = margin_math.band_of((larger - matched) * price, mark.price.confidence)
    return pair


@internal
@view
def _account_view(ledger: Ledger) -> ILens.Account:
    cash: int256 = ledger.state.cash * fixed_point.FEMTO_INT
    equity: int256 = self._equity(ledger)
    withdrawable: int256 = ledger.state.cash
    if ledger.state.legs != 0:
        withdrawable += fixed_point.quote_down(
            min(ledger.worth, 0) - convert(ledger.initial, int256)
        )
    if not ledger.is_firm:
        withdrawable = 0
    return ILens.Account(
        account=ledger.account,
        cash=ledger.state.cash,
        escrow=ledger.state.escrow,
        legs=words.count_bits(ledger.state.legs),
        vaults=ledger.state.vaults,
        is_hedge=ledger.state.flags & words.FLAG_HEDGE != 0,
        value=fixed_point.quote_down(ledger.worth),
        equity=fixed_point.quote_down(equity),
        notional=fixed_point.quote_up(ledger.notional),
        initial_margin=fixed_point.quote_up(ledger.initial),
        maintenance_margin=fixed_point.quote_up(ledger.maintenance),
        margin_ratio=self._ratio(ledger.maintenance, equity),
        leverage=self._ratio(ledger.notional, equity),
        free_collateral=fixed_point.quote_down(
            cash + ledger.worth - convert(ledger.initial, int256)
        ),
        withdrawable=convert(max(withdrawable, 0), uint256),
        is_firm=ledger.is_firm,
        is_current=ledger.is_current,
        is_liquidatable=self._is_liquidatable(ledger),
    )


@internal
@view
def _is_firm(mark: lens_reading.Mark) -> bool:
    return mark.is_fresh and price_validity.is_firm(mark.price, block.timestamp)


@internal
@pure
def _is_liquidatable(ledger: Ledger) -> bool:
    """
    @notice Judged at the edge of the prices' confidence that favours the account.
    """
    return liquidation_math.is_liquidatable(
        self._equity(ledger) + convert(ledger.band, int256), ledger.maintenance
    )


@internal
@view
def _leg_view(ledger: Ledger, pair: Pair, slot: uint256) -> ILens.Position:
    """
    @notice One leg of a pair, which is in the ledger.
    """
    is_long: bool = slot == words.CROSS_LONG
    position: words.Position = pair.long if is_long else pair.short
    equity: int256 = self._equity(ledger)
    # The larger leg bears the requirement of both; of two alike the long does.
    is_larger: bool = (
        pair.long.size >= pair.short.size if is_long else pair.short.size > pair.long.size
    )
    seen: ILens.Position = self._position_view(pair.mark, slot, position)
    seen.leverage_limit = position.margin
    seen.equity = fixed_point.quote_down(equity)
    seen.leverage = self._ratio(position.size * pair.mark.price.price, equity)
    if is_larger:
        seen.initial_margin = fixed_point.quote_up(pair.initial)
        seen.maintenance_margin = fixed_point.quote_up(pair.maintenance)
    seen.margin_ratio = self._ratio(ledger.maintenance, equity)
    seen.is_liquidatable = self._is_liquidatable(ledger)
    seen.max_loss = convert(
        max(ledger.state.cash + convert(ledger.state.escrow, int256), 0), uint256
    )
    return self._with_prices(
        seen,
        pair.mark,
        self._exposure(pair.mark, pair.long, pair.short, equity - pair.worth),
        convert(ledger.maintenance - pair.maintenance, int256),
    )


@internal
@view
def _vault_view(
    mark: lens_reading.Mark, slot: uint256, position: words.Position, settings: words.Settings
) -> ILens.Position:
    """
    @notice An isolated position: nothing but its own margin backs it.
    """
    is_long: bool = slot == words.ISOLATED_LONG
    price: uint256 = mark.price.price
    notional: uint256 = position.size * price
    margin: int256 = convert(position.margin * fixed_point.FEMTO, int256)
    value: int256 = position_math.value_of(position, is_long, price, mark.state.funding_index)
    maintenance: uint256 = margin_math.maintenance_margin(notional, mark.tiers)
    limit: uint256 = margin_math.isolated_leverage(settings, is_long)
    initial: uint256 = margin_math.initial_margin(notional, limit, mark.tiers)
    seen: ILens.Position = self._position_view(mark, slot, position)
    seen.margin = position.margin
    seen.leverage_limit = limit
    seen.equity = fixed_point.quote_down(margin + value)
    seen.leverage = self._ratio(notional, margin + value)
    seen.initial_margin = fixed_point.quote_up(initial)
    seen.maintenance_margin = fixed_point.quote_up(maintenance)
    seen.margin_ratio = self._ratio(maintenance, margin + value)
    band: uint256 = margin_math.band_of(notional, mark.price.confidence)
    seen.is_liquidatable = liquidation_math.is_liquidatable(
        margin + value + convert(band, int256), maintenance
    )
    seen.max_loss = position.margin
    if position.auto_margin:
        seen.max_loss += settings.long_allowance if is_long else settings.short_allowance
    if self._is_firm(mark):
        # As `isolated_margin._remove_margin`: profit is not removable.
        removable: int256 = fixed_point.quote_down(
            margin + min(value, 0) - convert(initial, int256)
        )
        seen.removable_margin = convert(max(removable, 0), uint256)
    empty_leg: words.Position = empty(words.Position)
    return self._with_prices(
        seen,
        mark,
        self._exposure(
            mark,
            position if is_long else empty_leg,
            empty_leg if is_long else position,
            margin,
        ),
        0,
    )


@internal
@view
def _position_view(
    mark: lens_reading.Mark, slot: uint256, position: words.Position
) -> ILens.Position:
    """
    @notice What does not depend on what backs a position.
    """
    is_long: bool = slot & 1 == 0
    price: uint256 = mark.price.price
    seen: ILens.Position = empty(ILens.Position)
    seen.market = mark.market
    seen.slot = slot
    seen.generation = position.generation
    seen.size = position.size
    seen.entry_notional = position.entry_notional
    seen.mark_price = price
    seen.notional = fixed_point.quote_up(position.size * price)
    # Against the account: a long bought for no less, a short sold for no more.
    if position.size != 0:
        entry: uint256 = position.entry_notional * fixed_point.FEMTO
        seen.entry_price = (
            fixed_point.div_up(entry, position.size) if is_long else entry // position.size
        )
    seen.value = fixed_point.quote_down(
        position_math.value_of(position, is_long, price, mark.state.funding_index)
    )
    seen.unrealised_pnl = fixed_point.quote_down(
        position_math.value_of(position, is_long, price, position.funding_index)
    )
    seen.funding_owed = seen.unrealised_pnl - seen.value
    seen.bankruptcy_price = UNBOUNDED
    seen.upper_liquidation_price = UNBOUNDED
    seen.distance = UNBOUNDED
    seen.is_live = mark.is_live
    seen.is_fresh = mark.is_fresh
    return seen


@internal
@pure
def _with_prices(
    seen: ILens.Position,
    mark: lens_reading.Mark,
    exposure: price_bounds.Exposure,
    elsewhere: int256,
) -> ILens.Position:
    """
    @param elsewhere Femto, the maintenance margin of other markets that the same equity bears.
    """
    if seen.size == 0:
        return seen
    priced: ILens.Position = seen
    priced.bankruptcy_price = price_bounds.bankruptcy_price(exposure)
    burdened: price_bounds.Exposure = exposure
    burdened.equity -= elsewhere
    lower: uint256 = 0
    upper: uint256 = 0
    lower, upper = price_bounds.liquidation_prices(burdened, mark.tiers)
    priced.lower_liquidation_price = lower
    priced.upper_liquidation_price = upper
    price: uint256 = mark.price.price
    if lower != 0:
        priced.distance = (price - min(lower, price)) * fixed_point.PPM // price
    if upper != UNBOUNDED:
        priced.distance = min(
            priced.distance, (max(upper, price) - price) * fixed_point.PPM // price
        )
    return priced


@internal
@pure
def _exposure(
    mark: lens_reading.Mark, long: words.Position, short: words.Position, equity: int256
) -> price_bounds.Exposure:
    """
    @param equity Femto, of what backs the legs without their value.
    """
    return price_bounds.Exposure(
        long_size=long.size,
        short_size=short.size,
        equity=equity + self._value_at(long, short, 0, 0),
        funding_index=mark.stored.funding_index,
        area=mark.area,
    )


@internal
@pure
def _value_at(
    long: words.Position, short: words.Position, price: uint256, funding_index: int256
) -> int256:
    return position_math.value_of(long, True, price, funding_index) + position_math.value_of(
        short, False, price, funding_index
    )


@internal
@pure
def _equity(ledger: Ledger) -> int256:
    """
    @notice Femto, the escrow included: it pays debts before insurance does.
    """
    return (
        ledger.state.cash + convert(ledger.state.escrow, int256)
    ) * fixed_point.FEMTO_INT + ledger.worth


@internal
@pure
def _ratio(part: uint256, equity: int256) -> uint256:
    """
    @notice part / equity in ppm, up. `UNBOUNDED` where equity is not positive, zero for nothing.
    """
    if part == 0:
        return 0
    if equity <= 0:
        return UNBOUNDED
    return fixed_point.div_up(part * fixed_point.PPM, convert(equity, uint256))
