# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Price oracle
@license MIT
@notice One face for all price feeds. Sources are adapters that a trade never meets: they write a
        price's word, everybody else reads it.
"""

from .interfaces import ILedger
from .interfaces import IOwned
from .interfaces import IPriceOracle
from .lib import words

implements: IPriceOracle

# WAD price * WAD lot size / 1e36 is USD per lot; a USD is 1e15 femto.
FEMTO_DENOMINATOR: constant(uint256) = 10**21
MAX_WAD_PRICE: constant(uint256) = 2**128
MAX_ANSWER: constant(int256) = 2**128

CLEARINGHOUSE: public(immutable(ILedger))

_prices: uint256[words.MAX_MARKETS]  # price words
_feeds: uint256[words.MAX_MARKETS]  # feed words
is_publisher: public(HashMap[address, bool])


@deploy
def __init__(clearinghouse: address):
    CLEARINGHOUSE = ILedger(clearinghouse)


@external
def update(market: uint256, payload: Bytes[1024]) -> uint256:
    self._require_market(market)
    feed: words.Feed = words.unpack_feed(self._feeds[market])
    word: uint256 = self._prices[market]
    last: words.Price = words.unpack_price(word)
    price: uint256 = 0
    published_at: uint256 = 0
    if feed.kind == words.PUBLISHED:
        assert self.is_publisher[msg.sender], "publisher: not allowed"
        assert len(payload) == 64, "payload: bad length"
        price, published_at = abi_decode(payload, (uint256, uint256))
    else:
        assert feed.kind == words.CHAINLINK, "feed: none"
        success: bool = False
        answer: int256 = 0
        success, answer, published_at = self._read_chainlink(feed)
        assert success, "feed: no answer"
        assert answer >= 0, "price: negative"
        assert answer < MAX_ANSWER, "price: too large"
        price = convert(answer, uint256) * 10 ** (18 - feed.decimals)
    if last.accepted_at == block.timestamp or published_at == last.published_at:
        return word

    assert price != 0, "price: zero"
    assert price < MAX_WAD_PRICE, "price: too large"
    assert published_at <= block.timestamp, "price: from the future"
    assert published_at > last.published_at, "price: older than the last"
    assert published_at + last.max_age >= block.timestamp, "price: stale"
    next: words.Price = last
    # Down: a price has no side to favour.
    next.price = price * feed.lot_size // FEMTO_DENOMINATOR
    assert next.price != 0, "price: zero"
    assert next.price <= words.MAX_PRICE, "price: too large"
    next.published_at = published_at
    next.accepted_at = block.timestamp
    if last.price != 0 and published_at > last.published_at + last.max_age:
        next.silence += published_at - (last.published_at + last.max_age)
    word = words.pack_price(next)
    self._prices[market] = word
    log IPriceOracle.PriceUpdated(market=market, price_word=word)
    return word


@external
def set_published_feed(market: uint256, lot_size: uint256, trade_age: uint256, max_age: uint256):
    self._set_feed(
        market,
        trade_age,
        max_age,
        words.Feed(kind=words.PUBLISHED, source=empty(address), decimals=0, lot_size=lot_size),
    )


@external
def set_chainlink_feed(
    market: uint256, lot_size: uint256, trade_age: uint256, max_age: uint256, aggregator: address
):
    success: bool = False
    answered: Bytes[32] = b""
    success, answered = raw_call(
        aggregator,
        method_id("decimals()"),
        max_outsize=32,
        is_static_call=True,
        revert_on_failure=False,
    )
    assert success and len(answered) == 32, "feed: bad aggregator"
    decimals: uint256 = convert(answered, uint256)
    assert decimals <= 18, "feed: bad decimals"
    self._set_feed(
        market,
        trade_age,
        max_age,
        words.Feed(
            kind=words.CHAINLINK, source=aggregator, decimals=decimals, lot_size=lot_size
        ),
    )


@external
def set_publisher(publisher: address, allowed: bool):
    self._check_owner()
    self.is_publisher[publisher] = allowed
    log IPriceOracle.PublisherSet(publisher=publisher, allowed=allowed)


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
    success: bool = False
    answer: int256 = 0
    updated_at: uint256 = 0
    success, answer, updated_at = self._read_chainlink(feed)
    return not success or updated_at <= words.unpack_price(self._prices[market]).published_at


@external
@view
def lot_size(market: uint256) -> uint256:
    if market >= words.MAX_MARKETS:
        return 0
    return words.unpack_feed(self._feeds[market]).lot_size


@internal
def _set_feed(market: uint256, trade_age: uint256, max_age: uint256, feed: words.Feed):
    self._check_owner()
    self._require_market(market)
    assert trade_age != 0 and trade_age < 2**16, "feed: bad trade age"
    assert max_age >= trade_age and max_age < 2**20, "feed: bad max age"
    assert feed.lot_size != 0 and feed.lot_size < 2**80, "lot: out of range"
    price: words.Price = words.unpack_price(self._prices[market])
    if words.unpack_feed(self._feeds[market]).lot_size != feed.lot_size:
        # A price of another lot size means nothing; once listed, the market's lots are what they are.
        assert market >= staticcall CLEARINGHOUSE.market_count(), "lot: size is fixed"
        price = empty(words.Price)
    self._feeds[market] = words.pack_feed(feed)
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
def _read_chainlink(feed: words.Feed) -> (bool, int256, uint256):
    """
    @notice Whether the feed answers; its latest answer as it is, and when that was updated. Refuses
            nothing: whoever only asks must not be stopped by what a feed says.
    """
    success: bool = False
    answered: Bytes[160] = b""
    success, answered = raw_call(
        feed.source,
        method_id("latestRoundData()"),
        max_outsize=160,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not success or len(answered) != 160:
        return False, 0, 0
    return (
        True,
        convert(slice(answered, 32, 32), int256),
        convert(slice(answered, 96, 32), uint256),
    )


@internal
@view
def _check_owner():
    assert msg.sender == staticcall IOwned(CLEARINGHOUSE.address).owner(), "caller: not the owner"


@internal
@pure
def _require_market(market: uint256):
    assert market < words.MAX_MARKETS, "market: unknown"
