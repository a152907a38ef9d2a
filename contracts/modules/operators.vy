# pragma version 0.4.3
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

_operators: HashMap[address, HashMap[address, uint256]]  # operator words by account and operator


@internal
def _set_operator(account: address, operator: address, rights: words.Operator):
    assert operator != empty(address) and operator != account, "operator: bad address"
    assert rights.permissions <= PERMISSIONS, "operator: unknown permission"
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
    rights: words.Operator = words.unpack_operator(self._operators[account][actor])
    if rights.expiry < block.timestamp or rights.permissions & permission == 0:
        return False
    return rights.permissions & ALL_MARKETS != 0 or (
        market < 128 and (rights.markets >> market) & 1 != 0
    )


@internal
def _spend(account: address, actor: address, notional: uint256):
    """
    @notice Takes what an order may open off an operator's notional.
    @param notional Quote.
    """
    rights: words.Operator = words.unpack_operator(self._operators[account][actor])
    assert rights.notional >= notional, "operator: notional spent"
    rights.notional -= notional
    self._operators[account][actor] = words.pack_operator(rights)


@internal
@view
def _require_may(account: address, actor: address, market: uint256, permission: uint256):
    assert self._may(account, actor, market, permission), "operator: not allowed"
