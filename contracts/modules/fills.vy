# pragma version 0.4.3
"""
@title Fills
@license MIT
@notice What a fill does to a position, its account, its market and the house: computed in memory
        from the state on the desk, stored by nobody here.
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


struct Desk:
    account: words.Account
    market: words.Market
    terms: words.TradeTerms
    house: words.House
    long: words.Side
    short: words.Side
    skew: int256  # lots
    price: uint256  # mark, femto per lot
    keeper_fee: uint256  # quote, what the keeper gets


struct Part:
    market: uint256
    slot: uint256
    size: uint256  # lots to add or take off
    position: words.Position  # before
    keeper_fee: uint256  # quote, to be paid out of a reduction
    margin: uint256  # quote to move into the vault, 0 for what the leverage asks
    leverage: uint256  # ppm


struct Fill:
    position: words.Position  # after
    impact: int256  # femto, positive where the trader pays
    fee: uint256  # quote
    realised: int256  # quote, by a reduction: PnL and funding, after impact, before fees
    deficit: uint256  # quote, by a reduction: what insurance and pool pay
    margin: uint256  # quote, moved into the vault by an increase
    from_vault: uint256  # quote, what a reduction took from the margin it left in the vault
    unpaid: uint256  # quote, what that margin did not cover


@internal
@pure
def _reduce(desk: Desk, part: Part) -> (Desk, Fill):
    """
    @notice Realises a part of a position. What it owes (impact, fee, a keeper's fee that is not
            escrowed) comes out of what it releases, then out of the vault's margin or the cross
            ledger; with the last of a vault or an account it shrinks before insurance would pay.
    """
    after: Desk = desk
    is_long: bool = part.slot & 1 == 0
    delta: int256 = self._signed_size(part.size, not is_long)
    fill: Fill = self._price_fill(desk, delta)
    released: words.Position = empty(words.Position)
    fill.position, released = position_math.decrease(part.position, is_long, part.size)
    worth: int256 = position_math.value_of(
        released, is_long, desk.price, desk.market.funding_index
    )
    fill.realised = fixed_point.quote_down(worth - fill.impact)
    keeper_fee: uint256 = part.keeper_fee
    released_cash: int256 = fill.realised - fixed_point.to_signed(fill.fee + keeper_fee)
    is_last: bool = fill.position.size == 0
    shortfall: int256 = 0

    if part.slot >= words.ISOLATED_LONG:
        released_cash += fixed_point.to_signed(released.margin)
        if is_last:
            after.account.vaults -= 1
            shortfall = -released_cash
        elif released_cash < 0:
            owed: uint256 = fixed_point.to_unsigned(-released_cash)
            fill.from_vault = min(owed, fill.position.margin)
            fill.unpaid = owed - fill.from_vault
            fill.position.margin -= fill.from_vault
            released_cash = 0
    elif is_last:
        after.account.legs ^= words.leg_bit(part.market, part.slot)
        if after.account.legs == 0:
            shortfall = -(
                after.account.cash
                + released_cash
                + fixed_point.to_signed(after.account.escrow)
            )
    else:
        fill.position.margin = part.position.margin

    if shortfall > 0:
        fee_cut: uint256 = 0
        impact_cut: uint256 = 0
        keeper_cut: uint256 = 0
        fee_cut, impact_cut, keeper_cut, fill.deficit = liquidation_math.shrink_charges(
            fixed_point.to_unsigned(shortfall),
            fill.fee,
            fixed_point.to_unsigned(max(0, fixed_point.quote_down(worth) - fill.realised)),
            keeper_fee,
        )
        fill.fee -= fee_cut
        fill.realised += fixed_point.to_signed(impact_cut)
        keeper_fee -= keeper_cut
        released_cash += shortfall
    after.account.cash += released_cash
    if after.account.legs == 0 and after.account.cash < 0:
        # No leg is left to carry a debt: the escrow pays it before insurance does.
        after.account.escrow -= fixed_point.to_unsigned(-after.account.cash)
        after.account.cash = 0
    after.keeper_fee += keeper_fee
    after.house.pool_cash -= fill.realised
    after.house = house_math.cover_deficit(
        house_math.collect_fee(after.house, fill.fee, after.terms), fill.deficit
    )
    return self._resize(after, is_long, delta, part.position, fill.position), fill


@internal
@pure
def _increase(desk: Desk, part: Part) -> (Desk, Fill):
    """
    @notice Adds to a position or opens it. In a vault it moves margin for what it adds, at its
            leverage, and what the fill lost against the mark; or the amount it names.
    """
    after: Desk = desk
    is_long: bool = part.slot & 1 == 0
    delta: int256 = self._signed_size(part.size, is_long)
    fill: Fill = self._price_fill(desk, delta)
    entry: uint256 = position_math.entry_notional_of(
        part.size, is_long, desk.price, fill.impact
    )
    fill.position = position_math.increase(
        part.position, is_long, part.size, entry, desk.market.funding_index
    )
    after.house = house_math.collect_fee(after.house, fill.fee, after.terms)
    after.account.cash -= fixed_point.to_signed(fill.fee)

    if part.slot >= words.ISOLATED_LONG:
        fill.margin = part.margin
        if part.margin == 0:
            notional: uint256 = unsafe_mul(part.size, desk.price)
            loss: int256 = fixed_point.to_signed(
                unsafe_mul(entry, fixed_point.FEMTO)
            ) - fixed_point.to_signed(notional)
            if not is_long:
                loss = -loss
            fill.margin = margin_math.order_margin(
                notional, part.leverage, desk.market.initial_rate
            ) + fixed_point.quote_up(fixed_point.to_unsigned(max(loss, 0)))
        fill.position.margin += fill.margin
        after.account.cash -= fixed_point.to_signed(fill.margin)
        if part.position.size == 0:
            after.account.vaults += 1
    elif part.position.size == 0:
        after.account.legs |= words.leg_bit(part.market, part.slot)
        fill.position.margin = part.leverage
    return self._resize(after, is_long, delta, part.position, fill.position), fill


@internal
@pure
def _limit_reason(before: Desk, after: Desk, is_long: bool, position: words.Position) -> uint256:
    """
    @notice Which limit of word, account or market an increase breaks, if any. Only what grows the
            skew is held to the skew's cap and to the market's share of the pool.
    """
    if max(position.entry_notional, position.margin) > words.MAX_NOTIONAL:
        return reasons.TOO_LARGE
    if words.count_bits(after.account.legs) > MAX_LEGS:
        return reasons.TOO_MANY_LEGS
    if after.account.vaults > MAX_VAULTS:
        return reasons.TOO_MANY_VAULTS
    scale: uint256 = after.terms.skew_scale
    size: uint256 = after.long.size if is_long else after.short.size
    if size * fixed_point.PPM > scale * after.terms.side_cap:
        return reasons.OPEN_INTEREST_CAP
    skew: uint256 = fixed_point.magnitude(after.skew)
    if skew > fixed_point.magnitude(before.skew):
        if skew * fixed_point.PPM > scale * after.terms.skew_cap:
            return reasons.SKEW_CAP
        reserve: uint256 = skew * after.price * after.terms.reserve_rate
        backing: int256 = before.house.pool_cash * fixed_point.to_signed(
            after.terms.pool_share * fixed_point.FEMTO
        )
        if fixed_point.to_signed(reserve) > backing:
            return reasons.RESERVE_CAP
    if fixed_point.magnitude(after.market.funding_index) == convert(words.MAX_INDEX, uint256):
        return reasons.FUNDING_SATURATED
    return reasons.FILLED


@internal
@pure
def _price_fill(desk: Desk, delta: int256) -> Fill:
    fill: Fill = empty(Fill)
    fill.impact = market_math.impact_cost(delta, desk.skew, desk.terms.skew_scale, desk.price)
    fill.fee = market_math.trade_fee(
        delta, desk.skew, desk.price, desk.terms.maker_fee, desk.terms.taker_fee
    )
    return fill


@internal
@pure
def _signed_size(size: uint256, is_buy: bool) -> int256:
    if is_buy:
        return fixed_point.to_signed(size)
    return -fixed_point.to_signed(size)


@internal
@pure
def _resize(
    desk: Desk, is_long: bool, delta: int256, old: words.Position, new: words.Position
) -> Desk:
    """
    @notice Replaces a position in its side's sums. They telescope, so they stay exact.
    """
    after: Desk = desk
    after.skew += delta
    if is_long:
        after.long = self._replace(desk.long, old, new)
    else:
        after.short = self._replace(desk.short, old, new)
    return after


@internal
@pure
def _replace(side: words.Side, old: words.Position, new: words.Position) -> words.Side:
    return words.Side(
        size=side.size - old.size + new.size,
        basis=side.basis - position_math.basis_of(old) + position_math.basis_of(new),
    )
