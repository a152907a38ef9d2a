# pragma version 0.4.3
"""
@title Liquidation of cross margin
@license MIT
@notice An account at a time: the two legs of a market are set off against each other; if that does not
        heal it, just enough is taken off, market by market, or all that can be is closed. Legs without
        a fresh price stay, and never shield the others.
@dev Each leg is realised down, and what that leaves of a quote unit is carried to the next: together
     they lose less than one unit, so that penalties which draw on the account's equity, rounded down,
     never cause a debt. Unchecked: a leg's lots are below 2**56, prices below 2**64.
"""

from ..interfaces import ILiquidation
from ..lib import fixed_point
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

uses: closing
uses: cross_margin
uses: ledger
uses: liquidation
uses: markets

MAX_ACCOUNTS: constant(uint256) = 32  # in one batch
LONGS: constant(uint256) = words.M128 // 3  # the bits of all long legs


struct Debtor:
    account: address
    state: words.Account
    equity: int256  # femto: cash, escrow, legs, and what is carried
    maintenance: uint256  # femto
    carried: int256  # femto, what the rounding of closed legs has left of a quote unit
    is_due: bool
    is_changed: bool


@internal
def _liquidate_cross(accounts: DynArray[address, MAX_ACCOUNTS], liquidator: address) -> uint256:
    batch: liquidation.Batch = liquidation._open_batch(liquidator)
    for account: address in accounts:
        debtor: Debtor = empty(Debtor)
        debtor.account = account
        debtor.state = ledger._account(account)
        if debtor.state.legs == 0:
            continue
        debtor = self._judge(debtor)
        if not debtor.is_due:
            continue
        pairs: uint256 = debtor.state.legs & (debtor.state.legs >> 1) & LONGS
        if pairs != 0:
            batch, debtor = self._net_pairs(batch, debtor, pairs)
            debtor = self._judge(debtor)
        if debtor.is_due:
            batch, debtor = self._close_legs(batch, debtor)
        if debtor.is_changed:
            batch.count += 1
            batch.house = closing._store_owner(account, debtor.state, batch.house)
    return liquidation._shut_batch(batch)


@internal
@view
def _judge(debtor: Debtor) -> Debtor:
    """
    @notice Values an account and says whether it may be liquidated.
    """
    judged: Debtor = debtor
    legs: cross_margin.Valuation = cross_margin._value_legs(debtor.account, debtor.state.legs)
    judged.equity = (
        (debtor.state.cash + convert(debtor.state.escrow, int256)) * fixed_point.FEMTO_INT
        + legs.worth
        + debtor.carried
    )
    judged.maintenance = legs.maintenance
    judged.is_due = legs.is_current and liquidation_math.may_liquidate(
        judged.equity, legs.maintenance, legs.band, legs.caution
    )
    return judged


