"""What reading accounts takes on a node: calls, time, and the gas that the node spends on them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from benchmarks.world import NOBODY, USD, listing_of
from bulkhead import Admin, LiquidityProvider, Reader, deploy, queries
from bulkhead.interfaces import Call, Event
from bulkhead.local import Anvil, advance_time
from bulkhead.orders import NO_GROUP, MarginMode, Order, placed_of

if TYPE_CHECKING:
    from web3.types import RPCEndpoint, TxParams

    from bulkhead.accounts import AccountView
    from bulkhead.chain import Query

Accounts: TypeAlias = "dict[str, AccountView]"

MARKETS = 32
ACCOUNTS = 1_000
LEGS = 3  # of each of them
AT_ONCE = 250  # accounts that trade before the prices are published again
BATCH = 32  # orders that one transaction executes
EXECUTE_GAS = 25_000_000
PLACE_GAS = 400_000
BLOCK_GAS = 2_000_000_000
DOLLARS = 20  # a position's notional
CASH = 1_000  # USD of an account


class Crowd:
    """An exchange on a node of its own, and a thousand accounts that the node signs for."""

    def __init__(self, anvil: Anvil) -> None:
        self.w3 = anvil.connect()
        self.owner, *self.people = map(str, self.w3.eth.accounts)
        self.reader = Reader(self.w3, deploy(self.w3, self.owner))
        self.contracts = self.reader.contracts
        self.admin = Admin(self.reader, self.owner)
        self.admin.mint(self.owner, 2 * 10**7)
        LiquidityProvider(self.reader, self.owner).deposit(10**7)
        token, house = self.contracts.token, self.contracts.clearinghouse
        self.send(self.owner, token.call("approve", house.address, 2**256 - 1), PLACE_GAS)
        self.listings = [listing_of(market) for market in range(MARKETS)]
        for listing in self.listings:
            self.admin.list_market(listing)
        self._salt = 0

    def send(self, sender: str, call: Call, gas: int) -> int:
        """The gas that a transaction took; it must not fail."""
        sent = self.w3.eth.send_transaction(_request(sender, call, gas))
        found = self.w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)
        if not found["status"]:
            raise RuntimeError(f"{call.name} failed")
        return int(found["gasUsed"])

    def ask(self, method: str, *parameters: Any) -> None:
        """A request that web3 has no name for."""
        self.w3.manager.request_blocking(cast("RPCEndpoint", method), list(parameters))

    def mine(self, transactions: Iterable[tuple[str, Call]]) -> tuple[Event, ...]:
        """Mines many transactions in one block: what they logged."""
        self.ask("evm_setAutomine", False)
        for sender, call in transactions:
            self.w3.eth.send_transaction(_request(sender, call, PLACE_GAS))
        self.ask("evm_mine")
        self.ask("evm_setAutomine", True)
        return self.reader.events(first=self.reader.block().number)

    def open(self, holdings: Sequence[tuple[str, Iterable[int]]]) -> None:
        """Gives accounts cash, and a cross long in each of their markets."""
        house, book = self.contracts.clearinghouse, self.contracts.order_book
        self.mine(
            (self.owner, house.call("deposit", account, CASH * USD)) for account, _ in holdings
        )
        events = self.mine(
            (account, book.call("place", self.order(market).to_tuple()))
            for account, markets in holdings
            for market in markets
        )
        placed = [placed_of(event).order for event in events if event.name == "OrderPlaced"]
        advance_time(self.w3, 3)
        for listing in self.listings:
            self.admin.set_price(listing.symbol, listing.price)
        for at in range(0, len(placed), BATCH):
            batch = [order.to_tuple() for order in placed[at : at + BATCH]]
            self.send(self.owner, book.call("execute_orders", batch), EXECUTE_GAS)

    def order(self, market: int) -> Order:
        """A market order to buy, in cross margin, of whoever places it."""
        self._salt += 1
        listing = self.listings[market]
        return Order(
            account=NOBODY,
            placer=NOBODY,
            market=market,
            kind=0,
            margin_mode=MarginMode.CROSS,
            position_side=0,
            is_buy=True,
            reduce_only=False,
            size=int(DOLLARS / listing.price / listing.lot_size),
            trigger_price=0,
            callback_rate=0,
            acceptable_price=0,
            margin=0,
            leverage=0,
            expiry=0,
            group=NO_GROUP,
            builder=NOBODY,
            builder_fee=0,
            salt=self._salt,
        )

    def measured(self, addresses: Sequence[str], legs: int) -> str:
        """Reads accounts and says what that took."""
        at = self.reader.block()
        calls: list[Call] = []
        began = time.perf_counter()
        found = self.reader.chain.run(
            _noted(queries.accounts(self.contracts, addresses), calls), at
        )
        milliseconds = 1_000 * (time.perf_counter() - began)
        if any(len(view.cross) != legs for view in found.values()):
            raise RuntimeError("not every order was filled")
        gas = [self.send(self.owner, call, queries.CALL_GAS) for call in calls]
        return (
            f"{len(addresses):,} accounts of {legs} legs: {len(calls)} calls, "
            f"{milliseconds:,.0f} ms, {', '.join(f'{one:,}' for one in gas)} gas"
        )


def _request(sender: str, call: Call, gas: int) -> TxParams:
    request: Any = {"from": sender, "to": call.to, "data": call.data, "gas": gas}
    found: TxParams = request
    return found


def _noted(query: Query[Accounts], calls: list[Call]) -> Query[Accounts]:
    """The same query, its calls written down."""
    asked = next(query)
    while True:
        calls += asked
        answers = yield asked
        try:
            asked = query.send(answers)
        except StopIteration as end:
            found: Accounts = end.value
            return found


def main() -> None:
    options = {"accounts": ACCOUNTS + 2, "gas-limit": BLOCK_GAS}
    with Anvil(*(f"--{name}={value}" for name, value in options.items())) as anvil:
        crowd = Crowd(anvil)
        whale, *others = crowd.people
        crowd.open([(whale, range(MARKETS))])
        print(crowd.measured([whale], MARKETS))
        random = Random(0)
        for at in range(0, ACCOUNTS, AT_ONCE):
            crowd.open(
                [(one, random.sample(range(MARKETS), LEGS)) for one in others[at : at + AT_ONCE]]
            )
        print(crowd.measured(others[:ACCOUNTS], LEGS))


if __name__ == "__main__":
    main()
