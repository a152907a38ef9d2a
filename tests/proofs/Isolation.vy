# pragma version 0.4.3
"""
@title What the liquidation of a vault leaves alone
@license MIT
@notice A vault is a compartment: liquidating it writes no word of another position, account or market.
@dev Which other word is looked at and what it holds are free. The vault is one of each way in which
     a liquidation can end, long and short: which words are written depends on that, and on no amount.
"""

from contracts.lib import words
from contracts.modules import closing
from contracts.modules import cross_margin
from contracts.modules import isolated_liquidation
from contracts.modules import ledger
from contracts.modules import liquidation
from contracts.modules import markets
from contracts.modules import top_up

initializes: ledger
initializes: markets
initializes: cross_margin[ledger := ledger, markets := markets]
initializes: closing[ledger := ledger, markets := markets]
initializes: liquidation[ledger := ledger]
initializes: top_up[ledger := ledger, cross_margin := cross_margin]
initializes: isolated_liquidation[
    ledger := ledger,
    markets := markets,
    cross_margin := cross_margin,
    closing := closing,
    liquidation := liquidation,
    top_up := top_up,
]

MARKET: constant(uint256) = 7
USD: constant(uint256) = 10**6  # quote
PRICE: constant(uint256) = 10**12  # femto per lot: a lot is a tenth of a cent
SIZE: constant(uint256) = 10**9  # lots, worth 1,000,000 USD, of which 1 % is maintenance margin

HEALED: constant(uint256) = 0  # topped up by its account, and left open
CUT: constant(uint256) = 1  # a part closed
CLOSED: constant(uint256) = 2  # all closed, for a penalty
BANKRUPT: constant(uint256) = 3  # all closed, with a deficit
OWNER: constant(address) = 0x00000000000000000000000000000000000A11cE
LIQUIDATOR: constant(address) = 0x0000000000000000000000000000000000000B0b


@deploy
def __init__():
    markets.__init__(self)


@external
@view
def price_word(market: uint256) -> uint256:
    """
    @notice The oracle's answer. It is this contract's own oracle.
    """
    return words.pack_price(
        words.Price(
            price=PRICE,
            confidence=0,
            published_at=block.timestamp,
            accepted_at=block.timestamp,
            silence=0,
            trade_age=60,
            max_age=60,
            kind=words.PUBLISHED,
            caution=words.NO_CAUTION,
            settles_at=0,
        )
    )


@external
def check_no_other_position_is_written(ending: uint256, is_short: bool, other: uint256, word: uint256):
    slot: uint256 = self._slot(is_short)
    if other == words.position_id(OWNER, MARKET, slot):
        return
    ledger._positions[other] = word
    self._liquidate(self._ending(ending), slot)
    self._prove(ledger._positions[other] == word)


@external
def check_no_other_account_is_written(ending: uint256, is_short: bool, other: address, word: uint256):
    if other == OWNER or other == LIQUIDATOR:
        return
    ledger._accounts[other] = word
    self._liquidate(self._ending(ending), self._slot(is_short))
    self._prove(ledger._accounts[other] == word)


@external
def check_no_other_settings_are_written(ending: uint256, is_short: bool, other: uint256, word: uint256):
    if other == words.position_id(OWNER, MARKET, 0):
        return
    ledger._settings[other] = word
    self._liquidate(self._ending(ending), self._slot(is_short))
    self._prove(ledger._settings[other] == word)


@external
def check_no_other_word_of_markets_is_written(ending: uint256, is_short: bool, place: uint256, word: uint256):
    start: uint256 = MARKET * markets.STRIDE
    if place >= words.MAX_MARKETS * markets.STRIDE:
        return
    if place >= start and place <= start + markets.LIQUIDATION_TERMS:
        return
    markets._words[place] = word
    self._liquidate(self._ending(ending), self._slot(is_short))
    self._prove(markets._words[place] == word)


