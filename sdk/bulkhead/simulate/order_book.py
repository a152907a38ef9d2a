"""Fills orders at a later price, replaces and cancels them: `OrderBook.vy` and `OrderLogic.vy`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bulkhead import decisions
from bulkhead.errors import Refused
from bulkhead.orders import NO_GROUP, Order, OrderKind, OrderStatus, Permission
from bulkhead.protocol import words
from bulkhead.protocol.fixed_point import PPM
from bulkhead.protocol.reasons import Reason, must_wait, text_of
from bulkhead.protocol.words import OrderState
from bulkhead.simulate import (
    builders,
    cancellation,
    operators,
    order_groups,
    order_rules,
    placement,
    trading,
)
from bulkhead.simulate.guards import require
from bulkhead.simulate.ledger import Ledger
from bulkhead.simulate.trades import Result, Trade


def execute(ledger: Ledger, keeper: str, order: Order) -> int:
    """Fills an order at the current price, or ends it if it can not be filled.

    Returns:
        Its status: 2 executed, 3 cancelled.
    """
    order_hash, state = _pending(ledger, order)
    reason, failure = _execute(ledger, keeper, order, order_hash, state)
    if failure is not None:
        raise failure
    if reason == Reason.FILLED:
        return OrderStatus.EXECUTED
    require(not must_wait(reason), text_of(reason))
    return OrderStatus.CANCELLED


def execute_orders(ledger: Ledger, keeper: str, orders: Sequence[Order]) -> tuple[int, ...]:
    """The same for many: one that must wait, is unknown or fails is left as it was.

    Returns:
        Each order's status.
    """
    statuses = []
    for order in orders:
        order_hash = ledger.hash_of(order)
        state = ledger.order(order_hash)
        if state.status == OrderStatus.PENDING:
            _execute(ledger, keeper, order, order_hash, state)
        statuses.append(ledger.order(order_hash).status)
    return tuple(statuses)


def cancel(ledger: Ledger, sender: str, order: Order) -> None:
    """Ends an order and returns its keeper's fee."""
    cancellation.cancel(ledger, sender, order, *_pending(ledger, order))


def cancel_orders(ledger: Ledger, sender: str, orders: Sequence[Order]) -> None:
    """The same for many; those that are not pending are skipped."""
    for order in orders:
        order_hash = ledger.hash_of(order)
        state = ledger.order(order_hash)
        if state.status == OrderStatus.PENDING:
            cancellation.cancel(ledger, sender, order, order_hash, state)


def replace_order(ledger: Ledger, sender: str, old: Order, order: Order) -> bytes:
    """Cancels an order for another of the same position.

    Returns:
        The new one's hash.
    """
    order_hash, state = _pending(ledger, old)
    operators.require_may(ledger, old.account, sender, old.market, Permission.CANCEL)
    order_rules.check_heir(order, old, state)
    # A group is its placer's: another's would be another group.
    require(state.is_child or old.group == NO_GROUP or old.placer == sender, "order: bad group")
    cancellation.cancel(ledger, sender, old, order_hash, state)
    bound_to = state.generation + 1 if state.is_bound else 0
    return placement.place(ledger, sender, order, is_child=state.is_child, bound_to=bound_to)


def cancel_all(ledger: Ledger, sender: str, account: str) -> None:
    """Ends all resting orders that an account has placed so far."""
    operators.require_may(ledger, account, sender, operators.ANY_MARKET, Permission.CANCEL)
    state = ledger.account(account)
    state = replace(state, epoch=(state.epoch + 1) % words.EPOCHS)
    ledger.log("EpochAdvanced", account=account, account_word=ledger.store_account(account, state))


def ratchet(ledger: Ledger, orders: Sequence[Order]) -> int:
    """Shows the current prices to trailing stops.

    Returns:
        How many it moved.
    """
    count = 0
    for order in orders:
        order_hash = ledger.hash_of(order)
        state = ledger.order(order_hash)
        if state.status != OrderStatus.PENDING or order.kind != OrderKind.TRAILING_STOP:
            continue
        if order_groups.reason_of(ledger, order, is_child=state.is_child) != Reason.FILLED:
            continue
        market = ledger.market_state(order.market)
        executable_from = order_groups.joined(ledger, order, state).executable_from
        reason = order_rules.price_reason(order, executable_from, state.extreme, market)
        if (
            reason not in (Reason.FILLED, Reason.PRICE_NOT_TRIGGERED)
            or market.price.caution != words.NO_CAUTION
        ):
            continue
        extreme = decisions.ratcheted(order, state.extreme, market.price.price)
        if extreme != state.extreme:
            count += 1
            word = ledger.store_order(order_hash, replace(state, extreme=extreme))
            ledger.log("OrderRatcheted", order_hash=order_hash, order_word=word)
    return count


