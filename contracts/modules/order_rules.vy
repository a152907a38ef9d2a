# pragma version 0.4.3
"""
@title Order rules
@license MIT
@notice Which orders may be placed, what they leave open, and at which prices they may fill.
"""

from ..interfaces import IOrderBook
from ..interfaces import ITrading
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
TRAILING_STOP: constant(uint256) = 4

MAX_CALLBACK: constant(uint256) = 500_000  # ppm

CROSS: constant(uint256) = 1  # margin mode
ISOLATED: constant(uint256) = 2


@internal
@view
def _check_terms(order: IOrderBook.Order):
    """
    @notice Refuses what no price could ever fill as its owner meant it.
    """
    assert order.kind <= TRAILING_STOP, "order: unknown kind"
    assert order.margin_mode <= ISOLATED, "order: unknown margin mode"
    assert order.position_side <= 2, "order: unknown side"
    assert order.size <= words.MAX_SIZE, "size: too large"
    assert order.size != 0 or order.reduce_only, "size: zero"
    if order.kind == TRAILING_STOP:
        assert order.callback_rate != 0 and order.callback_rate <= MAX_CALLBACK, (
            "order: bad callback rate"
        )
    else:
        assert order.callback_rate == 0, "order: bad callback rate"
        assert (order.trigger_price != 0) == (order.kind >= STOP), "order: bad trigger price"
    assert max(order.trigger_price, order.acceptable_price) <= words.MAX_PRICE, "price: too large"
    assert order.kind != LIMIT or order.acceptable_price != 0, "order: no limit price"
    if order.expiry != 0:
        assert order.kind != MARKET, "order: bad expiry"
        assert order.expiry > block.timestamp, "order: expired"
    # Ending with another would be a way out of a market order, which binds.
    assert order.group == empty(bytes32) or order.kind != MARKET, "order: bad group"
    assert order.margin == 0 or not order.reduce_only, "margin: not for reduce-only"
    assert order.margin <= words.MAX_NOTIONAL, "margin: too large"
    assert order.leverage == 0 or (
        order.leverage >= fixed_point.PPM and order.leverage <= words.MAX_LEVERAGE
    ), "leverage: out of range"


@internal
@pure
def _resolve(
    margin_mode: uint256,
    leverage: uint256,
    is_buy: bool,
    reduce_only: bool,
    settings: words.Settings,
) -> (uint256, uint256):
    """
    @notice The account's own margin mode and leverage where an order leaves them open.
    """
    mode: uint256 = margin_mode
    if mode == 0:
        mode = ISOLATED if settings.isolated_by_default else CROSS
    if leverage != 0 or reduce_only:
        return mode, leverage
    if mode == ISOLATED:
        return mode, margin_math.isolated_leverage(settings, is_buy)
    return mode, settings.cross_leverage


@internal
@pure
def _check_margin_mode(margin_mode: uint256, margin: uint256, market: uint256):
    if margin_mode != ISOLATED:
        assert margin == 0, "margin: not for cross"
        assert market < words.CROSS_MARKETS, "market: isolated only"


@internal
@view
def _expiry(kind: uint256, expiry: uint256, terms: words.OrderTerms) -> uint256:
    """
    @notice The last second an order may fill in: what it says, as far as the market lets orders rest.
    """
    if kind == MARKET:
        return block.timestamp + terms.delay + terms.window
    if terms.max_age == 0:
        return expiry
    latest: uint256 = block.timestamp + terms.max_age
    assert expiry <= latest, "order: expires too late"
    return latest if expiry == 0 else expiry


@internal
@pure
def _check_heir(order: IOrderBook.Order, old: IOrderBook.Order, state: words.OrderState):
    """
    @notice An order may replace another of the same position, direction and group; one that is tied to a
            position only by such another.
    """
    assert (
        order.account == old.account
        and order.market == old.market
        and order.margin_mode == old.margin_mode
        and order.position_side == old.position_side
        and order.is_buy == old.is_buy
        and order.reduce_only == old.reduce_only
        and order.group == old.group
        and (order.kind >= STOP or not (state.is_child or state.is_bound))
        and (order.size == 0 or not state.is_child)
    ), "order: replaces another kind"


@internal
@pure
def _closes_slot(margin_mode: uint256, is_buy: bool) -> uint256:
    """
    @notice The slot that an order can reduce.
    """
    slot: uint256 = words.CROSS_SHORT if is_buy else words.CROSS_LONG
    if margin_mode == ISOLATED:
        slot += words.ISOLATED_LONG
    return slot


