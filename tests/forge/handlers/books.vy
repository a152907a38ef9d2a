# pragma version 0.4.3
"""
@title Books
@license MIT
@notice What must hold after every action. Numbers are those of the invariants in `docs/design.md`.

1: the tokens held are the sum of all that anybody is owed. 2: no action changes a trader who has no
part in it. 4: the words of a market's sides are the sums of its positions' words.
And: an account's bits and its count of vaults name its open positions, a closed slot keeps its
generation alone, nobody owes without a leg.
"""

from contracts.interfaces import ILedger
from contracts.interfaces import ILens
from contracts.interfaces import ILiquidityPool
from contracts.lib import position_math
from contracts.lib import words
from . import stage

uses: stage

NOBODY: constant(uint256) = stage.TRADERS  # where an action is no trader's
EVERYBODY: constant(uint256) = stage.TRADERS + 1

_states: uint256[stage.TRADERS]  # what each trader held after the last action


struct Place:
    trader: uint256  # NOBODY where no such position is open
    account: address
    market: uint256
    slot: uint256
    position: words.Position


struct Totals:
    held: int256  # quote
    sizes: uint256[4]  # of each market's longs and shorts
    bases: int256[4]


@internal
def _close(part: uint256):
    """
    @notice Every action ends so.
    @param part The trader who had a part in it; NOBODY; EVERYBODY where it may be anyone's.
    """
    totals: Totals = empty(Totals)
    for i: uint256 in range(stage.TRADERS):
        state: uint256 = 0
        totals, state = self._add_trader(totals, stage._trader(i))
        if state != self._states[i]:
            assert part == i or part == EVERYBODY, "books: another trader changed"
            self._states[i] = state
    self._check(totals)


@internal
@view
def _check_all():
    """
    @notice The same of the whole state, slots included that no account's word names.
    """
    totals: Totals = empty(Totals)
    for i: uint256 in range(stage.TRADERS):
        trader: address = stage._trader(i)
        state: uint256 = 0
        totals, state = self._add_trader(totals, trader)
        word: uint256 = staticcall ILedger(stage.clearinghouse).account_word(trader)
        account: words.Account = words.unpack_account(word)
        for market: uint256 in range(stage.MARKETS):
            for slot: uint256 in range(4):
                position: words.Position = self._position(trader, market, slot)
                if slot < words.ISOLATED_LONG:
                    is_named: bool = account.legs & words.leg_bit(market, slot) != 0
                    assert (position.size != 0) == is_named, "books: leg without its bit"
                if position.size == 0:
                    assert words.pack_position(position) == position.generation, (
                        "books: closed slot not empty"
                    )
    self._check(totals)


@internal
@view
def _check(traders: Totals):
    totals: Totals = traders
    ledger: ILedger = ILedger(stage.clearinghouse)
    for account: address in [stage.OWNER, stage.KEEPER, stage.PROVIDER, stage.BROKER, stage.pool]:
        word: uint256 = staticcall ledger.account_word(account)
        totals.held += words.cash_of(word) + convert(word & words.M40, int256)
    house: words.House = self._house()
    totals.held += house.pool_cash + convert(house.insurance + house.fees, int256)
    assert totals.held == convert(
        staticcall stage.token.balanceOf(stage.clearinghouse), int256
    ), "books: tokens are not conserved"
    for market: uint256 in range(stage.MARKETS):
        sides: words.Side[2] = self._sides(market)
        for short: uint256 in range(2):
            side: words.Side = sides[short]
            assert side.size == totals.sizes[2 * market + short], "books: side is not its sizes"
            assert side.basis == totals.bases[2 * market + short], "books: side is not its bases"


@internal
@view
def _add_trader(before: Totals, trader: address) -> (Totals, uint256):
    """
    @return The totals with all that a trader has, and a number that stands for it.
    """
    totals: Totals = before
    word: uint256 = staticcall ILedger(stage.clearinghouse).account_word(trader)
    account: words.Account = words.unpack_account(word)
    totals.held += account.cash + convert(account.escrow, int256)
    assert account.legs != 0 or account.cash >= 0, "books: debt without a leg"
    state: uint256 = word
    vaults: uint256 = 0
    if account.legs != 0 or account.vaults != 0:
        for market: uint256 in range(stage.MARKETS):
            for slot: uint256 in range(4):
                is_leg: bool = slot < words.ISOLATED_LONG
                if is_leg and account.legs & words.leg_bit(market, slot) == 0:
                    continue
                # A vault that is not counted is missed by the sums.
                if not is_leg and vaults == account.vaults:
                    continue
                position_word: uint256 = staticcall ILedger(stage.clearinghouse).position_word(
                    words.position_id(trader, market, slot)
                )
                state = self._mixed(state, position_word)
                if position_word <= words.M23:  # a closed slot's generation
                    assert not is_leg, "books: bit without its leg"
                    continue
                position: words.Position = words.unpack_position(position_word)
                if not is_leg:
                    vaults += 1
                    totals.held += convert(position.margin, int256)
                side: uint256 = 2 * market + slot % 2
                totals.sizes[side] += position.size
                totals.bases[side] += position_math.basis_of(position)
    assert vaults == account.vaults, "books: wrong count of vaults"
    return totals, state


