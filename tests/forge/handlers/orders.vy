# pragma version 0.4.3
"""
@title Orders
@license MIT
@notice Traders, or their operator, place orders of every kind, in both margin and both position
        modes; a keeper executes them; they are cancelled. 9: no order fills before its commit, or
        twice.
"""

from contracts.interfaces import IOrderBook
from contracts.lib import words
from . import books
from . import stage

uses: books
uses: stage

MARKET: constant(uint256) = 0  # order kinds
LIMIT: constant(uint256) = 1
STOP: constant(uint256) = 2  # a take-profit is 3
TRAILING_STOP: constant(uint256) = 4

PENDING: constant(uint256) = 1  # order statuses
EXECUTED: constant(uint256) = 2

ISOLATED: constant(uint256) = 2  # margin mode
KEPT: constant(uint256) = 6  # orders that are remembered

EXECUTE: constant(Bytes[4]) = method_id(
    "execute((address,address,uint256,uint256,uint256,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,address,uint256,uint256))"
)
PLACE: constant(Bytes[4]) = method_id(
    "place((address,address,uint256,uint256,uint256,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,address,uint256,uint256))"
)
CANCEL: constant(Bytes[4]) = method_id(
    "cancel((address,address,uint256,uint256,uint256,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,address,uint256,uint256))"
)
EXECUTE_ORDERS: constant(Bytes[4]) = method_id(
    "execute_orders((address,address,uint256,uint256,uint256,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,address,uint256,uint256)[])"
)
RATCHET: constant(Bytes[4]) = method_id(
    "ratchet((address,address,uint256,uint256,uint256,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,address,uint256,uint256)[])"
)

_orders: DynArray[IOrderBook.Order, KEPT]  # the last that were left pending
_placed: uint256


@external
def trade(seed: bytes32):
    """
    @notice A market order, its delay, new prices, its execution.
    """
    stage._begin(seed)
    trader: uint256 = stage._draw(stage.TRADERS)
    order: IOrderBook.Order = self._draft(trader, MARKET)
    if self._place(order):
        order.expiry = stage.now + stage.DELAY + stage.WINDOW
        if stage._chance(20):
            assert not self._execute("execute early", order), "order: filled before its commit"
        stage._advance(stage.DELAY)
        if stage._chance(5):
            stage._shift(order.market, 980_000 + stage._draw(40_001))
        stage._refresh()
        self._fill(order)
    books._close(trader)


@external
def place(seed: bytes32):
    """
    @notice A resting order.
    """
    stage._begin(seed)
    trader: uint256 = stage._draw(stage.TRADERS)
    order: IOrderBook.Order = self._draft(trader, 1 + stage._draw(4))
    if self._place(order):
        self._keep(order)
    books._close(trader)


@external
def execute(seed: bytes32):
    stage._begin(seed)
    if stage._chance(80):
        stage._advance(stage.DELAY)
        stage._refresh()
    trader: uint256 = books.NOBODY
    if len(self._orders) != 0:
        order: IOrderBook.Order = self._orders[stage._draw(len(self._orders))]
        trader = self._number(order.account)
        if self._status(order) == PENDING:
            self._fill(order)
    books._close(trader)


@external
def execute_orders(seed: bytes32):
    """
    @notice All that are remembered. A batch is never refused.
    """
    stage._begin(seed)
    stage._advance(stage.DELAY)
    stage._refresh()
    orders: DynArray[IOrderBook.Order, KEPT] = self._orders
    stage._must(
        "execute_orders", stage.KEEPER, stage.book, abi_encode(orders, method_id=EXECUTE_ORDERS)
    )
    self._forget()
    books._close(books.EVERYBODY)


@external
def ratchet(seed: bytes32):
    stage._begin(seed)
    stage._refresh()
    orders: DynArray[IOrderBook.Order, KEPT] = self._orders
    stage._must("ratchet", stage.KEEPER, stage.book, abi_encode(orders, method_id=RATCHET))
    books._close(books.NOBODY)


@external
def cancel(seed: bytes32):
    """
    @notice The owner of a resting order can always cancel it.
    """
    stage._begin(seed)
    trader: uint256 = books.NOBODY
    if len(self._orders) != 0:
        order: IOrderBook.Order = self._orders[stage._draw(len(self._orders))]
        trader = self._number(order.account)
        if self._status(order) == PENDING:
            if order.kind == MARKET and stage.now <= order.expiry:
                assert not stage._attempt(
                    "cancel binding",
                    order.account,
                    stage.book,
                    abi_encode(order, method_id=CANCEL),
                )[0], "order: market order did not bind"
            else:
                stage._must(
                    "cancel", order.account, stage.book, abi_encode(order, method_id=CANCEL)
                )
                assert not self._execute("execute ended", order), "order: filled after its end"
    self._forget()
    books._close(trader)


@external
def cancel_all(seed: bytes32):
    stage._begin(seed)
    trader: uint256 = stage._draw(stage.TRADERS)
    account: address = stage._trader(trader)
    stage._must(
        "cancel_all",
        account,
        stage.book,
        abi_encode(account, method_id=method_id("cancel_all(address)")),
    )
    books._close(trader)


