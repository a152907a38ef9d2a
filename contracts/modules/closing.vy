# pragma version 0.4.3
"""
@title Closing
@license MIT
@notice What every close shares that no order asked for: it happens at the market's price, without
        impact or fee, and a debt that nobody owes any more is written off.
@dev A batch keeps the market it is in, and the house, in memory, and stores them once.
"""

from ..interfaces import ILiquidation
from ..lib import fixed_point
from ..lib import house_math
from ..lib import market_math
from ..lib import words
from . import ledger
from . import markets

uses: ledger
uses: markets

NO_MARKET: constant(uint256) = max_value(uint256)
USD: constant(uint256) = 10**15  # femto


struct Book:
    market: uint256
    is_open: bool  # whether its positions may be closed at its price
    is_changed: bool
    quoted: words.Price
    state: words.Market  # accrued
    sides: words.Side[2]  # long and short
    terms: words.LiquidationTerms


@internal
@pure
def _no_book(market: uint256) -> Book:
    """
    @notice A market in which nothing may be closed now.
    """
    book: Book = empty(Book)
    book.market = market
    return book


@internal
@view
def _open_book(market: uint256, price: words.Price) -> Book:
    return Book(
        market=market,
        is_open=True,
        is_changed=False,
        quoted=price,
        state=markets._accrued(market, price),
        sides=[markets._side(market, True), markets._side(market, False)],
        terms=markets._liquidation_terms(market),
    )


@internal
@view
def _tradable_book(market: uint256) -> Book:
    """
    @notice A market's book, open where its price may fill and liquidate.
    """
    price: words.Price = markets._price(market)
    if markets._may_trade(market, price):
        return self._open_book(market, price)
    return self._no_book(market)


@internal
def _shut_book(book: Book):
    """
    @notice Stores a market that has changed, with the drift that its new skew asks for.
    """
    if not book.is_changed:
        return
    terms: words.TradeTerms = markets._trade_terms(book.market)
    state: words.Market = book.state
    state.funding_drift = market_math.funding_drift(
        terms.funding_velocity,
        market_math.skew_of(book.sides[0].size, book.sides[1].size),
        terms.skew_scale,
    )
    long_word: uint256 = markets._store_side(book.market, True, book.sides[0])
    short_word: uint256 = markets._store_side(book.market, False, book.sides[1])
    market_word: uint256 = markets._store_market(book.market, state)
    log ILiquidation.MarketSettled(
        market=book.market,
        long_word=long_word,
        short_word=short_word,
        market_word=market_word,
    )


@internal
@pure
def _least_size(terms: words.TradeTerms, price: uint256) -> uint256:
    """
    @notice The least lots that a position may have at a price, femto per lot.
    """
    return fixed_point.div_up(terms.min_notional * USD, price)


@internal
@pure
def _without(owner: words.Account, market: uint256, slot: uint256) -> words.Account:
    """
    @notice An account one of whose positions has ended.
    """
    after: words.Account = owner
    if slot < words.ISOLATED_LONG:
        after.legs ^= words.leg_bit(market, slot)
    else:
        after.vaults -= 1
    return after


@internal
def _store_owner(account: address, owner: words.Account, house: words.House) -> words.House:
    """
    @notice Stores an account. With its last leg a debt goes, too: its own escrow pays first, then
            insurance, then the pool.
    @return The house, not stored.
    """
    if owner.legs != 0 or owner.cash >= 0:
        ledger._store_account(account, owner)
        return house
    after: words.Account = owner
    debt: uint256 = convert(-owner.cash, uint256)
    escrow: uint256 = min(debt, owner.escrow)
    after.escrow -= escrow
    after.cash = 0
    account_word: uint256 = ledger._store_account(account, after)
    log ILiquidation.DebtWrittenOff(
        account=account, escrow=escrow, deficit=debt - escrow, account_word=account_word
    )
    return house_math.cover_deficit(house, debt - escrow)
