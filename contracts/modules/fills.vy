# pragma version 0.4.3
"""
@title Fills
@license MIT
@notice What a fill does to a position, its account, its market and the house: computed in memory
        from the state on the desk, stored by nobody here.
@dev Unchecked: money stays below 2**97, lots below 2**65, and what is taken away is part of what
     there is: a position of its side, a cut of its charge, a debt of the escrow that was counted
     against it.
"""

from ..lib import fixed_point
from ..lib import house_math
from ..lib import liquidation_math
from ..lib import margin_math
from ..lib import market_math
from ..lib import position_math
from ..lib import reasons
from ..lib import words

MAX_LEGS: constant(uint256) = 32  # so that a whole account fits in one liquidation
MAX_VAULTS: constant(uint256) = 255


# What a fill finds and leaves as it is.
struct Conditions:
    market: words.Market
    terms: words.TradeTerms
    long: words.Side  # before
    short: words.Side  # before
    price: uint256  # mark, femto per lot
    caution: uint256  # of that price
    initial_rate: uint256  # ppm, the first tier's, now
    builder_rate: uint256  # ppm


# What every fill changes.
struct Desk:
    account: words.Account
    house: words.House
    skew: int256  # lots
    keeper_fee: uint256  # quote, what the keeper gets
    builder_fee: uint256  # quote, what the builder gets


struct Part:
    market: uint256
    slot: uint256
    size: uint256  # lots to add or take off
    position: words.Position  # before
    keeper_fee: uint256  # quote, to be paid out of a reduction
    margin: uint256  # quote to move into the vault, 0 for what the leverage asks
    leverage: uint256  # ppm


struct Fill:
    slot: uint256
    size: uint256  # lots added or taken off
    position: words.Position  # after
    side: words.Side  # after
    desk: Desk  # after
    impact: int256  # femto, positive where the trader pays
    fee: uint256  # quote
    builder_fee: uint256  # quote
    realised: int256  # quote, by a reduction: PnL and funding, after impact, before fees
    deficit: uint256  # quote, by a reduction: what insurance and pool pay
    margin: uint256  # quote, moved into the vault by an increase
    from_vault: uint256  # quote, what a reduction took from the margin it left in the vault
    unpaid: uint256  # quote, what that margin did not cover


