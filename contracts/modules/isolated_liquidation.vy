# pragma version 0.4.3
"""
@title Liquidation of isolated margin
@license MIT
@notice Each vault for itself: it reads and writes that vault, and its account's cash where what is left
        returns there or the owner lets it add margin first.
@dev Unchecked: a vault's lots are below 2**56, prices below 2**64.
"""

from ..lib import fixed_point
from ..lib import house_math
from ..lib import liquidation_math
from ..lib import margin_math
from ..lib import position_math
from ..lib import words
from . import closing
from . import cross_margin
from . import fills
from . import ledger
from . import liquidation
from . import markets
from . import top_up

uses: closing
uses: cross_margin
uses: ledger
uses: liquidation
uses: markets
uses: top_up

MAX_VAULTS: constant(uint256) = 64  # in one batch


@internal
def _liquidate_isolated(ids: DynArray[uint256, MAX_VAULTS], liquidator: address) -> uint256:
    batch: liquidation.Batch = liquidation._open_batch(liquidator)
    book: closing.Book = closing._no_book(closing.NO_MARKET)
    for id: uint256 in ids:
        cut: liquidation.Cut = empty(liquidation.Cut)
        market: uint256 = 0
        cut.account, market, cut.slot = words.split_position_id(id)
        cut.position = ledger._position(id)
        if cut.slot < words.ISOLATED_LONG or cut.position.size == 0:
            continue
        if market != book.market:
            closing._shut_book(book)
            book = closing._tradable_book(market)
        if not book.is_open:
            continue
        vault: cross_margin.Valuation = cross_margin._value_vault(
            market, book.state, book.quoted.price, cut.slot, cut.position
        )
        if book.quoted.confidence != 0:
            vault.band = margin_math.band_of(
                unsafe_mul(cut.position.size, book.quoted.price), book.quoted.confidence
            )
        if not liquidation_math.may_liquidate(
            vault.worth, vault.maintenance, vault.band, book.quoted.caution
        ):
            continue
        batch.count += 1
        if cut.position.auto_margin and vault.worth > 0:
            is_healed: bool = top_up._top_up(
                id, cut.position, vault, book.terms.keeper_floor, liquidator
            )
            if is_healed:
                batch.rewards += book.terms.keeper_floor
                continue
        cut.size = cut.position.size
        cut.left.generation = position_math.next_generation(cut.position)
        equity: int256 = fixed_point.quote_down(vault.worth)
        if liquidation_math.keeps_part(vault.worth, vault.maintenance) and (
            liquidation_math.is_large(cut.size, book.quoted.price, book.terms)
        ):
            cut, equity = self._part_of(cut, book, vault.worth)
        cut.realised = equity - convert(cut.position.margin, int256)
        batch.house, cut.penalty, cut.reward = liquidation._charge(
            batch.house, equity, unsafe_mul(cut.size, book.quoted.price), book.terms
        )
        batch.rewards += cut.reward
        batch.house.pool_cash -= cut.realised
        owner: words.Account = ledger._account(cut.account)
        account_word: uint256 = 0
        if cut.left.size != 0:
            cut.left.margin = convert(equity, uint256) - cut.penalty
            account_word = words.pack_account(owner)
        else:
            owner.vaults -= 1
            if equity >= 0:
                owner.cash += equity - convert(cut.penalty, int256)
            else:
                cut.deficit = convert(-equity, uint256)
                batch.house = house_math.cover_deficit(batch.house, cut.deficit)
            account_word = ledger._store_account(cut.account, owner)
        book.sides[cut.slot & 1] = fills._replace(book.sides[cut.slot & 1], cut.position, cut.left)
        book.is_changed = True
        liquidation._record(cut, market, book.quoted.price, liquidator, account_word)
    closing._shut_book(book)
    return liquidation._shut_batch(batch)


@internal
@view
def _part_of(
    vault: liquidation.Cut, book: closing.Book, worth: int256
) -> (liquidation.Cut, int256):
    """
    @notice Takes off just enough of a large vault. No margin is released: all of it stays and takes what
            the part has realised.
    @param worth Its equity, femto.
    @return The cut, and the equity, in quote units, that the penalty may draw on.
    """
    cut: liquidation.Cut = vault
    is_long: bool = cut.slot & 1 == 0
    price: uint256 = book.quoted.price
    cut.size = liquidation_math.closing_size(
        worth,
        cut.position.size,
        price,
        markets._tiers(book.market, book.state, unsafe_mul(cut.position.size, price)),
        book.terms,
        closing._least_size(markets._trade_terms(book.market), price),
    )
    if cut.size == cut.position.size:
        return cut, fixed_point.quote_down(worth)
    released: words.Position = empty(words.Position)
    cut.left, released = position_math.decrease(cut.position, is_long, cut.size)
    realised: int256 = fixed_point.quote_down(
        position_math.value_of(released, is_long, price, book.state.funding_index)
    )
    # Equity is positive, so what a part has lost is below the margin, but for the rounding.
    return cut, max(convert(cut.position.margin, int256) + realised, 0)
