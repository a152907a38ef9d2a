"""Liquidation of cross margin, an account at a time: `modules/cross_liquidation.vy`.

The two legs of a market are set off against each other; if that does not heal it, just enough is
taken off, market by market, or all that can be is closed. Legs without a fresh price stay, and
never shield the others. Each leg is realised down, and what that leaves of a quote unit is carried
to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bulkhead import valuation
from bulkhead.protocol import liquidation_math, margin_math, position_math, words
from bulkhead.protocol.fixed_point import FEMTO, quote_down
from bulkhead.protocol.words import Account, Position
from bulkhead.simulate import closing, cross_margin, liquidation
from bulkhead.simulate.closing import Book
from bulkhead.simulate.ledger import Ledger
from bulkhead.simulate.liquidation import Batch, Cut
from bulkhead.valuation import is_long

LONGS = (2**128 - 1) // 3  # the bits of all long legs


@dataclass(slots=True)
class Debtor:
    """An account whose legs are being closed."""

    account: str
    state: Account
    equity: int = 0  # femto: cash, escrow, legs, and what is carried
    maintenance: int = 0  # femto
    carried: int = 0  # femto, what the rounding of closed legs has left of a quote unit
    is_due: bool = False
    is_changed: bool = False

    def realise(self, worth: int) -> int:
        """What closing something worth this, femto, realises in quote units, down."""
        worth += self.carried
        realised = quote_down(worth)
        self.carried = worth - realised * FEMTO
        self.is_changed = True
        return realised


def liquidate_cross(ledger: Ledger, liquidator: str, accounts: Sequence[str]) -> int:
    """Nets, reduces or closes the cross ledgers that are due.

    Returns:
        How many that were.
    """
    batch = Batch(liquidator, ledger.house)
    for account in accounts:
        debtor = Debtor(account, ledger.account(account))
        if not debtor.state.legs:
            continue
        _judge(ledger, debtor)
        if not debtor.is_due:
            continue
        pairs = debtor.state.legs & debtor.state.legs >> 1 & LONGS
        if pairs:
            _net_pairs(ledger, batch, debtor, pairs)
            _judge(ledger, debtor)
        if debtor.is_due:
            _close_legs(ledger, batch, debtor)
        if debtor.is_changed:
            batch.count += 1
            batch.house = closing.store_owner(ledger, account, debtor.state, batch.house)
    return liquidation.shut_batch(ledger, batch)


def _judge(ledger: Ledger, debtor: Debtor) -> None:
    """Values an account and says whether it may be liquidated."""
    legs = cross_margin.value_legs(ledger, debtor.account, debtor.state.legs)
    debtor.equity = valuation.cross_equity(debtor.state, legs) + debtor.carried
    debtor.maintenance = legs.maintenance
    debtor.is_due = legs.is_current and liquidation_math.may_liquidate(
        debtor.equity, legs.maintenance, legs.band, legs.caution
    )


def _net_pairs(ledger: Ledger, batch: Batch, debtor: Debtor, pairs: int) -> None:
    """Sets the two legs of each market off against each other.

    At the mark price, without impact, fee or penalty.

    Args:
        ledger: The words.
        batch: The call.
        debtor: Whose.
        pairs: The bits of the long legs.
    """
    for market, _ in valuation.keys_of(pairs):
        book = closing.tradable_book(ledger, market)
        if book is None:
            continue
        legs = [ledger.position(debtor.account, market, slot) for slot in range(2)]
        size = min(leg.size for leg in legs)
        worth = 0
        position_words = []
        for slot, leg in enumerate(legs):
            value, rest = _take_off(book, leg, slot, size)
            if not rest.size:
                debtor.state = closing.without(debtor.state, market, slot)
            worth += value
            book.replace(slot, leg, rest)
            position_words.append(ledger.store_position(debtor.account, market, slot, rest))
        realised = debtor.realise(worth)
        debtor.state = replace(debtor.state, cash=debtor.state.cash + realised)
        batch.house = replace(batch.house, pool_cash=batch.house.pool_cash - realised)
        ledger.log(
            "PairNetted",
            account=debtor.account,
            market=market,
            size=size,
            price=book.price,
            realised=realised,
            long_position_word=position_words[0],
            short_position_word=position_words[1],
            account_word=words.pack_account(debtor.state),
        )
        closing.shut_book(ledger, book)


def _close_legs(ledger: Ledger, batch: Batch, debtor: Debtor) -> None:
    """Goes through the legs in the order of their markets.

    With two thirds of maintenance margin it takes off just enough; else it closes every one whose
    price is fresh. Their penalties draw on one equity.

    Args:
        ledger: The words.
        batch: The call.
        debtor: Without pairs in markets with a fresh price.
    """
    keeps_part = liquidation_math.keeps_part(debtor.equity, debtor.maintenance)
    for market, slot in valuation.leg_keys(debtor.state):
        book = closing.tradable_book(ledger, market)
        if book is None:
            continue
        position = ledger.position(debtor.account, market, slot)
        cut = Cut(debtor.account, slot, position.size, position)
        if keeps_part:
            cut.size, debtor.maintenance = _part_of(book, position, debtor)
        worth, cut.left = _take_off(book, position, slot, cut.size)
        cut.realised = debtor.realise(worth)
        liquidation.charge(batch, cut, quote_down(debtor.equity), cut.size * book.price, book.terms)
        if not cut.left.size:
            debtor.state = closing.without(debtor.state, market, slot)
        cash = debtor.state.cash + cut.realised - cut.penalty
        debtor.state = replace(debtor.state, cash=cash)
        debtor.equity -= cut.penalty * FEMTO
        book.replace(slot, position, cut.left)
        liquidation.record(
            ledger, cut, market, book.price, batch.liquidator, words.pack_account(debtor.state)
        )
        closing.shut_book(ledger, book)
        if keeps_part and debtor.equity - debtor.carried >= liquidation_math.buffered(
            debtor.maintenance, book.terms.buffer
        ):
            break


def _part_of(book: Book, leg: Position, debtor: Debtor) -> tuple[int, int]:
    """How many lots of a leg to close so that the account has the buffer again.

    Returns:
        The lots, and the account's maintenance margin without them.
    """
    price, tiers, terms = book.price, book.state.tiers, book.terms
    others = debtor.maintenance - margin_math.maintenance_margin(leg.size * price, tiers)
    if not liquidation_math.is_large(leg.size, price, terms):
        return leg.size, others
    size = liquidation_math.closing_size(
        debtor.equity - liquidation_math.buffered(others, terms.buffer),
        leg.size,
        price,
        tiers,
        terms,
        book.least_size,
    )
    left = margin_math.maintenance_margin((leg.size - size) * price, tiers)
    return size, others + left


def _take_off(book: Book, leg: Position, slot: int, size: int) -> tuple[int, Position]:
    """Splits lots off a leg.

    Returns:
        Their value in femto, and what is left, which keeps its leverage.
    """
    left, released = position_math.decrease(leg, is_long(slot), size)
    if left.size:
        left = replace(left, margin=leg.margin)
    value = position_math.value_of(
        released, is_long(slot), book.price, book.state.funding.funding_index
    )
    return value, left
