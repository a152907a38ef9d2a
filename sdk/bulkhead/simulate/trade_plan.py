"""What an order is about to do: `modules/trade_plan.vy`. Nothing is stored."""

from dataclasses import replace

from bulkhead.markets import OPEN, MarketState
from bulkhead.protocol import market_math, words
from bulkhead.protocol.reasons import Reason
from bulkhead.simulate import fills
from bulkhead.simulate.fills import Desk, Part
from bulkhead.simulate.ledger import Ledger
from bulkhead.simulate.trades import Plan, Trade
from bulkhead.valuation import slot_of

SHORT = 2  # position_side of the short in hedge mode, 1 is the long
USD = 10**15  # femto


def open_desk(ledger: Ledger, trade: Trade, state: MarketState) -> Desk:
    """The state a fill works on: funding accrued, the keeper's fee taken out of escrow."""
    account, keeper_fee = ledger.account(trade.account), 0
    if trade.is_escrowed:
        keeper_fee = min(trade.keeper_fee, account.escrow)
        account = replace(account, escrow=account.escrow - keeper_fee)
    return Desk(
        account=account,
        market=state.funding,
        terms=state.market.terms,
        house=ledger.house,
        long=state.long,
        short=state.short,
        price=state.price.price,
        caution=state.price.caution,
        initial_rate=state.tiers.initial_rate,
        keeper_fee=keeper_fee,
        builder_rate=trade.builder_rate,
        builder_fee=0,
    )


def plan_of(ledger: Ledger, desk: Desk, trade: Trade) -> tuple[Plan, Reason]:
    """Which slots an order touches and by how much.

    In one-way mode it reduces the opposite slot first and opens its own with the rest; in hedge
    mode it names its slot. A reduction that would leave less than the minimum closes all of it; a
    flip whose rest would be less only closes.
    """
    slot = slot_of(isolated=trade.is_isolated, long=trade.is_buy)
    increase = Part(trade.market, slot, margin=trade.margin, leverage=trade.leverage)
    reduction = Part(
        trade.market, slot ^ 1, keeper_fee=0 if trade.is_escrowed else trade.keeper_fee
    )
    reason = trade.refusal
    may_reduce, may_increase = True, not trade.reduce_only
    is_hedge = bool(desk.account.flags & words.FLAG_HEDGE)
    if is_hedge != (trade.position_side != 0):
        reason = Reason.WRONG_MODE
    elif is_hedge:
        may_reduce = trade.is_buy == (trade.position_side == SHORT)
        may_increase = may_increase and not may_reduce

    _read(ledger, desk, trade, increase, is_needed=may_increase)
    _read(ledger, desk, trade, reduction, is_needed=False, may_read=may_reduce)
    held = reduction.position.size
    if may_reduce:
        reduction.size = min(trade.size, held) if trade.size else held
    if trade.bound_to and (not held or reduction.position.generation + 1 != trade.bound_to):
        reduction.size = 0
        reason = Reason.POSITION_ENDED
    if may_increase:
        increase.size = trade.size - reduction.size

    least = desk.terms.min_notional * USD
    if reduction.size:
        if (held - reduction.size) * desk.price < least:
            reduction.size = held
        if increase.size * desk.price < least:
            increase.size = 0
    elif not increase.size:
        if reason == Reason.FILLED:
            reason = Reason.NOTHING_TO_REDUCE
    elif (increase.position.size + increase.size) * desk.price < least:
        reason = Reason.BELOW_MINIMUM
    if not trade.is_isolated and not reduction.size and held:
        increase.leverage = reduction.position.margin  # the legs of a pair share one
    reason = _price_reason(desk, trade, reduction.size, increase.size, reason)
    return Plan(reduction, increase), reason


def _read(
    ledger: Ledger,
    desk: Desk,
    trade: Trade,
    part: Part,
    *,
    is_needed: bool,
    may_read: bool = False,
) -> None:
    """Reads a slot's position where it matters.

    A cross order needs both legs for the margin of the pair, a vault only its own. What is known to
    be closed is not read, unless its generation is needed.
    """
    if trade.is_isolated:
        is_open = desk.account.vaults != 0 and may_read
    else:
        is_open = bool(desk.account.legs & words.leg_bit(trade.market, part.slot))
    if is_needed or is_open:
        part.position = ledger.position(trade.account, trade.market, part.slot)


def _price_reason(desk: Desk, trade: Trade, reduced: int, increased: int, reason: Reason) -> Reason:
    """What the price, or a stopped market, has against it: while it does, nothing else ends it."""
    if trade.acceptable_price:
        # The average fill price, exact, against the acceptable one.
        delta = fills.signed_size(max(reduced + increased, 1), trade.is_buy)
        paid = delta * desk.price + market_math.impact_cost(
            delta, desk.skew, desk.terms.skew_scale, desk.price
        )
        if paid > delta * trade.acceptable_price:
            reason = Reason.PRICE_NOT_ACCEPTABLE
    if increased and (desk.terms.status != OPEN or desk.house.flags & words.FLAG_STOPPED):
        reason = Reason.MARKET_NOT_OPEN
    if increased and desk.caution != words.NO_CAUTION:
        reason = Reason.PRICE_NOT_FIRM
    return reason