@external
def check_no_terms_are_written(ending: uint256, is_short: bool):
    way: uint256 = self._ending(ending)
    self._liquidate(way, self._slot(is_short))
    self._prove(markets._word(MARKET, markets.TRADE_TERMS) == self._trade_terms())
    self._prove(markets._word(MARKET, markets.LIQUIDATION_TERMS) == self._liquidation_terms(way))


@internal
@pure
def _prove(claim: bool):
    if not claim:
        raw_revert(abi_encode(convert(1, uint256), method_id=method_id("Panic(uint256)")))


# A choice that halmos makes by taking both ways: what follows is then no symbol any more.


@internal
@pure
def _slot(is_short: bool) -> uint256:
    return words.ISOLATED_SHORT if is_short else words.ISOLATED_LONG


@internal
@pure
def _ending(ending: uint256) -> uint256:
    if ending == HEALED:
        return HEALED
    if ending == CUT:
        return CUT
    return CLOSED if ending == CLOSED else BANKRUPT


@internal
def _liquidate(ending: uint256, slot: uint256):
    """
    @notice Liquidates the vault, and proves that it ends as it should.
    """
    self._set_up(ending, slot)
    id: uint256 = words.position_id(OWNER, MARKET, slot)
    count: uint256 = isolated_liquidation._liquidate_isolated([id], LIQUIDATOR)
    left: words.Position = ledger._position(id)
    self._prove(count == 1)
    if ending == HEALED:
        self._prove(left.size == SIZE)
    elif ending == CUT:
        self._prove(left.size != 0 and left.size < SIZE)
    else:
        self._prove(left.size == 0 and left.generation == 1)


@internal
def _set_up(ending: uint256, slot: uint256):
    """
    @notice A vault that has lost 40,000 USD.
    """
    margin: uint256 = 48_000 * USD
    if ending == BANKRUPT:
        margin = 39_000 * USD
    entry: uint256 = 1_040_000 * USD
    if slot == words.ISOLATED_SHORT:
        entry = 960_000 * USD
    auto_margin: bool = False
    if ending == HEALED:
        auto_margin = True
    ledger._store_position(
        words.position_id(OWNER, MARKET, slot),
        words.Position(
            size=SIZE,
            entry_notional=entry,
            margin=margin,
            generation=0,
            funding_index=0,
            auto_margin=auto_margin,
        ),
    )
    account: words.Account = empty(words.Account)
    account.cash = 100_000 * convert(USD, int256)
    account.vaults = 1
    ledger._store_account(OWNER, account)
    ledger._store_account(LIQUIDATOR, empty(words.Account))
    settings: words.Settings = empty(words.Settings)
    settings.long_allowance = 50_000 * USD
    settings.short_allowance = 50_000 * USD
    ledger._store_settings(OWNER, MARKET, settings)
    house: words.House = empty(words.House)
    house.pool_cash = 10_000_000 * convert(USD, int256)
    ledger._store_house(house)
    state: words.Market = empty(words.Market)
    state.accrued_at = block.timestamp
    state.maintenance_rate = 10_000
    state.initial_rate = 20_000
    markets._store_market(MARKET, state)
    side: words.Side = empty(words.Side)
    side.size = 2 * SIZE
    markets._store_side(MARKET, True, side)
    markets._store_side(MARKET, False, side)
    markets._store_word(MARKET, markets.TRADE_TERMS, self._trade_terms())
    markets._store_word(MARKET, markets.LIQUIDATION_TERMS, self._liquidation_terms(ending))


@internal
@pure
def _trade_terms() -> uint256:
    terms: words.TradeTerms = empty(words.TradeTerms)
    terms.skew_scale = 100 * SIZE
    terms.min_notional = 10
    return words.pack_trade_terms(terms)


@internal
@pure
def _liquidation_terms(ending: uint256) -> uint256:
    terms: words.LiquidationTerms = empty(words.LiquidationTerms)
    terms.penalty = 5_000
    terms.keeper_share = 200_000
    terms.keeper_floor = USD
    terms.keeper_cap = 100 * USD
    terms.buffer = 100_000
    terms.partial_above = 2_000_000 * USD
    if ending == CUT:
        terms.partial_above = 100 * USD
    return words.pack_liquidation_terms(terms)
