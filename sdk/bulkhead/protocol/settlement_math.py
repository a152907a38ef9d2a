"""The arithmetic of a settlement: the average of a market's prices over its last hour.

Each price weighs as many seconds of the hour as it was the newest and its feed not silent: from its
publish time to the next one's. When it was brought plays no part.
"""

from bulkhead.protocol.words import HOUR, Price, Settlement


def count(settlement: Settlement, price: Price, until: int) -> Settlement:
    """Adds a price's share of the hour.

    Args:
        settlement: What was counted before.
        price: The newest price up to now.
        until: When the next was published, or anything after the hour.
    """
    start = price.settles_at * HOUR
    since = max(price.published_at, start)
    end = min(until, price.published_at + price.max_age, start + HOUR)
    seconds = max(end - since, 0)
    return Settlement(settlement.sum + price.price * seconds, settlement.counted + seconds)


def average(settlement: Settlement) -> int:
    """The price that a settlement has counted, down, femto per lot; zero where it counted none."""
    return settlement.sum // settlement.counted if settlement.counted else 0


def silence_until(price: Price, published_at: int) -> int:
    """How long the feed was silent between a price and the next, in seconds.

    Nothing after the settlement begins counts, as the market's clock has ended there: see
    `market_math.live_time`.
    """
    until = min(published_at, price.settles_at * HOUR) if price.settles_at else published_at
    return max(until - price.published_at - price.max_age, 0)
