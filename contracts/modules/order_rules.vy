# pragma version 0.4.3
"""
@title Order rules
@license MIT
@notice Which orders may be placed, what they leave open, and at which prices they may fill.
"""

from ..interfaces import IOrderBook
from ..lib import fixed_point
from ..lib import margin_math
from ..lib import price_validity
from ..lib import reasons
from ..lib import words

PENDING: constant(uint256) = 1  # order status, 0 is unknown
EXECUTED: constant(uint256) = 2
CANCELLED: constant(uint256) = 3

MARKET: constant(uint256) = 0  # order kind
LIMIT: constant(uint256) = 1
STOP: constant(uint256) = 2
TAKE_PROFIT: constant(uint256) = 3

CROSS: constant(uint256) = 1  # margin mode
ISOLATED: constant(uint256) = 2


@internal
@view
def _check_terms(order: IOrderBook.Order):
    """
    @notice Refuses what no price could ever fill as its owner meant it.
    """
    assert order.kind <= TAKE_PROFIT, "order: unknown kind"
    assert order.margin_mode <= ISOLATED, "order: unknown margin mode"
    assert order.position_side <= 2, "order: unknown side"
    assert order.size <= words.MAX_SIZE, "size: too large"
    assert order.size != 0 or order.reduce_only, "size: zero"
    assert (order.trigger_price != 0) == (order.kind >= STOP), "order: bad trigger price"
    assert max(order.trigger_price, order.acceptable_price) <= words.MAX_PRICE, "price: too large"
    assert order.kind != LIMIT or order.acceptable_price != 0, "order: no limit price"
    if order.expiry != 0:
        assert order.kind != MARKET, "order: bad expiry"
        assert order.expiry > block.timestamp, "order: expired"
    assert order.margin == 0 or not order.reduce_only, "margin: not for reduce-only"
    assert order.margin <= words.MAX_NOTIONAL, "margin: too large"
    assert order.leverage == 0 or (
        order.leverage >= fixed_point.PPM and order.leverage <= words.MAX_LEVERAGE
    ), "leverage: out of range"


@internal
@pure
def _resolve(order: IOrderBook.Order, settings: words.Settings) -> IOrderBook.Order:
    """
    @notice Puts the account's own margin mode and leverage where the order leaves them open.
    """
    resolved: IOrderBook.Order = order
    if order.margin_mode == 0:
        resolved.margin_mode = ISOLATED if settings.isolated_by_default else CROSS
    if order.leverage == 0 and not order.reduce_only:
        resolved.leverage = settings.cross_leverage
        if resolved.margin_mode == ISOLATED:
            resolved.leverage = margin_math.isolated_leverage(settings, order.is_buy)
    return resolved


@internal
@pure
def _check_margin_mode(order: IOrderBook.Order):
    if order.margin_mode != ISOLATED:
        assert order.margin == 0, "margin: not for cross"
        assert order.market < words.CROSS_MARKETS, "market: isolated only"


@internal
@view
def _price_reason(
    order: IOrderBook.Order, state: words.OrderState, price: words.Price, is_latest: bool
) -> uint256:
    """
    @notice Why the current price may not fill an order, if it may not.
    @param is_latest Whether the price's source has nothing newer.
    """
    if price.price == 0 or price.published_at < state.executable_from:
        return reasons.PRICE_EARLY
    if price_validity.is_settling(price, block.timestamp):
        return reasons.MARKET_SETTLING
    if not is_latest or not price_validity.is_fresh(price, block.timestamp):
        return reasons.PRICE_STALE
    if order.kind >= STOP:
        # A stop waits for the price to move on in its direction, a take-profit for the other.
        must_rise: bool = order.is_buy == (order.kind == STOP)
        if must_rise and price.price < order.trigger_price:
            return reasons.PRICE_NOT_TRIGGERED
        if not must_rise and price.price > order.trigger_price:
            return reasons.PRICE_NOT_TRIGGERED
    return reasons.FILLED
