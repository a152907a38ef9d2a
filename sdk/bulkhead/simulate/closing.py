"""What every close shares that no order asked for: `modules/closing.vy`.

It happens at the market's price, without impact or fee, and a debt that nobody owes any more is
written off. A batch keeps the market it is in, and the house, in memory, and stores them once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from eth_utils.address import to_checksum_address

from bulkhead.markets import MarketState
from bulkhead.protocol import fixed_point, house_math, market_math, words
from bulkhead.protocol.words import Account, House, Position, Side
from bulkhead.simulate.fills import replaced
from bulkhead.simulate.ledger import Ledger
from bulkhead.valuation import CLOSED, is_isolated

USD = 10**15  # femto


@dataclass(slots=True)
class Book:
    """A market whose positions are being closed."""

    market: int
    state: MarketState
    sides: list[Side]  # long and short
    is_changed: bool = False

    @property
    def price(self) -> int:
        """Mark, femto per lot."""
        return self.state.price.price

    @property
    def terms(self) -> words.LiquidationTerms:
        """What a liquidation costs."""
        return self.state.market.liquidation_terms

    @property
    def least_size(self) -> int:
        """The least lots that a position may have."""
        return fixed_point.div_up(self.state.market.terms.min_notional * USD, self.price)

    def replace(self, slot: int, old: Position, new: Position) -> None:
        """Puts a position in the place of another, in the sums of its side."""
        self.sides[slot & 1] = replaced(self.sides[slot & 1], old, new)
        self.is_changed = True


def open_book(ledger: Ledger, market: int) -> Book:
    """A market's book."""
    state = ledger.market_state(market)
    return Book(market, state, [state.long, state.short])


def tradable_book(ledger: Ledger, market: int) -> Book | None:
    """A market's book, where its price may fill and liquidate."""
    return open_book(ledger, market) if ledger.market_state(market).may_trade else None


def shut_book(ledger: Ledger, book: Book | None) -> None:
    """Stores a market that has changed, with the drift that its new skew asks for."""
    if book is None or not book.is_changed:
        return
    terms = book.state.market.terms
    long, short = book.sides
    drift = market_math.funding_drift(
        terms.funding_velocity, market_math.skew_of(long.size, short.size), terms.skew_scale
    )
    ledger.log(
        "MarketSettled",
        market=book.market,
        long_word=ledger.store_side(book.market, True, long),
        short_word=ledger.store_side(book.market, False, short),
        market_word=ledger.store_market(
            book.market, replace(book.state.funding, funding_drift=drift)
        ),
    )


def holding_of(ledger: Ledger, position_id: int) -> tuple[str, int, int, Position]:
    """The account, market and slot that a position's id names, and what is there."""
    number, market, slot = words.split_position_id(position_id)
    account = to_checksum_address(f"0x{number:040x}")
    if words.position_id(number, market, slot) != position_id:
        return account, market, slot, CLOSED  # bits above an address name nobody
    return account, market, slot, ledger.position(account, market, slot)


def without(owner: Account, market: int, slot: int) -> Account:
    """An account one of whose positions has ended."""
    if is_isolated(slot):
        return replace(owner, vaults=owner.vaults - 1)
    return replace(owner, legs=owner.legs ^ words.leg_bit(market, slot))


def store_owner(ledger: Ledger, account: str, owner: Account, house: House) -> House:
    """Stores an account.

    With its last leg a debt goes, too: its own escrow pays first, then insurance, then the pool.

    Returns:
        The house, not stored.
    """
    if owner.legs or owner.cash >= 0:
        ledger.store_account(account, owner)
        return house
    debt = -owner.cash
    escrow = min(debt, owner.escrow)
    after = replace(owner, escrow=owner.escrow - escrow, cash=0)
    ledger.log(
        "DebtWrittenOff",
        account=account,
        escrow=escrow,
        deficit=debt - escrow,
        account_word=ledger.store_account(account, after),
    )
    return house_math.cover_deficit(house, debt - escrow)
