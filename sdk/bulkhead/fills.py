"""What filled of an order, as people look at it. Pure: built from the log of a fill."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext

from bulkhead import valuation
from bulkhead.interfaces import Event
from bulkhead.markets import Market
from bulkhead.values import femto_to_usd, to_usd

INCREASED, DECREASED = "PositionIncreased", "PositionDecreased"
PRECISION = 50  # digits of an average that has no end


@dataclass(frozen=True, slots=True)
class Fill:
    """One position that an order changed.

    Attributes:
        market: Where.
        slot: 0 cross long, 1 cross short, 2 isolated long, 3 isolated short.
        is_increase: Whether it opened or grew; else it shrank or closed.
        lots: How much.
        mark: Femto per lot, the oracle's.
        impact_femto: What the skew added, positive where the trader paid.
        fee_quote: To pool, insurance and treasury.
        realised_quote: PnL and funding of what was closed, after impact, before fees.
        deficit_quote: What insurance and pool paid in the account's stead.
        margin_quote: Moved from cash into the vault; 0 in cross, and of what closes.
        block: Where it was mined.
        transaction: In which transaction.
    """

    market: Market
    slot: int
    is_increase: bool
    lots: int
    mark: int
    impact_femto: int
    fee_quote: int
    realised_quote: int
    deficit_quote: int
    margin_quote: int
    block: int
    transaction: str

    @property
    def is_buy(self) -> bool:
        """Its direction."""
        return valuation.is_long(self.slot) == self.is_increase

    @property
    def size(self) -> Decimal:
        """Base units."""
        return self.market.size_of(self.lots)

    @property
    def mark_price(self) -> Decimal:
        """USD per base unit, the oracle's."""
        return self.market.price_of(self.mark)

    @property
    def price(self) -> Decimal:
        """USD per base unit, the average that was paid, impact included; to 50 digits."""
        signed = self.impact_femto if self.is_buy else -self.impact_femto
        with localcontext() as context:
            context.prec = PRECISION
            return femto_to_usd(self.lots * self.mark + signed) / self.size

    @property
    def impact(self) -> Decimal:
        """USD that the skew cost; negative where it paid."""
        return femto_to_usd(self.impact_femto)

    @property
    def fee(self) -> Decimal:
        """USD."""
        return to_usd(self.fee_quote)

    @property
    def realised(self) -> Decimal:
        """USD of PnL and funding, after impact, before the fee; 0 of what opens."""
        return to_usd(self.realised_quote)

    @property
    def margin(self) -> Decimal:
        """USD moved from cash into the vault."""
        return to_usd(self.margin_quote)

    @property
    def deficit(self) -> Decimal:
        """USD that insurance and pool paid in the account's stead."""
        return to_usd(self.deficit_quote)


def fill_of(event: Event, market: Market) -> Fill:
    """A fill from its `PositionIncreased` or `PositionDecreased`."""
    return Fill(
        market=market,
        slot=event["slot"],
        is_increase=event.name == INCREASED,
        lots=event["size"],
        mark=event["price"],
        impact_femto=event["impact"],
        fee_quote=event["fee"],
        realised_quote=event.arguments.get("realised", 0),
        deficit_quote=event.arguments.get("deficit", 0),
        margin_quote=event.arguments.get("margin", 0),
        block=event.block,
        transaction=event.transaction,
    )
