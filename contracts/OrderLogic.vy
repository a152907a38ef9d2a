# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Order logic
@license MIT
@notice The rest of the order book's code: brackets, signed orders, replacing, cancelling many, trailing
        stops, operators, builders, terms. It runs in the order book's storage; called directly it finds
        its own, which is empty, and the clearinghouse does not know it.
"""

from snekmate.utils import eip712_domain_separator

from .interfaces import ILedger
from .interfaces import IOrderBook
from .interfaces import IOrderLogic
from .interfaces import IOwned
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

implements: IOrderLogic

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

exports: (
    builders.approve_builder,
    builders.set_referral_share,
    builders.set_referrer,
    builders.max_builder_fee,
    builders.referral,
    operators.set_operator,
    operators.operator_word,
    signed_orders.cancel_nonces,
    signed_orders.nonce_word,
)

BATCH: constant(uint256) = 32
MAX_KEEPER_FEE: constant(uint256) = 10 * 10**6  # 10 USD
MAX_DELAY: constant(uint256) = 600  # seconds
MIN_WINDOW: constant(uint256) = 10  # seconds


@deploy
def __init__(clearinghouse: address, price_oracle: address):
    eip712_domain_separator.__init__("Bulkhead", "1")
    order_store.__init__(clearinghouse, price_oracle)


@external
def place_bracket(
    entry: IOrderBook.Order, children: DynArray[IOrderBook.Order, 2]
) -> DynArray[bytes32, 3]:
    return placement._place_bracket(entry, children, msg.sender)


@external
def place_with_signature(
    order: IOrderBook.Order, nonce: uint256, deadline: uint256, signature: Bytes[1024]
) -> bytes32:
    digest: bytes32 = order_hashing._placement_digest(order, nonce, deadline)
    signed_orders._take(order.placer, digest, nonce, deadline, signature)
    return placement._place(order, order.placer, False, 0)


@external
def place_bracket_with_signature(
    entry: IOrderBook.Order,
    children: DynArray[IOrderBook.Order, 2],
    nonce: uint256,
    deadline: uint256,
    signature: Bytes[1024],
) -> DynArray[bytes32, 3]:
    digest: bytes32 = order_hashing._bracket_digest(entry, children, nonce, deadline)
    signed_orders._take(entry.placer, digest, nonce, deadline, signature)
    return placement._place_bracket(entry, children, entry.placer)


@external
def replace(old: IOrderBook.Order, order: IOrderBook.Order) -> bytes32:
    hash: bytes32 = order_hashing._hash(old)
    word: uint256 = order_store._orders[hash]
    order_store._require_pending(word)
    state: words.OrderState = words.unpack_order_state(word)
    operators._require_may(old.account, msg.sender, old.market, operators.MAY_CANCEL)
    order_rules._check_heir(order, old, state)
    # A group is its placer's: another's would be another group.
    assert (
        state.is_child or old.group == empty(bytes32) or old.placer == msg.sender
    ), "order: bad group"
    cancellation._cancel(old, hash, word)
    bound_to: uint256 = 0
    if state.is_bound:
        # A generation is below 2**23.
        bound_to = unsafe_add(state.generation, 1)
    return placement._place(order, msg.sender, state.is_child, bound_to)


@external
def cancel_all(account: address):
    operators._require_may(account, msg.sender, operators.ANY_MARKET, operators.MAY_CANCEL)
    extcall order_store.CLEARINGHOUSE.advance_epoch(account)


@external
def ratchet(orders: DynArray[IOrderBook.Order, BATCH]) -> uint256:
    ratcheted: uint256 = 0
    for order: IOrderBook.Order in orders:
        hash: bytes32 = order_hashing._hash(order)
        state: words.OrderState = order_store._state(hash)
        if state.status != order_rules.PENDING or order.kind != order_rules.TRAILING_STOP:
            continue
        group_reason: uint256 = order_groups._reason(
            order.account, order.placer, order.group, state.is_child
        )
        if group_reason != reasons.FILLED:
            continue
        price: words.Price = order_store._price(order.market)
        reason: uint256 = order_rules._price_reason(
            order,
            order_groups._joined(order.group, state).executable_from,
            state.extreme,
            price,
            order_store._is_latest(order.market, price.kind),
        )
        if (
            reason != reasons.FILLED and reason != reasons.PRICE_NOT_TRIGGERED
        ) or price.caution != words.NO_CAUTION:
            continue
        extreme: uint256 = order_rules._ratcheted(order, state.extreme, price.price)
        if extreme != state.extreme:
            state.extreme = extreme
            ratcheted += 1
            log IOrderBook.OrderRatcheted(
                order_hash=hash, order_word=order_store._store(hash, state)
            )
    return ratcheted


@external
def set_order_terms(
    market: uint256, keeper_fee: uint256, delay: uint256, window: uint256, max_age: uint256
):
    assert (
        msg.sender == staticcall IOwned(order_store.CLEARINGHOUSE.address).owner()
    ), "caller: not the owner"
    assert (
        market < staticcall ILedger(order_store.CLEARINGHOUSE.address).market_count()
    ), "market: unknown"
    assert keeper_fee <= MAX_KEEPER_FEE, "keeper: fee too high"
    assert delay != 0 and delay <= MAX_DELAY, "order: bad delay"
    assert window >= MIN_WINDOW and window < 2**16, "order: bad window"
    assert max_age < 2**32 and (max_age == 0 or max_age > delay), "order: bad maximum age"
    order_store._terms[market] = words.pack_order_terms(
        words.OrderTerms(keeper_fee=keeper_fee, delay=delay, window=window, max_age=max_age)
    )
    log IOrderBook.OrderTermsSet(
        market=market, keeper_fee=keeper_fee, delay=delay, window=window, max_age=max_age
    )