@internal
def _net_pairs(
    batch: liquidation.Batch, debtor: Debtor, pairs: uint256
) -> (liquidation.Batch, Debtor):
    """
    @notice Sets the two legs of each market off against each other, at the mark price, without
            impact, fee or penalty.
    @param pairs The bits of the long legs.
    """
    after: liquidation.Batch = batch
    netted: Debtor = debtor
    left: uint256 = pairs
    for _: uint256 in range(fills.MAX_LEGS // 2):
        if left == 0:
            break
        index: uint256 = words.lowest_bit_index(left)
        left ^= 1 << index
        book: closing.Book = closing._tradable_book(index >> 1)
        if not book.is_open:
            continue
        size: uint256 = max_value(uint256)
        legs: words.Position[2] = empty(words.Position[2])
        for slot: uint256 in range(2):
            legs[slot] = ledger._position(words.position_id(debtor.account, book.market, slot))
            size = min(size, legs[slot].size)
        worth: int256 = netted.carried
        position_words: uint256[2] = empty(uint256[2])
        for slot: uint256 in range(2):
            value: int256 = 0
            rest: words.Position = empty(words.Position)
            value, rest = self._take_off(
                legs[slot], slot, size, book.quoted.price, book.state.funding_index
            )
            if rest.size == 0:
                netted.state.legs ^= words.leg_bit(book.market, slot)
            worth += value
            book.sides[slot] = fills._replace(book.sides[slot], legs[slot], rest)
            position_words[slot] = ledger._store_position(
                words.position_id(debtor.account, book.market, slot), rest
            )
        realised: int256 = fixed_point.quote_down(worth)
        netted.carried = worth - realised * fixed_point.FEMTO_INT
        netted.state.cash += realised
        netted.is_changed = True
        after.house.pool_cash -= realised
        log ILiquidation.PairNetted(
            account=debtor.account,
            market=book.market,
            size=size,
            price=book.quoted.price,
            realised=realised,
            long_position_word=position_words[0],
            short_position_word=position_words[1],
            account_word=words.pack_account(netted.state),
        )
        book.is_changed = True
        closing._shut_book(book)
    return after, netted


@internal
def _close_legs(batch: liquidation.Batch, debtor: Debtor) -> (liquidation.Batch, Debtor):
    """
    @notice Goes through the legs in the order of their markets. With two thirds of maintenance margin
            it takes off just enough; else it closes every one whose price is fresh. Their penalties
            draw on one equity.
    @param debtor Without pairs in markets with a fresh price.
    """
    after: liquidation.Batch = batch
    closed: Debtor = debtor
    keeps_part: bool = liquidation_math.keeps_part(debtor.equity, debtor.maintenance)
    legs: uint256 = debtor.state.legs
    for _: uint256 in range(fills.MAX_LEGS):
        if legs == 0:
            break
        index: uint256 = words.lowest_bit_index(legs)
        legs ^= 1 << index
        book: closing.Book = closing._tradable_book(index >> 1)
        if not book.is_open:
            continue
        cut: liquidation.Cut = empty(liquidation.Cut)
        cut.account = debtor.account
        cut.slot = index & 1
        cut.position = ledger._position(words.position_id(debtor.account, book.market, cut.slot))
        cut.size = cut.position.size
        if keeps_part:
            cut.size, closed.maintenance = self._part_of(book, cut.position, closed)
        worth: int256 = closed.carried
        if cut.size == cut.position.size:
            cut.left.generation = position_math.next_generation(cut.position)
            worth += position_math.value_of(
                cut.position, cut.slot == 0, book.quoted.price, book.state.funding_index
            )
        else:
            part: int256 = 0
            part, cut.left = self._take_off(
                cut.position, cut.slot, cut.size, book.quoted.price, book.state.funding_index
            )
            worth += part
        cut.realised = fixed_point.quote_down(worth)
        closed.carried = worth - cut.realised * fixed_point.FEMTO_INT
        after.house, cut.penalty, cut.reward = liquidation._charge(
            after.house,
            fixed_point.quote_down(closed.equity),
            unsafe_mul(cut.size, book.quoted.price),
            book.terms,
        )
        after.rewards += cut.reward
        after.house.pool_cash -= cut.realised
        if cut.left.size == 0:
            closed.state.legs ^= 1 << index
        closed.state.cash += cut.realised - convert(cut.penalty, int256)
        closed.equity -= convert(cut.penalty, int256) * fixed_point.FEMTO_INT
        closed.is_changed = True
        book.sides[cut.slot] = fills._replace(book.sides[cut.slot], cut.position, cut.left)
        book.is_changed = True
        liquidation._record(
            cut, book.market, book.quoted.price, after.liquidator, words.pack_account(closed.state)
        )
        closing._shut_book(book)
        if keeps_part and closed.equity - closed.carried >= convert(
            liquidation_math.buffered(closed.maintenance, book.terms.buffer), int256
        ):
            break
    return after, closed


@internal
@view
def _part_of(book: closing.Book, leg: words.Position, debtor: Debtor) -> (uint256, uint256):
    """
    @notice How many lots of a leg to close so that the account has the buffer again.
    @return The lots, and the account's maintenance margin without them.
    """
    notional: uint256 = unsafe_mul(leg.size, book.quoted.price)
    tiers: margin_math.Tiers = markets._tiers(book.market, book.state, notional)
    others: uint256 = debtor.maintenance - margin_math.maintenance_margin(notional, tiers)
    if not liquidation_math.is_large(leg.size, book.quoted.price, book.terms):
        return leg.size, others
    size: uint256 = liquidation_math.closing_size(
        debtor.equity - convert(liquidation_math.buffered(others, book.terms.buffer), int256),
        leg.size,
        book.quoted.price,
        tiers,
        book.terms,
        closing._least_size(markets._trade_terms(book.market), book.quoted.price),
    )
    return size, others + margin_math.maintenance_margin(
        unsafe_mul(leg.size - size, book.quoted.price), tiers
    )


@internal
@pure
def _take_off(
    leg: words.Position, slot: uint256, size: uint256, price: uint256, funding_index: int256
) -> (int256, words.Position):
    """
    @notice Splits lots off a leg.
    @return Their value in femto, and what is left, which keeps its leverage.
    """
    left: words.Position = empty(words.Position)
    released: words.Position = empty(words.Position)
    left, released = position_math.decrease(leg, slot == 0, size)
    if left.size != 0:
        left.margin = leg.margin
    return position_math.value_of(released, slot == 0, price, funding_index), left
