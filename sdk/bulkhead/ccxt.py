"""Dicts in the shape of CCXT's unified structures, so that bots written for it can plug in.

The shapes are those of https://docs.ccxt.com (market, position, order, leverage tier). Numbers are
exact Decimals; pass `number=float` or `number=str` where a bot wants them so. What Bulkhead has no
word for is None, and the object itself is under `info`. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from bulkhead.accounts import Position
from bulkhead.markets import OPEN, Market, MarketState
from bulkhead.orders import OrderKind, OrderState
from bulkhead.values import from_ppm, from_units, to_usd

if TYPE_CHECKING:
    from bulkhead.orders import Outcome, PlacedOrder

Number: TypeAlias = Callable[[Decimal], Any]
Structure: TypeAlias = dict[str, Any]

SETTLE = "USD"
THOUSAND = 1_000

_TYPES = {
    OrderKind.MARKET: "market",
    OrderKind.LIMIT: "limit",
    OrderKind.STOP: "stop",
    OrderKind.TAKE_PROFIT: "takeProfit",
    OrderKind.TRAILING_STOP: "trailingStop",
}
_STATUSES = {
    OrderState.PENDING: "open",
    OrderState.EXECUTED: "closed",
    OrderState.CANCELLED: "canceled",
    OrderState.EXPIRED: "expired",
}


def exact(number: Decimal) -> Decimal:
    """A number as it is."""
    return number


def to_ccxt(thing: Market | MarketState | Position, number: Number = exact) -> Structure:
    """A market, the ticker of a market's state, or a position; orders have `order_to_ccxt`."""
    match thing:
        case Market():
            return market_to_ccxt(thing, number)
        case MarketState():
            return ticker_to_ccxt(thing, number)
        case Position():
            return position_to_ccxt(thing, number)


def symbol_of(market: Market) -> str:
    """CCXT's name of a market: `BTC/USD:USD` of BTC-PERP."""
    return f"{_base_of(market)}/{SETTLE}:{SETTLE}"


def market_to_ccxt(market: Market, number: Number = exact) -> Structure:
    """A market's structure: a linear swap with one base unit a contract."""
    base = _base_of(market)
    first = market.tiers[0]
    return {
        "id": market.symbol,
        "numericId": market.id,
        "symbol": symbol_of(market),
        "base": base,
        "quote": SETTLE,
        "settle": SETTLE,
        "baseId": base,
        "quoteId": SETTLE,
        "settleId": SETTLE,
        "type": "swap",
        "spot": False,
        "margin": False,
        "swap": True,
        "future": False,
        "option": False,
        "contract": True,
        "linear": True,
        "inverse": False,
        "active": market.terms.status == OPEN,
        "contractSize": number(Decimal(1)),
        "taker": number(from_ppm(market.terms.taker_fee)),
        "maker": number(from_ppm(market.terms.maker_fee)),
        "percentage": True,
        "tierBased": False,
        "expiry": None,
        "strike": None,
        "optionType": None,
        "precision": {
            "amount": number(from_units(market.lot_size, 18)),
            "price": number(market.price_of(1)),
        },
        "limits": {
            "leverage": {"min": number(Decimal(1)), "max": number(_leverage(first.initial_rate))},
            "amount": {"min": number(from_units(market.lot_size, 18)), "max": None},
            "price": {"min": None, "max": None},
            "cost": {"min": number(Decimal(market.terms.min_notional)), "max": None},
        },
        "info": market,
    }


def leverage_tiers_to_ccxt(market: Market, number: Number = exact) -> list[Structure]:
    """A market's leverage tiers, by notional; the last has no end."""
    floors = [Decimal(tier.floor * THOUSAND) for tier in market.tiers]
    ends: list[Decimal | None] = [*floors[1:], None]
    return [
        {
            "tier": index,
            "symbol": symbol_of(market),
            "currency": SETTLE,
            "minNotional": number(floor),
            "maxNotional": None if end is None else number(end),
            "maintenanceMarginRate": number(from_ppm(tier.maintenance_rate)),
            "maxLeverage": number(_leverage(tier.initial_rate)),
            "info": tier,
        }
        for index, (tier, floor, end) in enumerate(zip(market.tiers, floors, ends, strict=True), 1)
    ]


