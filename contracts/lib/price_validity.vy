# pragma version 0.4.3
"""
@title Price validity
@license MIT
@notice What may be done at a price, by its age and by what its oracle says of it. Which action asks for
        which of these: the table in `docs/design.md`.
@dev Unchecked: times stay below 2**37.
"""

from . import words

SILENT_PROFIT: constant(uint256) = 3_600  # seconds the profit of a silent leg still counts


@internal
@pure
def is_settled(price: words.Price) -> bool:
    """
    @notice Whether the market is over, and this its last price.
    """
    return price.kind == words.SETTLED


@internal
@pure
def is_settling(price: words.Price, now: uint256) -> bool:
    """
    @notice Whether the market is over or in its settlement window: nothing trades, liquidates or accrues.
    """
    return price.settles_at != 0 and now >= unsafe_mul(price.settles_at, words.HOUR)


@internal
@pure
def is_live(price: words.Price, now: uint256) -> bool:
    """
    @notice Whether the feed has not fallen silent. The price of a settled market never does.
    """
    return price.price != 0 and (
        unsafe_add(price.published_at, price.max_age) >= now or price.kind == words.SETTLED
    )


@internal
@pure
def is_fresh(price: words.Price, now: uint256) -> bool:
    """
    @notice Whether a price is young enough to be acted on. One of a push feed must be the latest, too.
    """
    return price.price != 0 and (
        unsafe_add(price.published_at, price.trade_age) >= now or price.kind == words.SETTLED
    )


@internal
@pure
def is_firm(price: words.Price, now: uint256) -> bool:
    """
    @notice Whether a price is fresh, its oracle has no doubt about it, and no settlement window is about
            to replace it by its average: else who sees the average coming takes out money that is lost.
    """
    return (
        price.caution == words.NO_CAUTION
        and self.is_fresh(price, now)
        and (self.is_settled(price) or not self.is_settling(price, now))
    )


@internal
@pure
def may_trade(price: words.Price, now: uint256) -> bool:
    """
    @notice Whether a fill or a liquidation may happen at a price.
    """
    return self.is_fresh(price, now) and not self.is_settling(price, now)


@internal
@pure
def may_move_liquidity(price: words.Price, now: uint256) -> bool:
    """
    @notice Whether money of the pool or of insurance may leave or enter at a price: a firm one.
    """
    return self.is_firm(price, now)


@internal
@pure
def profit_counts(price: words.Price, now: uint256) -> bool:
    """
    @notice Whether a leg's profit counts at a price: of a silent feed for a while only.
    """
    return self.is_live(price, now) or (
        unsafe_add(unsafe_add(price.published_at, price.max_age), SILENT_PROFIT) >= now
    )
