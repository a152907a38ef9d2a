"""Prices, and how a market ends: `PriceOracle.vy` with `modules/settlements.vy`.

A price is taken as its feed would bring it; nothing disputes it, and nothing sequences it.
"""

from dataclasses import replace

from bulkhead.feeds import DEAD_AFTER
from bulkhead.protocol import fixed_point, price_validity, settlement_math, words
from bulkhead.protocol.words import Price
from bulkhead.simulate.guards import require
from bulkhead.simulate.ledger import NO_PRICE, Ledger

MAX_CONFIDENCE = 20_000  # ppm, of a market that chose no bound of its own
NOTICE = 86_400  # seconds between an announcement and its hour
PATIENCE = 3 * 86_400  # seconds that an hour without a price is waited for one
MAX_HOUR = 2**20  # of those that fit a word


def update(ledger: Ledger, market: int, price: int, published_at: int, confidence: int = 0) -> int:
    """Takes a price, unless one that may fill was taken in this block or it is the one there is.

    Args:
        ledger: The words.
        market: Whose.
        price: WAD USD per base unit.
        published_at: Seconds.
        confidence: Ppm of the price.

    Returns:
        The price's word.
    """
    require(market < words.MAX_MARKETS, "market: unknown")
    last = ledger.price(market)
    require(last.kind != words.SETTLED, "market: settled")
    require(last.kind != 0, "feed: none")
    is_newer = published_at != last.published_at
    is_taken = last.accepted_at == ledger.now and price_validity.is_fresh(last, ledger.now)
    if is_taken or not (is_newer or last.caution):
        return words.pack_price(last)
    changes = _checked(ledger, market, last, price, published_at, confidence) if is_newer else {}
    word = ledger.store_price(market, replace(last, caution=words.NO_CAUTION, **changes))
    ledger.log("PriceUpdated", market=market, price_word=word)
    return word


def _checked(
    ledger: Ledger, market: int, last: Price, price: int, published_at: int, confidence: int
) -> dict[str, int]:
    """What a newer price changes in its market's word."""
    now = ledger.now
    require(price != 0, "price: zero")
    require(price < fixed_point.MAX_WAD_PRICE, "price: too large")
    require(published_at <= now, "price: from the future")
    require(published_at > last.published_at, "price: older than the last")
    require(published_at + last.max_age >= now, "price: stale")
    femto = fixed_point.femto_per_lot(price, ledger.state.lot_sizes.get(market, 0))
    require(femto != 0, "price: zero")
    require(femto <= words.MAX_PRICE, "price: too large")
    if confidence:
        check = words.unpack_check(ledger.state.checks.get(market, 0))
        require(confidence <= (check.max_confidence or MAX_CONFIDENCE), "price: too uncertain")
    silence = last.silence
    if last.price and published_at > last.published_at + last.max_age:
        silence += settlement_math.silence_until(last, published_at)
    if last.settles_at and published_at > last.settles_at * words.HOUR:
        _count(ledger, market, last, published_at)
    return {
        "price": femto,
        "confidence": confidence,
        "published_at": published_at,
        "accepted_at": now,
        "silence": silence,
    }


def set_published_feed(
    ledger: Ledger, market: int, lot_size: int, trade_age: int, max_age: int
) -> None:
    """Sets where a market's prices come from, in what lots, and how long they count."""
    require(market < words.MAX_MARKETS, "market: unknown")
    require(0 < trade_age < 2**16, "feed: bad trade age")
    require(trade_age <= max_age < 2**20, "feed: bad max age")
    require(0 < lot_size < 2**80, "lot: out of range")
    price = ledger.price(market)
    _require_running(ledger, price)
    if ledger.state.lot_sizes.get(market) != lot_size:
        # A price of another lot size means nothing; once listed, lots are what they are.
        require(not ledger.is_listed(market), "lot: size is fixed")
        price = NO_PRICE
    # During a silence another life of the last price would turn the market's clock.
    require(
        price.price == 0
        or price.max_age == max_age
        or ledger.now <= price.published_at + min(price.max_age, max_age),
        "feed: silent",
    )
    price = replace(price, kind=words.PUBLISHED, trade_age=trade_age, max_age=max_age)
    ledger.put(ledger.state.lot_sizes, market, lot_size)
    ledger.log(
        "FeedSet",
        market=market,
        kind=words.PUBLISHED,
        source="0x" + "00" * 20,
        lot_size=lot_size,
        price_word=ledger.store_price(market, price),
    )


