# pragma version 0.4.3
"""
@title Order groups
@license MIT
@notice Orders that hang together. One cancels other: of those that a placer put into one group of an account
        the first that fills ends the rest. Brackets: a child hangs on its entry.
@dev Groups are named by their placer, too: an operator must not end orders of others, in markets it may
     not touch, by filling one of its own.
"""

from ..lib import reasons
from ..lib import words
from . import brackets
from . import order_store

uses: order_store

_done: HashMap[address, HashMap[address, HashMap[bytes32, bool]]]  # by account, placer and group


@internal
@view
def _reason(account: address, placer: address, group: bytes32, is_child: bool) -> uint256:
    """
    @notice What the rest of its bracket or group has against filling an order, if anything.
    """
    if is_child:
        entry: words.OrderState = order_store._state(group)
        return brackets._reason(entry)
    if group != empty(bytes32) and self._done[account][placer][group]:
        return reasons.GROUP_DONE
    return reasons.FILLED


@internal
@view
def _joined(group: bytes32, state: words.OrderState) -> words.OrderState:
    """
    @notice An order's state; a child's with what it has from its entry.
    """
    if state.is_child:
        entry: words.OrderState = order_store._state(group)
        return brackets._joined(state, entry)
    return state


@internal
def _finish(account: address, placer: address, group: bytes32, is_child: bool):
    """
    @notice An order has filled: the rest of its bracket or group is done, for good.
    """
    if is_child:
        entry: words.OrderState = order_store._state(group)
        entry.is_spent = True
        order_store._store(group, entry)
    elif group != empty(bytes32):
        self._done[account][placer][group] = True
