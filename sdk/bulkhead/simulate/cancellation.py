"""Ends orders unfilled: `modules/cancellation.vy`."""

from dataclasses import replace

from bulkhead.orders import Order, OrderKind, OrderStatus, Permission
from bulkhead.protocol.reasons import Reason, must_wait, text_of
from bulkhead.protocol.words import OrderState
from bulkhead.simulate import operators, order_groups, order_rules, trading
from bulkhead.simulate.guards import require
from bulkhead.simulate.ledger import Ledger


def cancel(ledger: Ledger, sender: str, order: Order, order_hash: bytes, state: OrderState) -> None:
    """Ends an order for its owner or an operator; a dead one for anybody."""
    reason = Reason.BY_OWNER
    if operators.may(ledger, order.account, sender, order.market, Permission.CANCEL):
        require(
            order.kind != OrderKind.MARKET or ledger.now > order.expiry,
            "order: market is binding",
        )
    else:
        reason = _death(ledger, order, state)
        require(reason != Reason.FILLED, "operator: not allowed")
    end(ledger, order_hash, order.account, order.account, escrowed_fee(state), reason)


def end(
    ledger: Ledger,
    order_hash: bytes,
    account: str,
    receiver: str,
    escrowed: int,
    reason: Reason,
) -> None:
    """Ends an order unfilled; what it escrowed goes to the receiver."""
    close(ledger, order_hash)
    paid, keeper_fee = receiver, 0
    if escrowed:
        state = ledger.account(account)
        keeper_fee = min(escrowed, state.escrow)
        state = replace(state, escrow=state.escrow - keeper_fee)
        paid = trading.pay_unfilled(ledger, account, state, receiver, keeper_fee)
    log_end(ledger, order_hash, account, paid, keeper_fee, reason)


def close(ledger: Ledger, order_hash: bytes) -> None:
    """Marks an order as ended."""
    ledger.store_order(
        order_hash, replace(ledger.order(order_hash), status=int(OrderStatus.CANCELLED))
    )


def log_end(
    ledger: Ledger,
    order_hash: bytes,
    account: str,
    receiver: str,
    keeper_fee: int,
    reason: Reason,
) -> None:
    """Logs who got the fee of an order that ended unfilled, and why it did."""
    ledger.log(
        "OrderCancelled",
        order_hash=order_hash,
        account=account,
        receiver=receiver,
        keeper_fee=keeper_fee,
        reason=text_of(reason),
    )


def escrowed_fee(state: OrderState) -> int:
    """What of a keeper's fee waits in escrow, quote."""
    return state.keeper_fee if state.escrowed else 0


def _death(ledger: Ledger, order: Order, state: OrderState) -> Reason:
    """Why an order can never fill any more, if the book knows."""
    reason = order_groups.reason_of(ledger, order, is_child=state.is_child)
    if not must_wait(reason):
        return reason
    if order.kind != OrderKind.MARKET and state.epoch != ledger.account(order.account).epoch:
        return Reason.BY_OWNER
    if state.is_bound or (state.is_child and reason == Reason.FILLED):
        slot = order_rules.closes_slot(order)
        generation = ledger.position(order.account, order.market, slot).generation
        if generation != order_groups.joined(ledger, order, state).generation:
            return Reason.POSITION_ENDED
    return Reason.FILLED
