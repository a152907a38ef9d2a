"""A keeper: executes, liquidates, deleverages, settles. Wiring only; `decisions` decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from bulkhead import decisions, deleveraging, queries, valuation
from bulkhead.chain import Block, Receipt, address_of
from bulkhead.decisions import CrossLedger, Vault
from bulkhead.deleveraging import Holding
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
GAS_PER_TOP_UP = 1_500_000  # an account with many legs is valued whole
GAS_PER_LEG = 250_000
GAS_PER_BATCH = 14_000_000
ORDERS_PER_BATCH = 20
VAULTS_PER_BATCH = 64  # what the contract takes
ACCOUNTS_PER_BATCH = 32

ENDS = ("OrderExecuted", "OrderCancelled")
LIQUIDATIONS = ("MarginToppedUp", "PairNetted", "PositionLiquidated")

Entry = TypeVar("Entry")
Held = tuple[words.Account, dict[tuple[int, int], words.Position]]


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
        """One pass over all open positions: liquidates what is liquidatable, in batches.

        Returns:
            Every step that was taken.
        """
        at, states = self._open_markets()
        held = self._held(at)
        vaults = [
            Vault(one.account, one.market, one.slot, one.position)
            for one in _holdings(held)
            if valuation.is_isolated(one.slot)
        ]
        reports: list[LiquidationReport] = []
        due = decisions.liquidatable_isolated(vaults, states)
        for batch in _fitting(due, _gas_of_vault, VAULTS_PER_BATCH):
            reports.extend(self._liquidate_isolated(batch))
        ledgers = decisions.liquidatable_cross(_ledgers(held), states)
        for group in _fitting(ledgers, _gas_of_ledger, ACCOUNTS_PER_BATCH):
            reports.extend(self._liquidate_cross(group))
        return tuple(reports)

    def deleverage(self) -> tuple[Event, ...]:
        """One pass over all markets: takes off winners where a market owes more than its share.

        Nobody is paid for it.

        Returns:
            A `PositionDeleveraged` for every position that was cut.
        """
        at, states = self._open_markets()
        holdings = _holdings(self._held(at))
        cut: list[Event] = []
        for market, state in states.items():
            house = words.unpack_house(
                self.reader.chain.read(self.reader.contracts.clearinghouse.call("house_word"))
            )
            mine = [one for one in holdings if one.market == market]
            ids = [one.id for one in deleveraging.proposals(mine, state, house)]
            if ids:
                call = self.reader.contracts.clearinghouse.call("auto_deleverage", market, ids)
                cut += self._sent(call, GAS_PER_VAULT * len(ids), "PositionDeleveraged")
        return tuple(cut)

    def settle(self) -> tuple[Event, ...]:
        """One pass over all open positions: closes those of markets that are over.

        Nobody is paid for it.

        Returns:
            A `PositionSettled` for every position that was closed.
        """
        at, states = self._open_markets()
        settled: list[Event] = []
        over = decisions.settleable(_holdings(self._held(at)), states)
        for batch in _batches(over, VAULTS_PER_BATCH):
            ids = [one.id for one in batch]
            call = self.reader.contracts.clearinghouse.call("settle_positions", ids)
            settled += self._sent(call, GAS_PER_VAULT * len(ids), "PositionSettled")
        return tuple(settled)

    def _open_markets(self) -> tuple[Block, dict[int, MarketState]]:
        """The states of all markets in which something is open."""
        self._watch.follow(self.reader.block().number)
        return self._updated({market for _, market, _ in self._watch.slots})

    def _sent(self, call: Call, gas: int, name: str) -> list[Event]:
        """What a call logged under a name."""
        receipt = self.reader.chain.send(call, self.signer, GAS_BASE + gas)
        events = self.reader.contracts.decode_logs(receipt.logs)
        return [event for event in events if event.name == name]

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

    def _held(self, at: Block) -> dict[str, Held]:
        """Everyone's account and open positions."""
        keys: dict[str, list[tuple[int, int]]] = {}
        for account, market, slot in sorted(self._watch.slots):
            keys.setdefault(account, []).append((market, slot))
        return {
            account: self.reader.chain.run(self._positions(account, wanted), at)
            for account, wanted in keys.items()
        }

    def _positions(self, account: str, keys: Sequence[tuple[int, int]]) -> Query[Held]:
        contracts = self.reader.contracts
        (word,) = yield (contracts.clearinghouse.call("account_word", account),)
        found = yield from queries.positions(contracts, account, keys)
        return words.unpack_account(word), found

    def _liquidate_isolated(self, batch: Sequence[Vault]) -> Iterator[LiquidationReport]:
        ids = [vault.id for vault in batch]
        call = self.reader.contracts.clearinghouse.call("liquidate_isolated", ids)
        return self._liquidate(call, GAS_BASE + sum(map(_gas_of_vault, batch)))

    def _liquidate_cross(self, batch: Sequence[CrossLedger]) -> Iterator[LiquidationReport]:
        accounts = [ledger.account for ledger in batch]
        call = self.reader.contracts.clearinghouse.call("liquidate_cross", accounts)
        return self._liquidate(call, GAS_BASE + sum(map(_gas_of_ledger, batch)))

    def _liquidate(self, call: Call, gas: int) -> Iterator[LiquidationReport]:
        receipt = self.reader.chain.send(call, self.signer, gas)
        events = self.reader.contracts.decode_logs(receipt.logs)
        debts = {event["account"]: event for event in events if event.name == "DebtWrittenOff"}
        closed = [event for event in events if event.name in LIQUIDATIONS]
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


def _gas_of_ledger(ledger: CrossLedger) -> int:
    return GAS_PER_LEG * (1 + len(ledger.legs))


def _gas_of_vault(vault: Vault) -> int:
    return GAS_PER_VAULT + GAS_PER_TOP_UP * vault.position.auto_margin


def _fitting(
    entries: Sequence[Entry], gas_of: Callable[[Entry], int], most: int
) -> Iterator[Sequence[Entry]]:
    """Groups of entries that fit into one transaction."""
    group: list[Entry] = []
    for entry in entries:
        full = sum(map(gas_of, (*group, entry))) > GAS_PER_BATCH
        if group and (full or len(group) == most):
            yield group
            group = []
        group.append(entry)
    if group:
        yield group


def _ledgers(held: Mapping[str, Held]) -> list[CrossLedger]:
    """The cross sides of those that have one."""
    found = [
        CrossLedger(
            account,
            word,
            {key: one for key, one in positions.items() if not valuation.is_isolated(key[1])},
        )
        for account, (word, positions) in held.items()
    ]
    return [ledger for ledger in found if ledger.legs]


def _holdings(held: Mapping[str, Held]) -> list[Holding]:
    """All open positions, and what the other leg of a pair matches of each."""
    found: list[Holding] = []
    for account, (_, positions) in held.items():
        for (market, slot), position in positions.items():
            other = None if valuation.is_isolated(slot) else positions.get((market, slot ^ 1))
            hedged = min(position.size, other.size) if other else 0
            found.append(Holding(account, market, slot, position, hedged))
    return found
