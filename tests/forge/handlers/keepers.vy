# pragma version 0.4.3
"""
@title Keepers
@license MIT
@notice Prices, time, liquidations and deleveraging. 7: what is due by the views is liquidated, and what
        is not, is not: a price's confidence counts for the account, and a disputed price is good for the
        bankrupt alone.
"""

from contracts.interfaces import ILens
from contracts.lib import price_validity
from contracts.lib import words
from . import books
from . import stage

uses: books
uses: stage

ROUNDING: constant(int256) = 3  # quote units that the views' roundings may make together


struct Verdict:
    may_be: bool  # whether it may be liquidated now
    must_be: bool  # whether nothing may keep it from that


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
        verdict: Verdict = self._judge_vault(place)
        is_liquidated: bool = books._liquidate_vaults([id]) == 1
        assert verdict.may_be or not is_liquidated, "liquidation: of a healthy vault"
        assert is_liquidated or not verdict.must_be, "liquidation: a vault left that is due"
        if is_liquidated:
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
        self._squeeze(place, convert(max(books._account(place.account).cash, 0), uint256))
        vaults: uint256 = self._vaults(place.account)
        verdict: Verdict = self._judge_ledger(place.account)
        is_liquidated: bool = books._liquidate_ledgers([place.account]) == 1
        assert verdict.may_be or not is_liquidated, "liquidation: of a healthy ledger"
        assert is_liquidated or not verdict.must_be, "liquidation: a ledger left that is due"
        if is_liquidated:
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
    house: words.House = books._house()
    vaults: uint256 = books._liquidate_vaults(ids)
    ledgers: uint256 = books._liquidate_ledgers(accounts)
    if vaults + ledgers != 0:
        stage._count("swept")
        after: words.House = books._house()
        if after.insurance < house.insurance:
            stage._count("insurance paid")
            if after.insurance == 0:
                stage._count("insurance used up")
        if after.pool_cash < 0:
            stage._count("pool in debt")
    books._close(books.EVERYBODY)


@external
def auto_deleverage(seed: bytes32):
    """
    @notice Often after the winning side has won more: the owner cuts shares of the pool to little.
    """
    stage._begin(seed)
    market: uint256 = stage._draw(stage.MARKETS)
    if stage._chance(60):
        is_long: bool = books._skew(market) > 0
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
def _judge_vault(place: books.Place) -> Verdict:
    seen: ILens.Position = books._seen(place)
    price: words.Price = stage._quoted(place.market)
    return self._judge(
        seen.equity,
        seen.maintenance_margin,
        place.position.size * price.price * price.confidence,
        price.caution,
        seen.is_fresh,
        not price_validity.is_settling(price, stage.now),
    )


@internal
def _judge_ledger(account: address) -> Verdict:
    seen: ILens.Account = (staticcall stage.lens.accounts([account]))[0]
    legs: uint256 = books._account(account).legs
    band: uint256 = 0
    caution: uint256 = words.NO_CAUTION
    is_tradable: bool = True
    for market: uint256 in range(stage.MARKETS):
        if (legs >> (2 * market)) & 3 != 0:
            price: words.Price = stage._quoted(market)
            sizes: uint256[2] = [
                books._position(account, market, words.CROSS_LONG).size,
                books._position(account, market, words.CROSS_SHORT).size,
            ]
            net: uint256 = max(sizes[0], sizes[1]) - min(sizes[0], sizes[1])
            band += net * price.price * price.confidence
            caution = max(caution, price.caution)
            if price_validity.is_settling(price, stage.now):
                is_tradable = False
    return self._judge(
        seen.equity, seen.maintenance_margin, band, caution, seen.is_current, is_tradable
    )


@internal
def _judge(
    equity: int256,
    maintenance: uint256,
    band: uint256,
    caution: uint256,
    is_current: bool,
    is_tradable: bool,
) -> Verdict:
    """
    @param equity Quote, as maintenance margin.
    @param band Femto * ppm.
    """
    judged: int256 = equity + convert(band // (stage.PPM * 10**9), int256)
    bar: int256 = convert(maintenance, int256)
    if caution == words.ONLY_BANKRUPT:
        bar = min(bar, 0)
    is_close: bool = equity <= convert(maintenance, int256)
    if is_current and is_close and judged > bar + ROUNDING:
        stage._count("spared in doubt")
    return Verdict(
        may_be=is_current and judged <= bar + ROUNDING,
        must_be=is_current and is_tradable and judged + ROUNDING < bar,
    )


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
