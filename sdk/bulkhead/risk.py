"""What may become of positions if nobody does anything, as the risk lens shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bulkhead.protocol.funding_bounds import NEVER
from bulkhead.values import from_units, to_usd


@dataclass(frozen=True, slots=True)
class Risk:
    """One position's.

    Attributes:
        market: Where.
        slot: Which.
        size: Lots.
        time_to_liquidation: Seconds, if funding alone moves; None within ten years.
        deleverage_rank: Its profit per lot over its side's average; from 1 on it is in line for
            auto-deleveraging, 0 without a profit or where a pair is matched.
        deleverage_size: Lots that may be taken off it now.
    """

    market: int
    slot: int
    size: int
    time_to_liquidation: int | None
    deleverage_rank: Decimal
    deleverage_size: int


@dataclass(frozen=True, slots=True)
class MarketRisk:
    """How a market stands to its share of the pool.

    Attributes:
        market: Which.
        owed: USD to all its traders, up.
        backing: USD, the market's share of pool cash, down.
        is_deleveraging: Whether it owes more than that: auto-deleveraging may begin.
        excess: USD, up: what that would take off what is owed.
    """

    market: int
    owed: Decimal
    backing: Decimal
    is_deleveraging: bool
    excess: Decimal


def risk_of(table: Mapping[str, Any]) -> Risk:
    """A risk from a decoded struct."""
    seconds = table["time_to_liquidation"]
    return Risk(
        market=table["market"],
        slot=table["slot"],
        size=table["size"],
        time_to_liquidation=None if seconds == NEVER else seconds,
        deleverage_rank=from_units(table["deleverage_rank"], 6),
        deleverage_size=table["deleverage_size"],
    )


def market_risk_of(table: Mapping[str, Any]) -> MarketRisk:
    """A market's risk from a decoded struct."""
    return MarketRisk(
        market=table["market"],
        owed=to_usd(table["owed"]),
        backing=to_usd(table["backing"]),
        is_deleveraging=table["is_deleveraging"],
        excess=to_usd(table["excess"]),
    )
