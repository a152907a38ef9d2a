# pragma version 0.4.3
"""
@title Liquidation
@license MIT
@notice Closes what can no longer carry itself, at the mark price and without impact. The penalty
        shrinks rather than cause a deficit; a deficit is paid by insurance, then by the pool,
        never by another position, account or vault.
@dev A batch keeps the market it is in, and the house, in memory, and stores them once.
"""

from ..interfaces import ILiquidation
from ..lib import fixed_point
from ..lib import house_math
from ..lib import liquidation_math
from ..lib import market_math
from ..lib import position_math
from ..lib import words
from . import cross_margin
from . import fills
from . import ledger
from . import markets

uses: cross_margin
uses: ledger
uses: markets

MAX_VAULTS: constant(uint256) = 64  # in one batch
MAX_ACCOUNTS: constant(uint256) = 32


struct Book:
    market: uint256
    is_fresh: bool  # whether the price may liquidate
    is_changed: bool
    quoted: words.Price
    price: uint256  # mark, femto per lot
    state: words.Market  # accrued
    long: words.Side
    short: words.Side
    terms: words.LiquidationTerms


struct Batch:
    liquidator: address
    house: words.House
    rewards: uint256  # quote
    closed: uint256  # vaults or accounts


struct Leg:
    account: address
    slot: uint256
    position: words.Position
    realised: int256  # quote, what the pool owes the position
    equity: int256  # quote, what the penalty may draw on
    deficit: uint256  # quote, what a vault lost beyond its margin


@internal
def _liquidate_isolated(ids: DynArray[uint256, MAX_VAULTS], liquidator: address) -> uint256:
    batch: Batch = self._open_batch(liquidator)
    book: Book = empty(Book)
    book.market = max_value(uint256)
    for id: uint256 in ids:
        leg: Leg = empty(Leg)
        market: uint256 = 0
        leg.account, market, leg.slot = words.split_position_id(id)
        leg.position = ledger._position(id)
        if leg.slot < words.ISOLATED_LONG or leg.position.size == 0:
            continue
        if market != book.market:
            self._shut_book(book)
            book = self._open_book(market)
        if not book.is_fresh:
            continue
        vault: cross_margin.Valuation = cross_margin._value_vault(
            market, book.state, book.price, leg.slot, leg.position
        )
        if not liquidation_math.is_liquidatable(vault.worth, vault.maintenance):
            continue
        leg.equity = fixed_point.quote_down(vault.worth)
        leg.realised = leg.equity - convert(leg.position.margin, int256)
        account: words.Account = ledger._account(leg.account)
        account.vaults -= 1
        if leg.equity >= 0:
            account.cash += leg.equity
        else:
            leg.deficit = convert(-leg.equity, uint256)
        batch.closed += 1
        book, batch, account = self._close(book, batch, leg, account)
        ledger._store_account(leg.account, account)
    self._shut_book(book)
    return self._shut_batch(batch)


@internal
def _liquidate_cross(accounts: DynArray[address, MAX_ACCOUNTS], liquidator: address) -> uint256:
    batch: Batch = self._open_batch(liquidator)
    for account: address in accounts:
        state: words.Account = ledger._account(account)
        if state.legs == 0:
            continue
        legs: cross_margin.Valuation = cross_margin._value_legs(account, state.legs)
        equity: int256 = (
            state.cash + convert(state.escrow, int256)
        ) * fixed_point.FEMTO_INT + legs.worth
        if legs.is_current and liquidation_math.is_liquidatable(equity, legs.maintenance):
            batch = self._close_legs(batch, account, state, fixed_point.quote_down(equity))
    return self._shut_batch(batch)