@internal
@pure
def _notional(size: uint256, price: uint256, named: uint256) -> uint256:
    """
    @notice Quote, up: an order's size at the mark, or at the highest price that it names.
    """
    return fixed_point.quote_up(size * max(price, named))


@internal
@view
def _price_reason(
    order: IOrderBook.Order,
    executable_from: uint256,
    extreme: uint256,
    price: words.Price,
    is_latest: bool,
) -> uint256:
    """
    @notice Why the current price may not fill an order, if it may not.
    @param extreme The best price that a trailing stop has seen.
    @param is_latest Whether the price's source has nothing newer.
    """
    if price.price == 0 or price.published_at < executable_from:
        return reasons.PRICE_EARLY
    if price_validity.is_settling(price, block.timestamp):
        return reasons.MARKET_SETTLING
    if not is_latest or not price_validity.is_fresh(price, block.timestamp):
        return reasons.PRICE_STALE
    if order.kind >= STOP:
        trigger: uint256 = self._trigger(
            order.kind, order.is_buy, order.trigger_price, order.callback_rate, extreme
        )
        if not self._is_triggered(order.kind, order.is_buy, trigger, price.price):
            return reasons.PRICE_NOT_TRIGGERED
    return reasons.FILLED


@internal
@pure
def _is_triggered(kind: uint256, is_buy: bool, trigger: uint256, price: uint256) -> bool:
    """
    @notice Whether the price has come for a stop, a take-profit or a trailing stop.
    @param trigger 0 of a trailing stop that has seen no price yet.
    """
    if trigger == 0:
        return False
    # A stop waits for the price to move on in its direction, a take-profit for the other.
    if is_buy == (kind != TAKE_PROFIT):
        return price >= trigger
    return price <= trigger


@internal
@pure
def _trigger(
    kind: uint256, is_buy: bool, trigger_price: uint256, callback_rate: uint256, extreme: uint256
) -> uint256:
    """
    @notice The first price that triggers an order. A trailing stop's is rounded away from the extreme, to the
            first whole one: none triggers early.
    """
    if kind != TRAILING_STOP:
        return trigger_price
    if is_buy:
        return fixed_point.div_up(extreme * (fixed_point.PPM + callback_rate), fixed_point.PPM)
    return extreme * (fixed_point.PPM - callback_rate) // fixed_point.PPM


@internal
@pure
def _ratcheted(order: IOrderBook.Order, extreme: uint256, price: uint256) -> uint256:
    """
    @notice The best price that a trailing stop has seen, with another one seen: the highest for a sale. It
            begins to look at its activation price, if it names one.
    """
    if extreme == 0:
        is_active: bool = price >= order.trigger_price
        if order.is_buy:
            is_active = order.trigger_price == 0 or price <= order.trigger_price
        return price if is_active else 0
    return min(extreme, price) if order.is_buy else max(extreme, price)


@internal
@pure
def _trade_of(
    order: IOrderBook.Order,
    hash: bytes32,
    state: words.OrderState,
    price_word: uint256,
    keeper: address,
    refusal: uint256,
    referrer: address,
    referral_share: uint256,
) -> ITrading.Trade:
    """
    @notice What the book asks of the clearinghouse to fill an order.
    @param state The order's; of a child with what it has from its entry.
    """
    is_tied: bool = state.is_child or state.is_bound
    return ITrading.Trade(
        account=order.account,
        market=order.market,
        is_isolated=order.margin_mode == ISOLATED,
        position_side=order.position_side,
        is_buy=order.is_buy,
        reduce_only=order.reduce_only,
        size=state.filled if state.is_child else order.size,
        acceptable_price=order.acceptable_price,
        margin=order.margin,
        leverage=order.leverage,
        bound_to=unsafe_add(state.generation, 1) if is_tied else 0,  # below 2**24
        epoch=state.epoch if order.kind != MARKET else words.EPOCHS,
        refusal=refusal,
        builder=order.builder,
        builder_rate=order.builder_fee,
        referrer=referrer,
        referral_share=referral_share,
        order_hash=hash,
        keeper=keeper,
        keeper_fee=state.keeper_fee,
        is_escrowed=state.escrowed,
        price_word=price_word,
    )
