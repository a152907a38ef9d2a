# pragma version 0.4.3
"""
@title Lens
@license MIT
@notice Every view a person or a page wants. Stateless: it reads the core's words and computes with
        the core's libraries.
"""

from ethereum.ercs import IERC20

from .interfaces import ILens
from .lib import fixed_point
from .lib import words
from .modules import fills
from .modules import lens_accounts
from .modules import lens_markets
from .modules import lens_reading
from .modules import pool_valuation

implements: ILens

initializes: lens_reading
initializes: lens_accounts[lens_reading := lens_reading]
initializes: lens_markets[lens_reading := lens_reading]
initializes: pool_valuation

MAX_POSITIONS: constant(uint256) = 287  # 32 cross legs and 255 vaults
BATCH: constant(uint256) = 64

LIQUIDITY_POOL: immutable(IERC20)


@deploy
def __init__(
    clearinghouse: address, price_oracle: address, order_book: address, liquidity_pool: address
):
    lens_reading.__init__(clearinghouse, price_oracle)
    lens_markets.__init__(order_book)
    pool_valuation.__init__(clearinghouse, price_oracle)
    LIQUIDITY_POOL = IERC20(liquidity_pool)


@external
@view
def account(account: address) -> (ILens.Account, DynArray[ILens.Position, MAX_POSITIONS]):
    ledger: lens_accounts.Ledger = lens_accounts._ledger(account, lens_reading._account(account))
    positions: DynArray[ILens.Position, MAX_POSITIONS] = []
    left: uint256 = ledger.state.legs
    for _: uint256 in range(fills.MAX_LEGS):
        if left == 0:
            break
        market: uint256 = words.lowest_bit_index(left) >> 1
        pair: lens_accounts.Pair = lens_accounts._pair(account, lens_reading._mark(market))
        for slot: uint256 in range(2):
            if left & words.leg_bit(market, slot) != 0:
                positions.append(lens_accounts._leg_view(ledger, pair, slot))
        left &= ~(3 << (market << 1))
    # Nothing on chain lists an account's vaults, but it counts them: the search ends with the last.
    found: uint256 = 0
    for market: uint256 in range(
        staticcall lens_reading.CLEARINGHOUSE.market_count(), bound=words.MAX_MARKETS
    ):
        if found == ledger.state.vaults:
            break
        for slot: uint256 in range(words.ISOLATED_LONG, words.ISOLATED_SHORT + 1):
            vault: words.Position = lens_reading._position(account, market, slot)
            if vault.size != 0:
                positions.append(self._vault(account, lens_reading._mark(market), slot, vault))
                found += 1
    return lens_accounts._account_view(ledger), positions


@external
@view
def accounts(accounts: DynArray[address, BATCH]) -> DynArray[ILens.Account, BATCH]:
    seen: DynArray[ILens.Account, BATCH] = []
    for account: address in accounts:
        seen.append(
            lens_accounts._account_view(
                lens_accounts._ledger(account, lens_reading._account(account))
            )
        )
    return seen


@external
@view
def position(account: address, market: uint256, slot: uint256) -> ILens.Position:
    lens_reading._require_listed(market)
    position: ILens.Position = empty(ILens.Position)
    seen: ILens.Account = empty(ILens.Account)
    position, seen = self._position_with(
        account, market, slot, lens_reading._words(account, market)
    )
    return position


@external
@view
def position_with(
    account: address, market: uint256, slot: uint256, instead: ILens.Words
) -> (ILens.Position, ILens.Account):
    lens_reading._require_listed(market)
    return self._position_with(account, market, slot, instead)


@external
@view
def market(market: uint256) -> ILens.Market:
    lens_reading._require_listed(market)
    return lens_markets._market(market)


@external
@view
def markets(first: uint256) -> (uint256, DynArray[ILens.Listing, BATCH]):
    count: uint256 = staticcall lens_reading.CLEARINGHOUSE.market_count()
    page: DynArray[ILens.Listing, BATCH] = []
    for i: uint256 in range(BATCH):
        if first >= count or i >= count - first:
            break
        page.append(lens_markets._listing(first + i))
    return count, page


@external
@view
def house() -> ILens.House:
    house: words.House = words.unpack_house(staticcall lens_reading.CLEARINGHOUSE.house_word())
    pool: pool_valuation.Valuation = pool_valuation._value_pool()
    return ILens.House(
        pool_cash=house.pool_cash,
        insurance=house.insurance,
        fees=house.fees,
        pool_equity=fixed_point.quote_down(pool.equity),
        pool_band=fixed_point.quote_up(pool.band),
        pool_premium=fixed_point.quote_up(pool.premium),
        reserved=pool.reserved,
        pool_shares=staticcall LIQUIDITY_POOL.totalSupply(),
        is_live=pool.is_live,
    )


@internal
@view
def _vault(
    account: address, mark: lens_reading.Mark, slot: uint256, position: words.Position
) -> ILens.Position:
    return lens_accounts._vault_view(
        mark, slot, position, lens_reading._settings(account, mark.market)
    )


@internal
@view
def _position_with(
    account: address, market: uint256, slot: uint256, found: ILens.Words
) -> (ILens.Position, ILens.Account):
    self._require_slot(market, slot)
    mark: lens_reading.Mark = lens_reading._mark_from(market, found.market)
    state: words.Account = words.unpack_account(found.account)
    elsewhere: words.Account = state
    pair: lens_accounts.Pair = empty(lens_accounts.Pair)
    if market < words.CROSS_MARKETS:
        elsewhere.legs &= ~(3 << (market << 1))
        pair = lens_accounts._value_pair(
            mark,
            words.unpack_position(found.positions[words.CROSS_LONG]),
            words.unpack_position(found.positions[words.CROSS_SHORT]),
        )
    ledger: lens_accounts.Ledger = lens_accounts._ledger(account, elsewhere)
    if elsewhere.legs != state.legs:
        ledger.state = state
        ledger = lens_accounts._with_pair(ledger, pair)
    seen: ILens.Account = lens_accounts._account_view(ledger)
    if slot < words.ISOLATED_LONG:
        return lens_accounts._leg_view(ledger, pair, slot), seen
    return self._vault(account, mark, slot, words.unpack_position(found.positions[slot])), seen


@internal
@pure
def _require_slot(market: uint256, slot: uint256):
    assert slot <= words.ISOLATED_SHORT, "slot: unknown"
    assert slot >= words.ISOLATED_LONG or market < words.CROSS_MARKETS, "market: isolated only"
