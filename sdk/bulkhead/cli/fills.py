"""How orders are shown: before they are placed, while they rest, and once they have filled."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from bulkhead import valuation
from bulkhead.cli.results import OrderRow, order_row
from bulkhead.protocol.price_bounds import NO_PRICE
from bulkhead.values import femto_to_usd, from_ppm, to_usd

if TYPE_CHECKING:
    from bulkhead.fills import Fill
    from bulkhead.handles import OrderHandle
    from bulkhead.orders import Preview
    from bulkhead.reader import Reader


@dataclass(frozen=True, slots=True)
class FillRow:
    """What an order did to one position, in one line."""

    did: str
    position: str
    size: Decimal
    price: Decimal
    mark_price: Decimal
    impact: Decimal
    fee: Decimal
    margin_added: Decimal
    realised: Decimal


@dataclass(frozen=True, slots=True)
class Placed:
    """An order, and what was placed with it.

    Attributes:
        state: Pending, executed, cancelled or expired.
        reason: Why it ended unfilled.
        executable_from: Seconds of the chain: a price published then or later may fill it.
        block: Where it was placed.
    """

    order: bytes
    state: str
    reason: str | None
    executable_from: int
    block: int
    keeper_fee: Decimal
    orders: tuple[OrderRow, ...]
    fills: tuple[FillRow, ...]


@dataclass(frozen=True, slots=True)
class PositionAfter:
    """The position that an order would leave."""

    position: str
    size: Decimal
    entry_price: Decimal
    margin: Decimal
    leverage: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    liquidation_price: Decimal | None


@dataclass(frozen=True, slots=True)
class AccountAfter:
    """The account that an order would leave."""

    cash: Decimal
    equity: Decimal
    free_collateral: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    margin_ratio: Decimal


@dataclass(frozen=True, slots=True)
class Previewed:
    """What an order would do at the current price."""

    market: str
    would: str
    reduced: Decimal
    increased: Decimal
    mark_price: Decimal
    fill_price: Decimal | None
    impact: Decimal
    fee: Decimal
    builder_fee: Decimal
    keeper_fee: Decimal
    realised: Decimal
    margin_moved: Decimal
    position_after: PositionAfter
    account_after: AccountAfter


def placed(reader: Reader, handles: tuple[OrderHandle, ...]) -> Placed:
    """An order and its bracket, as they are now."""
    first = handles[0]
    market = reader.market(first.order.market)
    outcome = first.outcome()
    return Placed(
        order=first.hash,
        state=str(outcome.state),
        reason=outcome.reason or None,
        executable_from=first.executable_from,
        block=first.placed.block,
        keeper_fee=to_usd(first.placed.keeper_fee),
        orders=tuple(order_row(handle.placed, market) for handle in handles),
        fills=tuple(map(_row, outcome.fills)),
    )


def previewed(reader: Reader, preview: Preview) -> Previewed:
    """What an order would do, in people's units."""
    market = reader.market(preview.order.market)
    after, account = preview.position, preview.account
    is_long = valuation.is_long(after["slot"])
    liquidation = after["lower_liquidation_price" if is_long else "upper_liquidation_price"]
    would = "fill"
    if preview.waits_for or preview.reason:
        would = f"{'wait' if preview.waits_for else 'not fill'}: {preview.text}"
    return Previewed(
        market=market.symbol,
        would=would,
        reduced=market.size_of(preview.reduced),
        increased=market.size_of(preview.increased),
        mark_price=market.price_of(preview.mark_price),
        fill_price=market.price_of(preview.fill_price) if preview.fill_price else None,
        impact=femto_to_usd(preview.impact),
        fee=to_usd(preview.fee),
        builder_fee=to_usd(preview.builder_fee),
        keeper_fee=to_usd(preview.keeper_fee),
        realised=to_usd(preview.realised),
        margin_moved=to_usd(preview.margin),
        position_after=PositionAfter(
            position=valuation.slot_name(after["slot"]),
            size=market.size_of(after["size"]),
            entry_price=market.price_of(after["entry_price"]),
            margin=to_usd(after["margin"]),
            leverage=from_ppm(after["leverage"]),
            initial_margin=to_usd(after["initial_margin"]),
            maintenance_margin=to_usd(after["maintenance_margin"]),
            liquidation_price=(
                market.price_of(liquidation) if 0 < liquidation < NO_PRICE else None
            ),
        ),
        account_after=AccountAfter(
            cash=to_usd(account["cash"]),
            equity=to_usd(account["equity"]),
            free_collateral=to_usd(account["free_collateral"]),
            initial_margin=to_usd(account["initial_margin"]),
            maintenance_margin=to_usd(account["maintenance_margin"]),
            margin_ratio=from_ppm(account["margin_ratio"]),
        ),
    )


def _row(fill: Fill) -> FillRow:
    return FillRow(
        did="increased" if fill.is_increase else "decreased",
        position=valuation.slot_name(fill.slot),
        size=fill.size,
        price=fill.price,
        mark_price=fill.mark_price,
        impact=fill.impact,
        fee=fill.fee,
        margin_added=fill.margin,
        realised=fill.realised,
    )