@internal
@pure
def _reduce(desk: Desk, conditions: Conditions, part: Part) -> Fill:
    """
    @notice Realises a part of a position. What it owes (impact, fee, a keeper's fee that is not
            escrowed) comes out of what it releases, then out of the vault's margin or the cross
            ledger; with the last of a vault or an account it shrinks before insurance would pay.
    """
    is_long: bool = part.slot & 1 == 0
    delta: int256 = self._signed_size(part.size, not is_long)
    fill: Fill = empty(Fill)
    fill.slot = part.slot
    fill.size = part.size
    fill.impact = market_math.impact_cost(
        delta, desk.skew, conditions.terms.skew_scale, conditions.price
    )
    fill.fee = market_math.trade_fee(
        delta,
        desk.skew,
        conditions.price,
        conditions.terms.maker_fee,
        conditions.terms.taker_fee,
    )
    fill.builder_fee = market_math.builder_fee(part.size, conditions.price, conditions.builder_rate)
    released: words.Position = empty(words.Position)
    fill.position, released = position_math.decrease(part.position, is_long, part.size)
    worth: int256 = position_math.value_of(
        released, is_long, conditions.price, conditions.market.funding_index
    )
    fill.realised = fixed_point.quote_down(unsafe_sub(worth, fill.impact))
    keeper_fee: uint256 = part.keeper_fee
    proceeds: int256 = unsafe_sub(
        fill.realised,
        convert(unsafe_add(unsafe_add(fill.fee, fill.builder_fee), keeper_fee), int256),
    )
    is_last: bool = fill.position.size == 0
    shortfall: int256 = 0

    if part.slot >= words.ISOLATED_LONG:
        proceeds = unsafe_add(proceeds, convert(released.margin, int256))
        if is_last:
            desk.account.vaults = unsafe_sub(desk.account.vaults, 1)
            shortfall = unsafe_sub(0, proceeds)
        elif proceeds < 0:
            owed: uint256 = convert(unsafe_sub(0, proceeds), uint256)
            fill.from_vault = min(owed, fill.position.margin)
            fill.unpaid = unsafe_sub(owed, fill.from_vault)
            fill.position.margin = unsafe_sub(fill.position.margin, fill.from_vault)
            proceeds = 0
    elif is_last:
        desk.account.legs ^= words.leg_bit(part.market, part.slot)
        if desk.account.legs == 0:
            # An escrowed keeper's fee has left the escrow: it, too, shrinks before a deficit exists.
            keeper_fee = unsafe_add(keeper_fee, desk.keeper_fee)
            desk.keeper_fee = 0
            shortfall = unsafe_sub(
                0,
                unsafe_add(
                    unsafe_add(desk.account.cash, proceeds),
                    convert(desk.account.escrow, int256),
                ),
            )
    else:
        fill.position.margin = part.position.margin

    if shortfall > 0:
        builder_cut: uint256 = min(convert(shortfall, uint256), fill.builder_fee)
        fill.builder_fee = unsafe_sub(fill.builder_fee, builder_cut)
        fee_cut: uint256 = 0
        impact_cut: uint256 = 0
        keeper_cut: uint256 = 0
        fee_cut, impact_cut, keeper_cut, fill.deficit = liquidation_math.shrink_charges(
            unsafe_sub(convert(shortfall, uint256), builder_cut),
            fill.fee,
            convert(max(0, fixed_point.quote_down(worth) - fill.realised), uint256),
            keeper_fee,
        )
        fill.fee = unsafe_sub(fill.fee, fee_cut)
        fill.realised = unsafe_add(fill.realised, convert(impact_cut, int256))
        keeper_fee = unsafe_sub(keeper_fee, keeper_cut)
        proceeds = unsafe_add(proceeds, shortfall)
    desk.account.cash = unsafe_add(desk.account.cash, proceeds)
    if desk.account.legs == 0 and desk.account.cash < 0:
        # No leg is left to carry a debt: the escrow pays it before insurance does.
        desk.account.escrow = unsafe_sub(
            desk.account.escrow, convert(unsafe_sub(0, desk.account.cash), uint256)
        )
        desk.account.cash = 0
    desk.keeper_fee = unsafe_add(desk.keeper_fee, keeper_fee)
    desk.builder_fee = unsafe_add(desk.builder_fee, fill.builder_fee)
    desk.house = house_math.collect_fee(desk.house, fill.fee, conditions.terms)
    desk.house.pool_cash = unsafe_sub(desk.house.pool_cash, fill.realised)
    if fill.deficit != 0:
        desk.house = house_math.cover_deficit(desk.house, fill.deficit)
    desk.skew = unsafe_add(desk.skew, delta)
    fill.side = self._replace(
        conditions.long if is_long else conditions.short, part.position, fill.position
    )
    fill.desk = desk
    return fill


