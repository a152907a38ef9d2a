"""Reads the exchange. Needs no key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from bulkhead import orders, queries, valuation
from bulkhead.accounts import AccountView, HouseView, Position, SettingsView
from bulkhead.chain import (
    AsyncChain,
    Awaiting,
    Block,
    Blocking,
    Chain,
    ChainVerbs,
    Program,
    Query,
    Sending,
    Verbs,
    verb,
)
from bulkhead.contracts import Contracts
from bulkhead.deployment import Deployment
from bulkhead.errors import MovedOn, UnknownOrder
from bulkhead.fills import DECREASED, INCREASED, fill_of
from bulkhead.handles import AsyncOrderHandle, OrderHandle
from bulkhead.interfaces import Event
from bulkhead.markets import Market, MarketState
from bulkhead.orders import Exit, OpenOrders, Order, OrderStatus, Outcome, PlacedOrder, Preview
from bulkhead.protocol import words
from bulkhead.protocol.fixed_point import PPM
from bulkhead.protocol.words import OrderTerms
from bulkhead.risk import MarketRisk, Risk, market_risk_of, risk_of
from bulkhead.snapshots import Snapshot
from bulkhead.values import from_units, to_usd, up

if TYPE_CHECKING:
    from web3 import AsyncWeb3, Web3

Result = TypeVar("Result")
_USD = 10**15  # femto
MarketName: TypeAlias = Market | int | str
"""A market, its id, or its symbol."""


class ReaderVerbs(Verbs):
    """What can be asked of one exchange.

    Every answer is of one block: the latest, or the one that is asked for.

    Attributes:
        node: The connection's verbs.
        deployment: Where the exchange is.
        contracts: Its contracts, to encode calls and decode logs.
        separator: Its EIP-712 domain.
    """

    def __init__(self, node: ChainVerbs, deployment: Deployment) -> None:
        self.node = node
        self.deployment = deployment
        self.contracts = Contracts(deployment)
        self._ids: dict[str, int] = {}
        self.separator = orders.domain_separator(deployment.chain_id, deployment.order_book)

    @verb
    def block(self, number: int | None = None) -> Program[Block]:
        """A block, or the latest."""
        return self.node.block(number)

    @verb
    def now(self) -> Program[int]:
        """The chain's time, seconds."""
        return self.node.now()

    @verb
    def market(self, market: MarketName, block: Block | None = None) -> Program[Market]:
        """A market with the terms it has now."""
        return (yield from self.market_state(market, block)).market

    @verb
    def markets(self, block: Block | None = None) -> Program[tuple[MarketState, ...]]:
        """The state of every market."""
        found = yield from self._at_once(lambda: queries.markets(self.contracts), block)
        return tuple(found.values())

    @verb
    def market_state(self, market: MarketName, block: Block | None = None) -> Program[MarketState]:
        """A market's price, funding, open interest and terms."""
        id = yield from self.market_id(market)  # noqa: A001 - the protocol's word
        return (yield from self.market_states([id], block))[id]

    @verb
    def market_states(
        self, ids: Sequence[int], block: Block | None = None
    ) -> Program[dict[int, MarketState]]:
        """The states of some markets, all of one block."""
        return self._at_once(lambda: queries.market_states(self.contracts, ids), block)

    @verb
    def market_id(self, market: MarketName) -> Program[int]:
        """A market's id.

        Raises:
            MarketUnknown: If no market has this symbol.
        """
        if isinstance(market, Market):
            return market.id
        if isinstance(market, int):
            return market
        if market not in self._ids:
            self._ids[market] = yield from self.node.run(queries.market_id(self.contracts, market))
        return self._ids[market]

    @verb
    def price(self, market: MarketName, block: Block | None = None) -> Program[Decimal]:
        """A market's mark price, USD per base unit."""
        return (yield from self.market_state(market, block)).mark_price

    @verb
    def account(self, address: str, block: Block | None = None) -> Program[AccountView]:
        """An account with all its positions, equity, margins, free collateral; in one call."""
        return self._at_once(lambda: queries.account(self.contracts, address), block)

    @verb
    def accounts(
        self, addresses: Sequence[str], block: Block | None = None
    ) -> Program[dict[str, AccountView]]:
        """Many accounts, all of one block; in as few calls as 20 million gas each allow."""
        return self._at_once(lambda: queries.accounts(self.contracts, addresses), block)

    @verb
    def snapshot(
        self,
        addresses: Sequence[str] = (),
        markets: Sequence[int] = (),
        block: Block | None = None,
    ) -> Program[Snapshot]:
        """The words of some accounts, of the markets they are in and of others, at one block."""
        return self._at_once(lambda: queries.snapshot(self.contracts, addresses, markets), block)

    @verb
    def position(
        self,
        address: str,
        market: MarketName,
        *,
        is_long: bool,
        is_isolated: bool,
        block: Block | None = None,
    ) -> Program[Position | None]:
        """The open position of a side and margin mode, or None."""
        id = yield from self.market_id(market)  # noqa: A001 - the protocol's word
        view = yield from self.account(address, block)
        return view.position(id, valuation.slot_of(isolated=is_isolated, long=is_long))

    @verb
    def free_collateral(self, address: str, block: Block | None = None) -> Program[Decimal]:
        """USD that may leave an account's cross ledger."""
        return (yield from self.account(address, block)).free_collateral

    @verb
    def equity(self, address: str, block: Block | None = None) -> Program[Decimal]:
        """USD an account is worth, vaults included."""
        return (yield from self.account(address, block)).equity

    @verb
    def house(self, block: Block | None = None) -> Program[HouseView]:
        """Pool cash, insurance and unclaimed fees."""
        return self.node.run(queries.house(self.contracts), block)

    @verb
    def insurance_request(self) -> Program[tuple[Decimal, int]]:
        """The announced withdrawal from insurance, USD, and when it may be made, seconds."""
        call = self.contracts.clearinghouse.call("insurance_request")
        amount, claimable_at = yield from self.node.read(call)
        return to_usd(amount), claimable_at

    @verb
    def settings(
        self, address: str, market: MarketName, block: Block | None = None
    ) -> Program[SettingsView]:
        """An account's leverage and default margin mode in a market."""
        query = queries.settings(self.contracts, address, (yield from self.market_id(market)))
        return (yield from self.node.run(query, block))

    @verb
    def operator(
        self, account: str, operator: str, block: Block | None = None
    ) -> Program[words.Operator]:
        """What an operator may do for an account."""
        call = self.contracts.order_book.call("operator_word", account, operator)
        return words.unpack_operator((yield from self.node.read(call, block)))

    @verb
    def max_builder_fee(
        self, account: str, builder: str, block: Block | None = None
    ) -> Program[int]:
        """What an account lets a builder charge, ppm of notional."""
        call = self.contracts.order_book.call("max_builder_fee", account, builder)
        return int((yield from self.node.read(call, block)))

    @verb
    def is_nonce_spent(self, signer: str, nonce: int, block: Block | None = None) -> Program[bool]:
        """Whether a signer has used or cancelled a nonce."""
        call = self.contracts.order_book.call("nonce_word", signer, nonce >> 8)
        return bool((yield from self.node.read(call, block)) >> (nonce & 255) & 1)

    @verb
    def owner(self) -> Program[str]:
        """Who sets parameters."""
        return str((yield from self.node.read(self.contracts.clearinghouse.call("owner"))))

    @verb
    def token_balance(self, address: str) -> Program[Decimal]:
        """Tokens in a wallet."""
        balance = yield from self.node.read(self.contracts.token.call("balanceOf", address))
        return from_units(balance, self.deployment.token_decimals)

    def hash_of(self, order: Order) -> bytes:
        """An order's hash, computed here: the same as the order book's."""
        return orders.hash_of(order, self.separator)

    @verb
    def preview_order(self, order: Order, block: Block | None = None) -> Program[Preview]:
        """What an order would do now, by the contracts' own code.

        Raises:
            Refused: For the reason that placing or executing it would be.
        """
        call = self.contracts.order_lens.call("preview_order", order.to_tuple())
        return orders.preview_of((yield from self.node.read(call, block, sender=order.placer)))

    @verb
    def exit(self, order: Order, block: Block | None = None) -> Program[Exit]:
        """A stop's trigger beside the liquidation price of what it protects; it names its mode."""
        call = self.contracts.order_lens.call("exit", order.to_tuple())
        return orders.exit_of((yield from self.node.read(call, block)))

    @verb
    def order_terms(self, market: MarketName, block: Block | None = None) -> Program[OrderTerms]:
        """Keeper fee, delay and window of a market's orders."""
        query = queries.order_terms(self.contracts, (yield from self.market_id(market)))
        return (yield from self.node.run(query, block))

    @verb
    def risks(
        self, positions: Sequence[tuple[str, int, int]], block: Block | None = None
    ) -> Program[tuple[Risk, ...]]:
        """How long funding alone lets positions live, and who is in line for deleveraging.

        Args:
            positions: Account, market and slot of each, up to 64.
            block: At which; now where it is None.
        """
        ids = [words.position_id(int(account, 16), *rest) for account, *rest in positions]
        found = yield from self.node.read(self.contracts.risk_lens.call("risks", ids), block)
        return tuple(map(risk_of, found))

    @verb
    def market_risk(self, market: MarketName, block: Block | None = None) -> Program[MarketRisk]:
        """How a market stands to its share of the pool."""
        call = self.contracts.risk_lens.call("market_risk", (yield from self.market_id(market)))
        return market_risk_of((yield from self.node.read(call, block)))

    @verb
    def max_order_size(self, order: Order) -> Program[int]:
        """The most lots with which an order would fill at the current price, 0 if with none.

        Halves between what fills and what does not by previews, so it takes some fifty calls.

        Args:
            order: Any size; all else as it would be placed.

        Raises:
            BulkheadError: If it could not be placed with the least size either.
        """
        state = yield from self.market_state(order.market)
        cap = state.market.terms.skew_scale * state.market.terms.side_cap // PPM
        low = up(Fraction(state.market.terms.min_notional * _USD, max(state.price.price, 1)))
        high = 2 * cap + low  # a flip may close all of a side and open all of the other
        if not (yield from self._would_fill(order, low)):
            return 0
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (
                (middle, high) if (yield from self._would_fill(order, middle)) else (low, middle)
            )
        return low

    def _would_fill(self, order: Order, size: int) -> Program[bool]:
        return (yield from self.preview_order(replace(order, size=size))).reason == 0

    @verb
    def order_state(
        self, order_hash: bytes, block: Block | None = None
    ) -> Program[words.OrderState]:
        """All that the chain keeps of an order, at a block or now."""
        return self.node.run(queries.order_state(self.contracts, order_hash), block)

    @verb
    def order_status(self, order_hash: bytes, block: Block | None = None) -> Program[OrderStatus]:
        """The chain's word for an order's state."""
        return self.node.run(queries.order_status(self.contracts, order_hash), block)

    @verb
    def placed_order(self, order_hash: bytes) -> Program[PlacedOrder]:
        """An order from the log of its placement.

        Raises:
            UnknownOrder: If it was never placed here.
        """
        book = self.contracts.order_book
        topics = [[book.topic("OrderPlaced")], [order_hash]]
        first, last = self.deployment.block, (yield from self.block()).number
        logs = yield from self.node.logs([book.address], first, last, topics)
        if not logs:
            raise UnknownOrder(f"no order 0x{order_hash.hex()} was placed here")
        return orders.placed_of(self.contracts.decode_logs(logs)[0])

    @verb
    def outcome(self, placed: PlacedOrder, block: Block | None = None) -> Program[Outcome]:
        """What became of a placed order, as of a block."""
        at = block or (yield from self.block())
        status = yield from self.order_status(placed.hash, at)
        if status not in (OrderStatus.EXECUTED, OrderStatus.CANCELLED):
            return orders.resting(placed, at.timestamp)
        book, house = self.contracts.order_book, self.contracts.clearinghouse
        ends = [[book.topic("OrderExecuted"), book.topic("OrderCancelled")], [placed.hash]]
        logs = yield from self.node.logs([book.address], placed.block, at.number, ends)
        (end,) = self.contracts.decode_logs(logs)
        filled = [[house.topic(INCREASED), house.topic(DECREASED)], None, None, [placed.hash]]
        logs = yield from self.node.logs([house.address], end.block, end.block, filled)
        market = yield from self.market(placed.order.market, at)
        fills = tuple(fill_of(event, market) for event in self.contracts.decode_logs(logs))
        return orders.ended(end, fills)

    @verb
    def events(
        self, first: int | None = None, last: int | None = None
    ) -> Program[tuple[Event, ...]]:
        """Everything the exchange logged from block `first` to block `last`, in order.

        Args:
            first: The deployment's block where it is None.
            last: The latest block where it is None.
        """
        contracts = self.contracts
        addresses = [
            contracts.clearinghouse.address,
            contracts.order_book.address,
            contracts.price_oracle.address,
            contracts.liquidity_pool.address,
        ]
        start = self.deployment.block if first is None else first
        end = (yield from self.block()).number if last is None else last
        return contracts.decode_logs((yield from self.node.logs(addresses, start, end)))

    @verb
    def open_orders(
        self, account: str, first: int | None = None, block: Block | None = None
    ) -> Program[OpenOrders]:
        """An account's orders that rest, from the logs of their placements.

        Args:
            account: Whose.
            first: The block to look back to; the deployment's where it is None.
            block: At which; now where it is None.
        """
        at = block or (yield from self.block())
        start = self.deployment.block if first is None else first
        events = yield from self._placements(account, start, at.number)
        placed = [orders.placed_of(event) for event in events]
        query = queries.order_words(self.contracts, [one.hash for one in placed])
        found = yield from self.node.run(query, at)
        pending = [
            replace(one, extreme=state.extreme)
            for one, state in zip(placed, found, strict=True)
            if state.status == OrderStatus.PENDING
        ]
        return OpenOrders(tuple(pending), start, at.number)

    @verb
    def find_order(
        self, account: str, client_id: str, first: int | None = None
    ) -> Program[PlacedOrder | None]:
        """The order that an account placed under a client id, or None.

        Args:
            account: Whose.
            client_id: What it was called.
            first: The block to look back to; the deployment's where it is None.
        """
        salt = orders.salt_of(client_id)
        at = yield from self.block()
        start = self.deployment.block if first is None else first
        events = yield from self._placements(account, start, at.number)
        placed = (orders.placed_of(event) for event in reversed(events))
        return next((one for one in placed if one.order.salt == salt), None)

    @verb
    def children(self, entry: PlacedOrder) -> Program[tuple[PlacedOrder, ...]]:
        """What was placed with a bracket's entry, to close it."""
        events = yield from self._placements(entry.order.account, entry.block, entry.block)
        placed = (orders.placed_of(event) for event in events)
        return tuple(one for one in placed if one.is_child and one.order.group == entry.hash)

    def _at_once(self, query: Callable[[], Query[Result]], block: Block | None) -> Program[Result]:
        """A query at a block, or at the latest: at one, even if it takes several calls."""
        if block is None:
            try:
                return (yield from self.node.run(query()))
            except MovedOn:
                block = yield from self.block()
        return (yield from self.node.run(query(), block))

    def _placements(self, account: str, first: int, last: int) -> Program[tuple[Event, ...]]:
        book = self.contracts.order_book
        topics = [[book.topic("OrderPlaced")], None, [bytes.fromhex(account[2:]).rjust(32, b"\0")]]
        logs = yield from self.node.logs([book.address], first, last, topics)
        return self.contracts.decode_logs(logs)


