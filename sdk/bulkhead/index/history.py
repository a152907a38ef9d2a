"""What the index tells of the past: fills, funding, liquidations, PnL. Pure values.

Money is USD, sizes are base units, both exact Decimals; times are the chain's, in UTC.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Generic, TypeVar

from bulkhead.index.ledger import TRANSFERS, CashEntry, Entry, EntryKind, FillEntry, FillKind
from bulkhead.markets import price_of, size_of
from bulkhead.protocol import words
from bulkhead.values import femto_to_usd, to_usd

FORCED = (FillKind.LIQUIDATION, FillKind.NETTING)
"""The fills of a liquidation: what it closes, and the pairs that it nets first."""

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


class Period(StrEnum):
    """What PnL is summed up by: calendar periods in UTC; weeks begin on Monday."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Listed:
    """What a market's numbers need to be read by people.

    Attributes:
        symbol: The market's.
        lot_size: WAD base units per lot.
    """

    symbol: str
    lot_size: int


@dataclass(frozen=True, slots=True)
class Fill:
    """One change of a position's size, by an order or by force.

    Attributes:
        time: The block's.
        block: Its number.
        log_index: The place of the event in it.
        transaction: The transaction's hash.
        account: Whose position.
        symbol: The market's.
        side: The position's: long or short.
        mode: Its margin: cross or isolated.
        kind: Why.
        size: Base units.
        price: The mark price, USD per base unit.
        notional: USD, at the mark price.
        impact: USD, positive where the account paid. The entry price, or `pnl`, has it already.
        pnl: USD, realised by price, after impact, before fees.
        funding: USD, realised with this size; positive where the account received.
        fee: USD, the trade fee.
        penalty: USD, of a liquidation.
        deficit: USD that insurance and pool paid in the account's stead.
        reward: USD that the liquidator got, out of the penalty and insurance.
        order_hash: Of the order that was filled; None by force.
        liquidator: Who liquidated; None otherwise.
        entry: The same in the chain's own integers.
    """

    time: datetime
    block: int
    log_index: int
    transaction: str
    account: str
    symbol: str
    side: str
    mode: str
    kind: FillKind
    size: Decimal
    price: Decimal
    notional: Decimal
    impact: Decimal
    pnl: Decimal
    funding: Decimal
    fee: Decimal
    penalty: Decimal
    deficit: Decimal
    reward: Decimal
    order_hash: str | None
    liquidator: str | None
    entry: FillEntry = field(repr=False)

    @property
    def is_long(self) -> bool:
        """Whether the position is a long one."""
        return self.side == "long"

    @property
    def is_isolated(self) -> bool:
        """Whether the position has a margin of its own."""
        return self.mode == "isolated"

    @property
    def net(self) -> Decimal:
        """USD that the fill added to the account's collateral."""
        return to_usd(self.entry.change)


@dataclass(frozen=True, slots=True)
class FundingPayment:
    """Funding that was realised as lots were closed.

    Attributes:
        time: The block's.
        block: Its number.
        log_index: The place of the event in it.
        transaction: The transaction's hash.
        account: Whose position.
        symbol: The market's.
        side: The position's: long or short.
        mode: Its margin: cross or isolated.
        size: Base units that were closed.
        amount: USD; positive where the account received.
    """

    time: datetime
    block: int
    log_index: int
    transaction: str
    account: str
    symbol: str
    side: str
    mode: str
    size: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Pnl:
    """What an account gained and lost in a period, in USD; costs are positive.

    Attributes:
        time: The period's begin; of all time the first change.
        account: Whose.
        price: Realised by price, impact included.
        funding: Realised funding.
        fees: Trade fees.
        keeper_fees: For executing and ending orders, and for top-ups.
        builder_fees: For builders, and whom they share with.
        penalties: Of liquidations.
        covered: Losses that insurance and pool paid.
        rewards: Earned as keeper, liquidator, builder or referrer.
        net: All of these: what was gained.
        transfers: Deposits less withdrawals, which are neither gained nor lost.
    """

    time: datetime
    account: str
    price: Decimal
    funding: Decimal
    fees: Decimal
    keeper_fees: Decimal
    builder_fees: Decimal
    penalties: Decimal
    covered: Decimal
    rewards: Decimal
    net: Decimal
    transfers: Decimal

    @property
    def change(self) -> Decimal:
        """USD by which the account's collateral grew: cash, escrow and isolated margins."""
        return self.net + self.transfers


Row = TypeVar("Row")


