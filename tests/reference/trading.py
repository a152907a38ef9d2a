"""Sections 4 and 5: what a trade does once its price says yes, in exact numbers."""

from dataclasses import dataclass
from fractions import Fraction

from tests.reference.funding import accrue, steer
from tests.reference.margin import (
    Ledger,
    is_firm,
    requirement,
    value_of,
    vault_equity,
)
from tests.reference.state import (
    ISOLATED,
    LONG,
    PPM,
    SIGN,
    Dust,
    Market,
    Money,
    Position,
    State,
)

DEFAULT_LEVERAGE = 10 * PPM  # of a vault whose owner never set one


class Ends(Exception):  # noqa: N818 - what becomes of the order
    """The order ends unfilled, for one of these reasons."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


class Waits(Exception):  # noqa: N818
    """The order stays as it is: the call is refused."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Trade:
    account: str
    market: int
    mode: int  # CROSS or ISOLATED
    named_side: int | None  # in hedge mode
    is_buy: bool
    reduce_only: bool
    size: int
    margin: int
    leverage: int
    keeper_fee: int
    is_escrowed: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """How many lots of the opposite slot close, and how many of the own one open."""

    reduced_side: int
    reduced: int
    opened_side: int
    opened: int


def plan(state: State, trade: Trade) -> Plan:
    account = state.accounts[trade.account]
    side = LONG if trade.is_buy else 1 - LONG
    if (trade.named_side is not None) != account.is_hedge:
        raise Ends("order: wrong position mode")
    if trade.named_side is None or trade.named_side != side:
        held = state.position(trade.account, trade.market, trade.mode + 1 - side).size
    else:
        held = 0
    only_reduces = trade.reduce_only or (trade.named_side is not None and trade.named_side != side)
    price = state.prices[trade.market].price
    least = state.markets[trade.market].terms.min_notional
    reduced = min(trade.size or held, held)
    if only_reduces and not reduced:
        raise Ends("position: nothing to reduce")
    if reduced and (held - reduced) * price < least:
        reduced = held
    opened = 0 if only_reduces else max(0, trade.size - held)
    if held and opened * price < least:
        opened = 0
    listed = state.markets[trade.market]
    if opened and (listed.is_reduce_only or state.house.is_stopped):
        raise Waits("market: not open")
    if opened:
        own = state.position(trade.account, trade.market, trade.mode + side).size
        if (own + opened) * price < least:
            raise Ends("size: below minimum")
    return Plan(1 - side, reduced, side, opened)


def impact_of(market: Market, price: Money, lots: int) -> Money:
    """What a signed trade pays above the mark: price * lots * (skew + lots / 2) / scale."""
    return Fraction(lots) * price * (market.skew + Fraction(lots, 2)) / market.terms.skew_scale


def fee_of(market: Market, price: Money, lots: int) -> Money:
    """Maker on what shrinks the skew, taker on the rest."""
    shrinks = min(abs(lots), abs(market.skew)) if lots * market.skew < 0 else 0
    terms = market.terms
    return price * (shrinks * terms.maker_fee + (abs(lots) - shrinks) * terms.taker_fee)


def fill_price(market: Market, price: Money, lots: int) -> Money:
    return price * (1 + (market.skew + Fraction(lots, 2)) / market.terms.skew_scale)


def share_fee(state: State, market: Market, fee: Money) -> None:
    insured = fee * market.terms.insurance_share
    treasury = fee * market.terms.treasury_share
    state.house.insurance += insured
    state.house.fees += treasury
    state.house.pool_cash += fee - insured - treasury


def take_off(state: State, place: tuple[str, int, int], lots: int) -> Money:
    """Closes lots at the mark: what they realise. The margin stays; the pool pays or gets."""
    account, number, slot = place
    position = state.positions[place]
    realised = Fraction(lots, position.size) * value_of(state, account, number, slot)
    position.entry -= Fraction(position.entry * lots, position.size)
    position.size -= lots
    state.markets[number].sizes[slot & 1] -= lots
    state.house.pool_cash -= realised
    return realised


def end(position: Position) -> None:
    """The slot keeps its generation and nothing else."""
    position.entry = position.margin = position.index = position.leverage = 0
    position.is_auto = False
    position.generation += 1


