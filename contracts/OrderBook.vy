# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Order book
@license MIT
@notice Commits orders and fills them at a later price. Holds no tokens and no positions: escrow is
        a bucket of the clearinghouse.
"""

from snekmate.utils import eip712_domain_separator

from .interfaces import IOrderBook
from .interfaces import ITrading
from .lib import fixed_point
from .lib import reasons
from .lib import words
from .modules import builders
from .modules import cancellation
from .modules import operators
from .modules import order_groups
from .modules import order_hashing
from .modules import order_rules
from .modules import order_store
from .modules import placement
from .modules import signed_orders

implements: IOrderBook

initializes: eip712_domain_separator
initializes: builders
initializes: operators
initializes: order_store
initializes: order_groups[order_store := order_store]
initializes: signed_orders
initializes: order_hashing[eip712_domain_separator := eip712_domain_separator]
initializes: placement[
    builders := builders,
    operators := operators,
    order_groups := order_groups,
    order_hashing := order_hashing,
    order_store := order_store,
]
initializes: cancellation[
    operators := operators, order_groups := order_groups, order_store := order_store
]

# Without the lock: they only read immutables.
exports: (
    eip712_domain_separator.eip712Domain,
    order_store.CLEARINGHOUSE,
)

BATCH: constant(uint256) = 32
EXECUTE_TRADE: constant(Bytes[4]) = method_id(
    "execute_trade((address,uint256,bool,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,address,uint256,address,uint256,bytes32,address,uint256,bool,uint256))"
)

ORDER_LOGIC: public(immutable(address))


@deploy
def __init__(clearinghouse: address, price_oracle: address, order_logic: address):
    eip712_domain_separator.__init__("Bulkhead", "1")
    order_store.__init__(clearinghouse, price_oracle)
    ORDER_LOGIC = order_logic


@external
def place(order: IOrderBook.Order) -> bytes32:
    return placement._place(order, msg.sender, False, 0)


@external
def execute(order: IOrderBook.Order) -> uint256:
    hash: bytes32 = order_hashing._hash(order)
    word: uint256 = order_store._orders[hash]
    order_store._require_pending(word)
    reason: uint256 = 0
    failure: Bytes[192] = b""
    reason, failure = self._execute(order, hash, word)
    if len(failure) != 0:
        raw_revert(failure)
    if reason == reasons.FILLED:
        return order_rules.EXECUTED
    assert not reasons.must_wait(reason), reasons.text_of(reason)
    return order_rules.CANCELLED


@external
def execute_orders(orders: DynArray[IOrderBook.Order, BATCH]) -> DynArray[uint256, BATCH]:
    statuses: DynArray[uint256, BATCH] = []
    for order: IOrderBook.Order in orders:
        hash: bytes32 = order_hashing._hash(order)
        word: uint256 = order_store._orders[hash]
        if words.status_of(word) == order_rules.PENDING:
            reason: uint256 = 0
            failure: Bytes[192] = b""
            reason, failure = self._execute(order, hash, word)
        statuses.append(words.status_of(order_store._orders[hash]))
    return statuses


@external
def cancel(order: IOrderBook.Order):
    hash: bytes32 = order_hashing._hash(order)
    word: uint256 = order_store._orders[hash]
    order_store._require_pending(word)
    cancellation._cancel(order, hash, word)


@external
def cancel_orders(orders: DynArray[IOrderBook.Order, BATCH]):
    for order: IOrderBook.Order in orders:
        hash: bytes32 = order_hashing._hash(order)
        word: uint256 = order_store._orders[hash]
        if words.status_of(word) == order_rules.PENDING:
            cancellation._cancel(order, hash, word)


# Whatever else is the order logic's: see `IOrderLogic.vyi`.


@external
@reentrant
@raw_return
def __default__() -> Bytes[160]:
    return raw_call(ORDER_LOGIC, msg.data, max_outsize=160, is_delegate_call=True)


# The state, word by word


@external
@view
def hash_of(order: IOrderBook.Order) -> bytes32:
    return order_hashing._hash(order)


@external
@view
def order_word(order_hash: bytes32) -> uint256:
    return order_store._orders[order_hash]


@external
@view
def order_terms_word(market: uint256) -> uint256:
    return order_store._terms[market]


@external
@view
def trade_of(order: IOrderBook.Order, keeper: address) -> (uint256, ITrading.Trade):
    hash: bytes32 = order_hashing._hash(order)
    word: uint256 = order_store._orders[hash]
    order_store._require_pending(word)
    state: words.OrderState = self._joined(order.group, word)
    price_word: uint256 = order_store._price_word(order.market)
    reason: uint256 = self._reason(order, state, price_word)
    return reason, self._trade(order, hash, state, price_word, keeper)


@external
@view
def group_reason(order: IOrderBook.Order, is_child: bool) -> uint256:
    return order_groups._reason(order.account, order.placer, order.group, is_child)


@internal
def _execute(order: IOrderBook.Order, hash: bytes32, word: uint256) -> (uint256, Bytes[192]):
    """
    @notice Fills or ends a pending order, or leaves it as it is.
    @param word The order's, as it is stored: while its trade runs the book is locked.
    @return `reasons.FILLED` or why not; and, if the clearinghouse reverted, what with: then
            nothing has changed. Running out of gas inside is such a revert.
    """
    state: words.OrderState = self._joined(order.group, word)
    price_word: uint256 = order_store._price_word(order.market)
    reason: uint256 = self._reason(order, state, price_word)
    if reason != reasons.FILLED:
        if not reasons.must_wait(reason):
            # What clears an expired order earns its fee; what is dead owes nobody any.
            receiver: address = msg.sender if reason == reasons.EXPIRED else order.account
            cancellation._end(
                hash,
                word,
                order.account,
                receiver,
                state.keeper_fee if state.escrowed else 0,
                reason,
            )
        return reason, b""

    trade: ITrading.Trade = self._trade(order, hash, state, price_word, msg.sender)

    success: bool = False
    response: Bytes[192] = b""
    success, response = raw_call(
        order_store.CLEARINGHOUSE.address,
        abi_encode(trade, method_id=EXECUTE_TRADE),
        max_outsize=192,
        revert_on_failure=False,
    )
    if not success:
        return reasons.FAILED, response
    result: ITrading.Result = abi_decode(response, ITrading.Result)
    if result.reason == reasons.FILLED:
        # What it opened, and from which price on its children may fill.
        order_store._orders[hash] = words.with_fill(
            word,
            order_rules.EXECUTED,
            words.published_at_of(price_word) + 1,
            result.filled,
            result.generation,
        )
        log IOrderBook.OrderExecuted(
            order_hash=hash, keeper=msg.sender, keeper_fee=result.keeper_fee
        )
        if order.group != empty(bytes32):
            order_groups._finish(order.account, order.placer, order.group, state.is_child)
        if result.builder_fee != 0:
            # Down for the referrer, as the clearinghouse has paid it.
            shared: uint256 = result.builder_fee * trade.referral_share // fixed_point.PPM
            log IOrderBook.BuilderPaid(
                order_hash=hash,
                builder=trade.builder,
                referrer=trade.referrer,
                builder_fee=result.builder_fee - shared,
                referral=shared,
            )
    elif not reasons.must_wait(result.reason):
        cancellation._close(hash, word)
        log IOrderBook.OrderCancelled(
            order_hash=hash,
            account=order.account,
            receiver=result.receiver,
            keeper_fee=result.keeper_fee,
            reason=reasons.text_of(result.reason),
        )
    return result.reason, b""


@internal
@view
def _joined(group: bytes32, word: uint256) -> words.OrderState:
    """
    @notice What a pending order's word says; of a child with what it has from its entry.
    """
    state: words.OrderState = words.unpack_order_state(word)
    if state.is_child:
        return order_groups._joined(group, state)
    return state


@internal
@view
def _reason(order: IOrderBook.Order, state: words.OrderState, price_word: uint256) -> uint256:
    """
    @notice Why not to ask the clearinghouse to fill a pending order, if there is a reason.
    """
    reason: uint256 = order_groups._reason(order.account, order.placer, order.group, state.is_child)
    if not reasons.must_wait(reason):
        return reason
    if order.expiry != 0 and block.timestamp > order.expiry:
        return reasons.EXPIRED
    if reason != reasons.FILLED:
        return reason
    price: words.Price = words.unpack_price(price_word)
    is_latest: bool = order_store._is_latest(order.market, price.kind)
    return order_rules._price_reason(order, state.executable_from, state.extreme, price, is_latest)


@internal
@view
def _trade(
    order: IOrderBook.Order,
    hash: bytes32,
    state: words.OrderState,
    price_word: uint256,
    keeper: address,
) -> ITrading.Trade:
    """
    @notice What to ask of the clearinghouse.
    """
    # While the price says no, nothing else ends an order: a refusal is the clearinghouse's to weigh.
    refusal: uint256 = reasons.FILLED
    if order.placer != order.account and not operators._may(
        order.account, order.placer, order.market, operators._permission(order.reduce_only)
    ):
        refusal = reasons.NOT_ALLOWED
    referrer: address = empty(address)
    share: uint256 = 0
    if order.builder != empty(address):
        referrer, share = builders._referral(order.account, order.builder)
    return order_rules._trade_of(order, hash, state, price_word, keeper, refusal, referrer, share)
