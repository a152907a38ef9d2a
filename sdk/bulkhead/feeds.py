"""Where prices come from, who brings them, and how a market's last one is found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bulkhead import errors, prices
from bulkhead.chain import Program, Receipt, Verbs, verb
from bulkhead.governance import Proposal, sender_of
from bulkhead.interfaces import Call
from bulkhead.listings import Listing
from bulkhead.protocol import words
from bulkhead.protocol.words import Price
from bulkhead.values import Amount, to_wad

if TYPE_CHECKING:
    from bulkhead.chain import Signer
    from bulkhead.reader import MarketName, ReaderVerbs

NOBODY = "0x" + "00" * 20
DEAD_AFTER = 7 * 86_400  # seconds of silence beyond its age after which a feed is dead


class FeedVerbs(Verbs):
    """One signer at the oracle: its owner, a publisher, or anybody with an update."""

    def __init__(self, exchange: ReaderVerbs, signer: Signer | Proposal) -> None:
        self.exchange = exchange
        self.signer = signer
        self.address = sender_of(signer)

    @verb
    def set_published_feed(self, market: int, listing: Listing) -> Program[Receipt]:
        """Takes a market's price from publishers."""
        return (
            yield from self._oracle(
                "set_published_feed",
                market,
                listing.lot_size_wad,
                listing.trade_age,
                listing.max_age,
            )
        )

    @verb
    def set_chainlink_feed(
        self, market: int, listing: Listing, aggregator: str
    ) -> Program[Receipt]:
        """Takes a market's price from a Chainlink aggregator."""
        return (
            yield from self._oracle(
                "set_chainlink_feed",
                market,
                listing.lot_size_wad,
                listing.trade_age,
                listing.max_age,
                aggregator,
            )
        )

    @verb
    def set_pyth_feed(
        self, market: int, listing: Listing, pyth: str, price_id: bytes
    ) -> Program[Receipt]:
        """Takes a market's price from a Pyth contract, under Pyth's name of 32 bytes for it."""
        return (
            yield from self._oracle(
                "set_pyth_feed",
                market,
                listing.lot_size_wad,
                listing.trade_age,
                listing.max_age,
                pyth,
                price_id,
            )
        )

    @verb
    def set_signed_feed(self, market: int, listing: Listing) -> Program[Receipt]:
        """Takes a market's price from whoever brings it with enough signatures."""
        return (
            yield from self._oracle(
                "set_signed_feed", market, listing.lot_size_wad, listing.trade_age, listing.max_age
            )
        )

    @verb
    def set_publisher(self, publisher: str, allowed: bool = True) -> Program[Receipt]:
        """Lets somebody publish prices, or no longer."""
        return self._oracle("set_publisher", publisher, allowed)

    @verb
    def set_signers(self, signers: Sequence[str], threshold: int) -> Program[Receipt]:
        """Names all who sign the prices of signed feeds, and how many of them must."""
        ordered = sorted(signers, key=lambda signer: int(signer, 16))
        return self._oracle("set_signers", ordered, threshold)

    @verb
    def set_check(
        self,
        market: MarketName,
        *,
        second: str | None = None,
        max_deviation: int = 0,
        max_confidence: int = 0,
    ) -> Program[Receipt]:
        """Sets what a market's prices must stand up to, instead of what they had to before.

        Args:
            market: Whose.
            second: An aggregator to compare with; None for none.
            max_deviation: ppm that prices may be off the second source's.
            max_confidence: ppm, the least certain price that is taken; 0 for the default of 2 %.
        """
        market_id = yield from self.exchange.market_id(market)
        terms = (second or NOBODY, max_deviation, max_confidence)
        return (yield from self._oracle("set_check", market_id, *terms))

    @verb
    def set_sequencer(self, feed: str | None, grace: int = 0) -> Program[Receipt]:
        """Names the uptime feed of the chain's sequencer; None where it has none.

        Args:
            feed: A Chainlink uptime feed.
            grace: Seconds after the sequencer is up again, at most a day.
        """
        return self._oracle("set_sequencer", feed or NOBODY, grace)

    @verb
    def announce_settlement(self, market: MarketName, hour: int) -> Program[Receipt]:
        """Ends a market: its last price is the average over an hour, a day from now or later.

        Args:
            market: Which.
            hour: Since 1970.
        """
        return (
            yield from self._oracle(
                "announce_settlement", (yield from self.exchange.market_id(market)), hour
            )
        )

    @verb
    def cancel_settlement(self, market: MarketName) -> Program[Receipt]:
        """Takes an announced settlement back, before its hour begins."""
        return (
            yield from self._oracle(
                "cancel_settlement", (yield from self.exchange.market_id(market))
            )
        )

    @verb
    def fix_settlement(self, market: MarketName) -> Program[Price]:
        """Settles a market whose hour is over, as anyone may, and returns its last price."""
        return self._settled(
            (
                yield from self._oracle(
                    "fix_settlement", (yield from self.exchange.market_id(market))
                )
            )
        )

    @verb
    def settle_dead(self, market: MarketName) -> Program[Price]:
        """Settles a market whose feed is long dead, as anyone may, and returns its last price."""
        return self._settled(
            (yield from self._oracle("settle_dead", (yield from self.exchange.market_id(market))))
        )

    @verb
    def set_price(
        self, market: MarketName, price: Amount, published_at: int | None = None
    ) -> Program[Price]:
        """Publishes a price, USD per base unit, and returns it as the oracle keeps it.

        Args:
            market: Whose.
            price: To 18 decimals.
            published_at: Seconds; the time of the chain's latest block where it is None.

        Raises:
            PriceNotTaken: If the oracle kept the one it had.
        """
        return (
            yield from self._publish(
                (yield from self.exchange.market_id(market)), to_wad(price), published_at
            )
        )

    @verb
    def update(
        self, market: MarketName, payload: bytes = b"", *, value: int = 0
    ) -> Program[Receipt]:
        """Has the oracle take a market's price from its feed.

        Args:
            market: Whose.
            payload: What the kind of feed asks for: see `bulkhead.prices`. A Chainlink feed's is
                empty.
            value: Wei, to pay Pyth's fee with; what is too much comes back.
        """
        call = self.exchange.contracts.price_oracle.call(
            "update", (yield from self.exchange.market_id(market)), payload
        )
        if value == 0 or isinstance(self.signer, Proposal):
            return (yield from self._send(call))
        return (yield from self.exchange.node.send(call, self.signer, value=value))

    def _require_sent(self, verb: str) -> None:
        if isinstance(self.signer, Proposal):
            raise errors.Rejected(f"{verb} needs a price as it is sent: it can not be proposed")

    def _publish(self, market: int, wad: int, published_at: int | None) -> Program[Price]:
        self._require_sent("set_price")
        at = (yield from self.exchange.now()) if published_at is None else published_at
        payload = prices.published_price(wad, at)
        events = self.exchange.contracts.decode_logs(
            (yield from self._oracle("update", market, payload)).logs
        )
        for event in events:
            if event.name == "PriceUpdated":
                return words.unpack_price(event["price_word"])
        raise errors.PriceNotTaken(
            f"market {market} kept its price: it has one of second {at} or of this block; "
            "publish again a second and a block later"
        )

    def _settled(self, receipt: Receipt) -> Price:
        events = self.exchange.contracts.decode_logs(receipt.logs)
        (event,) = [event for event in events if event.name == "SettlementFixed"]
        return words.unpack_price(event["price_word"])

    def _oracle(self, name: str, *arguments: object) -> Program[Receipt]:
        return self._send(self.exchange.contracts.price_oracle.call(name, *arguments))

    def _send(self, call: Call) -> Program[Receipt]:
        if isinstance(self.signer, Proposal):
            return self.signer.add(call)
        return (yield from self.exchange.node.send(call, self.signer))
