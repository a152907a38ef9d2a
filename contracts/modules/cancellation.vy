# pragma version 0.4.3
"""
@title Cancellation
@license MIT
@notice Ends orders unfilled.
"""

from ..interfaces import IOrderBook
from ..lib import reasons
from ..lib import words
from . import operators
from . import order_groups
from . import order_rules
from . import order_store

uses: operators
uses: order_groups
uses: order_store


@internal
def _cancel(order: IOrderBook.Order, hash: bytes32, word: uint256):
    """
    @notice Ends an order for its owner or an operator; a dead one for anybody.
    """
    state: words.OrderState = words.unpack_order_state(word)
    reason: uint256 = reasons.BY_OWNER
    if operators._may(order.account, msg.sender, order.market, operators.MAY_CANCEL):
        assert order.kind != order_rules.MARKET or block.timestamp > order.expiry, (
            "order: market is binding"
        )
    else:
        reason = self._death(order, state)
        operators._require(reason != reasons.FILLED)
    self._end(
        hash, word, order.account, order.account, state.keeper_fee if state.escrowed else 0, reason
    )


@internal
def _end(
    hash: bytes32,
    word: uint256,
    account: address,
    receiver: address,
    escrowed: uint256,
    reason: uint256,
):
    """
    @notice Ends an order unfilled; what it escrowed goes to the receiver.
    @param word The order's, as it is stored.
    """
    self._close(hash, word)
    paid: address = receiver
    keeper_fee: uint256 = 0
    if escrowed != 0:
        paid, keeper_fee = extcall order_store.CLEARINGHOUSE.release_escrow(
            account, receiver, escrowed
        )
    log IOrderBook.OrderCancelled(
        order_hash=hash,
        account=account,
        receiver=paid,
        keeper_fee=keeper_fee,
        reason=reasons.text_of(reason),
    )


@internal
def _close(hash: bytes32, word: uint256):
    order_store._orders[hash] = words.with_status(word, order_rules.CANCELLED)


@internal
@view
def _death(order: IOrderBook.Order, state: words.OrderState) -> uint256:
    """
    @notice Why an order can never fill any more, if the book knows.
    """
    reason: uint256 = order_groups._reason(order.account, order.placer, order.group, state.is_child)
    if not reasons.must_wait(reason):
        return reason
    if (
        order.kind != order_rules.MARKET
        and state.epoch != order_store._account(order.account).epoch
    ):
        return reasons.BY_OWNER
    if state.is_bound or (state.is_child and reason == reasons.FILLED):
        slot: uint256 = order_rules._closes_slot(order.margin_mode, order.is_buy)
        generation: uint256 = order_store._generation(order.account, order.market, slot)
        if generation != order_groups._joined(order.group, state).generation:
            return reasons.POSITION_ENDED
    return reasons.FILLED
