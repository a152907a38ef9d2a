"""The exchange without a chain, bit for bit."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bulkhead import valuation
from bulkhead.accounts import AccountView, HouseView, account_view
from bulkhead.interfaces import Event
from bulkhead.markets import MarketState
from bulkhead.protocol import words
from bulkhead.protocol.fixed_point import FEMTO
from bulkhead.simulate.account_verbs import AccountVerbs
from bulkhead.simulate.calls import NO_DOMAIN
from bulkhead.simulate.liquidation_verbs import LiquidationVerbs
from bulkhead.simulate.liquidity_pool import PoolState
from bulkhead.simulate.order_verbs import OrderVerbs
from bulkhead.simulate.owner_verbs import OwnerVerbs
from bulkhead.simulate.pool_verbs import Pool
from bulkhead.state import ExchangeState


class Engine(AccountVerbs, OrderVerbs, LiquidationVerbs, OwnerVerbs):
    """The contracts over a state and a clock.

    Every verb has the contract's name, order of arguments and units; where it matters who calls,
    that comes first. It returns what the contract returns and logs, or raises what the contract
    reverts with, and then has changed nothing.

    There is no token: who pays has what he pays. Nor are there signatures: whoever is named as the
    placer has signed.

    Args:
        state: All that the exchange holds. It is changed in place.
        now: The chain's time, seconds.
        outdated: Markets whose source is known to have a newer price than the one taken.
        domain: The EIP-712 domain separator that orders are hashed under.
        pool: Who has which part of the pool; nobody where it is left out.
    """

    def __init__(
        self,
        state: ExchangeState,
        now: int,
        *,
        outdated: Collection[int] = (),
        domain: bytes = NO_DOMAIN,
        pool: PoolState | None = None,
    ) -> None:
        super().__init__(state, now, outdated=outdated, domain=domain)
        self.pool = Pool(self, pool or PoolState())

    @property
    def state(self) -> ExchangeState:
        """All that the exchange holds."""
        return self.ledger.state

    @property
    def events(self) -> Sequence[Event]:
        """All that was logged and not taken away by `take_events`."""
        return self.ledger.events

    def take_events(self) -> tuple[Event, ...]:
        """What was logged since this was asked last; it is not kept."""
        events = tuple(self.ledger.events)
        self.ledger.events.clear()
        return events

    @property
    def now(self) -> int:
        """The chain's time, seconds; it only advances."""
        return self.ledger.now

    @now.setter
    def now(self, seconds: int) -> None:
        self.ledger.now = seconds

    def copy(self) -> Engine:
        """Another engine over the same state; from now on neither sees what the other does."""
        ledger = self.ledger
        return Engine(
            ledger.state.copy(), ledger.now, outdated=ledger.outdated, domain=ledger.domain
        )

    def advance(self, seconds: int) -> None:
        """Lets time pass."""
        self.now += seconds

    def market(self, market: int) -> MarketState:
        """A market now."""
        self.ledger.require_listed(market)
        return self.ledger.market_state(market)

    def account(self, address: str) -> AccountView:
        """An account now."""
        ledger = self.ledger
        word = ledger.account(address)
        legs = {key: ledger.position(address, *key) for key in valuation.leg_keys(word)}
        vaults = self.vaults_of(address) if word.vaults else {}
        markets = {market for market, _ in (*legs, *vaults)}
        states = {market: ledger.market_state(market) for market in markets}
        return account_view(address, word, legs, vaults, states, ledger.now)

    def house(self) -> HouseView:
        """What belongs to no account."""
        return HouseView(self.ledger.house)

    def equity(self, address: str) -> int:
        """What an account is worth now, femto: cash, escrow, and all of its positions."""
        ledger = self.ledger
        word = ledger.account(address)
        worth = (word.cash + word.escrow) * FEMTO
        for market in {market for market, _ in valuation.leg_keys(word)}:
            legs = (ledger.position(address, market, slot) for slot in range(2))
            worth += valuation.worth_of_pair(ledger.market_state(market), *legs)
        vaults = self.vaults_of(address) if word.vaults else {}
        for (market, slot), position in vaults.items():
            value = valuation.value_of(ledger.market_state(market), slot, position)
            worth += position.margin * FEMTO + value
        return worth

    def vaults_of(self, address: str) -> dict[tuple[int, int], words.Position]:
        """An account's open isolated positions, by market and slot."""
        found = {}
        for market in self.state.markets:
            for slot in (words.ISOLATED_LONG, words.ISOLATED_SHORT):
                position = self.ledger.position(address, market, slot)
                if position.size:
                    found[market, slot] = position
        return found
