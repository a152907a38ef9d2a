"""A keeper for scripts: single passes, one after the other. `planning` decides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from bulkhead import valuation
from bulkhead.chain import Block, Receipt, address_of
from bulkhead.errors import BulkheadError, Refused
from bulkhead.interfaces import Event
from bulkhead.keeper import planning
from bulkhead.keeper.batching import batches, gas_of
from bulkhead.keeper.book import Book
from bulkhead.keeper.calls import call_of
from bulkhead.keeper.dispatch.intents import order_key
from bulkhead.keeper.planning import Sight
from bulkhead.keeper.work import Task
from bulkhead.orders import EXPIRED_REASON, OrderState, PlacedOrder
from bulkhead.reader import Reader
from bulkhead.replay import Replay
from bulkhead.values import to_usd

if TYPE_CHECKING:
    from bulkhead.chain import Signer

ENDS = ("OrderExecuted", "OrderCancelled")
LIQUIDATIONS = ("MarginToppedUp", "PairNetted", "PositionLiquidated")


@dataclass(frozen=True, slots=True)
class OrderReport:
    """What became of one order in a pass.

    Attributes:
        placed: The order.
        state: EXECUTED, CANCELLED, EXPIRED, or PENDING if it was left as it was.
        reason: Why, unless it was executed.
        keeper_fee: Quote, what it paid.
    """

    placed: PlacedOrder
    state: OrderState
    reason: str
    keeper_fee: int


@dataclass(frozen=True, slots=True)
class LiquidationReport:
    """One step of a liquidation: a position reduced or closed, a vault topped up, a pair netted.

    Attributes:
        event: Its `PositionLiquidated`, `MarginToppedUp` or `PairNetted`.
        debt: The `DebtWrittenOff` of its account, if it was the last cross leg of one in debt.
    """

    event: Event
    debt: Event | None = None

    @property
    def account(self) -> str:
        """Whose."""
        return str(self.event["account"])

    @property
    def market(self) -> int:
        """Where."""
        return int(self.event["market"])

    @property
    def is_isolated(self) -> bool:
        """Its margin mode."""
        return self.event.name != "PairNetted" and valuation.is_isolated(self.event["slot"])

    @property
    def is_top_up(self) -> bool:
        """Whether margin was added and nothing closed."""
        return self.event.name == "MarginToppedUp"

    @property
    def reward(self) -> Decimal:
        """USD for the keeper."""
        return to_usd(self.event.arguments.get("reward", 0))

    @property
    def penalty(self) -> Decimal:
        """USD the position paid."""
        return to_usd(self.event.arguments.get("penalty", 0))

    @property
    def deficit(self) -> Decimal:
        """USD that insurance and pool paid: for a vault, or with the last leg for its account."""
        debt = self.debt["deficit"] if self.debt else 0
        return to_usd(self.event.arguments.get("deficit", 0) + debt)


class Keeper:
    """Executes and liquidates for the fees. Rewards go to the signer's cash in the exchange.

    One pass does what there is to do now, waits for it, and says what came of it. `bulkhead keeper
    run` is the keeper that goes on by itself.

    Args:
        reader: The exchange.
        signer: Who sends, and is paid.
        book: What is known of the exchange already, up to the latest block; all logs are read
            where it is None.
    """

    def __init__(self, reader: Reader, signer: Signer, book: Book | None = None) -> None:
        self.reader = reader
        self.signer = signer
        self.address = address_of(signer)
        self.book = Book(Replay(reader.deployment.liquidity_pool)) if book is None else book
        self._next = reader.deployment.block if book is None else reader.block().number + 1

    def follow(self) -> None:
        """Takes in all logs there are."""
        last = self.reader.block().number
        if last >= self._next:
            for event in self.reader.events(self._next, last):
                self.book.take(event)
            self._next = last + 1

    def execute_orders(self) -> tuple[OrderReport, ...]:
        """One pass over the open orders: sends those that can be executed, in batches.

        Returns:
            What became of each order that was sent.
        """
        sight = self._sight()
        placed = {order_key(one.hash): one for one in self.book.orders()}
        reports: list[OrderReport] = []
        for batch in batches(planning.executions(placed.values(), self.book, sight)):
            receipt = self._send(batch)
            reports.extend(self._reports([placed[task.key] for task in batch], receipt))
        return tuple(reports)

    def ratchet(self) -> int:
        """One pass over the trailing stops: shows the current price to those it moves.

        Returns:
            How many it moved.
        """
        sight = self._sight()
        moved = tuple(planning.ratchets(self.book.orders(), sight))
        for batch in batches(moved):
            self._send(batch)
        return len(moved)

    def liquidate(self) -> tuple[LiquidationReport, ...]:
        """One pass over all open positions: liquidates what is liquidatable, in batches.

        Returns:
            Every step that was taken.
        """
        sight = self._sight()
        isolated = planning.isolated_liquidations(self.book.vaults(), self.book, sight)
        cross = planning.cross_liquidations(self.book.ledgers(), sight)
        reports: list[LiquidationReport] = []
        for batch in batches((*isolated, *cross)):
            reports.extend(self._steps(self._send(batch)))
        return tuple(reports)

    def deleverage(self) -> tuple[Event, ...]:
        """One pass over all markets: takes off winners where a market owes more than its share.

        Nobody is paid for it.

        Returns:
            A `PositionDeleveraged` for every position that was cut.
        """
        return self._do(planning.deleveragings(self.book, self._sight()), "PositionDeleveraged")

    def settle(self) -> tuple[Event, ...]:
        """One pass over all markets that are over: makes the price final, closes what is open.

        Nobody is paid for it.

        Returns:
            A `PositionSettled` for every position that was closed.
        """
        # What a final price has just been found for is closed at it in the same pass.
        self._do(planning.final_prices(self._sight()), "")
        return self._do(planning.settlements(self.book, self._sight()), "PositionSettled")

    def _do(self, tasks: Iterable[Task], name: str) -> tuple[Event, ...]:
        """Does all of it; what was logged under a name."""
        found: list[Event] = []
        for batch in batches(tasks):
            events = self.reader.contracts.decode_logs(self._send(batch).logs)
            found += [event for event in events if event.name == name]
        return tuple(found)

    def _send(self, batch: Collection[Task]) -> Receipt:
        call = call_of(self.reader.contracts, tuple(batch))
        return self.reader.chain.send(call, self.signer, gas_of(batch))

    def _sight(self) -> Sight:
        """What there is to see, once the oracle has the latest round of each feed it reads.

        Nothing fills or is liquidated while a feed is ahead of the oracle.
        """
        self.follow()
        sight = self._look()
        behind = tuple(planning.updates(sight))
        for task in behind:
            # A round that the oracle does not take leaves its market waiting, and no other.
            with suppress(Refused):
                call = call_of(self.reader.contracts, [task])
                self.reader.chain.send(call, self.signer)
        return self._look() if behind else sight

    def _look(self) -> Sight:
        at: Block = self.reader.block()
        return Sight(at, self.reader.market_states(sorted(self.book.markets()), at))

    def _steps(self, receipt: Receipt) -> Iterator[LiquidationReport]:
        events = self.reader.contracts.decode_logs(receipt.logs)
        debts = {event["account"]: event for event in events if event.name == "DebtWrittenOff"}
        closed = [event for event in events if event.name in LIQUIDATIONS]
        last = {event["account"]: event.index for event in closed}
        for event in closed:
            account = event["account"]
            is_last = event.index == last[account]
            yield LiquidationReport(event, debts.get(account) if is_last else None)

    def _reports(self, batch: Iterable[PlacedOrder], receipt: Receipt) -> Iterator[OrderReport]:
        events = self.reader.contracts.decode_logs(receipt.logs)
        ended = {event["order_hash"]: event for event in events if event.name in ENDS}
        for placed in batch:
            event = ended.get(placed.hash)
            if event is None:
                yield OrderReport(placed, OrderState.PENDING, self._reason(placed), 0)
            elif event.name == "OrderExecuted":
                yield OrderReport(placed, OrderState.EXECUTED, "", event["keeper_fee"])
            else:
                expired = event["reason"] == EXPIRED_REASON
                state = OrderState.EXPIRED if expired else OrderState.CANCELLED
                # A fee that is not free to leave returns to the account.
                fee = event["keeper_fee"] if event["receiver"] == self.address else 0
                yield OrderReport(placed, state, event["reason"], fee)

    def _reason(self, placed: PlacedOrder) -> str:
        """Why an order was left as it was: executing it alone says so."""
        call = self.reader.contracts.order_book.call("execute", placed.order.to_tuple())
        try:
            self.reader.chain.read(call, sender=self.address)
        except Refused as error:
            return error.reason
        except BulkheadError as error:
            return str(error)
        return ""