class Rows(tuple[Row, ...], Generic[Row]):
    """Rows of one kind, which can be written as a table."""

    kind: type[Any]

    def __new__(cls, kind: type[Row], rows: Iterable[Row] = ()) -> Rows[Row]:
        """Makes rows of a kind, a dataclass; there may be none."""
        made = super().__new__(cls, rows)
        made.kind = kind
        return made

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(one.name for one in fields(self.kind) if one.name != "entry")

    def rows(self) -> list[dict[str, Any]]:
        """The rows as tables of values by column."""
        return [{name: getattr(row, name) for name in self.columns} for row in self]

    def to_csv(self, path: str | Path | None = None) -> str:
        """The rows as CSV with a header line: plain decimals, times in ISO 8601.

        Args:
            path: Where to write it, too.
        """
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        for row in self:
            writer.writerow([_cell(getattr(row, name)) for name in self.columns])
        if path is not None:
            Path(path).write_text(text.getvalue(), encoding="utf-8", newline="")
        return text.getvalue()


def fill_of(where: dict[str, Any], entry: FillEntry, market: Listed) -> Fill:
    """A fill as people read it.

    Args:
        where: Its time, block, log index and transaction.
        entry: What it did.
        market: Its market.
    """
    return Fill(
        **where,
        account=entry.account,
        symbol=market.symbol,
        side="short" if entry.slot % 2 else "long",
        mode="isolated" if entry.slot >= words.ISOLATED_LONG else "cross",
        kind=entry.kind,
        size=size_of(entry.size, market.lot_size),
        price=price_of(entry.price, market.lot_size),
        notional=femto_to_usd(entry.size * entry.price),
        impact=to_usd(entry.impact),
        pnl=to_usd(entry.pnl),
        funding=to_usd(entry.funding),
        fee=to_usd(entry.fee),
        penalty=to_usd(entry.penalty),
        deficit=to_usd(entry.deficit),
        reward=to_usd(entry.reward),
        order_hash=None if entry.order_hash is None else "0x" + entry.order_hash.hex(),
        liquidator=entry.liquidator,
        entry=entry,
    )


def funding_of(fill: Fill) -> FundingPayment:
    """The funding that a fill realised."""
    shared = {one.name: getattr(fill, one.name) for one in fields(FundingPayment)[:-1]}
    return FundingPayment(**shared, amount=fill.funding)


def pnl_of(account: str, changes: Iterable[tuple[int, Entry]], period: Period) -> list[Pnl]:
    """An account's PnL by period, without periods in which nothing changed.

    Args:
        account: Whose entries they are.
        changes: What changed its collateral, and when: seconds; in their order.
        period: By what to sum up.
    """
    sums: dict[datetime, dict[str, int]] = {}
    for timestamp, entry in changes:
        moment = utc(timestamp)
        begin = next(iter(sums), moment) if period is Period.ALL else begin_of(moment, period)
        into = sums.setdefault(begin, defaultdict(int))
        for name, amount in _shares_of(entry):
            into[name] += amount
    return [_pnl_row(begin, account, into) for begin, into in sums.items()]


def begin_of(moment: datetime, period: Period) -> datetime:
    """When the calendar period of a moment began."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    match period:
        case Period.HOUR:
            return hour
        case Period.WEEK:
            return day - timedelta(days=day.weekday())
        case Period.MONTH:
            return day.replace(day=1)
    return day


def utc(timestamp: int) -> datetime:
    """The chain's time as people read it."""
    return datetime.fromtimestamp(timestamp, UTC)


_GAINS = ("price", "funding", "covered", "rewards")
_COSTS = ("fees", "keeper_fees", "builder_fees", "penalties")
_COLUMN_OF = {
    EntryKind.KEEPER_FEE: "keeper_fees",
    EntryKind.BUILDER_FEE: "builder_fees",
    EntryKind.COVER: "covered",
    EntryKind.REWARD: "rewards",
    **dict.fromkeys(TRANSFERS, "transfers"),
}


def _shares_of(entry: Entry) -> Sequence[tuple[str, int]]:
    """What an entry adds to which column."""
    if isinstance(entry, CashEntry):
        column = _COLUMN_OF[entry.kind]
        return [(column, -entry.amount if column in _COSTS else entry.amount)]
    return [
        ("price", entry.pnl),
        ("funding", entry.funding),
        ("fees", entry.fee),
        ("penalties", entry.penalty),
        ("covered", entry.deficit),
    ]


def _pnl_row(begin: datetime, account: str, sums: dict[str, int]) -> Pnl:
    net = sum(sums[name] for name in _GAINS) - sum(sums[name] for name in _COSTS)
    shown = {name: to_usd(sums[name]) for name in (*_GAINS, *_COSTS, "transfers")}
    return Pnl(time=begin, account=account, net=to_usd(net), **shown)


def _cell(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None:
        return ""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULAS) else text
