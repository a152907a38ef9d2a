"""An exchange on some chain, with people in it, driven through the SDK alone."""

from dataclasses import dataclass
from decimal import Decimal

from web3 import Web3

from bulkhead import Admin, Keeper, LiquidityProvider, OrderHandle, Reader, Trader, deploy
from bulkhead.listings import BTC, ETH
from bulkhead.local import advance_time
from bulkhead.values import Amount

RICH = 1_000_000


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
        return Trader(self.reader, self.people[4])

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

    def held(self) -> Decimal:
        """All tokens in the exchange's custody."""
        return self.reader.token_balance(self.reader.deployment.clearinghouse)


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
    return World(w3, reader, admin, keeper_of(reader))


def keeper_of(reader: Reader) -> Keeper:
    """Begins now: reading old logs is slow on eth-tester, and there is nothing to see."""
    return Keeper(reader, people(reader.chain.w3)[3], reader.block().number + 1)
