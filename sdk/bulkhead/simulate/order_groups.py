"""Orders that hang together: `modules/order_groups.vy` and `modules/brackets.vy`.

One cancels other: of those that a placer put into one group of an account the first that fills ends
the rest. A bracket's child sleeps until its entry has filled, closes exactly that, and ends with
its sibling or with the position.
"""

from dataclasses import replace

from bulkhead.orders import NO_GROUP, Order, OrderKind, OrderStatus
from bulkhead.protocol.reasons import Reason
from bulkhead.protocol.words import OrderState
from bulkhead.simulate.guards import require
from bulkhead.simulate.ledger import Ledger


def reason_of(ledger: Ledger, order: Order, *, is_child: bool) -> Reason:
    """What the rest of its bracket or group has against filling an order, if anything."""
    if is_child:
        return _entry_reason(ledger.order(order.group))
    key = (order.account, order.placer, order.group)
    if order.group != NO_GROUP and key in ledger.state.done_groups:
        return Reason.GROUP_DONE
    return Reason.FILLED


def joined(ledger: Ledger, order: Order, state: OrderState) -> OrderState:
    """An order's state; a child's with what it has from its entry.

    That is from which price on it may fill, how much, of which generation of the position.
    """
    if not state.is_child:
        return state
    entry = ledger.order(order.group)
    return replace(
        state,
        executable_from=max(state.executable_from, entry.executable_from),
        filled=entry.filled,
        generation=entry.generation,
    )


def finish(ledger: Ledger, order: Order, *, is_child: bool) -> None:
    """An order has filled: the rest of its bracket or group is done, for good."""
    if is_child:
        entry = ledger.order(order.group)
        ledger.store_order(order.group, replace(entry, is_spent=True))
    elif order.group != NO_GROUP:
        ledger.finish_group((order.account, order.placer, order.group))


def check_child(child: Order, entry: Order) -> None:
    """A child says the entry's market and position, and that it closes what the entry opens."""
    require(not entry.reduce_only, "bracket: entry only reduces")
    require(
        child.account == entry.account
        and child.market == entry.market
        and child.margin_mode == entry.margin_mode
        and child.position_side == entry.position_side
        and child.is_buy != entry.is_buy
        and child.reduce_only
        and child.size == 0
        and child.kind >= OrderKind.STOP
        and child.group == NO_GROUP,
        "bracket: child not of its entry",
    )


def _entry_reason(entry: OrderState) -> Reason:
    if entry.status == OrderStatus.PENDING:
        return Reason.ENTRY_PENDING
    if entry.status != OrderStatus.EXECUTED or entry.is_spent:
        return Reason.GROUP_DONE
    if entry.filled == 0:
        return Reason.POSITION_ENDED
    return Reason.FILLED