def check_caps(state: State, trade: Trade, planned: Plan, dust: Dust) -> None:
    market, price = state.markets[trade.market], state.prices[trade.market].price
    terms = market.terms
    skew = market.skew
    lots = (planned.reduced + planned.opened) * SIGN[planned.opened_side]
    after = skew + lots
    backing = terms.pool_share * state.house.pool_cash
    reasons = []
    if planned.opened:
        opened = market.sizes[planned.opened_side] + planned.opened
        if opened > terms.side_cap * terms.skew_scale:
            reasons.append("cap: open interest")
        reserve = opened * price * terms.reserve_rate * terms.skew_cap / terms.side_cap
        if not dust.holds(backing, reserve, dust=Fraction(abs(lots) * price, 100) + 4):
            reasons.append("cap: reserve")
    if planned.opened and abs(after) > abs(skew):
        if abs(after) > terms.skew_cap * terms.skew_scale:
            reasons.append("cap: skew")
        reserve = abs(after) * price * terms.reserve_rate
        if not dust.holds(backing, reserve, dust=Fraction(abs(lots) * price, 100) + 4):
            reasons.append("cap: reserve")
    if reasons:
        raise Ends(*reasons)


def fill(state: State, trade: Trade, keeper: str, dust: Dust) -> Plan:
    """Fills a trade; raises `Ends` or `Waits` where it can not be filled."""
    planned = plan(state, trade)
    if planned.opened:
        check_caps(state, trade, planned, dust)
    tried = state
    for keeper_fee in dict.fromkeys((trade.keeper_fee, 0)):
        tried = state.copy()
        accrue(tried, trade.market)
        try:
            _settle(tried, trade, planned, keeper, keeper_fee, dust)
        except Ends:
            # Where the fee is what stands in the way of closing it is forgiven.
            if planned.opened or not keeper_fee:
                raise
        else:
            break
    for name in ("house", "accounts", "markets", "positions", "allowances"):
        setattr(state, name, getattr(tried, name))
    return planned


def _settle(
    state: State, trade: Trade, planned: Plan, keeper: str, keeper_fee: int, dust: Dust
) -> None:
    account, market = state.accounts[trade.account], state.markets[trade.market]
    before = Ledger(state, trade.account, counts_silence=True)
    if trade.is_escrowed:
        escrowed = min(trade.keeper_fee, account.escrow)
        paid = min(keeper_fee, escrowed)
        account.escrow -= escrowed
        account.cash += escrowed - paid
        state.accounts[keeper].cash += paid
    if planned.reduced:
        slot = trade.mode + planned.reduced_side
        due = 0 if trade.is_escrowed else keeper_fee
        if trade.mode == ISOLATED:
            _reduce_vault(state, trade, slot, planned.reduced, keeper, due, dust)
        else:
            alone = not planned.opened
            _reduce_leg(state, trade, slot, planned.reduced, keeper, due, dust, before, alone=alone)
    if planned.opened:
        slot = trade.mode + planned.opened_side
        (_open_vault if trade.mode == ISOLATED else _open_leg)(
            state, trade, slot, planned.opened, dust
        )
    steer(market)


def _charges(state: State, trade: Trade, slot: int, lots: int) -> tuple[Money, Money]:
    """Impact and fee of a reduction."""
    market, price = state.markets[trade.market], state.prices[trade.market].price
    signed = -lots * SIGN[slot & 1]
    return impact_of(market, price, signed), fee_of(market, price, signed)


def _shrunk(free: Money, *charges: Money) -> list[Money]:
    """Charges as far as what is free bears them, the first ones first."""
    paid = []
    for charge in charges:
        part = charge if charge <= 0 else min(charge, max(0, free))
        free -= part
        paid.append(part)
    return paid


def _pay(state: State, trade: Trade, keeper: str, impact: Money, fee: Money, due: Money) -> None:
    state.house.pool_cash += impact
    share_fee(state, state.markets[trade.market], fee)
    state.accounts[keeper].cash += due


def _reduce_vault(
    state: State,
    trade: Trade,
    slot: int,
    lots: int,
    keeper: str,
    due: int,
    dust: Dust,
) -> None:
    place = (trade.account, trade.market, slot)
    position, market = state.positions[place], state.markets[trade.market]
    price = state.prices[trade.market].price
    equity = vault_equity(state, trade.account, trade.market, slot & 1)
    maintenance = requirement(market.tiers, position.size * price, initial=False)
    impact, fee = _charges(state, trade, slot, lots)
    released = Fraction(position.margin * lots, position.size)
    realised = take_off(state, place, lots)
    position.margin -= released
    paid: Money
    impact, fee, paid = _shrunk(released + position.margin + realised, impact, fee, due)
    rest = released + realised - impact - fee - paid
    if rest < 0:
        drawn = min(-rest, position.margin)
        position.margin -= drawn
        rest += drawn
    if rest < 0:
        state.take_deficit(-rest)
        rest = Fraction(0)
    state.accounts[trade.account].cash += rest
    _pay(state, trade, keeper, impact, fee, paid)
    if not position.size:
        end(position)
        return
    _check_reduction(
        dust,
        equity_before=equity,
        maintenance_before=maintenance,
        equity=vault_equity(state, trade.account, trade.market, slot & 1),
        notional=position.size * price,
        market=market,
    )


