"""A whole exchange for a price path: markets, people, a keeper, and an equity curve at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count

from eth_utils.address import is_address, to_checksum_address
from eth_utils.crypto import keccak

from bulkhead.fills import DECREASED, INCREASED, fill_of
from bulkhead.interfaces import Event
from bulkhead.listings import DEMO_LISTINGS, Listing
from bulkhead.orders import Outcome, PlacedOrder, ended, resting
from bulkhead.simulate.curve import EquityCurve
from bulkhead.simulate.engine import Engine
from bulkhead.simulate.keeping import keep
from bulkhead.simulate.participants import MarketName, Participant
from bulkhead.simulate.paths import Step
from bulkhead.state import ExchangeState
from bulkhead.values import Amount, to_quote, to_wad

START = 1_700_000_000  # seconds
POOL = 2_000_000  # USD
INSURANCE = 100_000  # USD
ENDS = ("OrderExecuted", "OrderCancelled")
MAX_ROUNDS = 16  # of the keeper at one step


class Simulation:
    """The exchange from its first second on, without a chain, bit for bit.

    Args:
        listings: The markets.
        pool: USD that a liquidity provider brings.
        insurance: USD that is given to the fund.
        start: The first second.
    """

    def __init__(
        self,
        listings: Sequence[Listing] = DEMO_LISTINGS,
        *,
        pool: Amount = POOL,
        insurance: Amount = INSURANCE,
        start: int = START,
    ) -> None:
        self.engine = Engine(ExchangeState(liquidity_pool=address_named("liquidity pool")), start)
        self.keeper = address_named("keeper")
        self.participants: dict[str, Participant] = {}
        self._salts = count(1)
        self._names: dict[str, str] = {}
        self._pending: dict[bytes, None] = {}
        self._history: list[Event] = []
        self._wads: dict[str, int] = {}  # the last prices
        self._ids = {listing.symbol: self._list(listing) for listing in listings}
        provider = address_named("liquidity provider")
        if to_quote(pool):
            self.engine.pool.deposit(provider, to_quote(pool), provider)
        if to_quote(insurance):
            self.engine.fund_insurance(provider, to_quote(insurance))

    def participant(self, name: str) -> Participant:
        """Somebody by name, or by address; the same one whenever asked."""
        if name not in self.participants:
            address = to_checksum_address(name) if is_address(name) else address_named(name)
            self._names[address] = name
            self.participants[name] = Participant(
                self.engine, name, address, self.market_id, lambda: next(self._salts)
            )
        return self.participants[name]

    def market_id(self, market: MarketName) -> int:
        """A market's id by its symbol, or itself."""
        if isinstance(market, int):
            self.engine.ledger.require_listed(market)
            return market
        if market not in self._ids:
            raise KeyError(f"{market}: not among {', '.join(self._ids)}")
        return self._ids[market]

    def outcome(self, placed: PlacedOrder) -> Outcome:
        """What has become of an order."""
        self._collect()
        own = [event for event in self._history if event.arguments.get("order_hash") == placed.hash]
        end = next((event for event in own if event.name in ENDS), None)
        if end is None:
            return resting(placed, self.engine.now)
        market = self.engine.ledger.market(placed.order.market)
        fills = (event for event in own if event.name in (INCREASED, DECREASED))
        return ended(end, tuple(fill_of(event, market) for event in fills))

    def run(
        self,
        path: Iterable[Step],
        act: Callable[[Simulation], object] | None = None,
    ) -> EquityCurve:
        """Follows a price path, with a keeper that does all there is to do at every step.

        Args:
            path: Steps, their seconds rising; the first second of a run is the one after whatever
                was before. A market that a step does not name keeps its price, published anew.
            act: Called after each step: to place orders, to move margin.

        Returns:
            A row a step, of all markets and of everybody there was at the first.
        """
        begin, curve = self.engine.now + 1, EquityCurve()
        market_of = self.engine.ledger.market
        curve.markets = {symbol: market_of(market) for symbol, market in self._ids.items()}
        watched = list(self.participants)
        self._collect()
        taken = len(self._history)
        for seconds, prices in path:
            self.step(begin + seconds, prices)
            self._sample(curve, watched)
            if act is not None:
                act(self)
                self._collect()
            curve.take(self._history[taken:], self.name_of, market_of)
            taken = len(self._history)
        return curve

    def step(self, time: int, prices: Mapping[str, Amount | None]) -> None:
        """Publishes prices at a later second, and lets the keeper do all there is to do.

        Args:
            time: Seconds, later than now.
            prices: USD by symbol; markets left out keep theirs, published anew. None is silence.

        Raises:
            ValueError: For a second that is not later.
        """
        if time <= self.engine.now:
            raise ValueError(f"time: {time} is not later than {self.engine.now}")
        self.engine.now = time
        unknown = prices.keys() - self._ids.keys()
        if unknown:
            raise KeyError(f"{', '.join(sorted(unknown))}: not among {', '.join(self._ids)}")
        for symbol, market in self._ids.items():
            if symbol in prices:
                price = prices[symbol]
                if price is None:
                    continue
                self._wads[symbol] = to_wad(price)
            self.engine.update(market, self._wads[symbol])
        self._keep()

    def name_of(self, address: str) -> str:
        """What somebody is called; strangers by their address."""
        return self._names.get(address, address)

    def _list(self, listing: Listing) -> int:
        engine, wad = self.engine, to_wad(listing.price)
        market = len(engine.state.markets)
        engine.set_published_feed(market, listing.lot_size_wad, listing.trade_age, listing.max_age)
        engine.update(market, wad)
        engine.list_market(listing.symbol, listing.terms, listing.tiers)
        engine.set_order_terms(
            market, listing.keeper_fee, listing.delay, listing.window, listing.max_order_age
        )
        self._wads[listing.symbol] = wad
        return market

    def _keep(self) -> None:
        """The keeper goes round until nothing is left to do: one fill may trigger another."""
        accounts = [one.address for one in self.participants.values()]
        self._collect()
        for _ in range(MAX_ROUNDS):
            keep(self.engine, self.keeper, accounts, self._pending)
            if not self._collect():
                break

    def _collect(self) -> bool:
        """Takes in what was logged; whether it was anything."""
        events = self.engine.take_events()
        for event in events:
            if event.name == "PriceUpdated":
                continue
            self._history.append(event)
            if event.name == "OrderPlaced":
                self._pending[event["order_hash"]] = None
            elif event.name in ENDS:
                self._pending.pop(event["order_hash"], None)
        return bool(events)

    def _sample(self, curve: EquityCurve, watched: Sequence[str]) -> None:
        prices = self.engine.state.prices
        curve.sample(
            self.engine.now,
            {symbol: prices[market].price for symbol, market in self._ids.items()},
            {name: self.engine.equity(self.participants[name].address) for name in watched},
        )


def address_named(name: str) -> str:
    """An address of its own for everybody who has a name."""
    return to_checksum_address(keccak(text=name)[12:])
