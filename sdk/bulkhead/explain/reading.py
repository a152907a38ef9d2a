"""Reads from a chain what an explanation needs."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from bulkhead import errors
from bulkhead.explain.liquidation import told
from bulkhead.explain.tale import Explanation
from bulkhead.replay import LedgerReplay
from bulkhead.state import ExchangeState

if TYPE_CHECKING:
    from bulkhead.reader import Reader

LIQUIDATIONS = ("MarginToppedUp", "PairNetted", "PositionLiquidated")


def latest_liquidation(reader: Reader, account: str | None = None, first: int | None = None) -> str:
    """The hash of the latest transaction that liquidated somebody.

    Args:
        reader: The exchange.
        account: Whose; anybody's where it is None.
        first: The block to look back to; the deployment's where it is None.

    Raises:
        NotFound: If nobody was liquidated since.
    """
    house = reader.contracts.clearinghouse
    topics: list[list[bytes] | None] = [[house.topic(name) for name in LIQUIDATIONS]]
    if account is not None:
        topics.append([bytes.fromhex(account.removeprefix("0x")).rjust(32, b"\0")])
    start = reader.deployment.block if first is None else first
    logs = reader.chain.logs([house.address], start, reader.block().number, topics)
    if not logs:
        raise errors.NotFound(f"nobody was liquidated since block {start}")
    return logs[-1].transaction


def explain_liquidation(reader: Reader, transaction: str) -> Explanation:
    """Explains the liquidations of a transaction.

    Args:
        reader: The exchange, on a node that still has the state of the block before.
        transaction: Its hash.

    Raises:
        NotFound: If no such transaction is mined.
        ValueError: If it liquidated nothing.
    """
    receipt = reader.chain.receipt(transaction)
    at = reader.block(receipt.block)
    order = reader.chain.transactions(at.number)
    before = order[: order.index(receipt.transaction)]
    events = reader.events(at.number, at.number)
    mine = [event for event in events if event.transaction == receipt.transaction]
    # Log indices are no order on eth-tester, where every transaction's begin at zero.
    earlier = [event for one in before for event in events if event.transaction == one]
    due = [event for event in mine if event.name in LIQUIDATIONS]
    if not due:
        raise ValueError(f"transaction {transaction} liquidated nothing")
    accounts = sorted({event["account"] for event in due})
    named = {event["market"] for event in (*earlier, *mine) if "market" in event.arguments}
    found = reader.snapshot(accounts, sorted(named), reader.block(at.number - 1))
    held = {one.name: getattr(found.state, one.name) for one in fields(ExchangeState)}
    replay = LedgerReplay(**held)
    replay.take_all(earlier)
    # Whether a feed had a newer round is known of the whole block alone.
    states = reader.market_states(sorted(replay.markets), at)
    outdated = {market for market, state in states.items() if not state.is_latest}
    return told(replay, mine, at.timestamp, outdated)
