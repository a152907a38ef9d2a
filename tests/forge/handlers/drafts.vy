# pragma version 0.4.3
"""
@title Drafts
@license MIT
@notice Orders of every kind that traders, or their operator, may want.
"""

from contracts.interfaces import IOrderBook
from contracts.lib import words
from . import books
from . import stage

uses: books
uses: stage

MARKET: constant(uint256) = 0  # order kinds
LIMIT: constant(uint256) = 1
STOP: constant(uint256) = 2
TAKE_PROFIT: constant(uint256) = 3
TRAILING_STOP: constant(uint256) = 4

CROSS: constant(uint256) = 1  # margin modes
ISOLATED: constant(uint256) = 2

BUILDER_FEE: constant(uint256) = 500  # ppm

_salts: uint256


@internal
def _draft(trader: uint256, kind: uint256) -> IOrderBook.Order:
    """
    @notice Any order of a kind that the book takes as it is: all that it would resolve is said.
    """
    account: address = stage._trader(trader)
    order: IOrderBook.Order = empty(IOrderBook.Order)
    order.account = account
    order.placer = stage.BROKER if stage._chance(10) else account
    order.market = stage._draw(stage.MARKETS)
    order.kind = kind
    order.margin_mode = 1 + stage._draw(2)
    if books._account(account).flags & words.FLAG_HEDGE != 0:
        order.position_side = 1 + stage._draw(2)
    order.is_buy = stage._chance(50)
    order.reduce_only = stage._chance(25 if kind < STOP else 60)
    price: uint256 = stage._lot_price(order.market)
    usd: uint256[8] = [20, 50, 100, 500, 1_000, 2_000, 5_000, 20_000]
    order.size = usd[stage._draw(8)] * (10 + stage._draw(11)) * stage.USD * 10**8 // price
    if stage._chance(30):
        order = self._balanced(order)
    near: uint256 = price * (980_000 + stage._draw(40_001)) // stage.PPM
    if kind >= STOP:
        order.trigger_price = near
        if kind == TRAILING_STOP:
            order.callback_rate = 1_000 + stage._draw(20_000)
    elif kind == LIMIT:
        order.acceptable_price = near
    if not order.reduce_only:
        times: uint256[4] = [2, 10, 25, 50]
        order.leverage = times[stage._draw(4)] * stage.PPM
        if order.margin_mode == ISOLATED and stage._chance(15):
            order.margin = stage._amount()
    if kind != MARKET:
        order.expiry = stage.now + 600 + stage._draw(7_200)
        if stage._chance(15):
            order.group = self._recent_group()
    if stage._chance(20):
        order.builder = stage.BROKER
        order.builder_fee = BUILDER_FEE
    order.salt = self._salt()
    return order


@internal
@view
def _balanced(draft: IOrderBook.Order) -> IOrderBook.Order:
    """
    @notice An order that takes the other side of the market's skew: as those do whom it pays.
    """
    order: IOrderBook.Order = draft
    skew: int256 = books._skew(order.market)
    if skew != 0:
        order.is_buy = skew < 0
        order.size = min(convert(abs(skew), uint256), 4 * order.size)
    return order


@internal
def _salt() -> uint256:
    self._salts += 1
    return self._salts


@internal
@view
def _recent_group() -> bytes32:
    """
    @notice A name that a few orders in a row share.
    """
    return convert(1 + self._salts // 16, bytes32)


@internal
def _new_group() -> bytes32:
    return keccak256(convert(self._salt(), bytes32))


@internal
@view
def _last_salt() -> uint256:
    return self._salts
