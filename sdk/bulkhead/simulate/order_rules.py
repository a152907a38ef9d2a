"""Which orders may be placed, and at which prices they may fill: `modules/order_rules.vy`."""

from bulkhead import decisions
from bulkhead.markets import MarketState
from bulkhead.orders import NO_GROUP, MarginMode, Order, OrderKind, PositionSide
from bulkhead.protocol import margin_math, price_validity, words
from bulkhead.protocol.fixed_point import PPM, quote_up
from bulkhead.protocol.reasons import Reason
from bulkhead.protocol.words import OrderState, OrderTerms, Settings
from bulkhead.simulate.guards import require
from bulkhead.simulate.trades import Trade
from bulkhead.valuation import slot_of

MAX_CALLBACK = 500_000  # ppm


def check_terms(order: Order, now: int) -> None:
    """Refuses what no price could ever fill as its owner meant it."""
    require(order.kind <= OrderKind.TRAILING_STOP, "order: unknown kind")
    require(order.margin_mode <= MarginMode.ISOLATED, "order: unknown margin mode")
    require(order.position_side <= PositionSide.SHORT, "order: unknown side")
    require(order.size <= words.MAX_SIZE, "size: too large")
    require(order.size != 0 or order.reduce_only, "size: zero")
    if order.kind == OrderKind.TRAILING_STOP:
        require(0 < order.callback_rate <= MAX_CALLBACK, "order: bad callback rate")
    else:
        require(order.callback_rate == 0, "order: bad callback rate")
        require(
            (order.trigger_price != 0) == (order.kind >= OrderKind.STOP),
            "order: bad trigger price",
        )
    named = max(order.trigger_price, order.acceptable_price)
    require(named <= words.MAX_PRICE, "price: too large")
    require(order.kind != OrderKind.LIMIT or order.acceptable_price != 0, "order: no limit price")
    if order.expiry:
        require(order.kind != OrderKind.MARKET, "order: bad expiry")
        require(order.expiry > now, "order: expired")
    # Ending with another would be a way out of a market order, which binds.
    require(order.group == NO_GROUP or order.kind != OrderKind.MARKET, "order: bad group")
    require(order.margin == 0 or not order.reduce_only, "margin: not for reduce-only")
    require(order.margin <= words.MAX_NOTIONAL, "margin: too large")
    require(
        order.leverage == 0 or PPM <= order.leverage <= words.MAX_LEVERAGE,
        "leverage: out of range",
    )


def resolve(order: Order, settings: Settings) -> tuple[int, int]:
    """The account's own margin mode and leverage where an order leaves them open."""
    mode = order.margin_mode
    if mode == MarginMode.DEFAULT:
        isolated = settings.isolated_by_default
        mode = MarginMode.ISOLATED if isolated else MarginMode.CROSS
    if order.leverage or order.reduce_only:
        return mode, order.leverage
    if mode == MarginMode.ISOLATED:
        return mode, margin_math.isolated_leverage(settings, order.is_buy)
    return mode, settings.cross_leverage


def check_margin_mode(order: Order) -> None:
    """Refuses what cross margin has no place for."""
    if order.margin_mode != MarginMode.ISOLATED:
        require(order.margin == 0, "margin: not for cross")
        require(order.market < words.CROSS_MARKETS, "market: isolated only")


def expiry_of(order: Order, terms: OrderTerms, now: int) -> int:
    """The last second an order may fill in: what it says, as far as the market lets orders rest."""
    if order.kind == OrderKind.MARKET:
        return now + terms.delay + terms.window
    if terms.max_age == 0:
        return order.expiry
    latest = now + terms.max_age
    require(order.expiry <= latest, "order: expires too late")
    return order.expiry or latest


def check_heir(order: Order, old: Order, state: OrderState) -> None:
    """Refuses to replace an order by one of another position, direction or group.

    One that is tied to a position is replaced by such another alone.
    """
    require(
        order.account == old.account
        and order.market == old.market
        and order.margin_mode == old.margin_mode
        and order.position_side == old.position_side
        and order.is_buy == old.is_buy
        and order.reduce_only == old.reduce_only
        and order.group == old.group
        and (order.kind >= OrderKind.STOP or not (state.is_child or state.is_bound))
        and (order.size == 0 or not state.is_child),
        "order: replaces another kind",
    )


def closes_slot(order: Order) -> int:
    """The slot that an order can reduce."""
    return slot_of(isolated=order.margin_mode == MarginMode.ISOLATED, long=not order.is_buy)


def notional_of(order: Order, price: int) -> int:
    """Quote, up: an order's size at the mark, or at the highest price that it names."""
    return quote_up(order.size * max(price, order.acceptable_price, order.trigger_price))


def price_reason(order: Order, executable_from: int, extreme: int, state: MarketState) -> Reason:
    """Why the current price may not fill an order, if it may not.

    Args:
        order: The order.
        executable_from: Seconds: a price must be published then or later.
        extreme: The best price that a trailing stop has seen.
        state: Its market.
    """
    price = state.price
    if price.price == 0 or price.published_at < executable_from:
        return Reason.PRICE_EARLY
    if price_validity.is_settling(price, state.now):
        return Reason.MARKET_SETTLING
    if not state.is_fresh:
        return Reason.PRICE_STALE
    if not decisions.reaches_trigger(order, extreme, price.price):
        return Reason.PRICE_NOT_TRIGGERED
    return Reason.FILLED


def trade_of(
    order: Order,
    order_hash: bytes,
    state: OrderState,
    keeper: str,
    refusal: Reason,
    referral: tuple[str, int],
) -> Trade:
    """What the book asks of the clearinghouse to fill an order.

    Args:
        order: The order.
        order_hash: Its name.
        state: The order's; of a child with what it has from its entry.
        keeper: Who executes it.
        refusal: What the book has against it.
        referral: Whom its builder shares with, and how much, ppm.
    """
    is_tied = state.is_child or state.is_bound
    return Trade(
        account=order.account,
        market=order.market,
        is_isolated=order.margin_mode == MarginMode.ISOLATED,
        position_side=order.position_side,
        is_buy=order.is_buy,
        reduce_only=order.reduce_only,
        size=state.filled if state.is_child else order.size,
        acceptable_price=order.acceptable_price,
        margin=order.margin,
        leverage=order.leverage,
        bound_to=state.generation + 1 if is_tied else 0,
        epoch=state.epoch if order.kind != OrderKind.MARKET else words.EPOCHS,
        refusal=refusal,
        builder=order.builder,
        builder_rate=order.builder_fee,
        referrer=referral[0],
        referral_share=referral[1],
        order_hash=order_hash,
        keeper=keeper,
        keeper_fee=state.keeper_fee,
        is_escrowed=state.escrowed,
    )
