"""Fills one order at one price: `modules/trading.vy`.

Everything is computed and checked before anything is stored, so a refusal is a value.
"""

from dataclasses import replace

from bulkhead import valuation
from bulkhead.protocol import market_math, words
from bulkhead.protocol.fixed_point import PPM
from bulkhead.protocol.reasons import Reason, must_wait
from bulkhead.protocol.words import Account
from bulkhead.simulate import cross_margin, fills, trade_checks, trade_plan
from bulkhead.simulate.fills import Desk
from bulkhead.simulate.ledger import Ledger
from bulkhead.simulate.trades import Plan, Result, Trade
from bulkhead.valuation import is_long


def execute_trade(ledger: Ledger, trade: Trade) -> Result:
    """Fills a trade, leaves it to wait, or ends it."""
    state = ledger.market_state(trade.market)
    desk = trade_plan.open_desk(ledger, trade, state)
    unfilled, keeper_fee = desk.account, desk.keeper_fee
    if trade.epoch not in (words.EPOCHS, unfilled.epoch):
        # Its owner has ended it: the fee stays with him.
        return _end(ledger, trade.account, unfilled, trade.account, keeper_fee, Reason.BY_OWNER)

    plan, reason = trade_plan.plan_of(ledger, desk, trade)
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
