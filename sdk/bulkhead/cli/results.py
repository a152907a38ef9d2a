"""What commands show: the SDK's values in the words and units that people use."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from bulkhead.orders import NO_GROUP, MarginMode, OrderKind
from bulkhead.values import from_ppm

if TYPE_CHECKING:
    from bulkhead.accounts import AccountView, Position
    from bulkhead.chain import Receipt
    from bulkhead.markets import Market, MarketState
    from bulkhead.orders import PlacedOrder


@dataclass(frozen=True, slots=True)
class MarketRow:
    """A market in one line. Rates are ratios of notional."""

    market: str
    mark_price: Decimal
    price: str
    price_age: int  # seconds
    funding_per_day: Decimal
    long: Decimal
    short: Decimal
    max_leverage: Decimal
    taker_fee: Decimal
    maker_fee: Decimal
    status: str


@dataclass(frozen=True, slots=True)
class PositionRow:
    """A position in one line."""

    market: str
    mode: str
    side: str
    size: Decimal
    entry_price: Decimal
    mark_price: Decimal
    notional: Decimal
    margin: Decimal | None
    pnl: Decimal
    equity: Decimal | None
    maintenance_margin: Decimal
    liquidation_price: Decimal | None


@dataclass(frozen=True, slots=True)
class OrderRow:
    """A resting order in one line."""

    hash: bytes
    market: str
    kind: str
    side: str
    size: Decimal | None
    mode: str
    trigger_price: Decimal | None
    acceptable_price: Decimal | None
    callback_rate: Decimal | None
    reduce_only: bool
    expiry: int | None
    group: bytes | None


@dataclass(frozen=True, slots=True)
class AccountShown:
    """An account at a block, with its positions and its orders since another."""

    account: str
    block: int
    cash: Decimal
    escrow: Decimal
    equity: Decimal
    cross_equity: Decimal
    free_collateral: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    margin_ratio: Decimal | None
    position_mode: str
    orders_since_block: int
    positions: tuple[PositionRow, ...]
    orders: tuple[OrderRow, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A transaction that was mined, and the account's money after it."""

    done: str
    account: str
    transaction: str
    block: int
    gas_used: int
    cash: Decimal
    free_collateral: Decimal
    equity: Decimal


def change_of(done: str, receipt: Receipt, view: AccountView) -> Change:
    """What a transaction left."""
    return Change(
        done=done,
        account=view.address,
        transaction=receipt.transaction,
        block=receipt.block,
        gas_used=receipt.gas_used,
        cash=view.cash,
        free_collateral=view.free_collateral,
        equity=view.equity,
    )


def market_row(state: MarketState) -> MarketRow:
    """A market's line."""
    market = state.market
    return MarketRow(
        market=market.symbol,
        mark_price=state.mark_price,
        price=price_word(state),
        price_age=max(state.now - state.price.published_at, 0),
        funding_per_day=state.funding_rate,
        long=market.size_of(state.long.size),
        short=market.size_of(state.short.size),
        max_leverage=Decimal(10**6) / market.tiers[0].initial_rate,
        taker_fee=from_ppm(market.terms.taker_fee),
        maker_fee=from_ppm(market.terms.maker_fee),
        status="open" if state.is_open else "reduce-only",
    )


def price_word(state: MarketState) -> str:
    """What may be done at a market's price."""
    if state.is_firm:
        return "firm"
    if not state.is_live:
        return "silent"
    if not state.is_fresh:
        return "stale"
    return "doubted" if state.may_trade else "settling"


def position_row(position: Position) -> PositionRow:
    """A position's line; a cross leg has no margin nor equity of its own."""
    is_isolated = position.is_isolated
    return PositionRow(
        market=position.market.symbol,
        mode="isolated" if is_isolated else "cross",
        side="long" if position.is_long else "short",
        size=position.size,
        entry_price=position.entry_price,
        mark_price=position.state.mark_price,
        notional=position.notional,
        margin=position.margin if is_isolated else None,
        pnl=position.value,
        equity=position.equity if is_isolated else None,
        maintenance_margin=position.maintenance_margin,
        liquidation_price=position.liquidation_price,
    )


def order_row(placed: PlacedOrder, market: Market) -> OrderRow:
    """A resting order's line; of a size of zero, all there is when it fills."""
    order = placed.order
    return OrderRow(
        hash=placed.hash,
        market=market.symbol,
        kind=words_of(OrderKind(order.kind).name),
        side="buy" if order.is_buy else "sell",
        size=market.size_of(order.size) if order.size else None,
        mode=words_of(MarginMode(order.margin_mode).name),
        trigger_price=market.price_of(order.trigger_price) if order.trigger_price else None,
        acceptable_price=(
            market.price_of(order.acceptable_price) if order.acceptable_price else None
        ),
        callback_rate=from_ppm(order.callback_rate) if order.callback_rate else None,
        reduce_only=order.reduce_only,
        expiry=order.expiry or None,
        group=None if order.group == NO_GROUP else order.group,
    )


def account_shown(
    view: AccountView, block: int, since: int, orders: tuple[OrderRow, ...]
) -> AccountShown:
    """An account and its orders since a block."""
    return AccountShown(
        account=view.address,
        block=block,
        cash=view.cash,
        escrow=view.escrow,
        equity=view.equity,
        cross_equity=view.cross_equity,
        free_collateral=view.free_collateral,
        initial_margin=view.initial_margin,
        maintenance_margin=view.maintenance_margin,
        margin_ratio=view.margin_ratio,
        position_mode="hedge" if view.is_hedge else "one-way",
        orders_since_block=since,
        positions=tuple(map(position_row, view.positions)),
        orders=orders,
    )


def words_of(name: str) -> str:
    """A constant's name as it is written in a command."""
    return name.lower().replace("_", "-")
