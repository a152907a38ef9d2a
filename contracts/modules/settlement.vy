# pragma version 0.4.3
"""
@title Settlement
@license MIT
@notice Closes what is open in a market that is over, at its final price: without fee, impact or
        penalty, by anyone. When all of it is closed, pool and accounts have come out even.
"""

from ..interfaces import ILiquidation
from ..lib import fixed_point
from ..lib import house_math
from ..lib import position_math
from ..lib import price_validity
from ..lib import words
from . import closing
from . import fills
from . import ledger
from . import markets

uses: closing
uses: ledger
uses: markets

MAX_POSITIONS: constant(uint256) = 64  # in one batch


@internal
def _settle_positions(ids: DynArray[uint256, MAX_POSITIONS]) -> uint256:
    house: words.House = ledger._load_house()
    book: closing.Book = closing._no_book(closing.NO_MARKET)
    count: uint256 = 0
    for id: uint256 in ids:
        position: words.Position = ledger._position(id)
        if position.size == 0:
            continue
        account: address = empty(address)
        market: uint256 = 0
        slot: uint256 = 0
        account, market, slot = words.split_position_id(id)
        if market != book.market:
            closing._shut_book(book)
            book = self._final_book(market)
        if not book.is_open:
            continue
        count += 1
        ended: words.Position = empty(words.Position)
        ended.generation = position_math.next_generation(position)
        book.sides[slot & 1] = fills._replace(book.sides[slot & 1], position, ended)
        book.is_changed = True
        house = self._settle(id, position, ledger._store_position(id, ended), book, house)
    closing._shut_book(book)
    if count != 0:
        house_word: uint256 = ledger._store_house(house)
        log ILiquidation.HouseSettled(house_word=house_word)
    return count


@internal
@view
def _final_book(market: uint256) -> closing.Book:
    """
    @notice A market's book, open where its price is final.
    """
    price: words.Price = markets._price(market)
    if price_validity.is_settled(price):
        return closing._open_book(market, price)
    return closing._no_book(market)


@internal
def _settle(
    id: uint256,
    position: words.Position,
    position_word: uint256,
    book: closing.Book,
    house: words.House,
) -> words.House:
    """
    @notice Pays an account what a position is worth, down, and of a vault its margin. What a vault lost
            beyond its margin insurance pays, then the pool; so is the debt of an account without legs.
    """
    account: address = empty(address)
    market: uint256 = 0
    slot: uint256 = 0
    account, market, slot = words.split_position_id(id)
    owner: words.Account = closing._without(ledger._account(account), market, slot)
    after: words.House = house
    realised: int256 = fixed_point.quote_down(
        position_math.value_of(position, slot & 1 == 0, book.quoted.price, book.state.funding_index)
    )
    proceeds: int256 = realised
    deficit: uint256 = 0
    if slot >= words.ISOLATED_LONG:
        proceeds += convert(position.margin, int256)
        if proceeds < 0:
            deficit = convert(-proceeds, uint256)
            proceeds = 0
    owner.cash += proceeds
    after.pool_cash -= realised
    after = house_math.cover_deficit(after, deficit)
    log ILiquidation.PositionSettled(
        account=account,
        market=market,
        slot=slot,
        size=position.size,
        price=book.quoted.price,
        realised=realised,
        deficit=deficit,
        position_word=position_word,
        account_word=words.pack_account(owner),
    )
    return closing._store_owner(account, owner, after)
