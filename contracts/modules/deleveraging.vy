# pragma version 0.4.3
"""
@title Auto-deleveraging
@license MIT
@notice While a market owes its traders more than its share of pool cash, its winners are paid out at
        the mark price, the most profitable half first, until it owes 90 % of the share.
@dev A caller proposes positions, the chain checks each; nobody is paid for it. What is judged is the
     market as it was when the call began, so that no order of proposals is better than another.
"""

from ..interfaces import ILiquidation
from ..lib import fixed_point
from ..lib import liquidation_math
from ..lib import market_math
from ..lib import position_math
from ..lib import words
from . import closing
from . import fills
from . import ledger
from . import markets

uses: closing
uses: ledger
uses: markets

MAX_POSITIONS: constant(uint256) = 64  # in one batch


struct Round:
    owed: uint256  # femto, to both sides together
    excess: uint256  # femto, what may be taken off
    left: uint256  # femto, of the excess
    is_long: bool  # the winning side
    side_value: int256  # femto
    side_size: uint256  # lots
    least: uint256  # lots, the least a position may have


@internal
def _auto_deleverage(market: uint256, ids: DynArray[uint256, MAX_POSITIONS]) -> uint256:
    markets._require_listed(market)
    price: words.Price = markets._price(market)
    assert markets._may_trade(market, price), "price: stale"
    assert price.caution != words.ONLY_BANKRUPT, "price: not firm"
    book: closing.Book = closing._open_book(market, price)
    house: words.House = ledger._load_house()
    round: Round = self._open_round(book, house)
    side: uint256 = 0 if round.is_long else 1
    count: uint256 = 0
    last: uint256 = 0
    for id: uint256 in ids:
        if id <= last:
            continue  # in ascending order, so that none is cut twice
        last = id
        position: words.Position = ledger._position(id)
        size: uint256 = self._size_of(id, position, book, round)
        if size == 0:
            continue
        left: words.Position = empty(words.Position)
        released: words.Position = empty(words.Position)
        left, released = position_math.decrease(position, round.is_long, size)
        value: int256 = position_math.value_of(
            released, round.is_long, price.price, book.state.funding_index
        )
        if value <= 0:
            continue  # its share of the entry, rounded, is all of the profit
        round.left -= convert(value, uint256)
        left, house = self._pay_out(id, position, left, released, value, price.price, house)
        book.sides[side] = fills._replace(book.sides[side], position, left)
        count += 1
    if count != 0:
        book.is_changed = True
        closing._shut_book(book)
        house_word: uint256 = ledger._store_house(house)
        log ILiquidation.HouseSettled(house_word=house_word)
    return count


@internal
@view
def _open_round(book: closing.Book, house: words.House) -> Round:
    """
    @notice What the market owes and by how much that is too much. Refuses where it is not.
    """
    terms: words.TradeTerms = markets._trade_terms(book.market)
    price: uint256 = book.quoted.price
    index: int256 = book.state.funding_index
    long_value: int256 = market_math.side_value(book.sides[0], True, price, index)
    short_value: int256 = market_math.side_value(book.sides[1], False, price, index)
    owed: int256 = long_value + short_value
    excess: uint256 = liquidation_math.excess_owed(owed, house.pool_cash, terms.pool_share)
    assert excess != 0, "market: within its share"
    is_long: bool = long_value >= short_value
    return Round(
        owed=convert(owed, uint256),
        excess=excess,
        left=excess,
        is_long=is_long,
        side_value=long_value if is_long else short_value,
        side_size=book.sides[0].size if is_long else book.sides[1].size,
        least=closing._least_size(terms, price),
    )


@internal
@view
def _size_of(id: uint256, position: words.Position, book: closing.Book, round: Round) -> uint256:
    """
    @notice How many lots of a position may be taken off: none unless it is of this market, on the
            winning side, and its profit per lot is at least that side's average. What the other leg
            of a cross pair matches is exempt.
    """
    account: address = empty(address)
    market: uint256 = 0
    slot: uint256 = 0
    account, market, slot = words.split_position_id(id)
    if position.size == 0 or market != book.market or (slot & 1 == 0) != round.is_long:
        return 0
    value: int256 = position_math.value_of(
        position, round.is_long, book.quoted.price, book.state.funding_index
    )
    rank: uint256 = liquidation_math.deleveraging_rank(
        value, position.size, round.side_value, round.side_size
    )
    if rank < fixed_point.PPM:
        return 0
    exposed: uint256 = position.size
    if slot < words.ISOLATED_LONG:
        exposed -= min(exposed, ledger._position(id ^ 1).size)
    return liquidation_math.deleveraged_size(
        position.size,
        exposed,
        convert(value, uint256),
        round.excess,
        round.owed,
        round.left,
        round.least,
    )


@internal
def _pay_out(
    id: uint256,
    position: words.Position,
    rest: words.Position,
    released: words.Position,
    worth: int256,
    price: uint256,
    house: words.House,
) -> (words.Position, words.House):
    """
    @notice Pays an account the profit of what is taken off, down, and of a vault its share of the margin.
    @return What is left of the position, and the house.
    """
    account: address = empty(address)
    market: uint256 = 0
    slot: uint256 = 0
    account, market, slot = words.split_position_id(id)
    owner: words.Account = ledger._account(account)
    after: words.House = house
    left: words.Position = rest
    realised: int256 = fixed_point.quote_down(worth)
    owner.cash += realised
    after.pool_cash -= realised
    if slot >= words.ISOLATED_LONG:
        owner.cash += convert(released.margin, int256)
    elif left.size != 0:
        left.margin = position.margin  # a leg's leverage
    if left.size == 0:
        owner = closing._without(owner, market, slot)
    position_word: uint256 = ledger._store_position(id, left)
    log ILiquidation.PositionDeleveraged(
        account=account,
        market=market,
        slot=slot,
        size=released.size,
        price=price,
        realised=realised,
        position_word=position_word,
        account_word=words.pack_account(owner),
    )
    after = closing._store_owner(account, owner, after)
    return left, after
