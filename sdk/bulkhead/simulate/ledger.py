"""Where the engine's modules read and write: the words, the clock, and the log.

Every write remembers what it replaced, so that a refused call leaves no trace, as a reverted one
does on chain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from bulkhead.errors import REASONS
from bulkhead.interfaces import Event
from bulkhead.markets import Market, MarketState, market_of, state_at
from bulkhead.orders import Order, hash_of
from bulkhead.protocol import words
from bulkhead.protocol.words import Account, House, OrderState, Position, Price, Settings, Side
from bulkhead.simulate.guards import require
from bulkhead.state import NO_ACCOUNT, NO_SIDE, ExchangeState
from bulkhead.valuation import CLOSED

NO_SETTINGS = words.unpack_settings(0)
NO_PRICE = words.unpack_price(0)
NO_ORDER = words.unpack_order_state(0)
NO_TERMS = words.unpack_order_terms(0)
NO_OPERATOR = words.unpack_operator(0)

_MISSING = object()
_Value = TypeVar("_Value")
_Key = TypeVar("_Key")


class Ledger:
    """The state that one engine acts on.

    Args:
        state: All that the exchange holds. It is changed in place.
        now: The chain's time, seconds.
        outdated: Markets whose source is known to have a newer price than the one taken.
        domain: The EIP-712 domain separator that orders are hashed under.
    """

    def __init__(
        self, state: ExchangeState, now: int, outdated: Collection[int], domain: bytes
    ) -> None:
        self.state = state
        self.events: list[Event] = []
        self.placed: dict[bytes, Order] = {}  # by hash: the chain keeps none of them
        self.outdated = frozenset(outdated)
        self.domain = domain
        self._now = now
        self._undo: list[tuple[Any, Any, Any]] = []
        self._depth = 0
        self._markets: dict[int, Market] = {}
        self._states: dict[int, MarketState] = {}

    @property
    def now(self) -> int:
        """The chain's time, seconds."""
        return self._now

    @now.setter
    def now(self, seconds: int) -> None:
        if seconds < self._now:
            raise ValueError(f"time: {seconds} is before {self._now}")
        if seconds != self._now:
            self._now = seconds
            self._states.clear()

    @contextmanager
    def call(self) -> Iterator[None]:
        """What is written in the block is undone if the block raises.

        Raises:
            Refused: `word: out of range`, where a word would not take a number.
        """
        writes, events = len(self._undo), len(self.events)
        self._depth += 1
        try:
            yield
        except BaseException as error:
            self._rewind(writes)
            del self.events[events:]
            if isinstance(error, words.OutOfRange):
                raise REASONS[str(error)] from None
            raise
        finally:
            self._depth -= 1
            if not self._depth:
                self._undo.clear()

    def log(self, name: str, **arguments: Any) -> None:
        """Logs an event with the fields that the contracts' has."""
        self.events.append(Event(name, arguments, "", self._now, "", len(self.events)))

    # Writing

    def put(self, table: MutableMapping[_Key, _Value], key: _Key, value: _Value) -> None:
        """Writes into a table of the state."""
        self._undo.append((table, key, table.get(key, _MISSING)))
        table[key] = value
        self._forget(table, key)

    def finish_group(self, key: tuple[str, str, bytes]) -> None:
        """Notes that one order of a group has filled."""
        if key not in self.state.done_groups:
            self._undo.append((self.state.done_groups, key, _MISSING))
            self.state.done_groups.add(key)

    def set(self, name: str, value: object) -> None:
        """Writes what the state holds outside its tables."""
        self._undo.append((None, name, getattr(self.state, name)))
        setattr(self.state, name, value)

    def store_account(self, account: str, state: Account) -> int:
        """Stores an account; returns its word."""
        word = words.pack_account(state)
        self.put(self.state.accounts, account, state)
        return word

    def store_position(self, account: str, market: int, slot: int, position: Position) -> int:
        """Stores a position; returns its word."""
        word = words.pack_position(position)
        self.put(self.state.positions, (account, market, slot), position)
        return word

    def store_settings(self, account: str, market: int, settings: Settings) -> int:
        """Stores an account's settings for a market; returns their word."""
        word = words.pack_settings(settings)
        self.put(self.state.settings, (account, market), settings)
        return word

    def store_house(self, house: House) -> int:
        """Stores the house; returns its word."""
        word = words.pack_house(house)
        self.set("house", house)
        return word

    def store_market(self, market: int, state: words.Market) -> int:
        """Stores a market; returns its word."""
        word = words.pack_market(state)
        self.put(self.state.markets, market, state)
        return word

    def store_side(self, market: int, is_long: bool, side: Side) -> int:
        """Stores a market's side; returns its word."""
        word = words.pack_side(side)
        self.put(self.state.sides, (market, is_long), side)
        return word

    def store_price(self, market: int, price: Price) -> int:
        """Stores a market's price; returns its word."""
        word = words.pack_price(price)
        self.put(self.state.prices, market, price)
        return word

    def store_order(self, order_hash: bytes, state: OrderState) -> int:
        """Stores an order's state; returns its word."""
        word = words.pack_order_state(state)
        self.put(self.state.orders, order_hash, state)
        return word

    def pay(self, account: str, amount: int) -> None:
        """Adds to an account's cash."""
        if amount:
            state = self.account(account)
            self.store_account(account, replace(state, cash=state.cash + amount))

    # Reading

    @property
    def house(self) -> House:
        """What belongs to no account."""
        return self.state.house

    def account(self, account: str) -> Account:
        """An account, empty before its first deposit."""
        return self.state.accounts.get(account, NO_ACCOUNT)

    def position(self, account: str, market: int, slot: int) -> Position:
        """A slot's position, empty where there is none."""
        return self.state.positions.get((account, market, slot), CLOSED)

    def settings(self, account: str, market: int) -> Settings:
        """An account's settings for a market."""
        return self.state.settings.get((account, market), NO_SETTINGS)

    def price(self, market: int) -> Price:
        """A market's last price; zero before the first."""
        return self.state.prices.get(market, NO_PRICE)

    def side(self, market: int, is_long: bool) -> Side:
        """All longs or all shorts of a market."""
        return self.state.sides.get((market, is_long), NO_SIDE)

    def order(self, order_hash: bytes) -> OrderState:
        """An order's state; of an unknown one empty."""
        return self.state.orders.get(order_hash, NO_ORDER)

    def order_terms(self, market: int) -> words.OrderTerms:
        """A market's order terms; empty where it is unknown."""
        return self.state.order_terms.get(market, NO_TERMS)

    def operator(self, account: str, operator: str) -> words.Operator:
        """An operator's rights."""
        return self.state.operators.get((account, operator), NO_OPERATOR)

    def hash_of(self, order: Order) -> bytes:
        """An order's name."""
        return hash_of(order, self.domain)

    def is_listed(self, market: int) -> bool:
        """Whether there is such a market."""
        return market in self.state.markets

    def require_listed(self, market: int) -> None:
        """Refuses an unknown market."""
        require(self.is_listed(market), "market: unknown")

    def market(self, market: int) -> Market:
        """A market's terms and tiers, and its units."""
        found = self._markets.get(market)
        if found is None:
            state = self.state
            found = self._markets[market] = market_of(
                market,
                state.symbols.get(market, ""),
                state.lot_sizes.get(market, 1),
                state.market_words(market),
            )
        return found

    def market_state(self, market: int) -> MarketState:
        """A market now, its funding accrued."""
        found = self._states.get(market)
        if found is None:
            found = self._states[market] = state_at(
                self.market(market),
                self.state.markets[market],
                (self.side(market, True), self.side(market, False)),
                self.price(market),
                self._now,
                is_latest=market not in self.outdated,
            )
        return found

    def _rewind(self, writes: int) -> None:
        while len(self._undo) > writes:
            table, key, value = self._undo.pop()
            if table is None:
                setattr(self.state, key, value)
                continue
            if isinstance(table, set):
                table.discard(key)
                continue
            if value is _MISSING:
                del table[key]
            else:
                table[key] = value
            self._forget(table, key)

    def _forget(self, table: object, key: Any) -> None:
        """Drops what was derived from a word that has changed."""
        state = self.state
        if table is state.sides:
            self._states.pop(key[0], None)
        elif table is state.markets:
            self._states.pop(key, None)
            if not self._has_rates(key):
                self._markets.pop(key, None)
        elif table is state.prices:
            self._states.pop(key, None)
        elif any(
            table is one
            for one in (state.trade_terms, state.liquidation_terms, state.tiers, state.ramps)
        ):
            self._states.pop(key, None)
            self._markets.pop(key, None)

    def _has_rates(self, market: int) -> bool:
        """Whether a market's word still says the rates that are known of it."""
        stored, known = self.state.markets.get(market), self._markets.get(market)
        return (
            stored is not None
            and known is not None
            and stored.is_ramping == (known.ramp is not None)
            and stored.maintenance_rate == known.tiers[0].maintenance_rate
            and stored.initial_rate == known.tiers[0].initial_rate
        )
