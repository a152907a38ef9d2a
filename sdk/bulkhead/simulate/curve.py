"""What a simulation came to: equity over time, and what happened on the way."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TextIO

from bulkhead.fills import DECREASED, INCREASED, Fill, fill_of
from bulkhead.interfaces import Event
from bulkhead.markets import Market
from bulkhead.protocol import words
from bulkhead.valuation import is_isolated
from bulkhead.values import femto_to_usd, to_usd


@dataclass(frozen=True, slots=True)
class AccountFill:
    """A position that an order has changed.

    Attributes:
        time: Seconds.
        account: Whose, by name.
        fill: What it did.
    """

    time: int
    account: str
    fill: Fill


@dataclass(frozen=True, slots=True)
class Liquidation:
    """A position that a liquidation has cut or closed.

    Attributes:
        time: Seconds.
        account: Whose, by name.
        market: Where.
        slot: 0 cross long, 1 cross short, 2 isolated long, 3 isolated short.
        event: What the exchange logged: lots, femto and quote.
    """

    time: int
    account: str
    market: Market
    slot: int
    event: Event

    @property
    def is_isolated(self) -> bool:
        """Its margin mode."""
        return is_isolated(self.slot)

    @property
    def is_partial(self) -> bool:
        """Whether a part of the position goes on."""
        return words.unpack_position(self.event["position_word"]).size != 0

    @property
    def price(self) -> Decimal:
        """USD per base unit, the mark."""
        return self.market.price_of(self.event["price"])

    @property
    def penalty(self) -> Decimal:
        """USD."""
        return to_usd(self.event["penalty"])

    @property
    def deficit(self) -> Decimal:
        """USD that insurance and the pool paid."""
        return to_usd(self.event["deficit"])


@dataclass(slots=True)
class EquityCurve:
    """One row a step, columns by the names of accounts and the symbols of markets.

    Attributes:
        times: Seconds.
        markets: By symbol.
        prices: Femto per lot, by symbol.
        equities: Femto USD, by account: cash, escrow, and what positions are worth.
        fills: In their order.
        liquidations: In their order.
        fees: Quote that orders paid for trading, by account; keepers' and builders' not counted.
        penalties: Quote that liquidations took, by account.
        events: All that was logged but prices, in its order.
    """

    times: list[int] = field(default_factory=list)
    markets: dict[str, Market] = field(default_factory=dict)
    prices: dict[str, list[int]] = field(default_factory=dict)
    equities: dict[str, list[int]] = field(default_factory=dict)
    fills: list[AccountFill] = field(default_factory=list)
    liquidations: list[Liquidation] = field(default_factory=list)
    fees: dict[str, int] = field(default_factory=dict)
    penalties: dict[str, int] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def equity(self, account: str) -> tuple[Decimal, ...]:
        """An account's equity after each step, USD, exact."""
        return tuple(femto_to_usd(femto) for femto in self.equities[account])

    def price(self, symbol: str) -> tuple[Decimal, ...]:
        """A market's price at each step, USD per base unit."""
        market = self.markets[symbol]
        return tuple(market.price_of(femto) for femto in self.prices[symbol])

    def columns(self) -> tuple[str, ...]:
        """The names of a row's cells: the time, the markets' symbols, the accounts' names."""
        return ("time", *self.prices, *self.equities)

    def rows(self) -> Iterator[tuple[int | Decimal, ...]]:
        """A row a step: seconds, prices and equities, USD."""
        columns = [
            *(self.price(symbol) for symbol in self.prices),
            *(self.equity(account) for account in self.equities),
        ]
        return zip(self.times, *columns, strict=True)

    def write_csv(self, file: TextIO) -> None:
        """Writes the rows, under a head with the columns' names."""
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(self.columns())
        for time, *cells in self.rows():
            writer.writerow([time, *(f"{cell:f}" for cell in cells)])

    def sample(self, time: int, prices: Mapping[str, int], equities: Mapping[str, int]) -> None:
        """Adds a row. The accounts and markets are those of the first."""
        self.times.append(time)
        for symbol, price in prices.items():
            self.prices.setdefault(symbol, []).append(price)
        for account, equity in equities.items():
            self.equities.setdefault(account, []).append(equity)

    def take(
        self,
        events: Iterable[Event],
        name_of: Callable[[str], str],
        market_of: Callable[[int], Market],
    ) -> None:
        """Takes in what was logged.

        Args:
            events: In their order.
            name_of: An account's name, by its address.
            market_of: A market, by its id.
        """
        for event in events:
            self.events.append(event)
            if event.name in (INCREASED, DECREASED):
                account, fill = (
                    name_of(event["account"]),
                    fill_of(event, market_of(event["market"])),
                )
                self.fills.append(AccountFill(event.block, account, fill))
                self.fees[account] = self.fees.get(account, 0) + fill.fee_quote
            elif event.name == "PositionLiquidated":
                account, market = name_of(event["account"]), market_of(event["market"])
                self.liquidations.append(
                    Liquidation(event.block, account, market, event["slot"], event)
                )
                self.penalties[account] = self.penalties.get(account, 0) + event["penalty"]
