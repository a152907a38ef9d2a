"""Markets, accounts and money, as the chain has them at one block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from bulkhead import orders, queries, valuation
from bulkhead.accounts import AccountView, HouseView, Position, SettingsView
from bulkhead.chain import (
    Block,
    ChainVerbs,
    Program,
    Query,
    Verbs,
    verb,
)
from bulkhead.contracts import Contracts
from bulkhead.deployment import Deployment
from bulkhead.errors import MovedOn
from bulkhead.interfaces import Event
from bulkhead.markets import Market, MarketState
from bulkhead.protocol import words
from bulkhead.risk import MarketRisk, Risk, market_risk_of, risk_of
from bulkhead.snapshots import Snapshot
from bulkhead.values import from_units, to_usd

if TYPE_CHECKING:
    pass

Result = TypeVar("Result")
_USD = 10**15  # femto
MarketName: TypeAlias = Market | int | str
"""A market, its id, or its symbol."""


class ExchangeVerbs(Verbs):
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

    def _at_once(self, query: Callable[[], Query[Result]], block: Block | None) -> Program[Result]:
        """A query at a block, or at the latest: at one, even if it takes several calls."""
        if block is None:
            try:
                return (yield from self.node.run(query()))
            except MovedOn:
                block = yield from self.block()
        return (yield from self.node.run(query(), block))
