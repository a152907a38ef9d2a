"""What margin has against a fill: `modules/trade_checks.vy`. A refusal is a value."""

from dataclasses import replace

from bulkhead import valuation
from bulkhead.markets import MarketState
from bulkhead.protocol.fixed_point import FEMTO
from bulkhead.protocol.reasons import Reason
from bulkhead.protocol.words import Account, Position
from bulkhead.simulate import cross_margin
from bulkhead.simulate.fills import Desk
from bulkhead.simulate.ledger import Ledger
from bulkhead.simulate.trades import Plan, Trade
from bulkhead.valuation import Valuation


def check(
    ledger: Ledger,
    trade: Trade,
    state: MarketState,
    desk: Desk,
    unfilled: Account,
    keeper_fee: int,
    plan: Plan,
) -> Reason:
    """What margin has against a fill that is on the desk.

    Args:
        ledger: The words.
        trade: What is filled.
        state: Its market.
        desk: After the fill.
        unfilled: The account before it, the keeper's fee taken out of its escrow.
        keeper_fee: That fee.
        plan: What the trade does, and what becomes of it.
    """
    if not trade.is_isolated:
        if not desk.account.legs:
            return Reason.FILLED
        held = unfilled.cash + unfilled.escrow + keeper_fee
        reason = _check_cross(ledger, trade, held, desk.account, state, plan)
        if reason == Reason.BELOW_INITIAL and not plan.increase.size and desk.keeper_fee:
            # The keeper's fee must not be what keeps a position from being closed.
            desk.keep_fee()
            reason = _check_cross(ledger, trade, held, desk.account, state, plan)
        return reason
    if plan.increase.size:
        return _check_opened(ledger, trade, unfilled.cash, desk.account, state, plan)
    if plan.reduced.unpaid:
        return Reason.BELOW_INITIAL
    if plan.reduced.from_vault:
        return _check_reduced(state, plan)
    return Reason.FILLED


def _check_opened(
    ledger: Ledger,
    trade: Trade,
    cash_before: int,
    account: Account,
    state: MarketState,
    plan: Plan,
) -> Reason:
    """What an isolated order takes from the cross ledger must be withdrawable.

    And the vault must hold the tiers' initial margin without the fill's own gain. (The leverage
    decides what an order moves, so that a vault at a loss can still be added to.)
    """
    taken = cash_before - account.cash
    if taken > 0:
        available = cash_before
        if account.legs:
            legs = cross_margin.value_legs(ledger, trade.account, account.legs)
            if not legs.is_firm:
                return Reason.PRICE_NOT_FIRM
            available = valuation.free_cash(cash_before, legs)
        if taken > available:
            return Reason.NOT_WITHDRAWABLE
    vault = valuation.value_vault(state, plan.increase.slot, plan.after_increase)
    if vault.worth - plan.gain < vault.initial:
        return Reason.BELOW_INITIAL
    return Reason.FILLED


def _check_reduced(state: MarketState, plan: Plan) -> Reason:
    """A vault that paid for its own reduction must be no less healthy than before.

    (Any other shrinks alike in margin, value and requirement.)
    """
    now = valuation.value_vault(state, plan.reduction.slot, plan.after_reduction)
    then = valuation.value_vault(state, plan.reduction.slot, plan.before)
    if now.worth >= now.initial or _is_healthier(now, then):
        return Reason.FILLED
    return Reason.BELOW_INITIAL


def _check_cross(
    ledger: Ledger,
    trade: Trade,
    held: int,
    account: Account,
    state: MarketState,
    plan: Plan,
) -> Reason:
    """The account must hold its initial margin without the fill's own gain.

    A reduction may instead leave equity / maintenance margin no lower: one that does not raise the
    net position of its market.

    Args:
        ledger: The words.
        trade: What is filled.
        held: Quote, cash and escrow before.
        account: After it.
        state: The market.
        plan: What it does, and what becomes of it.
    """
    reduced, increased = plan.after_reduction, plan.after_increase
    others = cross_margin.value_legs(
        ledger, trade.account, account.legs & ~(3 << (trade.market << 1))
    )
    if plan.increase.size and not others.is_firm:
        return Reason.PRICE_NOT_FIRM
    now = others + _value_pair(state, trade.is_buy, reduced, increased)
    worth = now.worth + account.cash * FEMTO
    if worth - plan.gain >= now.initial:
        return Reason.FILLED
    if not plan.increase.size and abs(reduced.size - increased.size) <= abs(
        plan.before.size - increased.size
    ):
        then = others + _value_pair(state, trade.is_buy, plan.before, increased)
        # Escrow counts for maintenance; the keeper's fee was in it, or in the cash, and has left.
        if _is_healthier(
            replace(now, worth=worth + account.escrow * FEMTO),
            replace(then, worth=then.worth + held * FEMTO),
        ):
            return Reason.FILLED
    return Reason.BELOW_INITIAL


def _value_pair(
    state: MarketState, is_buy: bool, reduced: Position, increased: Position
) -> Valuation:
    if is_buy:
        return valuation.value_pair(state, increased, reduced)
    return valuation.value_pair(state, reduced, increased)


def _is_healthier(now: Valuation, then: Valuation) -> bool:
    """Whether equity / maintenance margin is not lower than it was."""
    return now.worth * then.maintenance >= then.worth * now.maintenance
