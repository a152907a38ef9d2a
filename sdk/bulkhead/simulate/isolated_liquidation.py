"""Liquidation of isolated margin, each vault for itself: `modules/isolated_liquidation.vy`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bulkhead import valuation
from bulkhead.protocol import house_math, liquidation_math, position_math, words
from bulkhead.protocol.fixed_point import quote_down
from bulkhead.simulate import closing, liquidation
from bulkhead.simulate.closing import Book
from bulkhead.simulate.ledger import Ledger
from bulkhead.simulate.liquidation import Batch, Cut
from bulkhead.simulate.top_up import top_up
from bulkhead.valuation import CLOSED, is_isolated, is_long

NO_MARKET = -1


def liquidate_isolated(ledger: Ledger, liquidator: str, ids: Sequence[int]) -> int:
    """Tops up, reduces or closes the vaults of these ids that are due.

    Returns:
        How many that were.
    """
    batch = Batch(liquidator, ledger.house)
    book: Book | None = None
    opened = NO_MARKET
    for position_id in ids:
        account, market, slot, position = closing.holding_of(ledger, position_id)
        if not is_isolated(slot) or not position.size:
            continue
        if market != opened:
            closing.shut_book(ledger, book)
            book, opened = closing.tradable_book(ledger, market), market
        if book is not None:
            _liquidate(ledger, batch, book, Cut(account, slot, position.size, position))
    closing.shut_book(ledger, book)
    return liquidation.shut_batch(ledger, batch)


def _liquidate(ledger: Ledger, batch: Batch, book: Book, cut: Cut) -> None:
    vault = valuation.value_vault(book.state, cut.slot, cut.position)
    if not liquidation_math.may_liquidate(
        vault.worth, vault.maintenance, vault.band, vault.caution
    ):
        return
    batch.count += 1
    if top_up(ledger, batch.liquidator, book, cut):
        batch.rewards += book.terms.keeper_floor
        return
    cut.left = replace(CLOSED, generation=position_math.next_generation(cut.position))
    equity = quote_down(vault.worth)
    if liquidation_math.keeps_part(vault.worth, vault.maintenance) and liquidation_math.is_large(
        cut.size, book.price, book.terms
    ):
        equity = _take_part(book, cut, vault.worth)
    cut.realised = equity - cut.position.margin
    liquidation.charge(batch, cut, equity, cut.size * book.price, book.terms)
    owner = ledger.account(cut.account)
    if cut.left.size:
        cut.left = replace(cut.left, margin=equity - cut.penalty)
        account_word = words.pack_account(owner)
    else:
        owner = replace(owner, vaults=owner.vaults - 1)
        if equity >= 0:
            owner = replace(owner, cash=owner.cash + equity - cut.penalty)
        else:
            cut.deficit = -equity
            batch.house = house_math.cover_deficit(batch.house, cut.deficit)
        account_word = ledger.store_account(cut.account, owner)
    book.replace(cut.slot, cut.position, cut.left)
    liquidation.record(ledger, cut, book.market, book.price, batch.liquidator, account_word)


def _take_part(book: Book, cut: Cut, worth: int) -> int:
    """Takes off just enough of a large vault.

    No margin is released: all of it stays and takes what the part has realised.

    Args:
        book: The market's.
        cut: Of all of it, so far.
        worth: Its equity, femto.

    Returns:
        The equity, in quote units, that the penalty may draw on.
    """
    long = is_long(cut.slot)
    cut.size = liquidation_math.closing_size(
        worth, cut.position.size, book.price, book.state.tiers, book.terms, book.least_size
    )
    if cut.size == cut.position.size:
        return quote_down(worth)
    cut.left, released = position_math.decrease(cut.position, long, cut.size)
    realised = quote_down(
        position_math.value_of(released, long, book.price, book.state.funding.funding_index)
    )
    # Equity is positive, so what a part has lost is below the margin, but for the rounding.
    return max(cut.position.margin + realised, 0)
