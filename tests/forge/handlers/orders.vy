# pragma version 0.4.3
"""
@title Orders
@license MIT
@notice Traders, or their operator, place orders of every kind, in both margin and both position
        modes; a keeper executes them; they are cancelled. 8: an owner can close.
"""

from contracts.interfaces import ILens
from contracts.interfaces import IOrderBook
from contracts.lib import price_validity
from contracts.lib import words
from . import books
from . import desk
from . import drafts
from . import stage

uses: books
uses: desk
uses: drafts
uses: stage

CANCEL: constant(Bytes[4]) = method_id(
    "cancel((address,address,uint256,uint256,uint256,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,address,uint256,uint256))"
)
CANCEL_ORDERS: constant(Bytes[4]) = method_id(
    "cancel_orders((address,address,uint256,uint256,uint256,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,address,uint256,uint256)[])"
)
EXECUTE_ORDERS: constant(Bytes[4]) = method_id(
    "execute_orders((address,address,uint256,uint256,uint256,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,address,uint256,uint256)[])"
)
RATCHET: constant(Bytes[4]) = method_id(
    "ratchet((address,address,uint256,uint256,uint256,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,address,uint256,uint256)[])"
)


@external
def trade(seed: bytes32):
    """
    @notice A market order, its delay, new prices, its execution.
    """
    stage._begin(seed)
    trader: uint256 = stage._draw(stage.TRADERS)
    order: IOrderBook.Order = drafts._draft(trader, drafts.MARKET)
    if desk._place(order):
        order = desk._resolved(order)
        if stage._chance(20):
            assert not desk._execute("execute early", order), "order: filled before its commit"
        stage._advance(stage.DELAY)
        if stage._chance(5):
            stage._shift(order.market, 980_000 + stage._draw(40_001))
        stage._refresh()
        desk._fill(order)
    books._close(trader)


@external
def place(seed: bytes32):
    """
    @notice A resting order.
    """
    stage._begin(seed)
    trader: uint256 = stage._draw(stage.TRADERS)
    order: IOrderBook.Order = drafts._draft(trader, 1 + stage._draw(4))
    if desk._place(order):
        desk._keep(order)
    books._close(trader)


@external
def execute(seed: bytes32):
    stage._begin(seed)
    if stage._chance(80):
        stage._advance(stage.DELAY)
        stage._refresh()
    order: IOrderBook.Order = desk._any()
    if order.account != empty(address):
        desk._fill(order)
    books._close(stage._number(order.account))


@external
def execute_orders(seed: bytes32):
    """
    @notice All that are remembered. A batch is never refused.
    """
    stage._begin(seed)
    stage._advance(stage.DELAY)
    stage._refresh()
    orders: DynArray[IOrderBook.Order, desk.KEPT] = desk._all()
    stage._must(
        "execute_orders", stage.KEEPER, stage.book, abi_encode(orders, method_id=EXECUTE_ORDERS)
    )
    desk._record_batch()
    books._close(books.EVERYBODY)


@external
def ratchet(seed: bytes32):
    stage._begin(seed)
    stage._refresh()
    orders: DynArray[IOrderBook.Order, desk.KEPT] = desk._all()
    taken: uint256 = stage._must(
        "ratchet", stage.KEEPER, stage.book, abi_encode(orders, method_id=RATCHET)
    )
    if taken != 0:
        stage._count("ratcheted")
    books._close(books.NOBODY)


@external
def cancel(seed: bytes32):
    """
    @notice The owner of a resting order can always cancel it.
    """
    stage._begin(seed)
    order: IOrderBook.Order = desk._any()
    if order.account != empty(address):
        if order.kind == drafts.MARKET and stage.now <= order.expiry:
            assert not stage._attempt(
                "cancel binding", order.account, stage.book, abi_encode(order, method_id=CANCEL)
            )[0], "order: market order did not bind"
        else:
            stage._must("cancel", order.account, stage.book, abi_encode(order, method_id=CANCEL))
            desk._record_end(order)
            assert not desk._execute("execute ended", order), "order: filled after its end"
    books._close(stage._number(order.account))


