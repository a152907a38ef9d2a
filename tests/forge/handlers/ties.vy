# pragma version 0.4.3
"""
@title Ties
@license MIT
@notice Orders that hang together: brackets, groups of which one cancels the others, and orders that
        take another's place. Who fills when is checked where it is recorded: `desk`.
"""

from contracts.interfaces import IOrderBook
from contracts.lib import words
from . import books
from . import desk
from . import drafts
from . import stage
from . import typed_data

uses: books
uses: desk
uses: drafts
uses: stage
uses: typed_data

PLACE_BRACKET: constant(Bytes[4]) = method_id(
    "place_bracket((address,address,uint256,uint256,uint256,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,address,uint256,uint256),(address,address,uint256,uint256,uint256,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,address,uint256,uint256)[])"
)
REPLACE: constant(Bytes[4]) = method_id(
    "replace((address,address,uint256,uint256,uint256,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,address,uint256,uint256),(address,address,uint256,uint256,uint256,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,address,uint256,uint256))"
)


struct Bracket:
    entry: IOrderBook.Order
    children: DynArray[IOrderBook.Order, 2]


@external
def place_bracket(seed: bytes32):
    """
    @notice An entry with a stop and a take-profit. Seldom one of them closes something else.
    """
    stage._begin(seed)
    trader: uint256 = stage._draw(stage.TRADERS)
    bracket: Bracket = self._draft(trader)
    if stage._chance(15):
        bracket.children[0] = self._spoilt(bracket.children[0])
    if stage._attempt(
        "place_bracket",
        bracket.entry.placer,
        stage.book,
        abi_encode(bracket.entry, bracket.children, method_id=PLACE_BRACKET),
    )[0]:
        self._live(bracket)
    books._close(trader)


@external
def place_group(seed: bytes32):
    """
    @notice Two orders of one group, both at the mark; one fills, and the other never does.
    """
    stage._begin(seed)
    trader: uint256 = stage._draw(stage.TRADERS)
    group: bytes32 = drafts._new_group()
    orders: DynArray[IOrderBook.Order, 2] = []
    for _: uint256 in range(2):
        order: IOrderBook.Order = drafts._draft(trader, drafts.STOP + stage._draw(2))
        order.placer = order.account
        order.group = group
        if desk._place(order):
            desk._keep(order)
            orders.append(order)
    stage._advance(stage.DELAY)
    stage._refresh()
    for order: IOrderBook.Order in orders:
        if desk._is_pending(order) and desk._fill(order):
            stage._count("group filled")
    books._close(trader)


@external
def replace(seed: bytes32):
    """
    @notice A resting order gives its place to another; what is of another kind may not take it.
    """
    stage._begin(seed)
    old: IOrderBook.Order = desk._any()
    if old.account != empty(address):
        order: IOrderBook.Order = old
        order.placer = old.account
        order.salt = drafts._salt()
        order.expiry = stage.now + 600 + stage._draw(7_200)
        near: uint256 = (
            stage._lot_price(order.market) * (980_000 + stage._draw(40_001)) // stage.PPM
        )
        if order.kind == drafts.MARKET or order.kind == drafts.LIMIT:
            order.kind = drafts.LIMIT
            order.acceptable_price = near
        else:
            order.trigger_price = near
        if stage._chance(20):
            order = self._spoilt(order)
        is_child: bool = desk._is_child(typed_data._hash(old))
        if stage._attempt(
            "replace", order.placer, stage.book, abi_encode(old, order, method_id=REPLACE)
        )[0]:
            desk._record_end(old)
            desk._record_placed(order)
            assert desk._is_child(typed_data._hash(order)) == is_child, "replace: another's child"
            assert order.is_buy == old.is_buy and order.reduce_only == old.reduce_only, (
                "replace: of another kind"
            )
            stage._advance(stage.DELAY)
            stage._refresh()
            assert not desk._execute("execute replaced", old), "order: filled after its end"
            desk._keep(order)
    books._close(stage._number(old.account))


