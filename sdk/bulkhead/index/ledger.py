"""What events did to accounts' money: pure, from an event and the state before it.

An account's collateral is its cash, its escrow and its isolated margins. Every change of it is in
exactly one fill or one entry, so for each account they sum up to what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from bulkhead.interfaces import Event
from bulkhead.protocol import words
from bulkhead.protocol.fixed_point import quote_ceiling, quote_down
from bulkhead.replay import Replay
from bulkhead.state import NO_ACCOUNT


class FillKind(StrEnum):
    """Why a position changed its size."""

    INCREASE = "increase"
    DECREASE = "decrease"
    LIQUIDATION = "liquidation"
    NETTING = "netting"
    DELEVERAGING = "deleveraging"
    SETTLEMENT = "settlement"


class EntryKind(StrEnum):
    """Why an account's collateral changed otherwise."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    CLAIM = "claim"  # what leaves the pool waits in the pool's own account
    KEEPER_FEE = "keeper fee"
    BUILDER_FEE = "builder fee"
    COVER = "cover"  # a debt that insurance and pool paid
    REWARD = "reward"  # of keepers, liquidators, builders and referrers


TRANSFERS = (EntryKind.DEPOSIT, EntryKind.WITHDRAWAL, EntryKind.CLAIM)
"""Entries that are neither gained nor lost."""


@dataclass(frozen=True, slots=True)
class FillEntry:
    """One change of a position's size; money in quote units, as the account sees it.

    Attributes:
        account: Whose.
        market: The market's id.
        slot: The position's.
        kind: Why.
        size: Lots, positive.
        price: The mark price, femto per lot.
        impact: Rounded up; positive where the account paid. The position's entry, or the PnL, has
            it already.
        pnl: Realised by price, after impact, before fees.
        funding: Realised; positive where the account received.
        fee: Paid to the pool, insurance and treasury.
        penalty: Of a liquidation.
        deficit: What insurance and pool paid in the account's stead.
        reward: The liquidator's, out of the penalty and insurance.
        order_hash: Of the order that was filled; None without one.
        liquidator: Who liquidated; None if nobody did.
    """

    account: str
    market: int
    slot: int
    kind: FillKind
    size: int
    price: int
    impact: int = 0
    pnl: int = 0
    funding: int = 0
    fee: int = 0
    penalty: int = 0
    deficit: int = 0
    reward: int = 0
    order_hash: bytes | None = None
    liquidator: str | None = None

    @property
    def change(self) -> int:
        """What the fill added to the account's collateral."""
        return self.pnl + self.funding - self.fee - self.penalty + self.deficit


@dataclass(frozen=True, slots=True)
class CashEntry:
    """One change of an account's collateral that is no fill's.

    Attributes:
        account: Whose.
        kind: Why.
        amount: Quote units, negative where the account paid.
        market: The market's id; None where it is no market's.
    """

    account: str
    kind: EntryKind
    amount: int
    market: int | None = None


Entry: TypeAlias = FillEntry | CashEntry

_CLOSES = {
    "PositionDecreased": FillKind.DECREASE,
    "PositionLiquidated": FillKind.LIQUIDATION,
    "PositionDeleveraged": FillKind.DELEVERAGING,
    "PositionSettled": FillKind.SETTLEMENT,
}


def funding_indices(transaction: Sequence[Event]) -> dict[int, int]:
    """The indices at which a transaction's batches realise funding, by market, femto per lot.

    A batch logs its markets after what it closed in them.
    """
    return {
        event["market"]: words.unpack_market(event["market_word"]).funding_index
        for event in transaction
        if event.name == "MarketSettled"
    }


def entries_of(state: Replay, event: Event, indices: Mapping[int, int]) -> Iterator[Entry]:
    """What one event did to accounts' collateral.

    Args:
        state: As it was before the event.
        event: The event.
        indices: The `funding_indices` of its transaction.
    """
    name = event.name
    if name == "PositionIncreased":
        yield FillEntry(
            account=event["account"],
            market=event["market"],
            slot=event["slot"],
            kind=FillKind.INCREASE,
            size=event["size"],
            price=event["price"],
            impact=quote_ceiling(event["impact"]),
            fee=event["fee"],
            order_hash=event["order_hash"],
        )
    elif name in _CLOSES:
        yield _close(state, event, indices)
    elif name == "PairNetted":
        yield from _netting(state, event, indices)
    else:
        for entry in _payments(state, event):
            if entry.amount:
                yield entry