@internal
@pure
def _mixed(state: uint256, word: uint256) -> uint256:
    """
    @notice A hash that is cheap: nobody is there to forge it.
    """
    return unsafe_add(unsafe_mul(state, 2**255 - 19), word)


@internal
@view
def _account(trader: address) -> words.Account:
    return words.unpack_account(staticcall ILedger(stage.clearinghouse).account_word(trader))


@internal
@view
def _position(trader: address, market: uint256, slot: uint256) -> words.Position:
    return words.unpack_position(
        staticcall ILedger(stage.clearinghouse).position_word(
            words.position_id(trader, market, slot)
        )
    )


@internal
@view
def _skew(market: uint256) -> int256:
    """
    @notice Longs less shorts, lots.
    """
    sides: words.Side[2] = self._sides(market)
    return convert(sides[0].size, int256) - convert(sides[1].size, int256)


@internal
@view
def _sides(market: uint256) -> words.Side[2]:
    """
    @notice Longs and shorts.
    """
    state: uint256[4] = staticcall ILedger(stage.clearinghouse).market_state(market)
    return [words.unpack_side(state[1]), words.unpack_side(state[2])]


@internal
@view
def _pool_equity() -> int256:
    """
    @notice Femto.
    """
    equity: int256 = 0
    band: uint256 = 0
    is_live: bool = False
    equity, band, is_live = staticcall ILiquidityPool(stage.pool).equity()
    return equity


@internal
@view
def _seen(place: Place) -> ILens.Position:
    """
    @notice What the views say of a position.
    """
    return staticcall stage.lens.position(place.account, place.market, place.slot)


@internal
@view
def _house() -> words.House:
    return words.unpack_house(staticcall ILedger(stage.clearinghouse).house_word())


@internal
def _find(first_slot: uint256, slots: uint256) -> Place:
    """
    @notice Any open position in one of these slots.
    """
    start: uint256 = stage._draw(stage.TRADERS * stage.MARKETS * slots)
    for i: uint256 in range(stage.TRADERS * stage.MARKETS * 4):
        if i == stage.TRADERS * stage.MARKETS * slots:
            break
        at: uint256 = (start + i) % (stage.TRADERS * stage.MARKETS * slots)
        trader: uint256 = at // (stage.MARKETS * slots)
        account: address = stage._trader(trader)
        market: uint256 = at // slots % stage.MARKETS
        slot: uint256 = first_slot + at % slots
        position: words.Position = self._position(account, market, slot)
        if position.size != 0:
            return Place(
                trader=trader, account=account, market=market, slot=slot, position=position
            )
    nowhere: Place = empty(Place)
    nowhere.trader = NOBODY
    return nowhere


@internal
def _require_healthy_ledger(account: address):
    """
    @notice 6: what needed initial margin leaves no cross ledger that can be liquidated.
    """
    assert self._liquidate_ledgers([account]) == 0, "books: ledger due by own action"


@internal
def _require_healthy_vault(account: address, market: uint256, slot: uint256):
    """
    @notice 6: what needed initial margin leaves no vault that can be liquidated.
    """
    assert self._liquidate_vaults([words.position_id(account, market, slot)]) == 0, (
        "books: vault due by own action"
    )


@internal
def _liquidate_vaults(ids: DynArray[uint256, 64]) -> uint256:
    """
    @notice A keeper tries some vaults: a batch is never refused.
    @return How many were liquidated or topped up.
    """
    return stage._must(
        "liquidate_isolated",
        stage.KEEPER,
        stage.clearinghouse,
        abi_encode(ids, method_id=method_id("liquidate_isolated(uint256[])")),
    )


@internal
def _liquidate_ledgers(accounts: DynArray[address, 32]) -> uint256:
    """
    @notice A keeper tries some cross ledgers: a batch is never refused.
    @return How many were liquidated.
    """
    return stage._must(
        "liquidate_cross",
        stage.KEEPER,
        stage.clearinghouse,
        abi_encode(accounts, method_id=method_id("liquidate_cross(address[])")),
    )