@external
def close(seed: bytes32):
    """
    @notice 8: an owner can close any vault, and any cross leg that is the account's only one; unless
            it is in profit and the pool has no cash to pay that.
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
        order.salt = self._salt()
        stage._must(
            "place to close", place.account, stage.book, abi_encode(order, method_id=PLACE)
        )
        order.expiry = stage.now + stage.DELAY + stage.WINDOW
        stage._advance(stage.DELAY)
        stage._refresh()
        shortages: uint256 = stage._counts["reason pool: short of cash"]
        if self._fill(order):
            stage._count("closed")
        elif place.slot >= words.ISOLATED_LONG or words.count_bits(account.legs) == 1:
            assert stage._counts["reason pool: short of cash"] > shortages, (
                "close: owner could not"
            )
    books._close(place.trader)


@internal
def _draft(trader: uint256, kind: uint256) -> IOrderBook.Order:
    """
    @notice Any order of a kind that the book takes as it is: all that it would resolve is said.
    """
    account: address = stage._trader(trader)
    order: IOrderBook.Order = empty(IOrderBook.Order)
    order.account = account
    order.placer = stage.BROKER if stage._chance(10) else account
    order.market = stage._draw(stage.MARKETS)
    order.kind = kind
    order.margin_mode = 1 + stage._draw(2)
    if books._account(account).flags & words.FLAG_HEDGE != 0:
        order.position_side = 1 + stage._draw(2)
    order.is_buy = stage._chance(50)
    order.reduce_only = stage._chance(25 if kind < STOP else 60)
    price: uint256 = stage._lot_price(order.market)
    usd: uint256[8] = [20, 50, 100, 500, 1_000, 2_000, 5_000, 20_000]
    order.size = usd[stage._draw(8)] * (10 + stage._draw(11)) * stage.USD * 10**8 // price
    near: uint256 = price * (980_000 + stage._draw(40_001)) // stage.PPM
    if kind >= STOP:
        order.trigger_price = near
        if kind == TRAILING_STOP:
            order.callback_rate = 1_000 + stage._draw(20_000)
    elif kind == LIMIT:
        order.acceptable_price = near
    if not order.reduce_only:
        times: uint256[4] = [2, 10, 25, 50]
        order.leverage = times[stage._draw(4)] * stage.PPM
        if order.margin_mode == ISOLATED and stage._chance(15):
            order.margin = stage._amount()
    if kind != MARKET:
        order.expiry = stage.now + 600 + stage._draw(7_200)
        if stage._chance(25):
            order.group = convert(1 + stage._draw(2), bytes32)
    if stage._chance(20):
        order.builder = stage.BROKER
        order.builder_fee = 500
    order.salt = self._salt()
    return order


@internal
def _salt() -> uint256:
    self._placed += 1
    return self._placed


@internal
def _place(order: IOrderBook.Order) -> bool:
    return stage._attempt(
        "place by operator" if order.placer != order.account else "place",
        order.placer,
        stage.book,
        abi_encode(order, method_id=PLACE),
    )[0]


@internal
def _execute(name: String[32], order: IOrderBook.Order) -> bool:
    """
    @return Whether the book took the order on: filled or ended it.
    """
    return stage._attempt(name, stage.KEEPER, stage.book, abi_encode(order, method_id=EXECUTE))[0]


@internal
def _fill(order: IOrderBook.Order) -> bool:
    """
    @notice Executes a pending order, which is remembered if it has to wait. One that filled never
            fills again; who grew a position has initial margin for it.
    @return Whether it filled.
    """
    slot: uint256 = 2 * (order.margin_mode - 1)
    before: uint256[2] = self._sizes(order, slot)
    if not self._execute("execute", order):
        self._keep(order)
        return False
    is_filled: bool = self._status(order) == EXECUTED
    if not is_filled:
        stage._count("ended unfilled")
        return False
    stage._count("filled isolated" if order.margin_mode == ISOLATED else "filled cross")
    if stage._chance(20):
        assert not self._execute("execute again", order), "order: filled twice"
    after: uint256[2] = self._sizes(order, slot)
    for side: uint256 in range(2):
        if after[side] > before[side]:
            if order.margin_mode == ISOLATED:
                books._require_healthy_vault(order.account, order.market, slot + side)
            else:
                books._require_healthy_ledger(order.account)
    return True


@internal
@view
def _sizes(order: IOrderBook.Order, slot: uint256) -> uint256[2]:
    return [
        books._position(order.account, order.market, slot).size,
        books._position(order.account, order.market, slot + 1).size,
    ]


@internal
@view
def _status(order: IOrderBook.Order) -> uint256:
    book: IOrderBook = IOrderBook(stage.book)
    return words.status_of(staticcall book.order_word(staticcall book.hash_of(order)))


@internal
@pure
def _number(trader: address) -> uint256:
    return convert(convert(trader, uint160), uint256) - stage.FIRST_TRADER


@internal
def _keep(order: IOrderBook.Order):
    """
    @notice Remembers an order, instead of another if there are many.
    """
    if len(self._orders) < KEPT:
        self._orders.append(order)
    else:
        self._orders[stage._draw(KEPT)] = order


@internal
def _forget():
    """
    @notice Forgets the orders that are over.
    """
    for i: uint256 in range(KEPT):
        last: uint256 = KEPT - 1 - i
        if last < len(self._orders) and self._status(self._orders[last]) != PENDING:
            self._orders[last] = self._orders[len(self._orders) - 1]
            self._orders.pop()