def announce_settlement(ledger: Ledger, market: int, hour: int) -> None:
    """Announces the hour, since 1970, whose average a market will end at."""
    price = ledger.price(market)
    _require_running(ledger, price)
    require(price.price != 0, "price: none")
    require(price.settles_at == 0, "settlement: announced already")
    require(hour < MAX_HOUR, "settlement: bad hour")
    require(hour * words.HOUR >= ledger.now + NOTICE, "settlement: too soon")
    word = ledger.store_price(market, replace(price, settles_at=hour))
    ledger.log("SettlementAnnounced", market=market, price_word=word)


def cancel_settlement(ledger: Ledger, market: int) -> None:
    """Takes an announcement back."""
    price = ledger.price(market)
    _require_running(ledger, price)
    require(price.settles_at != 0, "settlement: none")
    word = ledger.store_price(market, replace(price, settles_at=0))
    ledger.log("SettlementCancelled", market=market, price_word=word)


def fix_settlement(ledger: Ledger, market: int) -> int:
    """Fixes a market's final price once its hour is over.

    It is the average, or the last good price where the feed was silent for all of the hour and has
    been given time to return.

    Returns:
        The price's word.
    """
    price, now = ledger.price(market), ledger.now
    require(price.kind != words.SETTLED, "market: settled")
    require(price.settles_at != 0, "settlement: none")
    end = (price.settles_at + 1) * words.HOUR
    require(now >= end, "settlement: not over")
    _count(ledger, market, price, now)
    counted = words.unpack_settlement(ledger.state.settlements.get(market, 0))
    average = settlement_math.average(counted)
    if average == 0:
        require(now >= end + PATIENCE, "settlement: no price yet")
        average = price.price
    return _settle(ledger, market, price, average)


def settle_dead(ledger: Ledger, market: int) -> int:
    """Settles a market whose feed has been silent for too long, at the last good price.

    Returns:
        The price's word.
    """
    price, now = ledger.price(market), ledger.now
    _require_running(ledger, price)
    require(price.price != 0, "price: none")
    require(now > price.published_at + price.max_age + DEAD_AFTER, "feed: not dead")
    return _settle(ledger, market, replace(price, settles_at=now // words.HOUR), price.price)


def _count(ledger: Ledger, market: int, last: Price, published_at: int) -> None:
    """Adds what the last price counts until a new one, if any of it lies in the hour."""
    before = words.unpack_settlement(ledger.state.settlements.get(market, 0))
    after = settlement_math.count(before, last, published_at)
    if after.counted != before.counted:
        word = words.pack_settlement(after)
        ledger.put(ledger.state.settlements, market, word)
        ledger.log("SettlementCounted", market=market, settlement_word=word)


def _settle(ledger: Ledger, market: int, price: Price, final: int) -> int:
    settled = replace(
        price,
        price=final,
        confidence=0,
        silence=price.silence + settlement_math.silence_until(price, ledger.now),
        published_at=ledger.now,
        accepted_at=ledger.now,
        kind=words.SETTLED,
        caution=words.NO_CAUTION,
    )
    word = ledger.store_price(market, settled)
    ledger.log("SettlementFixed", market=market, price_word=word)
    return word


def _require_running(ledger: Ledger, price: Price) -> None:
    require(price.kind != words.SETTLED, "market: settled")
    require(not price_validity.is_settling(price, ledger.now), "market: settling")