@internal
def _draft(trader: uint256) -> Bracket:
    """
    @notice A bracket as the book takes it, if its entry may open.
    """
    kinds: uint256[4] = [drafts.MARKET, drafts.MARKET, drafts.LIMIT, drafts.STOP]
    entry: IOrderBook.Order = drafts._draft(trader, kinds[stage._draw(4)])
    if entry.reduce_only:
        entry.reduce_only = False
        entry.leverage = 10 * stage.PPM
    children: DynArray[IOrderBook.Order, 2] = []
    price: uint256 = stage._lot_price(entry.market)
    for kind: uint256 in range(drafts.STOP, drafts.STOP + 2):
        child: IOrderBook.Order = empty(IOrderBook.Order)
        child.account = entry.account
        child.placer = entry.placer
        child.market = entry.market
        child.kind = kind
        child.margin_mode = entry.margin_mode
        child.position_side = entry.position_side
        child.is_buy = not entry.is_buy
        child.reduce_only = True
        child.expiry = stage.now + 600 + stage._draw(7_200)
        child.salt = drafts._salt()
        # Above the mark a sale's take-profit and a purchase's stop.
        move: uint256 = stage._draw(20_000)
        is_above: bool = (kind == drafts.TAKE_PROFIT) != child.is_buy
        if stage._chance(10):
            is_above = not is_above  # it would fill at once
        child.trigger_price = (
            price * (stage.PPM + move if is_above else stage.PPM - move) // stage.PPM
        )
        if stage._chance(20):
            child.kind = drafts.TRAILING_STOP
            child.trigger_price = 0
            child.callback_rate = 1_000 + stage._draw(20_000)
        children.append(child)
    return Bracket(entry=entry, children=children)


@internal
def _spoilt(order: IOrderBook.Order) -> IOrderBook.Order:
    """
    @notice An order that is not what it should be.
    """
    spoilt: IOrderBook.Order = order
    how: uint256 = stage._draw(4)
    if how == 0:
        spoilt.is_buy = not order.is_buy
    elif how == 1:
        spoilt.margin_mode = 3 - order.margin_mode
        spoilt.margin = 0
    elif how == 2:
        spoilt.market = 1 - order.market
    else:
        spoilt.reduce_only = not order.reduce_only
        spoilt.size = max(order.size, 1)
        spoilt.margin = 0
    return spoilt


@internal
def _live(placed: Bracket):
    """
    @notice What becomes of a bracket that was placed: a child never fills before its entry, nor at
            the price that its entry did.
    """
    entry: IOrderBook.Order = desk._resolved(placed.entry)
    desk._record_placed(entry)
    children: DynArray[IOrderBook.Order, 2] = []
    for given: IOrderBook.Order in placed.children:
        child: IOrderBook.Order = given
        child.group = typed_data._hash(entry)
        desk._record_placed(child)
        children.append(child)
    stage._advance(stage.DELAY)
    stage._refresh()
    if stage._chance(20):
        for child: IOrderBook.Order in children:
            if desk._execute("execute before entry", child):
                assert desk._status(typed_data._hash(child)) != desk.EXECUTED, (
                    "order: child before its entry"
                )
    if not desk._fill(entry):
        for child: IOrderBook.Order in children:
            desk._keep(child)
        return
    if stage._chance(20):
        for child: IOrderBook.Order in children:
            if desk._is_pending(child):
                assert not desk._fill(child), "order: child at its entry's price"
    if stage._chance(50):
        stage._shift(entry.market, 970_000 + stage._draw(60_001))
    stage._advance(stage.DELAY)
    stage._refresh()
    for child: IOrderBook.Order in children:
        if desk._is_pending(child):
            self._fill_child(entry, child)


@internal
def _fill_child(entry: IOrderBook.Order, child: IOrderBook.Order):
    """
    @notice A child closes exactly what its entry opened; or all, if the rest would be too small.
    """
    slot: uint256 = 2 * (child.margin_mode - 1) + convert(child.is_buy, uint256)
    before: uint256 = books._position(child.account, child.market, slot).size
    if desk._fill(child):
        left: uint256 = books._position(child.account, child.market, slot).size
        word: uint256 = desk._word(typed_data._hash(entry))
        assert left == 0 or before - left == words.unpack_order_state(word).filled, (
            "order: child closed another size"
        )
