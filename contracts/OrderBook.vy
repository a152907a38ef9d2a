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
    state: words.OrderState = order_store._state(hash)
    order_store._require_pending(state)
    reason: uint256 = 0
    failure: Bytes[192] = b""
    reason, failure = self._execute(order, hash, state)
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
        state: words.OrderState = order_store._state(hash)
        if state.status == order_rules.PENDING:
            reason: uint256 = 0
            failure: Bytes[192] = b""
            reason, failure = self._execute(order, hash, state)
        statuses.append(order_store._state(hash).status)
    return statuses


@external
def cancel(order: IOrderBook.Order):
    hash: bytes32 = order_hashing._hash(order)
    state: words.OrderState = order_store._state(hash)
    order_store._require_pending(state)
    cancellation._cancel(order, hash, state)


@external
def cancel_orders(orders: DynArray[IOrderBook.Order, BATCH]):
    for order: IOrderBook.Order in orders:
        hash: bytes32 = order_hashing._hash(order)
        state: words.OrderState = order_store._state(hash)
        if state.status == order_rules.PENDING:
            cancellation._cancel(order, hash, state)


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
    state: words.OrderState = order_store._state(hash)
    order_store._require_pending(state)
    reason: uint256 = 0
    trade: ITrading.Trade = empty(ITrading.Trade)
    published_at: uint256 = 0
    reason, trade, published_at = self._prepare(order, hash, state, keeper)
    return reason, trade


@external
@view
def group_reason(order: IOrderBook.Order, is_child: bool) -> uint256:
    return order_groups._reason(order.account, order.placer, order.group, is_child)


@internal
def _execute(
    order: IOrderBook.Order, hash: bytes32, state: words.OrderState
) -> (uint256, Bytes[192]):
    """
    @notice Fills or ends a pending order, or leaves it as it is.
    @return `reasons.FILLED` or why not; and, if the clearinghouse reverted, what with: then
            nothing has changed. Running out of gas inside is such a revert.
    """
    trade: ITrading.Trade = empty(ITrading.Trade)
    reason: uint256 = 0
    published_at: uint256 = 0
    reason, trade, published_at = self._prepare(order, hash, state, msg.sender)
    if reason != reasons.FILLED:
        if not reasons.must_wait(reason):
            # What clears an expired order earns its fee; what is dead owes nobody any.
            receiver: address = msg.sender if reason == reasons.EXPIRED else order.account
            cancellation._end(
                hash, order.account, receiver, state.keeper_fee if state.escrowed else 0, reason
            )
        return reason, b""

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
            order_store._orders[hash],
            order_rules.EXECUTED,
            published_at + 1,
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
        cancellation._close(hash)
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
def _prepare(
    order: IOrderBook.Order, hash: bytes32, state: words.OrderState, keeper: address
) -> (uint256, ITrading.Trade, uint256):
    """
    @notice What to ask of the clearinghouse for a pending order, why not to ask if so, and when the price
            was published.
    """
    reason: uint256 = reasons.FILLED
    joined: words.OrderState = state
    if order.group != empty(bytes32):
        reason = order_groups._reason(
            order.account, order.placer, order.group, state.is_child
        )
        joined = order_groups._joined(order.group, state)
    price_word: uint256 = 0
    price: words.Price = empty(words.Price)
    is_latest: bool = False
    price_word, price, is_latest = order_store._quote(order.market)
    if reasons.must_wait(reason):
        if order.expiry != 0 and block.timestamp > order.expiry:
            reason = reasons.EXPIRED
        elif reason == reasons.FILLED:
            reason = order_rules._price_reason(
                order, joined.executable_from, joined.extreme, price, is_latest
            )
    # While the price says no, nothing else ends an order: a refusal is the clearinghouse's to weigh.
    refusal: uint256 = reasons.FILLED
    if not operators._may(
        order.account, order.placer, order.market, operators._permission(order.reduce_only)
    ):
        refusal = reasons.NOT_ALLOWED
    referrer: address = empty(address)
    share: uint256 = 0
    if order.builder != empty(address):
        referrer, share = builders._referral(order.account, order.builder)
    return (
        reason,
        order_rules._trade_of(
            order, hash, joined, price_word, keeper, refusal, referrer, share
        ),
        price.published_at,
    )