def position_to_ccxt(position: Position, number: Number = exact) -> Structure:
    """A position's structure.

    A cross leg's collateral is its account's and not told here.
    """
    isolated = position.is_isolated
    equity, maintenance = position.equity, position.maintenance_margin
    notional = position.notional
    liquidation = position.liquidation_price
    return {
        "id": str(position.id),
        "symbol": symbol_of(position.market),
        **_time(position.state.now),
        "hedged": False,
        "side": "long" if position.is_long else "short",
        "contracts": number(position.size),
        "contractSize": number(Decimal(1)),
        "entryPrice": number(position.entry_price),
        "markPrice": number(position.state.mark_price),
        "lastPrice": None,
        "notional": number(notional),
        "leverage": number(notional / equity) if isolated and equity > 0 else None,
        "collateral": number(position.margin) if isolated else None,
        "initialMargin": number(position.initial_margin),
        "maintenanceMargin": number(maintenance),
        "initialMarginPercentage": _ratio(position.initial_margin, notional, number),
        "maintenanceMarginPercentage": _ratio(maintenance, notional, number),
        "unrealizedPnl": number(position.value),
        "realizedPnl": None,
        "liquidationPrice": None if liquidation is None else number(liquidation),
        "marginMode": "isolated" if isolated else "cross",
        "marginRatio": _ratio(maintenance, equity, number) if isolated else None,
        "percentage": None,
        "stopLossPrice": None,
        "takeProfitPrice": None,
        "info": position,
    }


def order_to_ccxt(
    placed: PlacedOrder, outcome: Outcome, market: Market, number: Number = exact
) -> Structure:
    """An order's structure. A mined transaction is no fill: `filled` is what became of it.

    Args:
        placed: The order.
        outcome: What became of it.
        market: Its market.
        number: What numbers are.
    """
    order = placed.order
    filled = sum((fill.size for fill in outcome.fills), Decimal(0))
    cost = sum((fill.size * fill.price for fill in outcome.fills), Decimal(0))
    fee = sum((fill.fee for fill in outcome.fills), to_usd(outcome.keeper_fee))
    amount = market.size_of(order.size) if order.size else None
    trigger = market.price_of(order.trigger_price) if order.trigger_price else None
    limit = market.price_of(order.acceptable_price) if order.acceptable_price else None
    return {
        "id": "0x" + placed.hash.hex(),
        "clientOrderId": str(order.salt),
        "timestamp": None,
        "datetime": None,
        "lastTradeTimestamp": None,
        "symbol": symbol_of(market),
        "type": _TYPES[OrderKind(order.kind)],
        "timeInForce": "GTC" if not order.expiry else "GTD",
        "postOnly": False,
        "reduceOnly": order.reduce_only,
        "side": "buy" if order.is_buy else "sell",
        "price": None if limit is None else number(limit),
        "triggerPrice": None if trigger is None else number(trigger),
        "stopLossPrice": None,
        "takeProfitPrice": None,
        "amount": None if amount is None else number(amount),
        "filled": number(filled),
        "remaining": None if amount is None else number(max(amount - filled, Decimal(0))),
        "average": number(cost / filled) if filled else None,
        "cost": number(cost),
        "fee": {"currency": SETTLE, "cost": number(fee)},
        "trades": [],
        "status": _STATUSES[outcome.state],
        "info": placed,
    }


def ticker_to_ccxt(state: MarketState, number: Number = exact) -> Structure:
    """A market's ticker: there is one price, the oracle's."""
    price = number(state.mark_price)
    return {
        "symbol": symbol_of(state.market),
        **_time(state.price.published_at),
        "bid": price,
        "ask": price,
        "last": price,
        "close": price,
        "markPrice": price,
        "indexPrice": price,
        "info": state,
    }


def _base_of(market: Market) -> str:
    return market.symbol.partition("-")[0]


def _leverage(initial_rate: int) -> Decimal:
    return Decimal(1) / from_ppm(initial_rate)


def _ratio(part: Decimal, whole: Decimal, number: Number) -> Any:
    return number(part / whole) if whole > 0 else None


def _time(seconds: int) -> Structure:
    moment = datetime.fromtimestamp(seconds, UTC)
    return {
        "timestamp": seconds * 1_000,
        "datetime": moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }
