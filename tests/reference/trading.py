"""Sections 4 and 5: what a trade does once its price says yes, in exact numbers."""

from dataclasses import dataclass

from tests.reference.fills import Ends, Trade, Waits, fee_of
from tests.reference.funding import accrue, steer
from tests.reference.margin import Ledger, may_leave
from tests.reference.opening import open_leg, open_vault
from tests.reference.reducing import reduce_leg, reduce_vault
from tests.reference.state import CERTAIN, ISOLATED, LONG, PPM, SIGN, Dust, Money, State

DEFAULT_LEVERAGE = 10 * PPM  # of a vault whose owner never set one


@dataclass(frozen=True, slots=True)
class Plan:
    """How many lots of the opposite slot close, and how many of the own one open."""

    reduced_side: int
    reduced: int
    opened_side: int
    opened: int


def is_closed(state: State, market: int) -> bool:
    """To what opens, by the guardian's two flags."""
    return state.markets[market].is_reduce_only or state.house.is_stopped


def is_doubted(state: State, market: int) -> bool:
    return state.prices[market].caution != CERTAIN


def plan(state: State, trade: Trade, refusal: str = "") -> Plan:
    """What a trade would do; a closed market keeps what would open, whatever else is wrong."""
    side = LONG if trade.is_buy else 1 - LONG
    against = [refusal] if refusal else []
    is_wrong = (trade.named_side is not None) != state.accounts[trade.account].is_hedge
    if is_wrong:
        against.append("order: wrong position mode")
    may_reduce = is_wrong or trade.named_side is None or trade.named_side != side
    may_open = not trade.reduce_only and (is_wrong or trade.named_side in (None, side))
    price = state.prices[trade.market].price
    least = state.markets[trade.market].terms.min_notional
    held = 0
    if may_reduce:
        held = state.position(trade.account, trade.market, trade.mode + 1 - side).size
    reduced = min(trade.size or held, held)
    opened = max(0, trade.size - reduced) if may_open else 0
    if reduced and (held - reduced) * price < least:
        reduced = held
    if reduced and opened * price < least:
        opened = 0
    if not reduced and not opened:
        against.append("position: nothing to reduce")
    if opened and is_doubted(state, trade.market):
        raise Waits("price: not firm")
    if opened and is_closed(state, trade.market):
        raise Waits("market: not open")
    own = state.position(trade.account, trade.market, trade.mode + side).size
    if opened and not reduced and (own + opened) * price < least:
        against.append("size: below minimum")
    if against:
        raise Ends(*against)
    return Plan(1 - side, reduced, side, opened)


def check_caps(state: State, trade: Trade, planned: Plan, dust: Dust) -> None:
    """Of what opens, once the rest is closed, with what it pays the pool."""
    market, price = state.markets[trade.market], state.prices[trade.market].price
    terms = market.terms
    skew, lots = market.skew, planned.opened * SIGN[planned.opened_side]
    paid = fee_of(market, price, lots) * (1 - terms.insurance_share - terms.treasury_share)
    backing = terms.pool_share * (state.house.pool_cash + paid)
    reasons = []
    opened = market.sizes[planned.opened_side] + planned.opened
    if opened > terms.side_cap * terms.skew_scale:
        reasons.append("cap: open interest")
    reserve = opened * price * terms.reserve_rate * terms.skew_cap / terms.side_cap
    if not dust.holds(backing, reserve):
        reasons.append("cap: reserve")
    if abs(skew + lots) > abs(skew):
        if abs(skew + lots) > terms.skew_cap * terms.skew_scale:
            reasons.append("cap: skew")
        reserve = abs(skew + lots) * price * terms.reserve_rate
        if not dust.holds(backing, reserve):
            reasons.append("cap: reserve")
    if reasons:
        raise Ends(*reasons)


def fill(state: State, trade: Trade, keeper: str, dust: Dust, refusal: str = "") -> Plan:
    """Fills a trade; raises `Ends` or `Waits` where it can not be filled.

    `refusal`: what the order book has against it, if anything.
    """
    planned = plan(state, trade, refusal)
    tried = state
    for keeper_fee in dict.fromkeys((trade.keeper_fee, 0)):
        tried = state.copy()
        accrue(tried, trade.market)
        try:
            _settle(tried, trade, planned, keeper, keeper_fee, dust)
        except Ends:
            # Where the fee is what stands in the way of closing a leg it is forgiven.
            if planned.opened or not keeper_fee or trade.mode == ISOLATED:
                raise
        else:
            break
    state.take(tried)
    return planned


def _settle(
    state: State, trade: Trade, planned: Plan, keeper: str, keeper_fee: int, dust: Dust
) -> None:
    account, market = state.accounts[trade.account], state.markets[trade.market]
    before = Ledger(state, trade.account, counts_silence=True)
    due: Money = keeper_fee
    reduced_slot, opened_slot = trade.mode + planned.reduced_side, trade.mode + planned.opened_side
    if trade.is_escrowed:
        escrowed = min(trade.keeper_fee, account.escrow)
        due = min(keeper_fee, escrowed)
        account.escrow -= escrowed
        account.cash += escrowed - due
    if trade.mode == ISOLATED:
        cash = account.cash
        if planned.reduced:
            unpaid = 0 if trade.is_escrowed else due
            reduce_vault(state, trade, reduced_slot, planned.reduced, keeper, unpaid, dust)
        if planned.opened:
            check_caps(state, trade, planned, dust)
            open_vault(state, trade, opened_slot, planned.opened, cash, dust)
        if trade.is_escrowed:
            # One that takes nothing from the ledger asks nothing of it, either.
            leaves = account.cash < cash or may_leave(state, trade.account, dust)
            state.accounts[keeper if leaves else trade.account].cash += due
    else:
        if trade.is_escrowed:
            account.cash += due
        if planned.reduced:
            alone = not planned.opened
            reduce_leg(
                *(state, trade, reduced_slot, planned.reduced, keeper, due, dust, before),
                alone=alone,
            )
        elif trade.is_escrowed:
            account.cash -= due
            state.accounts[keeper].cash += due
        if planned.opened:
            check_caps(state, trade, planned, dust)
            open_leg(state, trade, opened_slot, planned.opened, dust)
    steer(market)