@external
def cancel_for_others(seed: bytes32):
    """
    @notice Anybody may end what can never fill any more; its fee returns to its account.
    """
    stage._begin(seed)
    order: IOrderBook.Order = desk._any()
    if (
        order.account != empty(address)
        and stage._attempt(
            "cancel another's", stage.KEEPER, stage.book, abi_encode(order, method_id=CANCEL)
        )[0]
    ):
        desk._record_end(order)
    books._close(stage._number(order.account))


@external
def cancel_orders(seed: bytes32):
    """
    @notice A trader cancels what it remembers of its own; with living orders of others it is refused.
    """
    stage._begin(seed)
    order: IOrderBook.Order = desk._any()
    if order.account != empty(address):
        orders: DynArray[IOrderBook.Order, desk.KEPT] = []
        known: DynArray[IOrderBook.Order, desk.KEPT] = desk._all()
        for other: IOrderBook.Order in known:
            if other.account == order.account or stage._chance(10):
                if desk._is_pending(other):
                    orders.append(other)
        if stage._attempt(
            "cancel_orders",
            order.account,
            stage.book,
            abi_encode(orders, method_id=CANCEL_ORDERS),
        )[0]:
            for ended: IOrderBook.Order in orders:
                desk._record_end(ended)
    books._close(books.EVERYBODY)


@external
def cancel_all(seed: bytes32):
    stage._begin(seed)
    trader: uint256 = stage._draw(stage.TRADERS)
    account: address = stage._trader(trader)
    if stage._attempt(
        "cancel_all",
        stage.BROKER if stage._chance(30) else account,
        stage.book,
        abi_encode(account, method_id=method_id("cancel_all(address)")),
    )[0]:
        desk._record_sweep(account)
    books._close(trader)


@external
def close(seed: bytes32):
    """
    @notice 8: an owner can close any vault, and any cross leg that is the account's only one; unless
            it is in profit and the pool has no cash to pay that, or the market is being settled.
    """
    stage._begin(seed)
    place: books.Place = books._find(0, 4)
    if place.trader != books.NOBODY:
        account: words.Account = books._account(place.account)
        order: IOrderBook.Order = empty(IOrderBook.Order)
        order.account = place.account
        order.placer = place.account
        order.market = place.market
        order.margin_mode = 1 + place.slot // 2
        if account.flags & words.FLAG_HEDGE != 0:
            order.position_side = 1 + place.slot % 2
        order.is_buy = place.slot % 2 == 1
        order.reduce_only = True
        order.salt = drafts._salt()
        stage._must(
            "place to close", place.account, stage.book, abi_encode(order, method_id=desk.PLACE)
        )
        order = desk._resolved(order)
        desk._record_placed(order)
        stage._advance(stage.DELAY)
        stage._refresh()
        shortages: uint256 = stage._counts["reason pool: short of cash"]
        if desk._fill(order):
            stage._count("closed")
        elif stage._counts["reason pool: short of cash"] > shortages:
            self._require_short(place)
        elif price_validity.is_settling(stage._quoted(place.market), stage.now):
            stage._count("close waits for settlement")
        else:
            assert place.slot < words.ISOLATED_LONG and words.count_bits(account.legs) > 1, (
                "close: owner could not"
            )
    books._close(place.trader)


@internal
@view
def _require_short(place: books.Place):
    """
    @notice Pool and insurance together can not pay a position's profit, and the most that its closing
            could be paid for the skew: 0.1 % is where skews are capped.
    """
    house: words.House = books._house()
    position: ILens.Position = books._seen(place)
    most: int256 = position.value + convert(position.notional // 500, int256)
    assert house.pool_cash + convert(house.insurance, int256) < most, "close: pool has the cash"
