# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Operators
@license MIT
@notice Who else may trade for an account: with which rights, in which markets, up to which notional, until
        when. An operator can never withdraw, move margin, or change rights.
"""

from ..interfaces import IOrderBook
from ..lib import words

MAY_OPEN: constant(uint256) = 1  # place orders that may open or grow a position
MAY_REDUCE: constant(uint256) = 2  # place orders that can only reduce one
MAY_CANCEL: constant(uint256) = 4
ALL_MARKETS: constant(uint256) = 8  # those beyond the bits of the word, too
PERMISSIONS: constant(uint256) = 15

ANY_MARKET: constant(uint256) = max_value(uint256)  # what concerns every market at once
# Keeper's fees that an operator's order is worth, so that an operator who is its own keeper can carry
# off 1 % of what it may trade, not all of it.
LEAST_FEES: constant(uint256) = 100

_operators: HashMap[address, HashMap[address, uint256]]  # operator words by account and operator


@external
def set_operator(
    operator: address,
    permissions: uint256,
    markets: uint256,
    notional: uint256,
    expiry: uint256,
):
    assert operator != empty(address) and operator != msg.sender, "operator: bad address"
    assert permissions <= PERMISSIONS, "operator: unknown permission"
    self._store(
        msg.sender,
        operator,
        words.Operator(expiry=expiry, permissions=permissions, notional=notional, markets=markets),
    )


@external
@view
def operator_word(account: address, operator: address) -> uint256:
    return self._operators[account][operator]


@internal
def _charge(
    account: address,
    operator: address,
    price: uint256,
    spent: uint256,
    notional: uint256,
    keeper_fee: uint256,
):
    """
    @notice Takes what an operator's order may open off its notional.
    """
    rights: words.Operator = words.unpack_operator(self._operators[account][operator])
    self._check_charge(rights.notional, price, spent, notional, keeper_fee)
    if spent != 0:
        rights.notional -= spent
        self._store(account, operator, rights)


@internal
def _store(account: address, operator: address, rights: words.Operator):
    word: uint256 = words.pack_operator(rights)
    self._operators[account][operator] = word
    log IOrderBook.OperatorSet(account=account, operator=operator, operator_word=word)


@internal
@view
def _may(account: address, actor: address, market: uint256, permission: uint256) -> bool:
    """
    @notice Whether an actor has a right in a market now. An account has all of them.
    """
    if actor == account:
        return True
    return self._allow(words.unpack_operator(self._operators[account][actor]), market, permission)


@internal
@view
def _allow(rights: words.Operator, market: uint256, permission: uint256) -> bool:
    if rights.expiry < block.timestamp or rights.permissions & permission == 0:
        return False
    return rights.permissions & ALL_MARKETS != 0 or (
        market < 128 and (rights.markets >> market) & 1 != 0
    )


@internal
@pure
def _check_charge(
    left: uint256, price: uint256, spent: uint256, notional: uint256, keeper_fee: uint256
):
    """
    @notice Whether an operator may spend so much of the notional it has left on an order.
    @param notional Quote, of the order at the highest price that it names, or the mark.
    """
    assert price != 0, "operator: no price"
    assert notional >= LEAST_FEES * keeper_fee, "operator: order too small"
    assert left >= spent, "operator: notional spent"


@internal
@pure
def _spent(notional: uint256, margin: uint256, reduce_only: bool) -> uint256:
    """
    @notice What an order may open, quote: its notional, or the amount it names for the vault where that
            is more; nothing, if it only reduces.
    """
    if reduce_only:
        return 0
    return max(notional, margin)


@internal
@pure
def _permission(reduce_only: bool) -> uint256:
    """
    @notice The right that placing an order takes.
    """
    if reduce_only:
        return MAY_REDUCE
    return MAY_OPEN


@internal
@view
def _require_may(account: address, actor: address, market: uint256, permission: uint256):
    self._require(self._may(account, actor, market, permission))


@internal
@pure
def _require(allowed: bool):
    assert allowed, "operator: not allowed"
