"""What the owner, the guardian and price publishers do."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from bulkhead import errors, queries
from bulkhead.chain import Awaiting, Blocking, Program, Receipt, verb
from bulkhead.feeds import FeedVerbs
from bulkhead.governance import Proposal, fits
from bulkhead.listings import Listing, Terms, TierTerms
from bulkhead.markets import OPEN, REDUCE_ONLY, Market
from bulkhead.values import Amount, to_quote, to_units, to_wad

if TYPE_CHECKING:
    from bulkhead.chain import Signer
    from bulkhead.reader import AsyncReader, MarketName, Reader

NOBODY = "0x" + "00" * 20
MAX_SYMBOL = 16  # bytes
# What `OrderBook.set_order_terms` takes; a listing ends with it, so it is checked at the beginning.
MAX_KEEPER_FEE = 10 * 10**6  # quote
MAX_DELAY = 600  # seconds
MIN_WINDOW = 10  # seconds


class AdminVerbs(FeedVerbs):
    """One signer with a role; the contracts decide what it may do."""

    @verb
    def list_market(self, listing: Listing, *, aggregator: str | None = None) -> Program[Market]:
        """Lists a market: feed, first price, listing, order terms.

        What can be refused without a price is refused before anything is sent. A proposal says when
        each part is to happen, so it takes the parts: a feed, `update` or a publisher, and later
        `list_on_feed`.

        Args:
            listing: All of it.
            aggregator: A Chainlink feed; without one the signer publishes the price itself.
        """
        exchange = self.exchange
        self._require_sent("list_market")
        yield from self._check(listing)
        market = yield from exchange.node.run(queries.market_count(exchange.contracts))
        if aggregator is not None:
            yield from self.set_chainlink_feed(market, listing, aggregator)
            yield from self._oracle("update", market, b"")
        else:
            yield from self.set_published_feed(market, listing)
            oracle = exchange.contracts.price_oracle
            if not (yield from exchange.node.read(oracle.call("is_publisher", self.address))):
                yield from self.set_publisher(self.address)
            yield from self._publish(market, to_wad(listing.price), None)
        yield from self.list_on_feed(listing)
        return (yield from exchange.market(market))

    @verb
    def list_on_feed(self, listing: Listing) -> Program[Receipt]:
        """Lists a market whose feed is set and live, and sets its order terms."""
        contracts = self.exchange.contracts
        market = yield from self.exchange.node.run(queries.market_count(contracts))
        terms, tiers = listing.terms, list(listing.tiers)
        call = contracts.clearinghouse.call("list_market", listing.symbol, terms, tiers)
        if isinstance(self.signer, Proposal) and not fits(call):
            # The other tiers follow in the same transaction, when nothing can be open yet.
            yield from self._clearinghouse("list_market", listing.symbol, terms, tiers[:1])
            yield from self._clearinghouse("replace_tiers", market, tiers)
        else:
            yield from self._send(call)
        return (yield from self._set_order_terms(market, listing))

    @verb
    def set_order_terms(self, market: MarketName, listing: Listing) -> Program[Receipt]:
        """Sets keeper fee, delay and window of a market's orders."""
        return (
            yield from self._set_order_terms((yield from self.exchange.market_id(market)), listing)
        )

    def _set_order_terms(self, market: int, listing: Listing) -> Program[Receipt]:
        terms = (listing.keeper_fee, listing.delay, listing.window, listing.max_order_age)
        return (
            yield from self._send(
                self.exchange.contracts.order_book.call("set_order_terms", market, *terms)
            )
        )

    @verb
    def set_terms(self, market: MarketName, terms: Terms) -> Program[Receipt]:
        """Replaces a market's terms."""
        return (
            yield from self._clearinghouse(
                "set_terms", (yield from self.exchange.market_id(market)), terms
            )
        )

    @verb
    def ramp_tiers(
        self, market: MarketName, tiers: Sequence[TierTerms], duration: int
    ) -> Program[Receipt]:
        """Moves a market's margin rates to new ones, linearly. Number and floors of tiers stay.

        Args:
            market: Whose.
            tiers: Where the rates are to go.
            duration: Seconds, one day to ninety.
        """
        return (
            yield from self._clearinghouse(
                "ramp_tiers", (yield from self.exchange.market_id(market)), list(tiers), duration
            )
        )

    @verb
    def end_ramp(self, market: MarketName) -> Program[Receipt]:
        """Clears the mark of a ramp that is over, which makes valuing cheaper again. Anyone may."""
        return (
            yield from self._clearinghouse("end_ramp", (yield from self.exchange.market_id(market)))
        )

    @verb
    def replace_tiers(self, market: MarketName, tiers: Sequence[TierTerms]) -> Program[Receipt]:
        """Gives a market in which nothing is open other tiers at once."""
        return (
            yield from self._clearinghouse(
                "replace_tiers", (yield from self.exchange.market_id(market)), list(tiers)
            )
        )

    @verb
    def set_status(self, market: MarketName, *, reduce_only: bool) -> Program[Receipt]:
        """Makes a market reduce-only, or opens it again."""
        status = REDUCE_ONLY if reduce_only else OPEN
        return (
            yield from self._clearinghouse(
                "set_status", (yield from self.exchange.market_id(market)), status
            )
        )

    @verb
    def set_guardian(self, guardian: str) -> Program[Receipt]:
        """Names who may stop new risk."""
        return self._clearinghouse("set_guardian", guardian)

    @verb
    def stop_opening(self, stopped: bool = True) -> Program[Receipt]:
        """Stops everything that opens or grows a position, or lets it go on."""
        return self._clearinghouse("stop_opening", stopped)

    @verb
    def transfer_ownership(self, new_owner: str) -> Program[Receipt]:
        """Offers ownership; it passes when the new owner accepts."""
        return self._clearinghouse("transfer_ownership", new_owner)

    @verb
    def accept_ownership(self) -> Program[Receipt]:
        """Takes an ownership that was offered to the signer."""
        return self._clearinghouse("accept_ownership")

    @verb
    def claim_fees(self, receiver: str | None = None) -> Program[Receipt]:
        """Sends the treasury's unclaimed fees out."""
        return self._clearinghouse("claim_fees", receiver or self.address)

    @verb
    def fund_insurance(self, amount: Amount) -> Program[Receipt]:
        """Gives USD to the insurance fund."""
        to_quote(amount)  # refuses what is not whole quote units
        units = to_units(amount, self.exchange.deployment.token_decimals)
        token, spender = self.exchange.contracts.token, self.exchange.deployment.clearinghouse
        yield from self._send(token.call("approve", spender, units))
        return (yield from self._clearinghouse("fund_insurance", units))

    @verb
    def request_insurance(self, amount: Amount) -> Program[Receipt]:
        """Announces a withdrawal of USD from the insurance fund; 0 withdraws the announcement."""
        return self._clearinghouse("request_insurance", to_quote(amount))

    @verb
    def withdraw_insurance(self, receiver: str | None = None) -> Program[Receipt]:
        """Sends what was announced three to ten days ago, as far as it is there and not needed."""
        return self._clearinghouse("withdraw_insurance", receiver or self.address)

    @verb
    def mint(self, receiver: str, amount: Amount) -> Program[Receipt]:
        """Makes tokens, where the collateral is the one that anyone may mint."""
        units = to_units(amount, self.exchange.deployment.token_decimals)
        return self._send(self.exchange.contracts.token.call("mint", receiver, units))

    def _check(self, listing: Listing) -> Program[None]:
        """Raises what listing would, as far as no price is needed to know."""
        if (yield from self.exchange.owner()) != self.address:
            raise errors.CallerNotTheOwner
        if not listing.symbol:
            raise errors.SymbolEmpty
        if len(listing.symbol.encode()) > MAX_SYMBOL:
            raise ValueError(f"symbol: longer than {MAX_SYMBOL} bytes")
        if not 1 <= listing.delay <= MAX_DELAY:
            raise errors.OrderBadDelay
        if not MIN_WINDOW <= listing.window < 2**16:
            raise errors.OrderBadWindow
        if listing.keeper_fee > MAX_KEEPER_FEE:
            raise errors.KeeperFeeTooHigh
        with suppress(errors.MarketUnknown):
            yield from self.exchange.node.run(
                queries.market_id(self.exchange.contracts, listing.symbol)
            )
            raise errors.SymbolTaken

    def _clearinghouse(self, name: str, *arguments: object) -> Program[Receipt]:
        return self._send(self.exchange.contracts.clearinghouse.call(name, *arguments))


class Admin(Blocking, AdminVerbs):
    """One signer with a role; the contracts decide what it may do.

    Args:
        reader: The exchange.
        signer: Who sends; or a timelock's proposal, to which every verb adds its calls.
    """

    verbs: AdminVerbs

    def __init__(self, reader: Reader, signer: Signer | Proposal) -> None:
        self.reader = reader
        self.transport = reader.transport
        self.verbs = AdminVerbs(reader.verbs, signer)


class AsyncAdmin(Awaiting, AdminVerbs):
    """One signer with a role; the contracts decide what it may do; everything is awaited.

    Args:
        reader: The exchange.
        signer: Who sends; or a timelock's proposal, to which every verb adds its calls.
    """

    verbs: AdminVerbs

    def __init__(self, reader: AsyncReader, signer: Signer | Proposal) -> None:
        self.reader = reader
        self.transport = reader.transport
        self.verbs = AdminVerbs(reader.verbs, signer)
