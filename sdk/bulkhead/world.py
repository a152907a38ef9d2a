"""A local world: the exchange with its markets, money in pool and insurance, and people by role.

For chains whose tokens and prices are one's own to make: demos, scripts, tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from bulkhead.admin import Admin
from bulkhead.deployment import Deployment, deploy
from bulkhead.errors import Rejected
from bulkhead.governance import Timelock
from bulkhead.handles import OrderHandle
from bulkhead.keeper import Book, Keeper, LiquidationReport, OrderReport
from bulkhead.liquidity import LiquidityProvider
from bulkhead.listings import DEMO_LISTINGS, Listing
from bulkhead.local.clock import advance_time
from bulkhead.reader import MarketName, Reader
from bulkhead.trader import Trader
from bulkhead.values import Amount

if TYPE_CHECKING:
    from web3 import Web3

    from bulkhead.chain import Signer

POOL = 2_000_000  # USD
INSURANCE = 100_000  # USD
WALLET = 1_000_000  # USD, in the wallet of every trader
COOLDOWN = 3_600  # seconds until an LP's request matures
NAMES = (
    *("alice", "bob", "carol", "dave", "erin"),
    *("frank", "grace", "heidi", "ivan", "judy"),
)
ROLES = ("owner", "keeper", "provider")
"""Whose the first signers are; then come the traders."""


@dataclass(frozen=True, slots=True)
class World:
    """The exchange and who is there.

    Attributes:
        reader: Reads it.
        admin: Its owner, who also publishes the prices.
        keeper: Executes and liquidates.
        liquidity_provider: Whose money is the pool's.
        traders: By name, each with a full wallet and nothing deposited.
    """

    reader: Reader
    admin: Admin
    keeper: Keeper
    liquidity_provider: LiquidityProvider
    traders: Mapping[str, Trader]

    def set_prices(self, prices: Mapping[MarketName, Amount]) -> None:
        """Publishes prices, after all orders placed so far may be filled at them."""
        advance_time(self.reader.chain.w3, self._delay(prices))
        for market, price in prices.items():
            self.admin.set_price(market, price)

    def refresh_prices(self) -> None:
        """Publishes every market's price again: it is as it was, but fresh."""
        self.set_prices({symbol: price for symbol, price in self.prices().items()})  # noqa: C416

    def prices(self) -> dict[str, Decimal]:
        """Every market's mark price, USD per base unit, by its symbol."""
        return {state.market.symbol: _exact(state.mark_price) for state in self.reader.markets()}

    def fill(self, *handles: OrderHandle) -> tuple[OrderReport, ...]:
        """Publishes the prices again, and lets the keeper execute what can be."""
        self.refresh_prices()
        reports = self.keeper.execute_orders()
        wanted = {handle.hash for handle in handles}
        return tuple(one for one in reports if not wanted or one.placed.hash in wanted)

    def liquidate(self) -> tuple[LiquidationReport, ...]:
        """Lets the keeper liquidate what is liquidatable at the prices there are."""
        return self.keeper.liquidate()

    def name_of(self, address: str) -> str:
        """What an account is called; its address, if it is nobody's here."""
        people = {self.keeper.address: "keeper"} | {
            trader.address: name for name, trader in self.traders.items()
        }
        return people.get(address, address)

    def _delay(self, prices: Mapping[MarketName, Amount]) -> int:
        return max(self.reader.order_terms(market).delay for market in prices)


def load(
    w3: Web3,
    deployment: Deployment,
    signers: Sequence[Signer],
    names: Sequence[str] = NAMES,
    *,
    book: Book | None = None,
) -> World:
    """The people of an exchange that is already there. Sends nothing.

    Args:
        w3: A local chain.
        deployment: The exchange.
        signers: The owner, the keeper, the liquidity provider, then the traders.
        names: What the traders are called; there are as many as there are signers for.
        book: What the keeper knows already, as `Keeper` takes it.

    Raises:
        Rejected: If there are not even signers for the roles.
    """
    require_people(signers, 0)
    owner, keeper, provider, *others = signers
    reader = Reader(w3, deployment)
    return World(
        reader=reader,
        admin=Admin(reader, owner),
        keeper=Keeper(reader, keeper, book),
        liquidity_provider=LiquidityProvider(reader, provider),
        traders={name: Trader(reader, signer) for name, signer in zip(names, others, strict=False)},
    )


def require_people(signers: Sequence[Signer], traders: int) -> None:
    """Refuses a chain with fewer accounts than people.

    Raises:
        Rejected: Saying how many there are and should be.
    """
    wanted = len(ROLES) + traders
    if len(signers) < wanted:
        raise Rejected(f"the chain has {len(signers)} accounts; this world needs {wanted}")


def create(
    w3: Web3,
    signers: Sequence[Signer],
    names: Sequence[str] = NAMES,
    listings: Sequence[Listing] = DEMO_LISTINGS,
    *,
    pool: Amount = POOL,
    insurance: Amount = INSURANCE,
    timelock_delay: int | None = None,
) -> World:
    """Deploys the exchange, lists markets, and fills pool, insurance and wallets.

    Args:
        w3: A local chain.
        signers: As `load` takes them.
        names: As `load` takes them.
        listings: The markets.
        pool: USD that the liquidity provider brings in.
        insurance: USD in the insurance fund.
        timelock_delay: Seconds; with it a timelock takes the exchange over at the end.
    """
    deployment = deploy(w3, signers[0], cooldown=COOLDOWN, timelock_delay=timelock_delay)
    world = load(w3, deployment, signers, names)
    world.admin.mint(world.liquidity_provider.address, pool)
    world.admin.mint(world.admin.address, insurance)
    for trader in world.traders.values():
        world.admin.mint(trader.address, WALLET)
    world.liquidity_provider.deposit(pool)
    world.admin.fund_insurance(insurance)
    for listing in listings:
        advance_time(w3, 1)
        world.admin.list_market(listing)
    if timelock_delay is not None:
        Timelock(world.reader, signers[0]).take_over(signers[0])
    return world


def _exact(price: Decimal) -> Decimal:
    return price.quantize(Decimal("1e-18"))
