# pragma version 0.4.3
"""
@title Desk
@license MIT
@notice Places and fills orders, and keeps account of each. 9: no order fills before
        its commit and delay, twice, or after it was cancelled or replaced; of a group only the first;
        of a bracket a child only after its entry, at a later price. In doubt of a price nothing opens,
        and in a settlement nothing fills.
"""

from contracts.interfaces import IOrderBook
from contracts.interfaces import IOrderLogic
from contracts.lib import price_validity
from contracts.lib import words
from . import books
from . import drafts
from . import stage
from . import typed_data

uses: books
uses: drafts
uses: stage
uses: typed_data

PENDING: constant(uint256) = 1  # order statuses
EXECUTED: constant(uint256) = 2

MAY_OPEN: constant(uint256) = 1  # an operator's rights
MAY_REDUCE: constant(uint256) = 2
IN_ALL: constant(uint256) = 8  # markets
KEPT: constant(uint256) = 8  # orders that are remembered

PLACE: constant(Bytes[4]) = method_id(
    "place((address,address,uint256,uint256,uint256,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,address,uint256,uint256))"
)
EXECUTE: constant(Bytes[4]) = method_id(
    "execute((address,address,uint256,uint256,uint256,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,address,uint256,uint256))"
)

_kept: DynArray[Kept, KEPT]  # the last that were left pending
_placed_at: HashMap[bytes32, uint256]  # seconds, by hash
_filled_at: HashMap[bytes32, uint256]  # when the price that an order filled at was published
_ended: HashMap[bytes32, bool]  # orders that were cancelled or replaced
_swept: HashMap[address, uint256]  # the last salt when an account cancelled all that rested
# Groups of which one has filled, by account and placer; a bracket's children by their entry alone.
_done: HashMap[address, HashMap[address, HashMap[bytes32, bool]]]


struct Kept:
    hash: bytes32
    order: IOrderBook.Order


# Placing


@internal
def _place(order: IOrderBook.Order) -> bool:
    is_taken: bool = stage._attempt(
        "place by operator" if order.placer != order.account else "place",
        order.placer,
        stage.book,
        abi_encode(order, method_id=PLACE),
    )[0]
    if is_taken:
        self._record_placed(self._resolved(order))
    return is_taken


@internal
@view
def _resolved(order: IOrderBook.Order) -> IOrderBook.Order:
    """
    @notice An order as it is hashed in the second of its placement: drafts leave nothing else open.
    """
    resolved: IOrderBook.Order = order
    if order.kind == drafts.MARKET:
        resolved.expiry = stage.now + stage.DELAY + stage.WINDOW
    return resolved


@internal
def _record_placed(order: IOrderBook.Order):
    hash: bytes32 = typed_data._hash(order)
    assert self._placed_at[hash] == 0, "order: placed twice"
    assert self._status(hash) == PENDING, "order: not as it was said"
    self._placed_at[hash] = stage.now
    if order.placer != order.account:
        assert self._may_place(order), "operator: placed without the right"


@internal
@view
def _may_place(order: IOrderBook.Order) -> bool:
    """
    @notice Whether an order's operator has the right to place it, now.
    """
    rights: words.Operator = words.unpack_operator(
        staticcall IOrderLogic(stage.book).operator_word(order.account, order.placer)
    )
    right: uint256 = MAY_REDUCE if order.reduce_only else MAY_OPEN
    is_in: bool = rights.permissions & IN_ALL != 0 or (rights.markets >> order.market) & 1 != 0
    return is_in and rights.permissions & right != 0 and rights.expiry >= stage.now


@internal
def _record_end(order: IOrderBook.Order):
    """
    @notice An order was cancelled or replaced.
    """
    hash: bytes32 = typed_data._hash(order)
    assert self._status(hash) != PENDING, "order: stands after its end"
    self._ended[hash] = True


@internal
def _record_sweep(account: address):
    """
    @notice An account has cancelled all that rests: salts grow with time.
    """
    self._swept[account] = drafts._last_salt()


# Filling


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
    paid: Paid = self._paid(order)
    if not self._execute("execute", order):
        self._keep(order)
        return False
    hash: bytes32 = typed_data._hash(order)
    if self._status(hash) != EXECUTED:
        stage._count("ended unfilled")
        return False
    stage._count("filled isolated" if order.margin_mode == drafts.ISOLATED else "filled cross")
    price: words.Price = stage._quoted(order.market)
    self._record_fill(order, hash, price)
    if stage._chance(20):
        assert not self._execute("execute again", order), "order: filled twice"
    after: uint256[2] = self._sizes(order, slot)
    traded: uint256 = 0
    for side: uint256 in range(2):
        traded += max(after[side], before[side]) - min(after[side], before[side])
        if after[side] > before[side]:
            assert price.caution == words.NO_CAUTION, "order: opened in doubt"
            if order.margin_mode == drafts.ISOLATED:
                books._require_healthy_vault(order.account, order.market, slot + side)
            else:
                books._require_healthy_ledger(order.account)
    if order.builder != empty(address):
        self._check_paid(order, paid, traded * price.price)
    return True


