# pragma version 0.4.3
"""
@title Brackets
@license MIT
@notice An entry and the orders that close what it opens: its children. A child sleeps until its entry has
        filled, closes exactly that, and ends with its sibling or with the position.
"""

from ..interfaces import IOrderBook
from ..lib import reasons
from ..lib import words
from . import order_rules


@internal
@pure
def _check_child(child: IOrderBook.Order, entry: IOrderBook.Order):
    """
    @notice A child says the entry's market and position, and that it closes what the entry opens.
    """
    assert not entry.reduce_only, "bracket: entry only reduces"
    assert (
        child.account == entry.account
        and child.market == entry.market
        and child.margin_mode == entry.margin_mode
        and child.position_side == entry.position_side
        and child.is_buy != entry.is_buy
        and child.reduce_only
        and child.size == 0
        and child.kind >= order_rules.STOP
        and child.group == empty(bytes32)
    ), "bracket: child not of its entry"


@internal
@pure
def _reason(entry: words.OrderState) -> uint256:
    """
    @notice What an entry's state has against filling a child, if anything.
    """
    if entry.status == order_rules.PENDING:
        return reasons.ENTRY_PENDING
    if entry.status != order_rules.EXECUTED or entry.is_spent:
        return reasons.GROUP_DONE
    if entry.filled == 0:
        return reasons.POSITION_ENDED
    return reasons.FILLED


@internal
@pure
def _joined(child: words.OrderState, entry: words.OrderState) -> words.OrderState:
    """
    @notice A child with what it has from its entry: from which price on it may fill, how much, of which
            generation of the position.
    """
    child.executable_from = max(child.executable_from, entry.executable_from)
    child.filled = entry.filled
    child.generation = entry.generation
    return child
