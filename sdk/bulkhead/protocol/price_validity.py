"""What may be done at a price, by its age and by what its oracle says of it."""

from bulkhead.protocol import words
from bulkhead.protocol.words import Price

SILENT_PROFIT = 3_600  # seconds the profit of a silent leg still counts


def is_settled(price: Price) -> bool:
    """Whether the market is over, and this its last price."""
    return price.kind == words.SETTLED


def is_settling(price: Price, now: int) -> bool:
    """Whether the market is over or in its settlement window: nothing trades or liquidates."""
    return price.settles_at != 0 and now >= price.settles_at * words.HOUR


def is_live(price: Price, now: int) -> bool:
    """Whether the feed has not fallen silent. The price of a settled market never does."""
    return price.price != 0 and (
        price.published_at + price.max_age >= now or price.kind == words.SETTLED
    )


def is_fresh(price: Price, now: int) -> bool:
    """Whether a price is young enough to be acted on. One of a push feed must be the latest."""
    return price.price != 0 and (
        price.published_at + price.trade_age >= now or price.kind == words.SETTLED
    )


def is_firm(price: Price, now: int) -> bool:
    """Whether a price is fresh, undoubted, and no settlement's average is about to replace it."""
    return (
        price.caution == words.NO_CAUTION
        and is_fresh(price, now)
        and (is_settled(price) or not is_settling(price, now))
    )


def may_trade(price: Price, now: int) -> bool:
    """Whether a fill or a liquidation may happen at a price."""
    return is_fresh(price, now) and not is_settling(price, now)


def may_move_liquidity(price: Price, now: int) -> bool:
    """Whether money of the pool or of insurance may move at a price: a firm one."""
    return is_firm(price, now)


def profit_counts(price: Price, now: int) -> bool:
    """Whether a leg's profit counts at a price: of a silent feed for a while only."""
    return is_live(price, now) or price.published_at + price.max_age + SILENT_PROFIT >= now
