"""Reads the exchange. Needs no key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from bulkhead import orders, queries, valuation
from bulkhead.accounts import AccountView, HouseView, Position, SettingsView
from bulkhead.chain import Block, Chain
from bulkhead.contracts import Contracts
from bulkhead.deployment import Deployment
from bulkhead.errors import UnknownOrder
from bulkhead.handles import OrderHandle
from bulkhead.interfaces import Event
from bulkhead.markets import Market, MarketState
from bulkhead.orders import Exit, Order, OrderStatus, Outcome, PlacedOrder, Preview
from bulkhead.protocol import words
from bulkhead.protocol.fixed_point import PPM
from bulkhead.protocol.words import OrderTerms
from bulkhead.risk import MarketRisk, Risk, market_risk_of, risk_of
from bulkhead.values import from_units, to_usd, up

if TYPE_CHECKING:
    from web3 import Web3

_USD = 10**15  # femto
MarketName: TypeAlias = Market | int | str
"""A market, its id, or its symbol."""


class Reader:
    """One exchange on one connection.

    Every answer is of one block: the latest, or the one that is asked for.

    Args:
        w3: A connection.
        deployment: Where the exchange is.
    """

    def __init__(self, w3: Web3, deployment: Deployment) -> None:
        self.chain = Chain(w3)
        self.deployment = deployment
        self.contracts = Contracts(deployment)
        self._faces: queries.Faces = {}
        self._ids: dict[str, int] = {}
        self.separator = orders.domain_separator(deployment.chain_id, deployment.order_book)

    def block(self, number: int | None = None) -> Block:
        """A block, or the latest."""
        return self.chain.block(number)

    def now(self) -> int:
        """The chain's time, seconds."""
        return self.chain.now()

    def market(self, market: MarketName, block: Block | None = None) -> Market:
        """A market with the terms it has now."""
        return self.market_state(market, block).market

    def markets(self, block: Block | None = None) -> tuple[MarketState, ...]:
        """The state of every market."""
        at = block or self.block()
        count = self.chain.run(queries.market_count(self.contracts), at)
        return tuple(self.market_states(range(count), at).values())

    def market_state(self, market: MarketName, block: Block | None = None) -> MarketState:
        """A market's price, funding, open interest and terms."""
        id = self.market_id(market)  # noqa: A001 - the protocol's word
        return self.market_states([id], block)[id]

    def market_states(
        self, ids: Sequence[int], block: Block | None = None
    ) -> dict[int, MarketState]:
        """The states of some markets, all of one block."""
        at = block or self.block()
        query = queries.market_states(self.contracts, self._faces, ids, at.timestamp)
        return self.chain.run(query, at)

    def market_id(self, market: MarketName) -> int:
        """A market's id.

        Raises:
            MarketUnknown: If no market has this symbol.
        """
        if isinstance(market, Market):
            return market.id
        if isinstance(market, int):
            return market
        if market not in self._ids:
            self._ids[market] = self.chain.run(queries.market_id(self.contracts, market))
        return self._ids[market]

    def price(self, market: MarketName, block: Block | None = None) -> Decimal:
        """A market's mark price, USD per base unit."""
        return self.market_state(market, block).mark_price

    def account(self, address: str, block: Block | None = None) -> AccountView:
        """An account with all its positions, equity, margins, free collateral."""
        at = block or self.block()
        query = queries.account(self.contracts, self._faces, address, at.timestamp)
        return self.chain.run(query, at)

    def position(
        self,
        address: str,
        market: MarketName,
        *,
        is_long: bool,
        is_isolated: bool,
        block: Block | None = None,
    ) -> Position | None:
        """The open position of a side and margin mode, or None."""
        at = block or self.block()
        slot = valuation.slot_of(isolated=is_isolated, long=is_long)
        query = queries.position(
            self.contracts, self._faces, address, self.market_id(market), slot, at.timestamp
        )
        return self.chain.run(query, at)

    def free_collateral(self, address: str, block: Block | None = None) -> Decimal:
        """USD that may leave an account's cross ledger."""
        return self.account(address, block).free_collateral

    def equity(self, address: str, block: Block | None = None) -> Decimal:
        """USD an account is worth, vaults included."""
        return self.account(address, block).equity

    def house(self, block: Block | None = None) -> HouseView:
        """Pool cash, insurance and unclaimed fees."""
        return self.chain.run(queries.house(self.contracts), block)

    def insurance_request(self) -> tuple[Decimal, int]:
        """The announced withdrawal from insurance, USD, and when it may be made, seconds."""
        call = self.contracts.clearinghouse.call("insurance_request")
        amount, claimable_at = self.chain.read(call)
        return to_usd(amount), claimable_at

    def settings(
        self, address: str, market: MarketName, block: Block | None = None
    ) -> SettingsView:
        """An account's leverage and default margin mode in a market."""
        query = queries.settings(self.contracts, address, self.market_id(market))
        return self.chain.run(query, block)

    def operator(self, account: str, operator: str, block: Block | None = None) -> words.Operator:
        """What an operator may do for an account."""
        call = self.contracts.order_book.call("operator_word", account, operator)
        return words.unpack_operator(self.chain.read(call, block))

    def max_builder_fee(self, account: str, builder: str, block: Block | None = None) -> int:
        """What an account lets a builder charge, ppm of notional."""
        call = self.contracts.order_book.call("max_builder_fee", account, builder)
        return int(self.chain.read(call, block))

    def is_nonce_spent(self, signer: str, nonce: int, block: Block | None = None) -> bool:
        """Whether a signer has used or cancelled a nonce."""
        call = self.contracts.order_book.call("nonce_word", signer, nonce >> 8)
        return bool(self.chain.read(call, block) >> (nonce & 255) & 1)

    def owner(self) -> str:
        """Who sets parameters."""
        return str(self.chain.read(self.contracts.clearinghouse.call("owner")))

    def token_balance(self, address: str) -> Decimal:
        """Tokens in a wallet."""
        balance = self.chain.read(self.contracts.token.call("balanceOf", address))
        return from_units(balance, self.deployment.token_decimals)

    def hash_of(self, order: Order) -> bytes:
        """An order's hash, computed here: the same as the order book's."""
        return orders.hash_of(order, self.separator)

    def preview_order(self, order: Order, block: Block | None = None) -> Preview:
        """What an order would do now, by the contracts' own code.

        Raises:
            Refused: For the reason that placing or executing it would be.
        """
        call = self.contracts.order_lens.call("preview_order", order.to_tuple())
        return orders.preview_of(self.chain.read(call, block, sender=order.placer))

    def exit(self, order: Order, block: Block | None = None) -> Exit:
        """A stop's trigger beside the liquidation price of what it protects; it names its mode."""
        call = self.contracts.order_lens.call("exit", order.to_tuple())
        return orders.exit_of(self.chain.read(call, block))

    def order_terms(self, market: MarketName, block: Block | None = None) -> OrderTerms:
        """Keeper fee, delay and window of a market's orders."""
        query = queries.order_terms(self.contracts, self.market_id(market))
        return self.chain.run(query, block)

    def risks(
        self, positions: Sequence[tuple[str, int, int]], block: Block | None = None
    ) -> tuple[Risk, ...]:
        """How long funding alone lets positions live, and who is in line for deleveraging.

        Args:
            positions: Account, market and slot of each, up to 64.
            block: At which; now where it is None.
        """
        ids = [words.position_id(int(account, 16), *rest) for account, *rest in positions]
        found = self.chain.read(self.contracts.risk_lens.call("risks", ids), block)
        return tuple(map(risk_of, found))

    def market_risk(self, market: MarketName, block: Block | None = None) -> MarketRisk:
        """How a market stands to its share of the pool."""
        call = self.contracts.risk_lens.call("market_risk", self.market_id(market))
        return market_risk_of(self.chain.read(call, block))

    def max_order_size(self, order: Order) -> int:
        """The most lots with which an order would fill at the current price, 0 if with none.

        Halves between what fills and what does not by previews, so it takes some fifty calls.

        Args:
            order: Any size; all else as it would be placed.

        Raises:
            BulkheadError: If it could not be placed with the least size either.
        """
        state = self.market_state(order.market)
        cap = state.market.terms.skew_scale * state.market.terms.side_cap // PPM
        low = up(Fraction(state.market.terms.min_notional * _USD, max(state.price.price, 1)))
        high = 2 * cap + low  # a flip may close all of a side and open all of the other
        if not self._would_fill(order, low):
            return 0
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._would_fill(order, middle) else (low, middle)
        return low

    def _would_fill(self, order: Order, size: int) -> bool:
        return self.preview_order(replace(order, size=size)).reason == 0

    def order_state(self, order_hash: bytes, block: Block | None = None) -> words.OrderState:
        """All that the chain keeps of an order, at a block or now."""
        return self.chain.run(queries.order_state(self.contracts, order_hash), block)

    def order_status(self, order_hash: bytes, block: Block | None = None) -> OrderStatus:
        """The chain's word for an order's state."""
        return self.chain.run(queries.order_status(self.contracts, order_hash), block)

    def placed_order(self, order_hash: bytes) -> PlacedOrder:
        """An order from the log of its placement.

        Raises:
            UnknownOrder: If it was never placed here.
        """
        book = self.contracts.order_book
        topics = [[book.topic("OrderPlaced")], [order_hash]]
        first, last = self.deployment.block, self.block().number
        logs = self.chain.logs([book.address], first, last, topics)
        if not logs:
            raise UnknownOrder(f"no order 0x{order_hash.hex()} was placed here")
        return orders.placed_of(self.contracts.decode_logs(logs)[0])

    def handle(self, order_hash: bytes) -> OrderHandle:
        """A handle built again from an order's hash and the logs."""
        return OrderHandle(self, self.placed_order(order_hash))

    def outcome(self, placed: PlacedOrder, block: Block | None = None) -> Outcome:
        """What became of a placed order, as of a block."""
        at = block or self.block()
        status = self.order_status(placed.hash, at)
        events: tuple[Event, ...] = ()
        if status in (OrderStatus.EXECUTED, OrderStatus.CANCELLED):
            book, house = self.contracts.order_book, self.contracts.clearinghouse
            first = placed.block
            ended = [[book.topic("OrderExecuted"), book.topic("OrderCancelled")], [placed.hash]]
            fills = [
                [house.topic("PositionIncreased"), house.topic("PositionDecreased")],
                None,
                None,
                [placed.hash],
            ]
            events = self.contracts.decode_logs(
                (
                    *self.chain.logs([house.address], first, at.number, fills),
                    *self.chain.logs([book.address], first, at.number, ended),
                )
            )
        return orders.outcome_of(placed, status, events, at.timestamp)

    def events(self, first: int | None = None, last: int | None = None) -> tuple[Event, ...]:
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
        end = self.block().number if last is None else last
        return contracts.decode_logs(self.chain.logs(addresses, start, end))
