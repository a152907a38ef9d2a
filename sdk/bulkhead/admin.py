"""What the owner, the guardian and price publishers do."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from bulkhead import errors, prices, queries
from bulkhead.chain import Receipt
from bulkhead.governance import Proposal, fits, sender_of
from bulkhead.interfaces import Call
from bulkhead.listings import Listing, Terms, TierTerms
from bulkhead.markets import OPEN, REDUCE_ONLY, Market
from bulkhead.protocol import words
from bulkhead.protocol.words import Price
from bulkhead.reader import MarketName, Reader
from bulkhead.values import Amount, to_quote, to_units, to_wad

if TYPE_CHECKING:
    from bulkhead.chain import Signer

NOBODY = "0x" + "00" * 20
MAX_SYMBOL = 16  # bytes
# What `OrderBook.set_order_terms` takes; a listing ends with it, so it is checked at the beginning.
MAX_KEEPER_FEE = 10 * 10**6  # quote
MAX_DELAY = 600  # seconds
MIN_WINDOW = 10  # seconds


class Admin:
    """One signer with a role; the contracts decide what it may do.

    Args:
        reader: The exchange.
        signer: Who sends; or a timelock's proposal, to which every verb adds its calls.
    """

    def __init__(self, reader: Reader, signer: Signer | Proposal) -> None:
        self.reader = reader
        self.signer = signer
        self.address = sender_of(signer)

    def list_market(self, listing: Listing, *, aggregator: str | None = None) -> Market:
        """Lists a market: feed, first price, listing, order terms.

        What can be refused without a price is refused before anything is sent. A proposal says when
        each part is to happen, so it takes the parts: a feed, `update` or a publisher, and later
        `list_on_feed`.

        Args:
            listing: All of it.
            aggregator: A Chainlink feed; without one the signer publishes the price itself.
        """
        reader = self.reader
        self._require_sent("list_market")
        self._check(listing)
        market = reader.chain.run(queries.market_count(reader.contracts))
        if aggregator is not None:
            self.set_chainlink_feed(market, listing, aggregator)
            self._oracle("update", market, b"")
        else:
            self.set_published_feed(market, listing)
            if not reader.chain.read(
                reader.contracts.price_oracle.call("is_publisher", self.address)
            ):
                self.set_publisher(self.address)
            self._publish(market, to_wad(listing.price), None)
        self.list_on_feed(listing)
        return reader.market(market)

    def list_on_feed(self, listing: Listing) -> Receipt:
        """Lists a market whose feed is set and live, and sets its order terms."""
        contracts = self.reader.contracts
        market = self.reader.chain.run(queries.market_count(contracts))
        terms, tiers = listing.terms, list(listing.tiers)
        call = contracts.clearinghouse.call("list_market", listing.symbol, terms, tiers)
        if isinstance(self.signer, Proposal) and not fits(call):
            # The other tiers follow in the same transaction, when nothing can be open yet.
            self._clearinghouse("list_market", listing.symbol, terms, tiers[:1])
            self._clearinghouse("replace_tiers", market, tiers)
        else:
            self._send(call)
        return self._set_order_terms(market, listing)

    def set_published_feed(self, market: int, listing: Listing) -> Receipt:
        """Takes a market's price from publishers."""
        return self._oracle(
            "set_published_feed", market, listing.lot_size_wad, listing.trade_age, listing.max_age
        )

    def set_chainlink_feed(self, market: int, listing: Listing, aggregator: str) -> Receipt:
        """Takes a market's price from a Chainlink aggregator."""
        return self._oracle(
            "set_chainlink_feed",
            market,
            listing.lot_size_wad,
            listing.trade_age,
            listing.max_age,
            aggregator,
        )

    def set_pyth_feed(self, market: int, listing: Listing, pyth: str, price_id: bytes) -> Receipt:
        """Takes a market's price from a Pyth contract, under Pyth's name of 32 bytes for it."""
        return self._oracle(
            "set_pyth_feed",
            market,
            listing.lot_size_wad,
            listing.trade_age,
            listing.max_age,
            pyth,
            price_id,
        )

    def set_signed_feed(self, market: int, listing: Listing) -> Receipt:
        """Takes a market's price from whoever brings it with enough signatures."""
        return self._oracle(
            "set_signed_feed", market, listing.lot_size_wad, listing.trade_age, listing.max_age
        )

    def set_publisher(self, publisher: str, allowed: bool = True) -> Receipt:
        """Lets somebody publish prices, or no longer."""
        return self._oracle("set_publisher", publisher, allowed)

    def set_signers(self, signers: Sequence[str], threshold: int) -> Receipt:
        """Names all who sign the prices of signed feeds, and how many of them must."""
        ordered = sorted(signers, key=lambda signer: int(signer, 16))
        return self._oracle("set_signers", ordered, threshold)

    def set_check(
        self,
        market: MarketName,
        *,
        second: str | None = None,
        max_deviation: int = 0,
        max_confidence: int = 0,
    ) -> Receipt:
        """Sets what a market's prices must stand up to, instead of what they had to before.

        Args:
            market: Whose.
            second: An aggregator to compare with; None for none.
            max_deviation: ppm that prices may be off the second source's.
            max_confidence: ppm, the least certain price that is taken; 0 for the default of 2 %.
        """
        market_id = self.reader.market_id(market)
        terms = (second or NOBODY, max_deviation, max_confidence)
        return self._oracle("set_check", market_id, *terms)

    def set_sequencer(self, feed: str | None, grace: int = 0) -> Receipt:
        """Names the uptime feed of the chain's sequencer; None where it has none.

        Args:
            feed: A Chainlink uptime feed.
            grace: Seconds after the sequencer is up again, at most a day.
        """
        return self._oracle("set_sequencer", feed or NOBODY, grace)

    def announce_settlement(self, market: MarketName, hour: int) -> Receipt:
        """Ends a market: its last price is the average over an hour, a day from now or later.

        Args:
            market: Which.
            hour: Since 1970.
        """
        return self._oracle("announce_settlement", self.reader.market_id(market), hour)

    def cancel_settlement(self, market: MarketName) -> Receipt:
        """Takes an announced settlement back, before its hour begins."""
        return self._oracle("cancel_settlement", self.reader.market_id(market))

    def fix_settlement(self, market: MarketName) -> Price:
        """Settles a market whose hour is over, as anyone may, and returns its last price."""
        return self._settled(self._oracle("fix_settlement", self.reader.market_id(market)))

    def settle_dead(self, market: MarketName) -> Price:
        """Settles a market whose feed is long dead, as anyone may, and returns its last price."""
        return self._settled(self._oracle("settle_dead", self.reader.market_id(market)))

    def set_price(
        self, market: MarketName, price: Amount, published_at: int | None = None
    ) -> Price:
        """Publishes a price, USD per base unit, and returns it as the oracle keeps it.

        Args:
            market: Whose.
            price: To 18 decimals.
            published_at: Seconds; the time of the chain's latest block where it is None.

        Raises:
            PriceNotTaken: If the oracle kept the one it had.
        """
        return self._publish(self.reader.market_id(market), to_wad(price), published_at)

    def update(self, market: MarketName, payload: bytes = b"", *, value: int = 0) -> Receipt:
        """Has the oracle take a market's price from its feed.

        Args:
            market: Whose.
            payload: What the kind of feed asks for: see `bulkhead.prices`. A Chainlink feed's is
                empty.
            value: Wei, to pay Pyth's fee with; what is too much comes back.
        """
        call = self.reader.contracts.price_oracle.call(
            "update", self.reader.market_id(market), payload
        )
        if value == 0 or isinstance(self.signer, Proposal):
            return self._send(call)
        return self.reader.chain.send(call, self.signer, value=value)

    def set_order_terms(self, market: MarketName, listing: Listing) -> Receipt:
        """Sets keeper fee, delay and window of a market's orders."""
        return self._set_order_terms(self.reader.market_id(market), listing)

    def _set_order_terms(self, market: int, listing: Listing) -> Receipt:
        terms = (listing.keeper_fee, listing.delay, listing.window, listing.max_order_age)
        return self._send(self.reader.contracts.order_book.call("set_order_terms", market, *terms))

    def set_terms(self, market: MarketName, terms: Terms) -> Receipt:
        """Replaces a market's terms."""
        return self._clearinghouse("set_terms", self.reader.market_id(market), terms)

    def ramp_tiers(self, market: MarketName, tiers: Sequence[TierTerms], duration: int) -> Receipt:
        """Moves a market's margin rates to new ones, linearly. Number and floors of tiers stay.

        Args:
            market: Whose.
            tiers: Where the rates are to go.
            duration: Seconds, one day to ninety.
        """
        return self._clearinghouse(
            "ramp_tiers", self.reader.market_id(market), list(tiers), duration
        )

    def end_ramp(self, market: MarketName) -> Receipt:
        """Clears the mark of a ramp that is over, which makes valuing cheaper again. Anyone may."""
        return self._clearinghouse("end_ramp", self.reader.market_id(market))

    def replace_tiers(self, market: MarketName, tiers: Sequence[TierTerms]) -> Receipt:
        """Gives a market in which nothing is open other tiers at once."""
        return self._clearinghouse("replace_tiers", self.reader.market_id(market), list(tiers))

    def set_status(self, market: MarketName, *, reduce_only: bool) -> Receipt:
        """Makes a market reduce-only, or opens it again."""
        status = REDUCE_ONLY if reduce_only else OPEN
        return self._clearinghouse("set_status", self.reader.market_id(market), status)

    def set_guardian(self, guardian: str) -> Receipt:
        """Names who may stop new risk."""
        return self._clearinghouse("set_guardian", guardian)

    def stop_opening(self, stopped: bool = True) -> Receipt:
        """Stops everything that opens or grows a position, or lets it go on."""
        return self._clearinghouse("stop_opening", stopped)

    def transfer_ownership(self, new_owner: str) -> Receipt:
        """Offers ownership; it passes when the new owner accepts."""
        return self._clearinghouse("transfer_ownership", new_owner)

    def accept_ownership(self) -> Receipt:
        """Takes an ownership that was offered to the signer."""
        return self._clearinghouse("accept_ownership")

    def claim_fees(self, receiver: str | None = None) -> Receipt:
        """Sends the treasury's unclaimed fees out."""
        return self._clearinghouse("claim_fees", receiver or self.address)

    def fund_insurance(self, amount: Amount) -> Receipt:
        """Gives USD to the insurance fund."""
        to_quote(amount)  # refuses what is not whole quote units
        units = to_units(amount, self.reader.deployment.token_decimals)
        token, spender = self.reader.contracts.token, self.reader.deployment.clearinghouse
        self._send(token.call("approve", spender, units))
        return self._clearinghouse("fund_insurance", units)

    def request_insurance(self, amount: Amount) -> Receipt:
        """Announces a withdrawal of USD from the insurance fund; 0 withdraws the announcement."""
        return self._clearinghouse("request_insurance", to_quote(amount))

    def withdraw_insurance(self, receiver: str | None = None) -> Receipt:
        """Sends what was announced three to ten days ago, as far as it is there and not needed."""
        return self._clearinghouse("withdraw_insurance", receiver or self.address)

    def mint(self, receiver: str, amount: Amount) -> Receipt:
        """Makes tokens, where the collateral is the one that anyone may mint."""
        units = to_units(amount, self.reader.deployment.token_decimals)
        return self._send(self.reader.contracts.token.call("mint", receiver, units))

    def _check(self, listing: Listing) -> None:
        """Raises what listing would, as far as no price is needed to know."""
        if self.reader.owner() != self.address:
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
            self.reader.chain.run(queries.market_id(self.reader.contracts, listing.symbol))
            raise errors.SymbolTaken

    def _require_sent(self, verb: str) -> None:
        if isinstance(self.signer, Proposal):
            raise errors.Rejected(f"{verb} needs a price as it is sent: it can not be proposed")

    def _publish(self, market: int, wad: int, published_at: int | None) -> Price:
        self._require_sent("set_price")
        at = self.reader.now() if published_at is None else published_at
        payload = prices.published_price(wad, at)
        events = self.reader.contracts.decode_logs(self._oracle("update", market, payload).logs)
        for event in events:
            if event.name == "PriceUpdated":
                return words.unpack_price(event["price_word"])
        raise errors.PriceNotTaken(
            f"market {market} kept its price: it has one of second {at} or of this block; "
            "publish again a second and a block later"
        )

    def _settled(self, receipt: Receipt) -> Price:
        events = self.reader.contracts.decode_logs(receipt.logs)
        (event,) = [event for event in events if event.name == "SettlementFixed"]
        return words.unpack_price(event["price_word"])

    def _oracle(self, name: str, *arguments: object) -> Receipt:
        return self._send(self.reader.contracts.price_oracle.call(name, *arguments))

    def _clearinghouse(self, name: str, *arguments: object) -> Receipt:
        return self._send(self.reader.contracts.clearinghouse.call(name, *arguments))

    def _send(self, call: Call) -> Receipt:
        if isinstance(self.signer, Proposal):
            return self.signer.add(call)
        return self.reader.chain.send(call, self.signer)