def _check_reduction(
    dust: Dust,
    *,
    equity_before: Money,
    maintenance_before: Money,
    equity: Money,
    notional: Money,
    market: Market,
) -> None:
    initial = requirement(market.tiers, notional, initial=True)
    maintenance = requirement(market.tiers, notional, initial=False)
    if dust.holds(equity, initial):
        return
    if not dust.holds(equity * Fraction(maintenance_before, maintenance), equity_before):
        raise Ends("margin: below initial")


def _reduce_leg(
    state: State,
    trade: Trade,
    slot: int,
    lots: int,
    keeper: str,
    due: Money,
    dust: Dust,
    before: Ledger,
    *,
    alone: bool,
) -> None:
    place = (trade.account, trade.market, slot)
    position, account = state.positions[place], state.accounts[trade.account]
    impact, fee = _charges(state, trade, slot, lots)
    skew_held = _held_skew(state, trade)
    realised = take_off(state, place, lots)
    if not position.size:
        end(position)
    account.cash += realised
    if not state.legs(trade.account):
        impact, fee, due = _shrunk(account.cash, impact, fee, due)
    account.cash -= impact + fee + due
    _pay(state, trade, keeper, impact, fee, due)
    if not state.legs(trade.account):
        write_off(state, trade.account)
        return
    if not alone:
        return
    after = Ledger(state, trade.account, counts_silence=True)
    gain = max(0, -impact)  # the fill's own counts for nothing
    if dust.holds(after.cash + after.value - gain, after.initial):
        return
    grows = abs(_held_skew(state, trade)) > abs(skew_held)
    equity = after.equity - gain
    if grows or not dust.holds(
        equity * Fraction(before.maintenance, after.maintenance), before.equity
    ):
        raise Ends("margin: below initial")


def _held_skew(state: State, trade: Trade) -> int:
    long, short = (state.position(trade.account, trade.market, side).size for side in (0, 1))
    return long - short


def write_off(state: State, name: str) -> None:
    """A debt without a leg: the account's escrow pays, then insurance, then the pool."""
    account = state.accounts[name]
    if account.cash >= 0:
        return
    clawed = min(account.escrow, -account.cash)
    account.escrow -= clawed
    account.cash += clawed
    state.take_deficit(-account.cash)
    account.cash = 0


def _grow(state: State, trade: Trade, slot: int, lots: int) -> tuple[Money, Money]:
    """Adds lots at the fill price; returns impact and fee."""
    market, price = state.markets[trade.market], state.prices[trade.market].price
    position = state.position(trade.account, trade.market, slot)
    side = slot & 1
    signed = lots * SIGN[side]
    impact, fee = impact_of(market, price, signed), fee_of(market, price, signed)
    position.index = (position.index * position.size + market.index * lots) / Fraction(
        position.size + lots
    )
    position.entry += lots * price + SIGN[side] * impact
    position.size += lots
    market.sizes[side] += lots
    return impact, fee


def _open_vault(state: State, trade: Trade, slot: int, lots: int, dust: Dust) -> None:
    account, market = state.accounts[trade.account], state.markets[trade.market]
    price = state.prices[trade.market].price
    if not is_firm(state, trade.account):
        raise Waits("price: not firm")
    impact, fee = _grow(state, trade, slot, lots)
    leverage = trade.leverage
    notional = lots * price
    least = max(Fraction(notional) * PPM / leverage, notional * market.tiers[0].initial)
    margin = trade.margin or least + max(0, impact)
    if not dust.holds(Ledger(state, trade.account).withdrawable, margin + fee):
        raise Ends("balance: not withdrawable")
    position = state.position(trade.account, trade.market, slot)
    position.margin += margin
    account.cash -= margin + fee
    share_fee(state, market, fee)
    equity = vault_equity(state, trade.account, trade.market, slot & 1) - max(0, -impact)
    if not dust.holds(equity, requirement(market.tiers, position.size * price, initial=True)):
        raise Ends("margin: below initial")


def _open_leg(state: State, trade: Trade, slot: int, lots: int, dust: Dust) -> None:
    if not is_firm(state, trade.account) or not state.prices[trade.market].is_fresh(state.now):
        raise Waits("price: not firm")
    impact, fee = _grow(state, trade, slot, lots)
    position = state.position(trade.account, trade.market, slot)
    position.leverage = trade.leverage
    other = state.position(trade.account, trade.market, slot ^ 1)
    if other.size:
        other.leverage = trade.leverage
    state.accounts[trade.account].cash -= fee
    share_fee(state, state.markets[trade.market], fee)
    after = Ledger(state, trade.account)
    if not dust.holds(after.cash + after.value - max(0, -impact), after.initial):
        raise Ends("margin: below initial")
