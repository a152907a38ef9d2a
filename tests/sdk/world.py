"""An exchange on some chain, with people in it, driven through the SDK alone."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from web3 import AsyncWeb3, Web3

from bulkhead import (
    Admin,
    AsyncAdmin,
    AsyncLiquidityProvider,
    AsyncReader,
    AsyncTrader,
    Keeper,
    LiquidityProvider,
    OrderHandle,
    Reader,
    Trader,
    deploy,
)
from bulkhead.chain import Signer
from bulkhead.contracts import Contract
from bulkhead.interfaces import encode_constructor, interface_of
from bulkhead.listings import BTC, ETH
from bulkhead.local import advance_time
from bulkhead.values import Amount, to_units
from tests.helpers.awaited import Loop

RICH = 1_000_000
FEED_DECIMALS = 8


@dataclass(frozen=True, slots=True)
class World:
    """Two markets, a pool of five million, and roles on the node's own accounts."""

    w3: Web3
    reader: Reader
    admin: Admin
    keeper: Keeper

    @property
    def people(self) -> list[str]:
        return people(self.w3)

    @property
    def provider(self) -> LiquidityProvider:
        return LiquidityProvider(self.reader, self.people[2])

    @property
    def wallet(self) -> Trader:
        """Has tokens, and nothing in the exchange yet."""
        return self.trader_as(self.people[4])

    def trader_as(self, signer: Signer, account: str | None = None) -> Trader:
        return Trader(self.reader, signer, account)

    def admin_as(self, signer: Signer) -> Admin:
        return Admin(self.reader, signer)

    @property
    def stranger(self) -> str:
        return self.people[5]

    def trader(self, cash: Amount = 5_000) -> Trader:
        self.wallet.deposit(cash)
        return self.wallet

    def move_price(self, symbol: str, price: Amount, seconds: int = 3) -> None:
        advance_time(self.w3, seconds)
        self.admin.set_price(symbol, price)

    def fill(self, handle: OrderHandle, price: Amount | None = None) -> None:
        """Publishes a later price and has a keeper pass by."""
        symbol = self.reader.market(handle.order.market).symbol
        self.move_price(symbol, self.reader.price(symbol) if price is None else price)
        self.keeper.execute_orders()

    def chainlink_feed(self, price: Amount) -> "Feed":
        """A new aggregator of a Chainlink kind, with its first round."""
        chain, owner = self.reader.chain, self.admin.address
        code = encode_constructor("MockAggregator", (FEED_DECIMALS,))
        address = chain.wait(chain.submit(None, code, owner)).created
        assert address is not None
        feed = Feed(self.admin, address)
        feed.answer(price)
        return feed

    def held(self) -> Decimal:
        """All tokens in the exchange's custody."""
        return self.reader.token_balance(self.reader.deployment.clearinghouse)


@dataclass(frozen=True, slots=True)
class AwaitedWorld(World):
    """The same world through the asynchronous faces."""

    loop: Loop
    connection: AsyncWeb3[Any]

    @classmethod
    def over(cls, world: World, loop: Loop, connection: AsyncWeb3[Any]) -> "AwaitedWorld":
        reader = AsyncReader(connection, world.reader.deployment)
        admin = AsyncAdmin(reader, world.admin.signer)
        faces = loop.faced(reader), loop.faced(admin)
        return cls(world.w3, *faces, world.keeper, loop, connection)

    @property
    def provider(self) -> LiquidityProvider:
        return cast(LiquidityProvider, self._faced(AsyncLiquidityProvider, self.people[2]))

    def trader_as(self, signer: Signer, account: str | None = None) -> Trader:
        return cast(Trader, self._faced(AsyncTrader, signer, account))

    def admin_as(self, signer: Signer) -> Admin:
        return cast(Admin, self._faced(AsyncAdmin, signer))

    def _faced(self, kind: type, *arguments: object) -> Any:
        reader = AsyncReader(self.connection, self.reader.deployment)
        return self.loop.faced(kind(reader, *arguments))


@dataclass(frozen=True, slots=True)
class Feed:
    """An aggregator whose rounds are ours to make."""

    admin: Admin
    address: str

    def answer(self, price: Amount) -> None:
        """A new round, of now."""
        contract = Contract(self.address, interface_of("MockAggregator"))
        chain = self.admin.reader.chain
        now = advance_time(chain.w3, 1).timestamp
        answer = to_units(price, FEED_DECIMALS)
        chain.send(contract.call("set_answer", answer, now), self.admin.address)


def people(w3: Web3) -> list[str]:
    """The accounts that the node signs for."""
    return [str(address) for address in w3.eth.accounts]


def build_world(w3: Web3) -> World:
    deployer, owner, provider, _, trader, *_ = people(w3)
    reader = Reader(w3, deploy(w3, deployer, owner))
    admin = Admin(reader, owner)
    for listing in (BTC, ETH):
        admin.list_market(listing)
    admin.mint(trader, RICH)
    admin.mint(provider, 5 * RICH)
    LiquidityProvider(reader, provider).deposit(5 * RICH)
    keeper = Keeper(reader, people(w3)[3])
    keeper.follow()
    return World(w3, reader, admin, keeper)


def refreshed(built: World) -> World:
    """The same exchange seen for the first time: readers remember markets, keepers orders."""
    reader = Reader(built.w3, built.reader.deployment)
    # What was there when it was built is known: reading old logs is slow on eth-tester.
    keeper = Keeper(reader, built.keeper.signer, built.keeper.book.copy())
    return World(built.w3, reader, Admin(reader, built.admin.signer), keeper)
