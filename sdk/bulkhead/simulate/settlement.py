"""Closes what is open in a market that is over: `modules/settlement.vy`.

At its final price, without fee, impact or penalty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bulkhead.protocol import house_math, position_math, price_validity, words
from bulkhead.protocol.fixed_point import quote_down
from bulkhead.protocol.words import House, Position
from bulkhead.simulate import closing
from bulkhead.simulate.closing import Book
from bulkhead.simulate.ledger import Ledger
from bulkhead.valuation import CLOSED, is_isolated, is_long

NO_MARKET = -1


def settle_positions(ledger: Ledger, ids: Sequence[int]) -> int:
    """Closes the positions of these ids whose markets are over.

    Returns:
        How many that were.
    """
    house, count = ledger.house, 0
    book: Book | None = None
    opened = NO_MARKET
    for position_id in ids:
        account, market, slot, position = closing.holding_of(ledger, position_id)
        if not position.size:
            continue
        if market != opened:
            closing.shut_book(ledger, book)
            book, opened = _final_book(ledger, market), market
        if book is None:
            continue
        count += 1
        ended = replace(CLOSED, generation=position_math.next_generation(position))
        book.replace(slot, position, ended)
        position_word = ledger.store_position(account, market, slot, ended)
        house = _settle(ledger, (account, market, slot), position, position_word, book, house)
    closing.shut_book(ledger, book)
    if count:
        ledger.log("HouseSettled", house_word=ledger.store_house(house))
    return count


def _final_book(ledger: Ledger, market: int) -> Book | None:
    """A market's book, where its price is final."""
    if price_validity.is_settled(ledger.price(market)):
        return closing.open_book(ledger, market)
    return None


def _settle(
    ledger: Ledger,
    place: tuple[str, int, int],
    position: Position,
    position_word: int,
    book: Book,
    house: House,
) -> House:
    """Pays an account what a position is worth, down, and of a vault its margin.

    What a vault lost beyond its margin insurance pays, then the pool; so is the debt of an account
    without legs.
    """
    account, market, slot = place
    owner = closing.without(ledger.account(account), market, slot)
    realised = quote_down(
        position_math.value_of(
            position, is_long(slot), book.price, book.state.funding.funding_index
        )
    )
    proceeds, deficit = realised, 0
    if is_isolated(slot):
        proceeds += position.margin
        if proceeds < 0:
            proceeds, deficit = 0, -proceeds
    owner = replace(owner, cash=owner.cash + proceeds)
    house = replace(house, pool_cash=house.pool_cash - realised)
    house = house_math.cover_deficit(house, deficit)
    ledger.log(
        "PositionSettled",
        account=account,
        market=market,
        slot=slot,
        size=position.size,
        price=book.price,
        realised=realised,
        deficit=deficit,
        position_word=position_word,
        account_word=words.pack_account(owner),
    )
    return closing.store_owner(ledger, account, owner, house)