class Reader(Blocking, ReaderVerbs):
    """One exchange on a `Web3`. Needs no key.

    Args:
        w3: A connection.
        deployment: Where the exchange is.
        sending: How transactions of those who trade through it are sent.
    """

    verbs: ReaderVerbs

    def __init__(self, w3: Web3, deployment: Deployment, sending: Sending | None = None) -> None:
        self.chain = Chain(w3, sending)
        self.transport = self.chain.transport
        self.verbs = ReaderVerbs(self.chain.verbs, deployment)

    def handle(self, order_hash: bytes) -> OrderHandle:
        """A handle built again from an order's hash and the logs.

        Raises:
            UnknownOrder: If it was never placed here.
        """
        return OrderHandle(self, self.placed_order(order_hash))


class AsyncReader(Awaiting, ReaderVerbs):
    """One exchange on an `AsyncWeb3`. Needs no key.

    Args:
        w3: A connection.
        deployment: Where the exchange is.
        sending: How transactions of those who trade through it are sent.
    """

    verbs: ReaderVerbs

    def __init__(
        self, w3: AsyncWeb3[Any], deployment: Deployment, sending: Sending | None = None
    ) -> None:
        self.chain = AsyncChain(w3, sending)
        self.transport = self.chain.transport
        self.verbs = ReaderVerbs(self.chain.verbs, deployment)

    async def handle(self, order_hash: bytes) -> AsyncOrderHandle:
        """A handle built again from an order's hash and the logs.

        Raises:
            UnknownOrder: If it was never placed here.
        """
        return AsyncOrderHandle(self, await self.placed_order(order_hash))