@internal
def _record_fill(order: IOrderBook.Order, hash: bytes32, price: words.Price):
    assert self._filled_at[hash] == 0, "order: filled twice"
    assert not self._ended[hash], "order: filled after its end"
    assert order.kind == drafts.MARKET or order.salt > self._swept[order.account], (
        "order: filled after all were ended"
    )
    assert price.published_at >= self._placed_at[hash] + stage.DELAY, (
        "order: filled before its delay"
    )
    assert not price_validity.is_settling(price, stage.now), "order: filled in a settlement"
    self._filled_at[hash] = price.published_at
    if order.placer != order.account:
        assert self._may_place(order), "operator: filled without the right"
    if order.group != empty(bytes32):
        placer: address = order.placer
        if self._is_child(hash):
            placer = empty(address)
            entry_filled_at: uint256 = self._filled_at[order.group]
            assert entry_filled_at != 0, "order: child before its entry"
            assert price.published_at > entry_filled_at, "order: child at its entry's price"
            stage._count("child filled")
        assert not self._done[order.account][placer][order.group], "order: group filled twice"
        self._done[order.account][placer][order.group] = True


struct Paid:
    builder: int256  # quote, cash
    referrer: int256


@internal
@view
def _paid(order: IOrderBook.Order) -> Paid:
    """
    @notice What builder and referrer have, where an order pays any.
    """
    if order.builder == empty(address):
        return empty(Paid)
    return Paid(
        builder=books._account(stage.BROKER).cash, referrer=books._account(stage.PROVIDER).cash
    )


@internal
def _check_paid(order: IOrderBook.Order, before: Paid, notional: uint256):
    """
    @notice A builder gets at most its rate of what was traded, and its referrer his share of that.
    @param notional Femto.
    """
    after: Paid = self._paid(order)
    referral: int256 = after.referrer - before.referrer
    fee: int256 = after.builder - before.builder + referral
    most: uint256 = (
        notional * order.builder_fee // (stage.PPM * 10**9) + 2
    )  # each part is rounded
    assert fee >= 0 and fee <= convert(most, int256), "builder: paid too much"
    referrer: address = empty(address)
    share: uint256 = 0
    referrer, share = staticcall IOrderLogic(stage.book).referral(order.account, order.builder)
    assert referral == fee * convert(share, int256) // convert(stage.PPM, int256), (
        "referral: wrong share"
    )
    if referral != 0:
        stage._count("referral paid")


@internal
@view
def _sizes(order: IOrderBook.Order, slot: uint256) -> uint256[2]:
    return [
        books._position(order.account, order.market, slot).size,
        books._position(order.account, order.market, slot + 1).size,
    ]


# What is remembered


@internal
@view
def _word(hash: bytes32) -> uint256:
    return staticcall IOrderBook(stage.book).order_word(hash)


@internal
@view
def _status(hash: bytes32) -> uint256:
    return words.status_of(self._word(hash))


@internal
@view
def _is_child(hash: bytes32) -> bool:
    return words.unpack_order_state(self._word(hash)).is_child


@internal
@view
def _is_pending(order: IOrderBook.Order) -> bool:
    return self._status(typed_data._hash(order)) == PENDING


@internal
def _keep(order: IOrderBook.Order):
    """
    @notice Remembers an order, instead of another if there are many.
    """
    for i: uint256 in range(KEPT):
        if i < len(self._kept) and self._kept[i].order.salt == order.salt:
            return
    kept: Kept = Kept(hash=typed_data._hash(order), order=order)
    if len(self._kept) < KEPT:
        self._kept.append(kept)
    else:
        self._kept[stage._draw(KEPT)] = kept


@internal
def _any() -> IOrderBook.Order:
    """
    @notice One of those that are remembered and pending; else one of nobody's.
    """
    for _: uint256 in range(KEPT):
        if len(self._kept) == 0:
            break
        at: uint256 = stage._draw(len(self._kept))
        if self._status(self._kept[at].hash) == PENDING:
            return self._kept[at].order
        self._kept[at] = self._kept[len(self._kept) - 1]
        self._kept.pop()
    return empty(IOrderBook.Order)


@internal
@view
def _all() -> DynArray[IOrderBook.Order, KEPT]:
    """
    @notice All that are remembered, also those that are over.
    """
    orders: DynArray[IOrderBook.Order, KEPT] = []
    for i: uint256 in range(KEPT):
        if i < len(self._kept):
            orders.append(self._kept[i].order)
    return orders


@internal
def _record_batch():
    """
    @notice A batch was tried with all that are remembered, in their order.
    """
    for i: uint256 in range(KEPT):
        if i < len(self._kept):
            hash: bytes32 = self._kept[i].hash
            if self._filled_at[hash] == 0 and self._status(hash) == EXECUTED:
                order: IOrderBook.Order = self._kept[i].order
                self._record_fill(order, hash, stage._quoted(order.market))
                stage._count("filled in a batch")
