"""The arithmetic of a position: value, increase and decrease."""

from dataclasses import replace

from bulkhead.protocol.fixed_point import (
    FEMTO,
    div_up,
    quote_down,
    quote_up,
    signed_div_down,
    signed_div_up,
)
from bulkhead.protocol.words import GENERATIONS, Position


def value_of(position: Position, is_long: bool, price: int, funding_index: int) -> int:
    """Unrealised PnL less funding owed, femto, exact."""
    worth = (
        position.size * (price - funding_index + position.funding_index)
        - position.entry_notional * FEMTO
    )
    return worth if is_long else -worth


def basis_of(position: Position) -> int:
    """What a position adds to its side's basis: entry_notional - size * funding_index, femto."""
    return position.entry_notional * FEMTO - position.size * position.funding_index


def entry_notional_of(size: int, is_long: bool, price: int, cost: int) -> int:
    """What a fill costs a long (up) or brings a short (down).

    Args:
        size: Lots.
        is_long: Whether the fill opens or increases a long.
        price: The mark price, femto per lot.
        cost: The price impact in femto, positive where the trader pays.

    Returns:
        The notional in quote units.
    """
    notional = size * price
    if is_long:
        return quote_up(notional + cost)
    return max(quote_down(notional - cost), 0)


def increase(
    position: Position, is_long: bool, size: int, entry_notional: int, funding_index: int
) -> Position:
    """Adds lots.

    The entry notional adds; the funding index becomes the size-weighted mean, rounded against the
    account: down for a long, up for a short.

    Args:
        position: What is there.
        is_long: Its side.
        size: Lots to add.
        entry_notional: Of the added lots, quote.
        funding_index: Of the market now, femto per lot.

    Returns:
        The larger position.
    """
    total = position.size + size
    weighted = position.size * position.funding_index + size * funding_index
    divide = signed_div_down if is_long else signed_div_up
    return replace(
        position,
        size=total,
        entry_notional=position.entry_notional + entry_notional,
        funding_index=divide(weighted, total),
    )


def decrease(position: Position, is_long: bool, size: int) -> tuple[Position, Position]:
    """Splits lots off.

    The released entry notional is rounded against the account (up for a long, down for a short),
    the released margin down. Releasing all of it ends the position: what is left is the next
    generation and nothing else. In a cross slot the margin field is the leverage: the caller
    ignores what is released and restores what is left.

    Args:
        position: What is there, not empty.
        is_long: Its side.
        size: Lots to split off, at most the position's.

    Returns:
        What is left, and what was released with its share of entry notional and margin.
    """
    if size == position.size:
        ended = Position(0, 0, 0, next_generation(position), 0)
        return ended, position
    entry = position.entry_notional * size
    released = replace(
        position,
        size=size,
        entry_notional=div_up(entry, position.size) if is_long else entry // position.size,
        margin=position.margin * size // position.size,
    )
    left = replace(
        position,
        size=position.size - size,
        entry_notional=position.entry_notional - released.entry_notional,
        margin=position.margin - released.margin,
    )
    return left, released


def next_generation(position: Position) -> int:
    """The generation of a slot whose position has ended. It wraps."""
    return (position.generation + 1) % GENERATIONS