def _close(state: Replay, event: Event, indices: Mapping[int, int]) -> FillEntry:
    market, slot, size = event["market"], event["slot"], event["size"]
    if "market_word" in event.arguments:
        index = words.unpack_market(event["market_word"]).funding_index
    else:
        index = _index_of(state, market, indices)
    before = state.positions[event["account"], market, slot]
    funding = _funding(before, slot, size, index)
    table = event.arguments
    return FillEntry(
        account=event["account"],
        market=market,
        slot=slot,
        kind=_CLOSES[event.name],
        size=size,
        price=event["price"],
        impact=quote_ceiling(table.get("impact", 0)),
        pnl=event["realised"] - funding,
        funding=funding,
        fee=table.get("fee", 0),
        penalty=table.get("penalty", 0),
        deficit=table.get("deficit", 0),
        reward=table.get("reward", 0),
        order_hash=table.get("order_hash"),
        liquidator=table.get("liquidator"),
    )


def _netting(state: Replay, event: Event, indices: Mapping[int, int]) -> Iterator[FillEntry]:
    """The two legs of a pair. The short one takes the rounding of what both realised together."""
    account, market, size = event["account"], event["market"], event["size"]
    index = _index_of(state, market, indices)
    rest: int = event["realised"]
    for slot in (words.CROSS_LONG, words.CROSS_SHORT):
        before = state.positions[account, market, slot]
        funding = _funding(before, slot, size, index)
        released = -(-before.entry_notional * size // before.size)  # of a long: up
        is_last = slot == words.CROSS_SHORT
        pnl = rest - funding if is_last else quote_down(size * event["price"]) - released
        rest -= pnl + funding
        yield FillEntry(
            account=account,
            market=market,
            slot=slot,
            kind=FillKind.NETTING,
            size=size,
            price=event["price"],
            pnl=pnl,
            funding=funding,
        )


def _payments(state: Replay, event: Event) -> Iterator[CashEntry]:
    kind = EntryKind
    match event.name:
        case "Deposited":
            yield CashEntry(event["account"], kind.DEPOSIT, event["amount"])
        case "Withdrawn":
            yield CashEntry(event["account"], kind.WITHDRAWAL, -event["amount"])
        case "MarginAdded":
            # Out of cash, or fresh tokens: the account's word tells.
            before = state.accounts.get(event["account"], NO_ACCOUNT).cash
            spent = before - words.unpack_account(event["account_word"]).cash
            fresh = event["amount"] - spent
            yield CashEntry(event["account"], kind.DEPOSIT, fresh, event["market"])
        case "LiquidityRemoved":
            yield CashEntry(state.liquidity_pool, kind.CLAIM, event["amount"])
        case "OrderExecuted":
            yield from _keeper_fee(state, event, event["keeper"])
        case "OrderCancelled":
            if event["receiver"] != event["account"]:
                yield from _keeper_fee(state, event, event["receiver"])
        case "BuilderPaid":
            placed = state.placements[event["order_hash"]]
            paid = event["builder_fee"] + event["referral"]
            yield CashEntry(placed.account, kind.BUILDER_FEE, -paid, placed.market)
            yield CashEntry(event["builder"], kind.REWARD, event["builder_fee"], placed.market)
            yield CashEntry(event["referrer"], kind.REWARD, event["referral"], placed.market)
        case "MarginToppedUp":
            yield CashEntry(event["account"], kind.KEEPER_FEE, -event["reward"], event["market"])
        case "LiquidatorPaid":
            yield CashEntry(event["liquidator"], kind.REWARD, event["amount"])
        case "DebtWrittenOff":
            yield CashEntry(event["account"], kind.COVER, event["deficit"])


def _keeper_fee(state: Replay, event: Event, receiver: str) -> Iterator[CashEntry]:
    placed = state.placements[event["order_hash"]]
    fee = event["keeper_fee"]
    yield CashEntry(placed.account, EntryKind.KEEPER_FEE, -fee, placed.market)
    yield CashEntry(receiver, EntryKind.REWARD, fee, placed.market)


def _index_of(state: Replay, market: int, indices: Mapping[int, int]) -> int:
    """The index a batch realises at; a settled market's stands still, and is not logged again."""
    if market in indices:
        return indices[market]
    return state.markets[market].funding_index


def _funding(before: words.Position, slot: int, size: int, index: int) -> int:
    """What lots of a position receive for its life so far, quote, down."""
    femto = size * (before.funding_index - index)
    return quote_down(femto if slot % 2 == 0 else -femto)
