"""A keeper: executes orders and liquidates, in passes. Wiring only; `decisions` decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from bulkhead import decisions, queries, valuation
from bulkhead.chain import Block, Receipt, address_of
from bulkhead.decisions import CrossLedger, Vault
from bulkhead.errors import BulkheadError, Refused
from bulkhead.interfaces import Call, Event
from bulkhead.markets import MarketState
from bulkhead.orders import EXPIRED_REASON, OrderState, PlacedOrder
from bulkhead.protocol import words
from bulkhead.reader import Reader
from bulkhead.values import to_usd
from bulkhead.watch import Watch

if TYPE_CHECKING:
    from bulkhead.chain import Query, Signer

# A batch is never reverted by one of its entries, so a node's estimate may starve them: the limits
# are named here, well above what an entry can take.
GAS_BASE = 300_000
GAS_PER_ORDER = 600_000  # an account with many legs is valued whole
GAS_PER_RATCHET = 60_000
GAS_PER_VAULT = 250_000
GAS_PER_LEG = 250_000
GAS_PER_BATCH = 14_000_000
ORDERS_PER_BATCH = 20
VAULTS_PER_BATCH = 50
ACCOUNTS_PER_BATCH = 32  # what the contract takes

ENDS = ("OrderExecuted", "OrderCancelled")

Entry = TypeVar("Entry")


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
    """One position that was liquidated.

    Attributes:
        event: Its `PositionLiquidated`.
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
        return valuation.is_isolated(self.event["slot"])

    @property
    def reward(self) -> Decimal:
        """USD for the keeper."""
        return to_usd(self.event["reward"])

    @property
    def penalty(self) -> Decimal:
        """USD the position paid."""
        return to_usd(self.event["penalty"])

    @property
    def deficit(self) -> Decimal:
        """USD that insurance and pool paid: for a vault, or with the last leg for its account."""
        return to_usd(self.event["deficit"] + (self.debt["deficit"] if self.debt else 0))


