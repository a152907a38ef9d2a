"""Fills one order at one price: `modules/trading.vy`.

Everything is computed and checked before anything is stored, so a refusal is a value.
"""

from dataclasses import replace

from bulkhead import valuation
from bulkhead.markets import OPEN, MarketState
from bulkhead.protocol import market_math, words
from bulkhead.protocol.fixed_point import PPM
from bulkhead.protocol.reasons import Reason, must_wait
from bulkhead.protocol.words import Account
from bulkhead.simulate import cross_margin, fills, trade_checks
from bulkhead.simulate.fills import Desk, Part
from bulkhead.simulate.ledger import Ledger
from bulkhead.simulate.trades import Plan, Result, Trade
from bulkhead.valuation import is_long, slot_of

SHORT = 2  # position_side of the short in hedge mode, 1 is the long
USD = 10**15  # femto


def execute_trade(ledger: Ledger, trade: Trade) -> Result:
    """Fills a trade, leaves it to wait, or ends it."""
    state = ledger.market_state(trade.market)
    desk = _open_desk(ledger, trade, state)
    unfilled, keeper_fee = desk.account, desk.keeper_fee
    if trade.epoch not in (words.EPOCHS, unfilled.epoch):
        # Its owner has ended it: the fee stays with him.
        return _end(ledger, trade.account, unfilled, trade.account, keeper_fee, Reason.BY_OWNER)

    plan, reason = _plan(ledger, desk, trade)
    if reason == Reason.FILLED and plan.reduction.size:
        plan.reduced = fills.reduce(desk, plan.reduction)
        if plan.reduced.realised > 0 and desk.house.pool_cash + desk.house.insurance < 0:
            reason = Reason.POOL_SHORT
    if reason == Reason.FILLED and plan.increase.size:
        skew = desk.skew
        plan.increased = fills.increase(desk, plan.increase)
        reason = fills.limit_reason(desk, skew, trade.is_buy, plan.increased.position)
    if reason == Reason.FILLED:
        reason = trade_checks.check(ledger, trade, state, desk, unfilled, keeper_fee, plan)

    if reason == Reason.FILLED:
        if (
            trade.is_isolated
            and trade.is_escrowed
            and desk.account.cash >= unfilled.cash
            and not _may_leave(ledger, trade.account, desk.account, trade.keeper, desk.keeper_fee)
        ):
            # A vault that took nothing from the ledger: nothing has been asked of the ledger yet.
            desk.keep_fee()
        _store(ledger, desk, trade, plan)
        return Result(
            reason=reason,
            receiver=trade.keeper,
            keeper_fee=desk.keeper_fee,
            builder_fee=desk.builder_fee,
            filled=plan.increase.size,
            generation=plan.increased.position.generation,
        )
    if must_wait(reason):
        return Result(reason)
    return _end(ledger, trade.account, unfilled, trade.keeper, keeper_fee, reason)


def pay_unfilled(ledger: Ledger, account: str, state: Account, keeper: str, keeper_fee: int) -> str:
    """Ends an order unfilled: nothing happens but that its keeper is paid from its escrow.

    With legs open only if the account's initial margin holds without it: else orders that must end
    would be a way out of the ledger. What may not leave returns to the account's cash.

    Args:
        ledger: The words.
        account: Whose.
        state: The account's, with the fee taken out of its escrow.
        keeper: Who is to get it.
        keeper_fee: Quote.

    Returns:
        Who got the fee.
    """
    leaves = _may_leave(ledger, account, state, keeper, keeper_fee)
    receiver = keeper if leaves else account
    ledger.store_account(account, state)
    ledger.pay(receiver, keeper_fee)
    return receiver


def _end(
    ledger: Ledger, account: str, unfilled: Account, receiver: str, keeper_fee: int, reason: Reason
) -> Result:
    receiver = pay_unfilled(ledger, account, unfilled, receiver, keeper_fee)
    return Result(reason, receiver=receiver, keeper_fee=keeper_fee)


def _may_leave(ledger: Ledger, account: str, state: Account, keeper: str, keeper_fee: int) -> bool:
    """Whether initial margin holds without a keeper's fee that has left the account's escrow."""
    if keeper_fee == 0 or keeper == account or state.legs == 0:
        return True
    legs = cross_margin.value_legs(ledger, account, state.legs)
    return legs.is_firm and valuation.free_cash(state.cash, legs) >= 0


def _open_desk(ledger: Ledger, trade: Trade, state: MarketState) -> Desk:
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


def _plan(ledger: Ledger, desk: Desk, trade: Trade) -> tuple[Plan, Reason]:
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


def _store(
    ledger: Ledger,
    desk: Desk,
    trade: Trade,
    plan: Plan,
) -> None:
    drift = market_math.funding_drift(desk.terms.funding_velocity, desk.skew, desk.terms.skew_scale)
    left = {
        "market_word": ledger.store_market(trade.market, replace(desk.market, funding_drift=drift)),
        "account_word": ledger.store_account(trade.account, desk.account),
        "house_word": ledger.store_house(desk.house),
    }
    for part, fill, name in (
        (plan.reduction, plan.reduced, "PositionDecreased"),
        (plan.increase, plan.increased, "PositionIncreased"),
    ):
        if not part.size:
            continue
        long = is_long(part.slot)
        moved = (
            {"realised": fill.realised, "deficit": fill.deficit}
            if name == "PositionDecreased"
            else {"margin": fill.margin}
        )
        position_word = ledger.store_position(trade.account, trade.market, part.slot, fill.position)
        side_word = ledger.store_side(trade.market, long, desk.long if long else desk.short)
        ledger.log(
            name,
            account=trade.account,
            market=trade.market,
            order_hash=trade.order_hash,
            slot=part.slot,
            size=part.size,
            price=desk.price,
            impact=fill.impact,
            fee=fill.fee,
            **moved,
            position_word=position_word,
            side_word=side_word,
            **left,
        )
    ledger.pay(trade.keeper, desk.keeper_fee)
    if desk.builder_fee:
        # Down for the referrer: the builder has the rest.
        shared = desk.builder_fee * trade.referral_share // PPM
        ledger.pay(trade.builder, desk.builder_fee - shared)
        ledger.pay(trade.referrer, shared)
