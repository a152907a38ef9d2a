"""What a fill does to a position, its account, its market and the house: `modules/fills.vy`."""

from dataclasses import dataclass, replace

from bulkhead.protocol import (
    house_math,
    liquidation_math,
    margin_math,
    market_math,
    position_math,
    words,
)
from bulkhead.protocol.fixed_point import FEMTO, PPM, quote_down, quote_up
from bulkhead.protocol.reasons import Reason
from bulkhead.protocol.words import Account, House, Market, Position, Side, TradeTerms
from bulkhead.valuation import CLOSED, is_isolated, is_long

MAX_LEGS = 32  # so that a whole account fits in one liquidation
MAX_VAULTS = 255


@dataclass(slots=True)
class Desk:
    """What a fill works on: nothing of it is stored before all of it is checked."""

    account: Account
    market: Market
    terms: TradeTerms
    house: House
    long: Side
    short: Side
    price: int  # mark, femto per lot
    caution: int  # of that price
    initial_rate: int  # ppm, the first tier's, now
    keeper_fee: int  # quote, what the keeper gets
    builder_rate: int  # ppm
    builder_fee: int  # quote, what the builder gets

    @property
    def skew(self) -> int:
        """Long minus short lots."""
        return market_math.skew_of(self.long.size, self.short.size)

    def keep_fee(self) -> None:
        """Leaves the keeper's fee with the account."""
        self.account = replace(self.account, cash=self.account.cash + self.keeper_fee)
        self.keeper_fee = 0


@dataclass(slots=True)
class Part:
    """What an order does to one slot."""

    market: int
    slot: int
    size: int = 0  # lots to add or take off
    position: Position = CLOSED  # before
    keeper_fee: int = 0  # quote, to be paid out of a reduction
    margin: int = 0  # quote to move into the vault, 0 for what the leverage asks
    leverage: int = 0  # ppm


@dataclass(slots=True)
class Fill:
    """What became of a part."""

    position: Position = CLOSED  # after
    impact: int = 0  # femto, positive where the trader pays
    fee: int = 0  # quote
    builder_fee: int = 0  # quote
    realised: int = 0  # quote, by a reduction: PnL and funding, after impact, before fees
    deficit: int = 0  # quote, by a reduction: what insurance and pool pay
    margin: int = 0  # quote, moved into the vault by an increase
    from_vault: int = 0  # quote, what a reduction took from the margin it left in the vault
    unpaid: int = 0  # quote, what that margin did not cover


def reduce(desk: Desk, part: Part) -> Fill:
    """Realises a part of a position.

    What it owes (impact, fee, a keeper's fee that is not escrowed) comes out of what it releases,
    then out of the vault's margin or the cross ledger; with the last of a vault or an account it
    shrinks before insurance would pay.
    """
    long = is_long(part.slot)
    fill = _priced(desk, part, is_buy=not long)
    fill.position, released = position_math.decrease(part.position, long, part.size)
    worth = position_math.value_of(released, long, desk.price, desk.market.funding_index)
    fill.realised = quote_down(worth - fill.impact)
    keeper_fee = part.keeper_fee
    proceeds = fill.realised - (fill.fee + fill.builder_fee + keeper_fee)
    account, shortfall = desk.account, 0

    if is_isolated(part.slot):
        proceeds += released.margin
        if not fill.position.size:
            account = replace(account, vaults=account.vaults - 1)
            shortfall = -proceeds
        elif proceeds < 0:
            fill.from_vault = min(-proceeds, fill.position.margin)
            fill.unpaid = -proceeds - fill.from_vault
            left = fill.position.margin - fill.from_vault
            fill.position = replace(fill.position, margin=left)
            proceeds = 0
    elif not fill.position.size:
        account = replace(account, legs=account.legs ^ words.leg_bit(part.market, part.slot))
        if not account.legs:
            # An escrowed keeper's fee has left the escrow: it, too, shrinks before a deficit
            # exists.
            keeper_fee += desk.keeper_fee
            desk.keeper_fee = 0
            shortfall = -(account.cash + proceeds + account.escrow)
    else:
        fill.position = replace(fill.position, margin=part.position.margin)

    if shortfall > 0:
        keeper_fee -= _forgive(fill, quote_down(worth), shortfall, keeper_fee)
        proceeds += shortfall
    account = replace(account, cash=account.cash + proceeds)
    if not account.legs and account.cash < 0:
        # No leg is left to carry a debt: the escrow pays it before insurance does.
        account = replace(account, escrow=account.escrow + account.cash, cash=0)
    desk.account = account
    desk.keeper_fee += keeper_fee
    desk.builder_fee += fill.builder_fee
    house = house_math.collect_fee(desk.house, fill.fee, desk.terms)
    house = replace(house, pool_cash=house.pool_cash - fill.realised)
    desk.house = house_math.cover_deficit(house, fill.deficit)
    _put_back(desk, part, fill)
    return fill


