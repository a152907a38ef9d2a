"""What people say of an order, and the order that says it in the contract's units. Pure.

Roundings never make an order more than was meant: sizes go down to lots, a limit never gets worse,
a trigger never comes early.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Required, TypedDict

from bulkhead.markets import Market, MarketState
from bulkhead.orders import (
    NO_GROUP,
    NOBODY,
    MarginMode,
    Order,
    OrderKind,
    PositionSide,
    salt_of,
)
from bulkhead.values import Amount, decimal_of, to_ppm, to_quote

SALT_BITS = 128
_USD = 10**15  # femto


class CloseFields(TypedDict, total=False):
    """What an order may say besides market, size and direction.

    Attributes:
        kind: What it waits for; a market order if left out.
        margin_mode: CROSS, ISOLATED, or the account's default.
        position_side: In hedge mode, the side it means.
        trigger_price: Of a stop or take-profit; where a trailing stop begins to follow. Rounded
            away from triggering early.
        callback_rate: How far the price comes back from its best to trigger a trailing stop: 0.05
            is five percent.
        acceptable_price: The worst average fill; a limit order's limit. Never rounded to worse.
        expiry: The last second it may fill in; 0 for never, and in a market order.
        group: Of orders of one group the first that fills ends the others.
        builder: Who brought the order; the account has approved it.
        builder_fee: What it charges, of notional: 0.001 is a tenth of a percent, and the most.
        client_id: The client's name for it. Placed again under the same name, within
            `CLIENT_ID_BLOCKS`, it is not placed again: the handle of the first is returned.
        salt: Tells it from the same order at another time; random if left out, or made from the
            client's id.
    """

    kind: OrderKind
    margin_mode: MarginMode
    position_side: PositionSide
    trigger_price: Amount | None
    callback_rate: Amount
    acceptable_price: Amount | None
    expiry: int
    group: bytes
    builder: str
    builder_fee: Amount
    client_id: str
    salt: int | None


class OrderFields(CloseFields, total=False):
    """What an order may say besides market and size.

    Attributes:
        is_buy: Direction; the one that must be said.
        reduce_only: Whether it may only reduce.
        margin: USD to move into the vault; 0 for what the leverage asks.
        leverage: Times; 0 for the account's own.
    """

    is_buy: Required[bool]
    reduce_only: bool
    margin: Amount
    leverage: Amount


def order_from(
    market: Market, account: str, placer: str, size: Amount, fields: OrderFields
) -> Order:
    """An order as people speak of it, in the contract's units.

    Args:
        market: Where.
        account: Whose it is.
        placer: Who places it.
        size: Base units, rounded down to lots; 0, if reduce-only, for all there is then.
        fields: The rest of it.

    Raises:
        ValueError: For what no such market takes. It names the field, the limit and what was given.
    """
    is_buy = fields["is_buy"]
    kind = fields.get("kind", OrderKind.MARKET)
    order = Order(
        account=account,
        placer=placer,
        market=market.id,
        kind=kind,
        margin_mode=fields.get("margin_mode", MarginMode.DEFAULT),
        position_side=fields.get("position_side", PositionSide.ONE_WAY),
        is_buy=is_buy,
        reduce_only=fields.get("reduce_only", False),
        size=market.lots_down(size),
        trigger_price=_trigger(market, fields.get("trigger_price"), kind, is_buy),
        callback_rate=to_ppm(fields.get("callback_rate", 0), "callback_rate"),
        acceptable_price=_acceptable(market, fields.get("acceptable_price"), is_buy),
        margin=to_quote(fields.get("margin", 0), "margin"),
        leverage=to_ppm(fields.get("leverage", 0), "leverage"),
        expiry=fields.get("expiry", 0),
        group=fields.get("group", NO_GROUP),
        builder=fields.get("builder", NOBODY),
        builder_fee=to_ppm(fields.get("builder_fee", 0), "builder_fee"),
        salt=_salt(fields),
    )
    _check_size(order, market, size)
    return order


def exits_of(
    entry: Order,
    market: Market,
    take_profit: Amount | None = None,
    stop_loss: Amount | None = None,
    trailing: Amount | None = None,
) -> tuple[Order, ...]:
    """What closes all of a position that an order like `entry` opens.

    Args:
        entry: That order.
        market: Its market.
        take_profit: The price of a take-profit.
        stop_loss: The price of a stop; of a trailing one, where that begins to follow.
        trailing: The callback rate of a trailing stop instead.
    """
    if take_profit is None and stop_loss is None and trailing is None:
        raise ValueError("a bracket has a take-profit, a stop, or both")
    exits = []
    if take_profit is not None:
        exits.append(_exit(entry, market, OrderKind.TAKE_PROFIT, take_profit))
    if trailing is not None:
        exits.append(_exit(entry, market, OrderKind.TRAILING_STOP, stop_loss, trailing))
    elif stop_loss is not None:
        exits.append(_exit(entry, market, OrderKind.STOP, stop_loss))
    return tuple(exits)


def new_salt() -> int:
    """One that no other order has."""
    return secrets.randbits(SALT_BITS)


def is_small(order: Order, state: MarketState) -> bool:
    """Whether an order by itself opens less than a position in its market may be."""
    price = order.acceptable_price or order.trigger_price or state.price.price
    return not order.reduce_only and order.size * price < state.market.terms.min_notional * _USD


def says_the_same(placed: Order, order: Order) -> bool:
    """Whether an order is one that was placed; a retry may have another price in mind."""
    names = ("market", "kind", "is_buy", "reduce_only", "size")
    return all(getattr(placed, name) == getattr(order, name) for name in names)


def _exit(
    entry: Order, market: Market, kind: OrderKind, price: Amount | None, rate: Amount = 0
) -> Order:
    is_buy = not entry.is_buy
    return replace(
        entry,
        kind=kind,
        is_buy=is_buy,
        reduce_only=True,
        size=0,
        trigger_price=_trigger(market, price, kind, is_buy),
        callback_rate=to_ppm(rate, "trailing"),
        acceptable_price=0,
        margin=0,
        leverage=0,
        expiry=0,
        group=NO_GROUP,
        builder=NOBODY,
        builder_fee=0,
        salt=new_salt(),
    )


def _check_size(order: Order, market: Market, size: Amount) -> None:
    """Nothing is asked for only by a reduce-only order that says so."""
    if order.size == 0 and not (order.reduce_only and decimal_of(size, "size") == 0):
        raise ValueError(f"size: {size} is less than one lot of {market.size_of(1).normalize():f}")


def _salt(fields: OrderFields) -> int:
    if "client_id" in fields:
        return salt_of(fields["client_id"])
    salt = fields.get("salt")
    return new_salt() if salt is None else salt


def _acceptable(market: Market, price: Amount | None, is_buy: bool) -> int:
    return 0 if price is None else market.acceptable_price(price, is_buy=is_buy)


def _trigger(market: Market, price: Amount | None, kind: int, is_buy: bool) -> int:
    if price is None:
        return 0
    must_rise = is_buy == (kind == OrderKind.STOP)
    return market.price_up(price) if must_rise else market.price_down(price)
