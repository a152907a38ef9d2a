# pragma version 0.4.3
"""
@title Order store
@license MIT
@notice One word an order, under its hash; one for the order terms of each market; and the two contracts
        that the order book asks.
"""

from ..interfaces import ILedger
from ..interfaces import IPriceOracle
from ..interfaces import ITrading
from ..lib import words
from . import order_rules

CLEARINGHOUSE: public(immutable(ITrading))
ORACLE: immutable(IPriceOracle)

_orders: HashMap[bytes32, uint256]  # order state words by hash
_terms: HashMap[uint256, uint256]  # order terms words by market


@deploy
def __init__(clearinghouse: address, price_oracle: address):
    CLEARINGHOUSE = ITrading(clearinghouse)
    ORACLE = IPriceOracle(price_oracle)


@internal
@view
def _state(hash: bytes32) -> words.OrderState:
    return words.unpack_order_state(self._orders[hash])


@internal
def _store(hash: bytes32, state: words.OrderState) -> uint256:
    word: uint256 = words.pack_order_state(state)
    self._orders[hash] = word
    return word


@internal
@view
def _price_word(market: uint256) -> uint256:
    return staticcall ORACLE.price_word(market)


@internal
@view
def _price(market: uint256) -> words.Price:
    return words.unpack_price(staticcall ORACLE.price_word(market))


@internal
@view
def _is_latest(market: uint256, kind: uint256) -> bool:
    """
    @notice Whether the source of a market's price has nothing newer.
    @param kind Of the market's feed.
    """
    return kind != words.CHAINLINK or staticcall ORACLE.is_latest(market)


@internal
@view
def _account(account: address) -> words.Account:
    return words.unpack_account(staticcall ILedger(CLEARINGHOUSE.address).account_word(account))


@internal
@view
def _generation(account: address, market: uint256, slot: uint256) -> uint256:
    """
    @notice How often an account's slot has ended.
    """
    return words.unpack_position(
        staticcall ILedger(CLEARINGHOUSE.address).position_word(
            words.position_id(account, market, slot)
        )
    ).generation


@internal
@pure
def _require_pending(word: uint256):
    assert words.status_of(word) == order_rules.PENDING, "order: not pending"