def increase(desk: Desk, part: Part) -> Fill:
    """Adds to a position or opens it.

    In a vault it moves margin for what it adds, at its leverage, and what the fill lost against the
    mark; or the amount it names.
    """
    long = is_long(part.slot)
    fill = _priced(desk, part, is_buy=long)
    entry = position_math.entry_notional_of(part.size, long, desk.price, fill.impact)
    fill.position = position_math.increase(
        part.position, long, part.size, entry, desk.market.funding_index
    )
    desk.builder_fee += fill.builder_fee
    paid = fill.fee + fill.builder_fee
    account = desk.account

    if is_isolated(part.slot):
        fill.margin = part.margin
        if not part.margin:
            notional = part.size * desk.price
            loss = entry * FEMTO - notional if long else notional - entry * FEMTO
            fill.margin = margin_math.order_margin(
                notional, part.leverage, desk.initial_rate
            ) + quote_up(max(loss, 0))
        fill.position = replace(fill.position, margin=fill.position.margin + fill.margin)
        paid += fill.margin
        if not part.position.size:
            account = replace(account, vaults=account.vaults + 1)
    elif not part.position.size:
        account = replace(account, legs=account.legs | words.leg_bit(part.market, part.slot))
        fill.position = replace(fill.position, margin=part.leverage)
    desk.account = replace(account, cash=account.cash - paid)
    desk.house = house_math.collect_fee(desk.house, fill.fee, desk.terms)
    _put_back(desk, part, fill)
    return fill


def limit_reason(after: Desk, skew_before: int, is_buy: bool, position: Position) -> Reason:
    """Which limit of word, account or market an increase breaks, if any.

    Only what grows the skew is held to the skew's cap and to the market's share of the pool.
    """
    if max(position.entry_notional, position.margin) > words.MAX_NOTIONAL:
        return Reason.TOO_LARGE
    if words.count_bits(after.account.legs) > MAX_LEGS:
        return Reason.TOO_MANY_LEGS
    if after.account.vaults > MAX_VAULTS:
        return Reason.TOO_MANY_VAULTS
    terms = after.terms
    size = after.long.size if is_buy else after.short.size
    if size * PPM > terms.skew_scale * terms.side_cap:
        return Reason.OPEN_INTEREST_CAP
    # What one side may become without the other, if all of that other closes, must be backed in the
    # same proportion: closing is never refused.
    backing = after.house.pool_cash * terms.pool_share * FEMTO
    reserve = size * after.price * terms.reserve_rate
    if reserve * terms.skew_cap > backing * terms.side_cap:
        return Reason.RESERVE_CAP
    skew = abs(after.skew)
    if skew > abs(skew_before):
        if skew * PPM > terms.skew_scale * terms.skew_cap:
            return Reason.SKEW_CAP
        if skew * after.price * terms.reserve_rate > backing:
            return Reason.RESERVE_CAP
    if abs(after.market.funding_index) == words.MAX_INDEX:
        return Reason.FUNDING_SATURATED
    return Reason.FILLED


def replaced(side: Side, old: Position, new: Position) -> Side:
    """A side's sums with a position replaced. They telescope, so they stay exact."""
    return Side(
        size=side.size - old.size + new.size,
        basis=side.basis - position_math.basis_of(old) + position_math.basis_of(new),
    )


def signed_size(size: int, is_buy: bool) -> int:
    """Lots, negative where sold."""
    return size if is_buy else -size


def _priced(desk: Desk, part: Part, *, is_buy: bool) -> Fill:
    """A fill with what it costs."""
    delta, terms = signed_size(part.size, is_buy), desk.terms
    return Fill(
        impact=market_math.impact_cost(delta, desk.skew, terms.skew_scale, desk.price),
        fee=market_math.trade_fee(delta, desk.skew, desk.price, terms.maker_fee, terms.taker_fee),
        builder_fee=market_math.builder_fee(part.size, desk.price, desk.builder_rate),
    )


def _forgive(fill: Fill, worth: int, shortfall: int, keeper_fee: int) -> int:
    """Shrinks what a fill charges by what is missing, all in quote units, the builder's first.

    Returns:
        What of the keeper's fee is forgiven.
    """
    builder_cut = min(shortfall, fill.builder_fee)
    fill.builder_fee -= builder_cut
    fee_cut, impact_cut, keeper_cut, fill.deficit = liquidation_math.shrink_charges(
        shortfall - builder_cut, fill.fee, max(0, worth - fill.realised), keeper_fee
    )
    fill.fee -= fee_cut
    fill.realised += impact_cut
    return keeper_cut


def _put_back(desk: Desk, part: Part, fill: Fill) -> None:
    if is_long(part.slot):
        desk.long = replaced(desk.long, part.position, fill.position)
    else:
        desk.short = replaced(desk.short, part.position, fill.position)
