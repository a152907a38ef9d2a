"""Closing: what a reduction releases, pays and must leave."""

from fractions import Fraction

from tests.reference import fills
from tests.reference.fills import Ends, Trade
from tests.reference.margin import Ledger, requirement, vault_equity
from tests.reference.state import Dust, Market, Money, State


def reduce_vault(
    state: State,
    trade: Trade,
    slot: int,
    lots: int,
    keeper: str,
    due: Money,
    dust: Dust,
) -> None:
    place = (trade.account, trade.market, slot)
    position, market = state.positions[place], state.markets[trade.market]
    price = state.prices[trade.market].price
    equity = vault_equity(state, trade.account, trade.market, slot & 1)
    maintenance = requirement(market.tiers, position.size * price, initial=False)
    charges = fills.charges_of(state, trade, 1 - slot % 2, lots, due)
    released = Fraction(position.margin * lots, position.size)
    realised = fills.take_off(state, place, lots)
    position.margin -= released
    charges = charges.within(released + position.margin + realised)
    rest = released + realised - charges.total
    if rest < 0:
        drawn = min(-rest, position.margin)
        position.margin -= drawn
        rest += drawn
    if rest < 0:
        state.take_deficit(-rest)
        rest = Fraction(0)
    state.accounts[trade.account].cash += rest
    state.house.pool_cash += charges.impact
    fills.pay(state, trade, keeper, charges)
    fills.check_pool(state, realised - charges.impact, dust)
    if not position.size:
        fills.end(position)
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


def reduce_leg(
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
    charges = fills.charges_of(state, trade, 1 - slot % 2, lots, due)
    skew_held = _held_skew(state, trade)
    realised = fills.take_off(state, place, lots)
    if not position.size:
        fills.end(position)
    account.cash += realised
    if not state.legs(trade.account):
        charges = charges.within(account.cash + account.escrow)
    account.cash -= charges.total
    state.house.pool_cash += charges.impact
    fills.pay(state, trade, keeper, charges)
    fills.check_pool(state, realised - charges.impact, dust)
    if not state.legs(trade.account):
        fills.write_off(state, trade.account)
        return
    if not alone:
        return
    after = Ledger(state, trade.account, counts_silence=True)
    gain = max(0, -charges.impact)  # the fill's own counts for nothing
    if dust.holds(after.cash + after.value - gain, after.initial):
        return
    grows = abs(_held_skew(state, trade)) > abs(skew_held)
    equity = after.equity - gain
    # Without a requirement, where settled legs alone are left, whoever owes nothing is healthy.
    healthy = before.equity * Fraction(after.maintenance, before.maintenance)
    if grows or not dust.holds(equity, healthy):
        raise Ends("margin: below initial")


def _held_skew(state: State, trade: Trade) -> int:
    long, short = (state.position(trade.account, trade.market, side).size for side in (0, 1))
    return long - short