@internal
@pure
def _increase(desk: Desk, conditions: Conditions, part: Part) -> Fill:
    """
    @notice Adds to a position or opens it. In a vault it moves margin for what it adds, at its
            leverage, and what the fill lost against the mark; or the amount it names.
    """
    is_long: bool = part.slot & 1 == 0
    delta: int256 = self._signed_size(part.size, is_long)
    fill: Fill = empty(Fill)
    fill.slot = part.slot
    fill.size = part.size
    fill.impact = market_math.impact_cost(
        delta, desk.skew, conditions.terms.skew_scale, conditions.price
    )
    fill.fee = market_math.trade_fee(
        delta,
        desk.skew,
        conditions.price,
        conditions.terms.maker_fee,
        conditions.terms.taker_fee,
    )
    entry: uint256 = position_math.entry_notional_of(
        part.size, is_long, conditions.price, fill.impact
    )
    fill.position = position_math.increase(
        part.position, is_long, part.size, entry, conditions.market.funding_index
    )
    fill.builder_fee = market_math.builder_fee(part.size, conditions.price, conditions.builder_rate)
    desk.builder_fee = unsafe_add(desk.builder_fee, fill.builder_fee)
    paid: uint256 = unsafe_add(fill.fee, fill.builder_fee)

    if part.slot >= words.ISOLATED_LONG:
        fill.margin = part.margin
        if part.margin == 0:
            notional: uint256 = unsafe_mul(part.size, conditions.price)
            loss: int256 = unsafe_sub(
                convert(unsafe_mul(entry, fixed_point.FEMTO), int256), convert(notional, int256)
            )
            if not is_long:
                loss = unsafe_sub(0, loss)
            fill.margin = unsafe_add(
                margin_math.order_margin(notional, part.leverage, conditions.initial_rate),
                fixed_point.quote_up(convert(max(loss, 0), uint256)),
            )
        fill.position.margin = unsafe_add(fill.position.margin, fill.margin)
        paid = unsafe_add(paid, fill.margin)
        if part.position.size == 0:
            desk.account.vaults = unsafe_add(desk.account.vaults, 1)
    elif part.position.size == 0:
        desk.account.legs |= words.leg_bit(part.market, part.slot)
        fill.position.margin = part.leverage
    desk.account.cash = unsafe_sub(desk.account.cash, convert(paid, int256))
    desk.house = house_math.collect_fee(desk.house, fill.fee, conditions.terms)
    desk.skew = unsafe_add(desk.skew, delta)
    fill.side = self._replace(
        conditions.long if is_long else conditions.short, part.position, fill.position
    )
    fill.desk = desk
    return fill


@internal
@pure
def _limit_reason(increase: Fill, conditions: Conditions, skew_before: int256) -> uint256:
    """
    @notice Which limit of word, account or market an increase breaks, if any. Only what grows the
            skew is held to the skew's cap and to the market's share of the pool.
    """
    if max(increase.position.entry_notional, increase.position.margin) > words.MAX_NOTIONAL:
        return reasons.TOO_LARGE
    if words.count_bits(increase.desk.account.legs) > MAX_LEGS:
        return reasons.TOO_MANY_LEGS
    if increase.desk.account.vaults > MAX_VAULTS:
        return reasons.TOO_MANY_VAULTS
    scale: uint256 = conditions.terms.skew_scale
    size: uint256 = increase.side.size
    if unsafe_mul(size, fixed_point.PPM) > unsafe_mul(scale, conditions.terms.side_cap):
        return reasons.OPEN_INTEREST_CAP
    # What one side may become without the other, if all of that other closes, must be backed in the
    # same proportion: closing is never refused.
    backing: int256 = unsafe_mul(
        increase.desk.house.pool_cash,
        convert(unsafe_mul(conditions.terms.pool_share, fixed_point.FEMTO), int256),
    )
    reserve: uint256 = unsafe_mul(unsafe_mul(size, conditions.price), conditions.terms.reserve_rate)
    if convert(unsafe_mul(reserve, conditions.terms.skew_cap), int256) > unsafe_mul(
        backing, convert(conditions.terms.side_cap, int256)
    ):
        return reasons.RESERVE_CAP
    skew: uint256 = fixed_point.magnitude(increase.desk.skew)
    if skew > fixed_point.magnitude(skew_before):
        if unsafe_mul(skew, fixed_point.PPM) > unsafe_mul(scale, conditions.terms.skew_cap):
            return reasons.SKEW_CAP
        reserve = unsafe_mul(unsafe_mul(skew, conditions.price), conditions.terms.reserve_rate)
        if convert(reserve, int256) > backing:
            return reasons.RESERVE_CAP
    if fixed_point.magnitude(conditions.market.funding_index) == convert(words.MAX_INDEX, uint256):
        return reasons.FUNDING_SATURATED
    return reasons.FILLED


@internal
@pure
def _signed_size(size: uint256, is_buy: bool) -> int256:
    if is_buy:
        return convert(size, int256)
    return unsafe_sub(0, convert(size, int256))


@internal
@pure
def _replace(side: words.Side, old: words.Position, new: words.Position) -> words.Side:
    """
    @notice A side's sums with a position replaced. They telescope, so they stay exact.
    """
    return words.Side(
        size=unsafe_add(unsafe_sub(side.size, old.size), new.size),
        basis=unsafe_add(
            unsafe_sub(side.basis, position_math.basis_of(old)), position_math.basis_of(new)
        ),
    )