@internal
def _close_legs(
    batch: Batch, account: address, state: words.Account, equity: int256
) -> Batch:
    """
    @notice Closes every leg whose price is fresh; their penalties draw on one equity. With the last
            leg a debt goes too: the account's own escrow pays first, then insurance, then the pool.
    """
    after: Batch = batch
    owner: words.Account = state
    # Each leg is realised down on its own: together that takes up to a unit for each but one.
    left: int256 = equity - convert(words.count_bits(state.legs), int256) + 1
    legs: uint256 = state.legs
    for _: uint256 in range(fills.MAX_LEGS):
        if legs == 0:
            break
        index: uint256 = words.lowest_bit_index(legs)
        legs ^= 1 << index
        book: Book = self._open_book(index >> 1)
        if not book.is_fresh:
            continue
        leg: Leg = empty(Leg)
        leg.account = account
        leg.slot = index & 1
        leg.position = ledger._position(words.position_id(account, book.market, leg.slot))
        leg.realised = fixed_point.quote_down(
            position_math.value_of(
                leg.position, leg.slot == 0, book.price, book.state.funding_index
            )
        )
        leg.equity = left
        owner.legs ^= 1 << index
        owner.cash += leg.realised
        cash: int256 = owner.cash
        book, after, owner = self._close(book, after, leg, owner)
        left -= cash - owner.cash
        self._shut_book(book)
    if owner.legs == state.legs:
        return after
    after.closed += 1
    if owner.legs != 0 or owner.cash >= 0:
        ledger._store_account(account, owner)
        return after
    debt: uint256 = convert(-owner.cash, uint256)
    escrow: uint256 = min(debt, owner.escrow)
    owner.escrow -= escrow
    owner.cash = 0
    after.house = house_math.cover_deficit(after.house, debt - escrow)
    account_word: uint256 = ledger._store_account(account, owner)
    log ILiquidation.DebtWrittenOff(
        account=account, escrow=escrow, deficit=debt - escrow, account_word=account_word
    )
    return after


@internal
def _close(
    book: Book, batch: Batch, leg: Leg, account: words.Account
) -> (Book, Batch, words.Account):
    """
    @notice Ends one position at the mark price, takes the penalty from its account's cash and pays
            it out, and settles with the house.
    @param account With the position's end already counted, but for the penalty.
    """
    settled: Book = book
    after: Batch = batch
    owner: words.Account = account
    penalty: uint256 = 0
    reward: uint256 = 0
    top_up: uint256 = 0
    penalty, reward, top_up = liquidation_math.split_penalty(
        leg.equity, unsafe_mul(leg.position.size, book.price), book.terms
    )
    owner.cash -= convert(penalty, int256)
    after.house.insurance += penalty - reward
    top_up = min(top_up, after.house.insurance)
    after.house.insurance -= top_up
    reward += top_up
    after.rewards += reward
    after.house.pool_cash -= leg.realised
    if leg.deficit != 0:
        after.house = house_math.cover_deficit(after.house, leg.deficit)

    ended: words.Position = empty(words.Position)
    ended.generation = position_math.next_generation(leg.position)
    settled.is_changed = True
    if leg.slot & 1 == 0:
        settled.long = fills._replace(book.long, leg.position, ended)
    else:
        settled.short = fills._replace(book.short, leg.position, ended)
    position_word: uint256 = ledger._store_position(
        words.position_id(leg.account, book.market, leg.slot), ended
    )
    log ILiquidation.PositionLiquidated(
        account=leg.account,
        market=book.market,
        liquidator=batch.liquidator,
        slot=leg.slot,
        size=leg.position.size,
        price=book.price,
        realised=leg.realised,
        penalty=penalty,
        reward=reward,
        deficit=leg.deficit,
        position_word=position_word,
        account_word=words.pack_account(owner),
    )
    return settled, after, owner


@internal
@view
def _open_book(market: uint256) -> Book:
    price: words.Price = markets._price(market)
    book: Book = empty(Book)
    book.market = market
    book.is_fresh = markets._may_trade(market, price)
    if book.is_fresh:
        book.quoted = price
        book.price = price.price
        book.state = markets._accrued(market, price)
        book.long = markets._side(market, True)
        book.short = markets._side(market, False)
        book.terms = markets._liquidation_terms(market)
    return book


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
        market_math.skew_of(book.long.size, book.short.size),
        terms.skew_scale,
    )
    long_word: uint256 = markets._store_side(book.market, True, book.long)
    short_word: uint256 = markets._store_side(book.market, False, book.short)
    market_word: uint256 = markets._store_market(book.market, state)
    log ILiquidation.MarketSettled(
        market=book.market,
        long_word=long_word,
        short_word=short_word,
        market_word=market_word,
    )


@internal
@view
def _open_batch(liquidator: address) -> Batch:
    return Batch(liquidator=liquidator, house=ledger._load_house(), rewards=0, closed=0)


@internal
def _shut_batch(batch: Batch) -> uint256:
    """
    @notice Stores the house and pays the liquidator.
    @return How many vaults or accounts were liquidated.
    """
    if batch.closed != 0:
        house_word: uint256 = ledger._store_house(batch.house)
        ledger._pay(batch.liquidator, batch.rewards)
        log ILiquidation.LiquidatorPaid(
            liquidator=batch.liquidator, amount=batch.rewards, house_word=house_word
        )
    return batch.closed
