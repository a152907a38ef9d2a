# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Price oracle
@license MIT
@notice One face for all price feeds. Sources are adapters that a trade never meets: they write a
        price's word, everybody else reads it.
"""

from snekmate.utils import eip712_domain_separator

from .interfaces import ILedger
from .interfaces import IOwned
from .interfaces import IPriceOracle
from .lib import fixed_point
from .lib import price_validity
from .lib import settlement_math
from .lib import words
from .modules import aggregators
from .modules import chainlink_feed
from .modules import price_checks
from .modules import published_feed
from .modules import pyth_feed
from .modules import sequencer
from .modules import settlements
from .modules import signed_feed

implements: IPriceOracle

initializes: eip712_domain_separator
initializes: published_feed
initializes: pyth_feed
initializes: signed_feed[eip712_domain_separator := eip712_domain_separator]
initializes: price_checks
initializes: sequencer
initializes: settlements

# Without the lock: it only reads immutables.
exports: eip712_domain_separator.eip712Domain
exports: published_feed.is_publisher
exports: (signed_feed.threshold, signed_feed.is_signer)

MAX_PAYLOAD: constant(uint256) = 2_048
SHORT_PAYLOAD: constant(uint256) = 64 + 8 * 65  # a price with as many signatures as there may be
MAX_SIGNERS: constant(uint256) = 16

CLEARINGHOUSE: public(immutable(ILedger))

_prices: uint256[words.MAX_MARKETS]  # price words
_feeds: uint256[words.MAX_MARKETS]  # feed words


@deploy
def __init__(clearinghouse: address):
    eip712_domain_separator.__init__("Bulkhead", "1")
    CLEARINGHOUSE = ILedger(clearinghouse)


@external
@payable
def update(market: uint256, payload: Bytes[MAX_PAYLOAD]) -> uint256:
    self._require_market(market)
    feed: words.Feed = words.unpack_feed(self._feeds[market])
    word: uint256 = self._prices[market]
    last: words.Price = words.unpack_price(word)
    # Only Pyth's payload is long, and it is handed on from here: all would pay for a copy in memory.
    assert feed.kind == words.PYTH or len(payload) <= SHORT_PAYLOAD, "payload: bad length"
    price: uint256 = 0  # WAD USD per base unit
    published_at: uint256 = 0
    confidence: uint256 = 0
    fee: uint256 = 0
    if feed.kind == words.PUBLISHED:
        price, published_at = published_feed._price(convert(payload, Bytes[SHORT_PAYLOAD]))
    elif feed.kind == words.CHAINLINK:
        price, published_at = chainlink_feed._price(feed)
    elif feed.kind == words.PYTH:
        if len(payload) != 0:
            success: bool = False
            answered: Bytes[32] = b""
            success, answered = raw_call(
                feed.source,
                concat(method_id("getUpdateFee(bytes[])"), payload),
                max_outsize=32,
                is_static_call=True,
                revert_on_failure=False,
            )
            fee = pyth_feed._fee(success, answered)
            success = raw_call(
                feed.source,
                concat(method_id("updatePriceFeeds(bytes[])"), payload),
                value=fee,
                revert_on_failure=False,
            )
            pyth_feed._require_taken(success)
        price, published_at, confidence = pyth_feed._price(market, feed.source)
    else:
        settlements._require_unsettled(feed.kind)
        assert feed.kind == words.SIGNED, "feed: none"
        price, published_at = signed_feed._price(market, convert(payload, Bytes[SHORT_PAYLOAD]))

    is_newer: bool = published_at != last.published_at
    # One price a block; but one too old to fill keeps no other out, or who is first holds a market up.
    is_open: bool = last.accepted_at != block.timestamp or not price_validity.is_fresh(
        last, block.timestamp
    )
    # Of a price that is not newer, too, caution passes with time.
    if is_open and (is_newer or last.caution != words.NO_CAUTION):
        next: words.Price = last
        if is_newer:
            assert price != 0, "price: zero"
            assert price < fixed_point.MAX_WAD_PRICE, "price: too large"
            assert published_at <= block.timestamp, "price: from the future"
            assert published_at > last.published_at, "price: older than the last"
            assert published_at + last.max_age >= block.timestamp, "price: stale"
            next.price = fixed_point.femto_per_lot(price, feed.lot_size)
            assert next.price != 0, "price: zero"
            assert next.price <= words.MAX_PRICE, "price: too large"
            if confidence != 0:
                price_checks._require_certain(market, feed.is_checked, confidence)
            next.confidence = confidence
            next.published_at = published_at
            next.accepted_at = block.timestamp
            if last.price != 0 and published_at > last.published_at + last.max_age:
                next.silence += settlement_math.silence_until(last, published_at)
            if last.settles_at != 0 and published_at > last.settles_at * words.HOUR:
                settlements._count(market, last, published_at)
        next.caution = words.NO_CAUTION
        if feed.is_sequenced:
            next.caution = sequencer._caution()
        if feed.is_checked:
            next.caution = max(next.caution, price_checks._caution(market, next, feed.lot_size))
        if is_newer or next.caution != last.caution:
            word = words.pack_price(next)
            self._prices[market] = word
            log IPriceOracle.PriceUpdated(market=market, price_word=word)
    if msg.value != fee:
        self._refund(msg.value - fee)
    return word


@external
def set_published_feed(market: uint256, lot_size: uint256, trade_age: uint256, max_age: uint256):
    feed: words.Feed = empty(words.Feed)
    feed.kind = words.PUBLISHED
    feed.lot_size = lot_size
    self._set_feed(market, trade_age, max_age, feed)


@external
def set_chainlink_feed(
    market: uint256, lot_size: uint256, trade_age: uint256, max_age: uint256, aggregator: address
):
    feed: words.Feed = empty(words.Feed)
    feed.kind = words.CHAINLINK
    feed.source = aggregator
    feed.decimals = aggregators._decimals(aggregator)
    feed.is_bounded = chainlink_feed._is_bounded(aggregator)
    feed.lot_size = lot_size
    self._set_feed(market, trade_age, max_age, feed)


@external
def set_pyth_feed(
    market: uint256,
    lot_size: uint256,
    trade_age: uint256,
    max_age: uint256,
    pyth: address,
    id: bytes32,
):
    feed: words.Feed = empty(words.Feed)
    feed.kind = words.PYTH
    feed.source = pyth
    feed.lot_size = lot_size
    self._set_feed(market, trade_age, max_age, feed)
    pyth_feed._set(market, pyth, id)


@external
def set_signed_feed(market: uint256, lot_size: uint256, trade_age: uint256, max_age: uint256):
    feed: words.Feed = empty(words.Feed)
    feed.kind = words.SIGNED
    feed.lot_size = lot_size
    self._set_feed(market, trade_age, max_age, feed)


@external
def set_publisher(publisher: address, allowed: bool):
    self._check_owner()
    published_feed._set_publisher(publisher, allowed)


@external
def set_signers(signers: DynArray[address, MAX_SIGNERS], threshold: uint256):
    self._check_owner()
    signed_feed._set_signers(signers, threshold)


@external
def set_check(market: uint256, second: address, max_deviation: uint256, max_confidence: uint256):
    self._check_owner()
    self._require_market(market)
    settlements._require_running(words.unpack_price(self._prices[market]))
    feed: words.Feed = words.unpack_feed(self._feeds[market])
    feed.is_checked = price_checks._set(market, second, max_deviation, max_confidence)
    self._feeds[market] = words.pack_feed(feed)


@external
def set_sequencer(feed: address, grace: uint256):
    self._check_owner()
    sequencer._set(feed, grace)
    # A flag in each feed's word: a price on a chain without a sequencer does not ask for one.
    for market: uint256 in range(words.MAX_MARKETS):
        word: uint256 = self._feeds[market]
        if word != 0:
            flagged: words.Feed = words.unpack_feed(word)
            flagged.is_sequenced = feed != empty(address)
            self._feeds[market] = words.pack_feed(flagged)


@external
def announce_settlement(market: uint256, hour: uint256):
    self._check_owner()
    self._require_market(market)
    price: words.Price = words.unpack_price(self._prices[market])
    word: uint256 = words.pack_price(settlements._announced(price, hour))
    self._prices[market] = word
    log IPriceOracle.SettlementAnnounced(market=market, price_word=word)


@external
def cancel_settlement(market: uint256):
    self._check_owner()
    self._require_market(market)
    price: words.Price = words.unpack_price(self._prices[market])
    word: uint256 = words.pack_price(settlements._cancelled(price))
    self._prices[market] = word
    log IPriceOracle.SettlementCancelled(market=market, price_word=word)


@external
def fix_settlement(market: uint256) -> uint256:
    self._require_market(market)
    price: words.Price = words.unpack_price(self._prices[market])
    return self._settle(market, settlements._fixed(market, price))


@external
def settle_dead(market: uint256) -> uint256:
    self._require_market(market)
    price: words.Price = words.unpack_price(self._prices[market])
    final: words.Price = settlements._dead(price)
    sequencer._require_no_grace()
    feed: words.Feed = words.unpack_feed(self._feeds[market])
    if feed.kind == words.CHAINLINK:
        # A price that waits to be brought. Of a source that must be told nothing is known.
        assert not chainlink_feed._would_revive(feed, price), "feed: not dead"
    return self._settle(market, final)


@external
@view
def price_word(market: uint256) -> uint256:
    if market >= words.MAX_MARKETS:
        return 0
    return self._prices[market]


@external
@view
def is_latest(market: uint256) -> bool:
    self._require_market(market)
    feed: words.Feed = words.unpack_feed(self._feeds[market])
    if feed.kind != words.CHAINLINK:
        return True
    return not chainlink_feed._has_newer(
        feed, words.unpack_price(self._prices[market]).published_at
    )


@external
@view
def lot_size(market: uint256) -> uint256:
    if market >= words.MAX_MARKETS:
        return 0
    return words.unpack_feed(self._feeds[market]).lot_size


@external
@view
def feed_word(market: uint256) -> uint256:
    if market >= words.MAX_MARKETS:
        return 0
    return self._feeds[market]


@external
@view
def pyth_id(market: uint256) -> bytes32:
    return pyth_feed._ids[market]


@external
@view
def signers() -> DynArray[address, MAX_SIGNERS]:
    return signed_feed._signers


@external
@view
def check_word(market: uint256) -> uint256:
    if market >= words.MAX_MARKETS:
        return 0
    return price_checks._checks[market]


@external
@view
def settlement_word(market: uint256) -> uint256:
    if market >= words.MAX_MARKETS:
        return 0
    return settlements._words[market]


@external
@view
def sequencer_word() -> uint256:
    return sequencer._word


@internal
def _refund(amount: uint256):
    """
    @notice Returns what the caller sent beyond the fee. Refused by him, only his own call fails.
    """
    success: bool = raw_call(msg.sender, b"", value=amount, revert_on_failure=False)
    assert success, "refund: not taken"


@internal
def _settle(market: uint256, price: words.Price) -> uint256:
    feed: words.Feed = words.unpack_feed(self._feeds[market])
    feed.kind = words.SETTLED
    self._feeds[market] = words.pack_feed(feed)
    word: uint256 = words.pack_price(price)
    self._prices[market] = word
    log IPriceOracle.SettlementFixed(market=market, price_word=word)
    return word


@internal
def _set_feed(market: uint256, trade_age: uint256, max_age: uint256, feed: words.Feed):
    self._check_owner()
    self._require_market(market)
    assert trade_age != 0 and trade_age < 2**16, "feed: bad trade age"
    assert max_age >= trade_age and max_age < 2**20, "feed: bad max age"
    assert feed.lot_size != 0 and feed.lot_size < 2**80, "lot: out of range"
    price: words.Price = words.unpack_price(self._prices[market])
    settlements._require_running(price)
    old: words.Feed = words.unpack_feed(self._feeds[market])
    if old.lot_size != feed.lot_size:
        # A price of another lot size means nothing; once listed, the market's lots are what they are.
        assert market >= staticcall CLEARINGHOUSE.market_count(), "lot: size is fixed"
        price = empty(words.Price)
    next: words.Feed = feed
    next.is_checked = old.is_checked
    next.is_sequenced = sequencer._is_set()
    self._feeds[market] = words.pack_feed(next)
    # During a silence another life of the last price would turn the market's clock.
    assert (
        price.price == 0
        or price.max_age == max_age
        or block.timestamp <= price.published_at + min(price.max_age, max_age)
    ), "feed: silent"
    price.kind = feed.kind
    price.trade_age = trade_age
    price.max_age = max_age
    word: uint256 = words.pack_price(price)
    self._prices[market] = word
    log IPriceOracle.FeedSet(
        market=market,
        kind=feed.kind,
        source=feed.source,
        lot_size=feed.lot_size,
        price_word=word,
    )


@internal
@view
def _check_owner():
    assert msg.sender == staticcall IOwned(CLEARINGHOUSE.address).owner(), "caller: not the owner"


@internal
@pure
def _require_market(market: uint256):
    assert market < words.MAX_MARKETS, "market: unknown"
