"""An order as people say it: sizes in base units, prices in USD per base unit. Pure."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Required, TypedDict

from bulkhead.markets import Market
from bulkhead.orders import (
    NO_GROUP,
    NOBODY,
    MarginMode,
    Order,
    OrderKind,
    PositionSide,
    salt_of,
)
from bulkhead.values import Amount, to_ppm, to_quote

CLIENT_ID_BLOCKS = 50_000
"""For how many blocks a client's id keeps an order from being placed twice."""


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


def order_of_fields(
    market: Market, account: str, placer: str, size: Amount, fields: OrderFields
) -> Order:
    """An order in the contract's own units.

    Args:
        market: Where.
        account: Whose.
        placer: Who commits it.
        size: Base units, rounded down to lots; 0, if reduce-only, for all there is then.
        fields: The rest of it.

    Raises:
        ValueError: For a size below one lot, or an amount that its unit can not say.
    """
    is_buy = fields["is_buy"]
    kind = fields.get("kind", OrderKind.MARKET)
    reduce_only = fields.get("reduce_only", False)
    lots = market.lots_down(size)
    if lots == 0 and not (reduce_only and size == 0):
        raise ValueError(f"size: less than one lot of {market.size_of(1)}")
    return Order(
        account=account,
        placer=placer,
        market=market.id,
        kind=kind,
        margin_mode=fields.get("margin_mode", MarginMode.DEFAULT),
        position_side=fields.get("position_side", PositionSide.ONE_WAY),
        is_buy=is_buy,
        reduce_only=reduce_only,
        size=lots,
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


def exits_of(
    market: Market,
    entry: Order,
    take_profit: Amount | None,
    stop_loss: Amount | None,
    callback_rate: Amount | None,
) -> list[Order]:
    """What closes a position that an order like `entry` opens: the exits of a bracket.

    Args:
        market: Where.
        entry: What opens it.
        take_profit: The price of its take-profit.
        stop_loss: The price of its stop; of a trailing one, where that begins to follow.
        callback_rate: Of a trailing stop: 0.05 is five percent.

    Raises:
        ValueError: If there would be none.
    """
    if take_profit is None and stop_loss is None and callback_rate is None:
        raise ValueError("a bracket has a take-profit, a stop, or both")
    trails = callback_rate is not None
    prices = {
        OrderKind.TAKE_PROFIT: take_profit,
        OrderKind.TRAILING_STOP if trails else OrderKind.STOP: stop_loss,
    }
    rate = to_ppm(callback_rate or 0, "callback_rate")
    return [
        replace(
            entry,
            kind=kind,
            is_buy=not entry.is_buy,
            reduce_only=True,
            size=0,
            trigger_price=_trigger(market, price, kind, not entry.is_buy),
            callback_rate=rate if kind is OrderKind.TRAILING_STOP else 0,
            acceptable_price=0,
            margin=0,
            leverage=0,
            expiry=0,
            group=NO_GROUP,
            builder=NOBODY,
            builder_fee=0,
            salt=secrets.randbits(128),
        )
        for kind, price in prices.items()
        if price is not None or kind is OrderKind.TRAILING_STOP
    ]


def _salt(fields: CloseFields) -> int:
    if "client_id" in fields:
        return salt_of(fields["client_id"])
    salt = fields.get("salt")
    return secrets.randbits(128) if salt is None else salt


def _acceptable(market: Market, price: Amount | None, is_buy: bool) -> int:
    return 0 if price is None else market.acceptable_price(price, is_buy=is_buy)


def _trigger(market: Market, price: Amount | None, kind: OrderKind, is_buy: bool) -> int:
    if price is None:
        return 0
    must_rise = is_buy == (kind == OrderKind.STOP)
    return market.price_up(price) if must_rise else market.price_down(price)