class Keeper:
    """Executes and liquidates for the fees. Rewards go to the signer's cash in the exchange.

    Args:
        reader: The exchange.
        signer: Who sends, and is paid.
        first_block: Where to begin to read logs; all of them where it is None. What was placed or
            opened before it is not seen.
    """

    def __init__(self, reader: Reader, signer: Signer, first_block: int | None = None) -> None:
        self.reader = reader
        self.signer = signer
        self.address = address_of(signer)
        self._watch = Watch(reader, first_block)

    def execute_orders(self) -> tuple[OrderReport, ...]:
        """One pass over the open orders: sends those that can be executed, in batches.

        Returns:
            What became of each order that was sent.
        """
        self._watch.follow(self.reader.block().number)
        orders = tuple(self._watch.orders.values())
        at, states = self._updated({one.order.market for one in orders})
        ready = decisions.executable_orders(orders, states, at.timestamp)
        reports: list[OrderReport] = []
        for batch in _batches(ready, ORDERS_PER_BATCH):
            call = self.reader.contracts.order_book.call(
                "execute_orders", [one.order.to_tuple() for one in batch]
            )
            gas = GAS_BASE + GAS_PER_ORDER * len(batch)
            receipt = self.reader.chain.send(call, self.signer, gas)
            reports.extend(self._reports(batch, receipt))
        return tuple(reports)

    def ratchet(self) -> int:
        """One pass over the trailing stops: shows the current price to those it moves.

        Returns:
            How many it moved.
        """
        self._watch.follow(self.reader.block().number)
        orders = tuple(self._watch.orders.values())
        at, states = self._updated({one.order.market for one in orders})
        moved = decisions.ratchetable_orders(orders, states, at.timestamp)
        for batch in _batches(moved, ORDERS_PER_BATCH):
            call = self.reader.contracts.order_book.call(
                "ratchet", [one.order.to_tuple() for one in batch]
            )
            self.reader.chain.send(call, self.signer, GAS_BASE + GAS_PER_RATCHET * len(batch))
        return len(moved)

    def liquidate(self) -> tuple[LiquidationReport, ...]:
        """One pass over all open positions: closes what is liquidatable, in batches.

        Returns:
            Every position that was closed.
        """
        self._watch.follow(self.reader.block().number)
        at, states = self._updated({market for _, market, _ in self._watch.slots})
        vaults, ledgers = self._candidates(at)
        reports = [
            report
            for batch in _batches(decisions.liquidatable_isolated(vaults, states), VAULTS_PER_BATCH)
            for report in self._liquidate_isolated(batch)
        ]
        for group in _fitting(decisions.liquidatable_cross(ledgers, states)):
            reports.extend(self._liquidate_cross(group))
        return tuple(reports)

    def _updated(self, markets: Iterable[int]) -> tuple[Block, dict[int, MarketState]]:
        """The states of some markets, once the oracle has the latest round of each feed it reads.

        Nothing fills or is liquidated while a feed is ahead of the oracle.
        """
        ids = sorted(markets)
        at = self.reader.block()
        states = self.reader.market_states(ids, at)
        behind = [market for market, state in states.items() if not state.is_latest]
        if not behind:
            return at, states
        for market in behind:
            # A round that the oracle does not take leaves its market waiting, and no other.
            with suppress(Refused):
                call = self.reader.contracts.price_oracle.call("update", market, b"")
                self.reader.chain.send(call, self.signer)
        at = self.reader.block()
        return at, self.reader.market_states(ids, at)

    def _candidates(self, at: Block) -> tuple[list[Vault], list[CrossLedger]]:
        vaults: list[Vault] = []
        ledgers: list[CrossLedger] = []
        keys: dict[str, list[tuple[int, int]]] = {}
        for account, market, slot in sorted(self._watch.slots):
            keys.setdefault(account, []).append((market, slot))
        for account, held in keys.items():
            word, found = self.reader.chain.run(self._holdings(account, held), at)
            legs = {key: one for key, one in found.items() if not valuation.is_isolated(key[1])}
            vaults += [Vault(account, *key, one) for key, one in found.items() if key not in legs]
            if legs:
                ledgers.append(CrossLedger(account, word, legs))
        return vaults, ledgers

    def _holdings(
        self, account: str, keys: Sequence[tuple[int, int]]
    ) -> Query[tuple[words.Account, dict[tuple[int, int], words.Position]]]:
        contracts = self.reader.contracts
        (word,) = yield (contracts.clearinghouse.call("account_word", account),)
        found = yield from queries.positions(contracts, account, keys)
        return words.unpack_account(word), found

    def _liquidate_isolated(self, batch: Sequence[Vault]) -> Iterator[LiquidationReport]:
        ids = [vault.id for vault in batch]
        call = self.reader.contracts.clearinghouse.call("liquidate_isolated", ids)
        return self._liquidate(call, GAS_BASE + GAS_PER_VAULT * len(batch))

    def _liquidate_cross(self, batch: Sequence[CrossLedger]) -> Iterator[LiquidationReport]:
        accounts = [ledger.account for ledger in batch]
        call = self.reader.contracts.clearinghouse.call("liquidate_cross", accounts)
        return self._liquidate(call, GAS_BASE + sum(_gas_of(ledger) for ledger in batch))

    def _liquidate(self, call: Call, gas: int) -> Iterator[LiquidationReport]:
        receipt = self.reader.chain.send(call, self.signer, gas)
        events = self.reader.contracts.decode_logs(receipt.logs)
        debts = {event["account"]: event for event in events if event.name == "DebtWrittenOff"}
        closed = [event for event in events if event.name == "PositionLiquidated"]
        last = {event["account"]: event.index for event in closed}
        for event in closed:
            account = event["account"]
            is_last = event.index == last[account]
            yield LiquidationReport(event, debts.get(account) if is_last else None)

    def _reports(self, batch: Sequence[PlacedOrder], receipt: Receipt) -> Iterator[OrderReport]:
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


def _batches(entries: Sequence[Entry], size: int) -> Iterator[Sequence[Entry]]:
    for start in range(0, len(entries), size):
        yield entries[start : start + size]


def _gas_of(ledger: CrossLedger) -> int:
    return GAS_PER_LEG * (1 + len(ledger.legs))


def _fitting(ledgers: Sequence[CrossLedger]) -> Iterator[Sequence[CrossLedger]]:
    """Groups of ledgers whose legs fit into one transaction."""
    group: list[CrossLedger] = []
    for ledger in ledgers:
        full = sum(_gas_of(one) for one in (*group, ledger)) > GAS_PER_BATCH
        if group and (full or len(group) == ACCOUNTS_PER_BATCH):
            yield group
            group = []
        group.append(ledger)
    if group:
        yield group
