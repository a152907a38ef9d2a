"""Pays out the winners of a market that owes above its share: `modules/deleveraging.vy`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bulkhead import deleveraging
from bulkhead.deleveraging import Holding
from bulkhead.markets import MarketState
from bulkhead.protocol import position_math, words
from bulkhead.protocol.fixed_point import quote_down
from bulkhead.protocol.words import House, Position
from bulkhead.simulate import closing
from bulkhead.simulate.guards import require
from bulkhead.simulate.ledger import Ledger
from bulkhead.valuation import is_isolated


def auto_deleverage(ledger: Ledger, market: int, ids: Sequence[int]) -> int:
    """Takes off the proposed positions what may be taken off them.

    Returns:
        How many were cut.
    """
    ledger.require_listed(market)
    state = ledger.market_state(market)
    require(state.may_trade, "price: stale")
    require(state.price.caution != words.ONLY_BANKRUPT, "price: not firm")
    book, house = closing.open_book(ledger, market), ledger.house
    call = deleveraging.round_of(state, house)
    require(call is not None, "market: within its share")
    assert call is not None
    left, count, last = call.excess, 0, 0
    for position_id in ids:
        if position_id <= last:
            continue  # in ascending order, so that none is cut twice
        last = position_id
        holding = _holding(ledger, position_id)
        if holding is None or holding.market != market:
            continue
        size = deleveraging.size_of(holding, state, call, left)
        if not size:
            continue
        position = holding.position
        rest, released = position_math.decrease(position, call.is_long, size)
        value = position_math.value_of(
            released, call.is_long, book.price, state.funding.funding_index
        )
        if value <= 0:
            continue  # its share of the entry, rounded, is all of the profit
        left -= value
        rest, house = _pay_out(ledger, holding, (rest, released), value, state, house)
        book.replace(holding.slot, position, rest)
        count += 1
    if count:
        closing.shut_book(ledger, book)
        ledger.log("HouseSettled", house_word=ledger.store_house(house))
    return count


def _holding(ledger: Ledger, position_id: int) -> Holding | None:
    account, market, slot, position = closing.holding_of(ledger, position_id)
    if not position.size:
        return None
    hedged = 0
    if not is_isolated(slot):
        hedged = min(position.size, ledger.position(account, market, slot ^ 1).size)
    return Holding(account, market, slot, position, hedged)


def _pay_out(
    ledger: Ledger,
    holding: Holding,
    split: tuple[Position, Position],
    worth: int,
    state: MarketState,
    house: House,
) -> tuple[Position, House]:
    """Pays out the profit of what is taken off, down, and of a vault its share of the margin.

    Returns:
        What is left of the position, and the house.
    """
    (left, released), realised = split, quote_down(worth)
    account, market, slot = holding.account, holding.market, holding.slot
    owner = ledger.account(account)
    cash = owner.cash + realised
    house = replace(house, pool_cash=house.pool_cash - realised)
    if is_isolated(slot):
        cash += released.margin
    elif left.size:
        left = replace(left, margin=holding.position.margin)  # a leg's leverage
    owner = replace(owner, cash=cash)
    if not left.size:
        owner = closing.without(owner, market, slot)
    ledger.log(
        "PositionDeleveraged",
        account=account,
        market=market,
        slot=slot,
        size=released.size,
        price=state.price.price,
        realised=realised,
        position_word=ledger.store_position(account, market, slot, left),
        account_word=words.pack_account(owner),
    )
    return left, closing.store_owner(ledger, account, owner, house)