def _execute(
    ledger: Ledger,
    keeper: str,
    order: Order,
    order_hash: bytes,
    state: OrderState,
) -> tuple[Reason, Refused | None]:
    """Fills or ends a pending order, or leaves it as it is.

    Returns:
        That it was filled or why not; and, if the clearinghouse refused, with what: then nothing
        has changed.
    """
    reason, trade = _prepare(ledger, order, order_hash, state, keeper)
    if reason != Reason.FILLED:
        if not must_wait(reason):
            # What clears an expired order earns its fee; what is dead owes nobody any.
            receiver = keeper if reason == Reason.EXPIRED else order.account
            fee = cancellation.escrowed_fee(state)
            cancellation.end(ledger, order_hash, order.account, receiver, fee, reason)
        return reason, None

    try:
        with ledger.call():
            result = trading.execute_trade(ledger, trade)
    except Refused as refusal:
        return Reason.FAILED, refusal
    if result.reason == Reason.FILLED:
        _fill(ledger, keeper, order, trade, result)
    elif not must_wait(result.reason):
        cancellation.close(ledger, order_hash)
        cancellation.log_end(
            ledger, order_hash, order.account, result.receiver, result.keeper_fee, result.reason
        )
    return result.reason, None


def _fill(ledger: Ledger, keeper: str, order: Order, trade: Trade, result: Result) -> None:
    """Notes what an order opened, and from which price on its children may fill."""
    order_hash = trade.order_hash
    filled = replace(
        ledger.order(order_hash),
        status=int(OrderStatus.EXECUTED),
        executable_from=ledger.price(order.market).published_at + 1,
        filled=result.filled,
        generation=result.generation,
    )
    ledger.store_order(order_hash, filled)
    ledger.log("OrderExecuted", order_hash=order_hash, keeper=keeper, keeper_fee=result.keeper_fee)
    order_groups.finish(ledger, order, is_child=filled.is_child)
    if result.builder_fee:
        # Down for the referrer, as the clearinghouse has paid it.
        shared = result.builder_fee * trade.referral_share // PPM
        ledger.log(
            "BuilderPaid",
            order_hash=order_hash,
            builder=trade.builder,
            referrer=trade.referrer,
            builder_fee=result.builder_fee - shared,
            referral=shared,
        )


def _prepare(
    ledger: Ledger,
    order: Order,
    order_hash: bytes,
    state: OrderState,
    keeper: str,
) -> tuple[Reason, Trade]:
    """What to ask of the clearinghouse for a pending order, and why not to ask if so."""
    reason = order_groups.reason_of(ledger, order, is_child=state.is_child)
    joined = order_groups.joined(ledger, order, state)
    if must_wait(reason):
        if order.expiry and ledger.now > order.expiry:
            reason = Reason.EXPIRED
        elif reason == Reason.FILLED:
            reason = order_rules.price_reason(
                order, joined.executable_from, joined.extreme, ledger.market_state(order.market)
            )
    # While the price says no, nothing else ends an order: a refusal is the clearinghouse's to
    # weigh.
    permission = operators.permission_of(order)
    is_allowed = operators.may(ledger, order.account, order.placer, order.market, permission)
    refusal = Reason.FILLED if is_allowed else Reason.NOT_ALLOWED
    referral = builders.referral_of(ledger, order)
    return reason, order_rules.trade_of(order, order_hash, joined, keeper, refusal, referral)


def _pending(ledger: Ledger, order: Order) -> tuple[bytes, OrderState]:
    order_hash = ledger.hash_of(order)
    state = ledger.order(order_hash)
    require(state.status == OrderStatus.PENDING, "order: not pending")
    return order_hash, state
