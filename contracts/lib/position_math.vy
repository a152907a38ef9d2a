# pragma version 0.4.3
"""
@title The arithmetic of a position
@license MIT
@notice Value, increase and decrease of one position.
@dev Unchecked where the ranges of `words.vy` prove it: sizes and notionals below 2**56, prices and
     indices below 2**64, so every product stays below 2**121.
"""

from . import fixed_point
from . import words


@internal
@pure
def value_of(
    position: words.Position, is_long: bool, price: uint256, funding_index: int256
) -> int256:
    """
    @notice Unrealised PnL less funding owed, in femto, exact.
    """
    worth: int256 = unsafe_sub(
        unsafe_mul(
            convert(position.size, int256),
            unsafe_add(unsafe_sub(convert(price, int256), funding_index), position.funding_index),
        ),
        unsafe_mul(convert(position.entry_notional, int256), fixed_point.FEMTO_INT),
    )
    if is_long:
        return worth
    return unsafe_sub(0, worth)


@internal
@pure
def basis_of(position: words.Position) -> int256:
    """
    @notice What a position adds to its side's basis: entry_notional - size * funding_index, femto.
    """
    return unsafe_sub(
        unsafe_mul(convert(position.entry_notional, int256), fixed_point.FEMTO_INT),
        unsafe_mul(convert(position.size, int256), position.funding_index),
    )


@internal
@pure
def entry_notional_of(size: uint256, is_long: bool, price: uint256, cost: int256) -> uint256:
    """
    @notice What a fill of `size` lots costs a long (up) or brings a short (down), in quote units.
    @param cost The price impact in femto, positive where the trader pays.
    """
    notional: int256 = convert(unsafe_mul(size, price), int256)
    if is_long:
        return fixed_point.quote_up(convert(unsafe_add(notional, cost), uint256))
    return convert(max(fixed_point.quote_down(unsafe_sub(notional, cost)), 0), uint256)


@internal
@pure
def increase(
    position: words.Position,
    is_long: bool,
    size: uint256,
    entry_notional: uint256,
    funding_index: int256,
) -> words.Position:
    """
    @notice Adds lots. The entry notional adds; the funding index becomes the size-weighted mean,
            rounded against the account: down for a long, up for a short.
    """
    total: uint256 = unsafe_add(position.size, size)
    weighted: int256 = unsafe_add(
        unsafe_mul(convert(position.size, int256), position.funding_index),
        unsafe_mul(convert(size, int256), funding_index),
    )
    if is_long:
        position.funding_index = fixed_point.signed_div_down(weighted, convert(total, int256))
    else:
        position.funding_index = fixed_point.signed_div_up(weighted, convert(total, int256))
    position.size = total
    position.entry_notional = unsafe_add(position.entry_notional, entry_notional)
    return position


@internal
@pure
def decrease(
    position: words.Position, is_long: bool, size: uint256
) -> (words.Position, words.Position):
    """
    @notice Splits `size` lots off: what is left, and what was released with its share of entry
            notional and margin. The released entry is rounded against the account (up for a long,
            down for a short), the released margin down. Releasing all of it ends the position:
            what is left is the next generation and nothing else.
    @dev `size` is at most the position's and the position is not empty. In a cross slot the margin
         field is the leverage: the caller ignores what is released and restores what is left.
    """
    released: words.Position = position
    left: words.Position = empty(words.Position)
    if size == position.size:
        left.generation = self.next_generation(position)
        return left, released
    entry: uint256 = unsafe_mul(position.entry_notional, size)
    if is_long:
        released.entry_notional = fixed_point.div_up(entry, position.size)
    else:
        released.entry_notional = unsafe_div(entry, position.size)
    released.size = size
    released.margin = unsafe_div(unsafe_mul(position.margin, size), position.size)
    left = position
    left.size = unsafe_sub(position.size, size)
    left.entry_notional = unsafe_sub(position.entry_notional, released.entry_notional)
    left.margin = unsafe_sub(position.margin, released.margin)
    return left, released


@internal
@pure
def next_generation(position: words.Position) -> uint256:
    """
    @notice The generation of a slot whose position has ended. It wraps.
    """
    return unsafe_add(position.generation, 1) % words.GENERATIONS
