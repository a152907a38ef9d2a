# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Word lens
@license MIT
@notice Many of the core's words in one call. Stateless.
"""

from .interfaces import IOrderBook
from .interfaces import IWordLens
from .lib import words
from .modules import fills
from .modules import lens_reading

implements: IWordLens

initializes: lens_reading

ACCOUNTS: constant(uint256) = 1024
WORDS: constant(uint256) = 6144
MARKETS: constant(uint256) = 64
BATCH: constant(uint256) = 1024
WIDTH: constant(uint256) = 3  # words of a position: id, position, settings
MAX_POSITIONS: constant(uint256) = fills.MAX_LEGS + 255  # as many vaults as an account can count
MAP: constant(uint256) = words.MAX_MARKETS // 256  # words of a bit map of all markets

# Upper bounds. What is left when the last word is read must still bear the answer.
WORD_GAS: constant(uint256) = 4_500  # of reading a word and appending it
MARKET_GAS: constant(uint256) = 300_000  # of a market whose feed burns all that it is given
ANSWER_GAS: constant(uint256) = 1_000_000  # of the longest answer

ORDER_BOOK: immutable(IOrderBook)


@deploy
def __init__(clearinghouse: address, price_oracle: address, order_book: address):
    lens_reading.__init__(clearinghouse, price_oracle)
    ORDER_BOOK = IOrderBook(order_book)


@external
@view
def accounts(
    accounts: DynArray[address, ACCOUNTS]
) -> (IWordLens.Moment, uint256, DynArray[uint256, WORDS], DynArray[IWordLens.Market, MARKETS]):
    moment: IWordLens.Moment = self._moment()
    finished: uint256 = 0
    touched: uint256[MAP] = empty(uint256[MAP])
    ids: DynArray[uint256, MARKETS] = []
    found: DynArray[uint256, WORDS] = []
    for account: address in accounts:
        word: uint256 = staticcall lens_reading.CLEARINGHOUSE.account_word(account)
        state: words.Account = words.unpack_account(word)
        open: uint256 = words.count_bits(state.legs) + state.vaults
        if len(found) + 1 + WIDTH * open > WORDS or msg.gas < ANSWER_GAS + self._gas_of(
            open, state.vaults, moment.market_count
        ):
            break
        found.append(word)
        positions: DynArray[uint256, MAX_POSITIONS] = self._open_positions(
            account, state, moment.market_count
        )
        for id: uint256 in positions:
            market: uint256 = (id >> 8) & words.M24
            bit: uint256 = 1 << (market & 255)
            if touched[market >> 8] & bit == 0:
                touched[market >> 8] |= bit
                if len(ids) < MARKETS:
                    ids.append(market)
            found.append(id)
            found.append(staticcall lens_reading.CLEARINGHOUSE.position_word(id))
            found.append(staticcall lens_reading.CLEARINGHOUSE.settings_word(account, market))
        finished += 1

    seen: DynArray[IWordLens.Market, MARKETS] = []
    for id: uint256 in ids:
        if msg.gas < ANSWER_GAS + MARKET_GAS:
            break
        seen.append(self._market(id, moment.market_count))
    return moment, finished, found, seen


@external
@view
def markets(
    ids: DynArray[uint256, MARKETS]
) -> (IWordLens.Moment, DynArray[IWordLens.Market, MARKETS]):
    moment: IWordLens.Moment = self._moment()
    seen: DynArray[IWordLens.Market, MARKETS] = []
    for id: uint256 in ids:
        seen.append(self._market(id, moment.market_count))
    return moment, seen


@external
@view
def markets_from(first: uint256) -> (IWordLens.Moment, DynArray[IWordLens.Market, MARKETS]):
    moment: IWordLens.Moment = self._moment()
    seen: DynArray[IWordLens.Market, MARKETS] = []
    for i: uint256 in range(MARKETS):
        if first >= moment.market_count or i >= moment.market_count - first:
            break
        seen.append(self._market(first + i, moment.market_count))
    return moment, seen


@external
@view
def position_words(ids: DynArray[uint256, BATCH]) -> DynArray[uint256, BATCH]:
    found: DynArray[uint256, BATCH] = []
    for id: uint256 in ids:
        found.append(staticcall lens_reading.CLEARINGHOUSE.position_word(id))
    return found


@external
@view
def order_words(order_hashes: DynArray[bytes32, BATCH]) -> DynArray[uint256, BATCH]:
    found: DynArray[uint256, BATCH] = []
    for order_hash: bytes32 in order_hashes:
        found.append(staticcall ORDER_BOOK.order_word(order_hash))
    return found


@internal
@view
def _moment() -> IWordLens.Moment:
    return IWordLens.Moment(
        block_number=block.number,
        timestamp=block.timestamp,
        house=staticcall lens_reading.CLEARINGHOUSE.house_word(),
        market_count=staticcall lens_reading.CLEARINGHOUSE.market_count(),
    )


@internal
@pure
def _gas_of(open: uint256, vaults: uint256, market_count: uint256) -> uint256:
    """
    @notice What an account takes at most: vaults have to be searched for.
    """
    read: uint256 = 1 + WIDTH * open
    if vaults != 0:
        read += 2 * market_count
    return read * WORD_GAS


@internal
@view
def _open_positions(
    account: address, state: words.Account, market_count: uint256
) -> DynArray[uint256, MAX_POSITIONS]:
    """
    @notice The ids of an account's open positions: cross legs, then vaults, each by market.
    """
    ids: DynArray[uint256, MAX_POSITIONS] = []
    left: uint256 = state.legs
    for _: uint256 in range(fills.MAX_LEGS):
        if left == 0:
            break
        index: uint256 = words.lowest_bit_index(left)
        ids.append(words.position_id(account, index >> 1, index & 1))
        left &= left - 1
    # Nothing on chain lists an account's vaults, but it counts them: the search ends with the last.
    found: uint256 = 0
    for market: uint256 in range(market_count, bound=words.MAX_MARKETS):
        if found == state.vaults:
            break
        for slot: uint256 in range(words.ISOLATED_LONG, words.ISOLATED_SHORT + 1):
            id: uint256 = words.position_id(account, market, slot)
            word: uint256 = staticcall lens_reading.CLEARINGHOUSE.position_word(id)
            if words.unpack_position(word).size != 0:
                ids.append(id)
                found += 1
    return ids


@internal
@view
def _market(market: uint256, market_count: uint256) -> IWordLens.Market:
    if market >= market_count:
        return IWordLens.Market(
            market=market,
            symbol="",
            lot_size=0,
            state=empty(uint256[10]),
            price=0,
            is_latest=False,
            order_terms=0,
        )
    price: uint256 = staticcall lens_reading.ORACLE.price_word(market)
    return IWordLens.Market(
        market=market,
        symbol=staticcall lens_reading.CLEARINGHOUSE.market_symbol(market),
        lot_size=staticcall lens_reading.ORACLE.lot_size(market),
        state=staticcall lens_reading.CLEARINGHOUSE.market_words(market),
        price=price,
        # Only a feed that the oracle reads itself can be ahead of the oracle.
        is_latest=words.unpack_price(price).kind != words.CHAINLINK
        or staticcall lens_reading.ORACLE.is_latest(market),
        order_terms=staticcall ORDER_BOOK.order_terms_word(market),
    )
