# pragma version 0.4.3
"""
@title Keepers
@license MIT
@notice Prices, time, liquidations and deleveraging.
"""

from contracts.interfaces import ILedger
from contracts.lib import words
from . import books
from . import stage

uses: books
uses: stage


@external
def move_price(seed: bytes32):
    stage._begin(seed)
    stage._shift(stage._draw(stage.MARKETS), 980_000 + stage._draw(40_001))
    stage._refresh()
    books._close(books.NOBODY)


@external
def pass_time(seed: bytes32):
    """
    @notice Hours of funding; mostly with prices all along, sometimes in silence.
    """
    stage._begin(seed)
    for _: uint256 in range(3):
        stage._advance(1 + stage._draw(3_500))
        if stage._chance(90):
            stage._refresh()
    books._close(books.NOBODY)


@external
def liquidate_vaults(seed: bytes32):
    """
    @notice A price moves against a vault, and that alone is tried. 2: no other position, ledger or
            account changes, but for the owner's cash: upwards, if there is no allowance.
    """
    stage._begin(seed)
    place: books.Place = books._find(words.ISOLATED_LONG, 2)
    if place.trader != books.NOBODY:
        self._squeeze(place, place.position.margin)
        others: uint256 = self._others(place)
        cash: int256 = books._account(place.account).cash
        position: words.Position = books._position(place.account, place.market, place.slot)
        id: uint256 = words.position_id(place.account, place.market, place.slot)
        if books._liquidate_vaults([id]) == 1:
            left: words.Position = books._position(place.account, place.market, place.slot)
            change: int256 = books._account(place.account).cash - cash
            assert change >= 0 or position.auto_margin, "liquidation: paid from the ledger"
            if left.margin > position.margin:
                stage._count("vault topped up")
            else:
                stage._count("vault cut" if left.size != 0 else "vault liquidated")
            assert books._liquidate_vaults([id]) == 0, "liquidation: vault still due"
        assert self._others(place) == others, "liquidation: another position changed"
    books._close(place.trader)


@external
def liquidate_ledgers(seed: bytes32):
    """
    @notice A price moves against a cross leg, and its account alone is tried. 2: its vaults stay.
    """
    stage._begin(seed)
    place: books.Place = books._find(words.CROSS_LONG, 2)
    if place.trader != books.NOBODY:
        self._squeeze(
            place, convert(max(books._account(place.account).cash, 0), uint256)
        )
        vaults: uint256 = self._vaults(place.account)
        if books._liquidate_ledgers([place.account]) == 1:
            state: words.Account = books._account(place.account)
            stage._count("ledger cut" if state.legs != 0 else "ledger liquidated")
            assert books._liquidate_ledgers([place.account]) == 0, "liquidation: ledger still due"
        assert self._vaults(place.account) == vaults, "liquidation: a vault changed"
    books._close(place.trader)


@external
def liquidate_all(seed: bytes32):
    """
    @notice A price jumps, and keepers try everybody.
    """
    stage._begin(seed)
    if stage._chance(50):
        stage._shift(stage._draw(stage.MARKETS), 860_000 + stage._draw(300_001))
    stage._refresh()
    ids: DynArray[uint256, 64] = []
    accounts: DynArray[address, 32] = []
    for trader: uint256 in range(stage.TRADERS):
        account: address = stage._trader(trader)
        accounts.append(account)
        for market: uint256 in range(stage.MARKETS):
            ids.append(words.position_id(account, market, words.ISOLATED_LONG))
            ids.append(words.position_id(account, market, words.ISOLATED_SHORT))
    house: words.House = self._house()
    vaults: uint256 = books._liquidate_vaults(ids)
    ledgers: uint256 = books._liquidate_ledgers(accounts)
    if vaults + ledgers != 0:
        stage._count("swept")
        if self._house().insurance < house.insurance:
            stage._count("insurance paid")
        if self._house().pool_cash < house.pool_cash:
            stage._count("pool paid")
    books._close(books.EVERYBODY)


@external
def auto_deleverage(seed: bytes32):
    """
    @notice Often after the winning side has won more: the owner cuts shares of the pool to little.
    """
    stage._begin(seed)
    market: uint256 = stage._draw(stage.MARKETS)
    if stage._chance(60):
        state: uint256[4] = staticcall ILedger(stage.clearinghouse).market_state(market)
        is_long: bool = words.unpack_side(state[1]).size > words.unpack_side(state[2]).size
        move: uint256 = stage._draw(100_000)
        stage._shift(market, stage.PPM + move if is_long else stage.PPM - move)
    if stage._chance(90):
        stage._refresh()
    ids: DynArray[uint256, 64] = []
    for trader: uint256 in range(stage.TRADERS):
        for slot: uint256 in range(4):
            ids.append(words.position_id(stage._trader(trader), market, slot))
    success: bool = False
    count: uint256 = 0
    success, count = stage._attempt(
        "auto_deleverage",
        stage.KEEPER,
        stage.clearinghouse,
        abi_encode(market, ids, method_id=method_id("auto_deleverage(uint256,uint256[])")),
    )
    if count != 0:
        stage._count("deleveraged")
    books._close(books.EVERYBODY)


@internal
def _squeeze(place: books.Place, backing: uint256):
    """
    @notice Moves the price against a position, to where about its backing is gone.
    @param backing Quote.
    """
    most: uint256 = min(backing * stage.PPM // place.position.entry_notional, 250_000)
    # Up to two in a hundred before it: there only a part is closed, or margin added.
    move: uint256 = most - min(stage._draw(20_000), most)
    if stage._chance(40):
        move = most // 2 + stage._draw(most + 1)
    is_long: bool = place.slot % 2 == 0
    stage._shift(place.market, stage.PPM - move if is_long else stage.PPM + move)
    stage._refresh()


@internal
@view
def _others(place: books.Place) -> uint256:
    """
    @notice A number that stands for every other position of a position's owner, and for which of
            them are cross legs.
    """
    state: uint256 = books._account(place.account).legs
    for market: uint256 in range(stage.MARKETS):
        for slot: uint256 in range(4):
            if market == place.market and slot == place.slot:
                continue
            state = self._mix(state, place.account, market, slot)
    return state


@internal
@view
def _vaults(account: address) -> uint256:
    state: uint256 = books._account(account).vaults
    for market: uint256 in range(stage.MARKETS):
        for side: uint256 in range(2):
            state = self._mix(state, account, market, words.ISOLATED_LONG + side)
    return state


@internal
@view
def _mix(state: uint256, account: address, market: uint256, slot: uint256) -> uint256:
    return books._mixed(state, words.pack_position(books._position(account, market, slot)))


@internal
@view
def _house() -> words.House:
    return words.unpack_house(staticcall ILedger(stage.clearinghouse).house_word())
