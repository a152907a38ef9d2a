"""A world to measure in: demo parameters, warm markets, time passing between steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bulkhead.admin import Admin
from bulkhead.chain import Receipt
from bulkhead.deployment import deploy
from bulkhead.interfaces import Call, Event
from bulkhead.listings import BTC, ETH, Listing
from bulkhead.local import advance_time, memory_chain
from bulkhead.orders import NO_GROUP, MarginMode, Order, placed_of
from bulkhead.protocol import words
from bulkhead.reader import Reader
from bulkhead.valuation import leg_keys

if TYPE_CHECKING:
    from web3 import Web3

NOBODY = "0x" + "00" * 20
GAS = 16_000_000
USD = 10**6
LEVERAGE = 10 * 10**6  # ppm
TICK = 5  # seconds between steps
COOLDOWN = 60  # seconds from an LP's request to its maturity

BTC_SIZE = 5 * 10**6  # lots: 0.05 BTC, 5,000 USD
ETH_SIZE = 10**6  # lots: 1 ETH, 4,000 USD
BATCH = 20

Figures = dict[str, int]


class World:
    """The exchange on the embedded chain, or a node, with gas receipts for every step."""

    def __init__(self, markets: int, accounts: int = 40, w3: Web3 | None = None) -> None:
        self.w3 = memory_chain(accounts) if w3 is None else w3
        everyone = [str(account) for account in self.w3.eth.accounts]
        self.owner, self.keeper, self.liquidity_provider, self.other, *self.fresh = everyone
        self.reader = Reader(self.w3, deploy(self.w3, self.owner, cooldown=COOLDOWN))
        self.admin = Admin(self.reader, self.owner)
        self.prices: dict[int, Decimal] = {}
        self._salt = 0
        for account in everyone:
            self.admin.mint(account, 10**8)
            for spender in (self.clearinghouse.address, self.pool.address):
                self.send(account, self.reader.contracts.token.call("approve", spender, 2**256 - 1))
        self.send(
            self.liquidity_provider,
            self.pool.call("deposit", 10**7 * USD, self.liquidity_provider),
        )
        self.admin.fund_insurance(10**6)
        self.list_up_to(markets)
        for account in (self.keeper, self.other):
            self.deposit(account, 10**6 * USD)

    @property
    def clearinghouse(self) -> Any:
        return self.reader.contracts.clearinghouse

    @property
    def pool(self) -> Any:
        return self.reader.contracts.liquidity_pool

    def newcomer(self) -> str:
        """An account that has never been here."""
        return self.fresh.pop()

    def send(self, sender: str, call: Call) -> Receipt:
        return self.reader.chain.send(call, sender, GAS)

    def list_up_to(self, count: int) -> None:
        for market in range(len(self.prices), count):
            listing = listing_of(market)
            advance_time(self.w3, 1)
            self.admin.list_market(listing)
            self.prices[market] = listing.price

    def warm(self) -> None:
        """Another trader is already in, on both sides and in both modes."""
        for market in range(len(self.prices)):
            self.warm_market(market)

    def warm_market(self, market: int) -> None:
        size = BTC_SIZE if market == 0 else ETH_SIZE
        for mode in (MarginMode.CROSS, MarginMode.ISOLATED):
            is_buy = mode is MarginMode.CROSS
            self.trade(self.other, market, size, margin_mode=mode, is_buy=is_buy)

    def push(self, market: int, factor: Decimal = Decimal(1), *, tick: int = TICK) -> Receipt:
        """Publishes a market's price, times a factor, after some time has passed."""
        if tick:
            advance_time(self.w3, tick)
        wad = int(self.prices[market] * factor * 10**18)
        payload = wad.to_bytes(32, "big") + self.reader.now().to_bytes(32, "big")
        return self.send(
            self.owner, self.reader.contracts.price_oracle.call("update", market, payload)
        )

    def deposit(self, account: str, amount: int) -> Receipt:
        return self.send(account, self.clearinghouse.call("deposit", account, amount))

    def order(self, market: int, size: int, **changes: Any) -> Order:
        """A buy of lots at 10x by whoever places it, unless changed."""
        self._salt += 1
        return replace(
            Order(
                account=NOBODY,
                placer=NOBODY,
                market=market,
                kind=0,
                margin_mode=MarginMode.ISOLATED,
                position_side=0,
                is_buy=True,
                reduce_only=False,
                size=size,
                trigger_price=0,
                callback_rate=0,
                acceptable_price=0,
                margin=0,
                leverage=LEVERAGE,
                expiry=0,
                group=NO_GROUP,
                builder=NOBODY,
                builder_fee=0,
                salt=self._salt,
            ),
            **changes,
        )

    def place(self, account: str, market: int, size: int, **changes: Any) -> tuple[Order, Receipt]:
        """Commits an order."""
        order = self.order(market, size, **changes)
        book = self.reader.contracts.order_book
        receipt = self.send(account, book.call("place", order.to_tuple()))
        (placed,) = self.placed_in(receipt)
        return placed, receipt

    def placed_in(self, receipt: Receipt, count: int = 1) -> list[Order]:
        """The orders that a transaction has placed, as resolved."""
        return [placed_of(event).order for event in self.expect(receipt, "OrderPlaced", count)]

    def execute(self, order: Order, factor: Decimal = Decimal(1)) -> Receipt:
        """Fills an order at a price published for it, the account's other legs' prices fresh."""
        account = words.unpack_account(
            self.reader.chain.read(self.clearinghouse.call("account_word", order.account))
        )
        for market, _ in leg_keys(account):
            if market != order.market:
                self.push(market, tick=0)
        self.push(order.market, factor)
        book = self.reader.contracts.order_book
        receipt = self.send(self.keeper, book.call("execute", order.to_tuple()))
        self.expect(receipt, "OrderExecuted")
        return receipt

    def trade(self, account: str, market: int, size: int, **changes: Any) -> Receipt:
        return self.execute(self.place(account, market, size, **changes)[0])

    def liquidate_isolated(self, *accounts: str) -> Receipt:
        """Liquidates the accounts' isolated longs in market 0."""
        ids = [isolated_long(one) for one in accounts]
        receipt = self.send(self.keeper, self.clearinghouse.call("liquidate_isolated", ids))
        self.expect(receipt, "PositionLiquidated", len(accounts))
        return receipt

    def liquidate_cross(self, account: str, legs: int) -> Receipt:
        receipt = self.send(self.keeper, self.clearinghouse.call("liquidate_cross", [account]))
        self.expect(receipt, "PositionLiquidated", legs)
        return receipt

    def expect(self, receipt: Receipt, name: str, count: int = 1) -> list[Event]:
        """The events of a name that a transaction must have logged, so many of them."""
        events = self.reader.contracts.decode_logs(receipt.logs)
        found = [event for event in events if event.name == name]
        if len(found) != count:
            names = [event.name for event in events]
            raise RuntimeError(f"{len(found)} of {count} {name} among {names}")
        return found


def isolated_long(account: str, market: int = 0) -> int:
    """The id of an account's isolated long."""
    return words.position_id(int(account, 16), market, words.ISOLATED_LONG)


def alone_and_further(act: Callable[..., Receipt], accounts: Sequence[str]) -> tuple[int, int]:
    """What a transaction for one account takes, and each further one in a batch.

    The second is the difference between a batch of one and a batch of the rest.
    """
    alone, one, *rest = accounts
    first = act(alone).gas_used
    single, batch = act(one).gas_used, act(*rest).gas_used
    return first, (batch - single) // (len(rest) - 1)


def listing_of(market: int) -> Listing:
    """The demo's BTC market, then its ETH market over and over under other names."""
    if market == 0:
        return BTC
    terms = ETH.terms._replace(pool_share=10_000)
    return ETH._replace(symbol=f"M{market}-PERP", terms=terms)
