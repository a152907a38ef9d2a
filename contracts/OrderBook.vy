# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Order book
@license MIT
@notice Commits orders and fills them at a later price. Holds no tokens and no positions: escrow is
        a bucket of the clearinghouse.
"""

from snekmate.utils import eip712_domain_separator

from .interfaces import ILedger
from .interfaces import IOrderBook
from .interfaces import IOwned
from .interfaces import IPriceOracle
from .interfaces import ITrading
from .lib import reasons
from .lib import words
from .modules import operators
from .modules import order_hashing
from .modules import order_rules

implements: IOrderBook

initializes: eip712_domain_separator
initializes: operators
initializes: order_hashing[eip712_domain_separator := eip712_domain_separator]

# Without the lock: it only reads immutables.
exports: eip712_domain_separator.eip712Domain

BATCH: constant(uint256) = 32
MAX_KEEPER_FEE: constant(uint256) = 10 * 10**6  # 10 USD
MAX_DELAY: constant(uint256) = 600  # seconds
MIN_WINDOW: constant(uint256) = 10  # seconds
EXECUTE_TRADE: constant(Bytes[4]) = method_id(
    "execute_trade((address,uint256,bool,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,address,uint256,address,uint256,bytes32,address,uint256,bool,uint256))"
)

CLEARINGHOUSE: public(immutable(ITrading))
ORACLE: immutable(IPriceOracle)

_orders: HashMap[bytes32, uint256]  # order state words by hash
_terms: HashMap[uint256, uint256]  # order terms words by market


@deploy
def __init__(clearinghouse: address, price_oracle: address):
    eip712_domain_separator.__init__("Bulkhead", "1")
    CLEARINGHOUSE = ITrading(clearinghouse)
    ORACLE = IPriceOracle(price_oracle)


@external
def place(order: IOrderBook.Order) -> bytes32:
    terms: words.OrderTerms = words.unpack_order_terms(self._terms[order.market])
    assert terms.delay != 0, "market: unknown"
    order_rules._check_terms(order)
    keeper_fee: uint256 = 0 if order.reduce_only else terms.keeper_fee
    resolved: IOrderBook.Order = order
    resolved.placer = msg.sender
    if order.account == empty(address):
        resolved.account = msg.sender
    executable_from: uint256 = block.timestamp + terms.delay
    if order.kind == order_rules.MARKET:
        resolved.expiry = executable_from + terms.window
    is_open: bool = order.margin_mode == 0 or (order.leverage == 0 and not order.reduce_only)
    operators._require_may(
        resolved.account,
        msg.sender,
        order.market,
        operators.MAY_REDUCE if order.reduce_only else operators.MAY_OPEN,
    )
    settings_word: uint256 = 0
    account_word: uint256 = 0
    settings_word, account_word = extcall CLEARINGHOUSE.escrow_order(
        resolved.account, order.market, keeper_fee, is_open
    )
    account: words.Account = words.unpack_account(account_word)
    assert (account.flags & words.FLAG_HEDGE != 0) == (order.position_side != 0), (
        "order: wrong position mode"
    )
    if is_open:
        resolved = order_rules._resolve(resolved, words.unpack_settings(settings_word))
    order_rules._check_margin_mode(resolved)

    hash: bytes32 = order_hashing._hash(resolved)
    assert self._orders[hash] == 0, "order: already placed"
    state: words.OrderState = empty(words.OrderState)
    state.executable_from = executable_from
    state.status = order_rules.PENDING
    state.keeper_fee = terms.keeper_fee
    state.escrowed = not order.reduce_only
    state.epoch = account.epoch
    order_word: uint256 = words.pack_order_state(state)
    self._orders[hash] = order_word
    log IOrderBook.OrderPlaced(
        order_hash=hash, account=resolved.account, order=resolved, order_word=order_word
    )
    return hash


@external
def execute(order: IOrderBook.Order) -> uint256:
    hash: bytes32 = order_hashing._hash(order)
    state: words.OrderState = words.unpack_order_state(self._orders[hash])
    self._require_pending(state)
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
        state: words.OrderState = words.unpack_order_state(self._orders[hash])
        if state.status == order_rules.PENDING:
            reason: uint256 = 0
            failure: Bytes[192] = b""
            reason, failure = self._execute(order, hash, state)
        statuses.append(words.unpack_order_state(self._orders[hash]).status)
    return statuses


@external
def cancel(order: IOrderBook.Order):
    hash: bytes32 = order_hashing._hash(order)
    state: words.OrderState = words.unpack_order_state(self._orders[hash])
    self._require_pending(state)
    operators._require_may(order.account, msg.sender, order.market, operators.MAY_CANCEL)
    assert order.kind != order_rules.MARKET or block.timestamp > order.expiry, "order: market is binding"
    self._end(order, hash, state, order.account, reasons.BY_OWNER)


@external
def set_order_terms(
    market: uint256, keeper_fee: uint256, delay: uint256, window: uint256, max_age: uint256
):
    assert msg.sender == staticcall IOwned(CLEARINGHOUSE.address).owner(), "caller: not the owner"
    assert market < staticcall ILedger(CLEARINGHOUSE.address).market_count(), "market: unknown"
    assert keeper_fee <= MAX_KEEPER_FEE, "keeper: fee too high"
    assert delay != 0 and delay <= MAX_DELAY, "order: bad delay"
    assert window >= MIN_WINDOW and window < 2**16, "order: bad window"
    assert max_age < 2**32, "order: bad maximum age"
    self._terms[market] = words.pack_order_terms(
        words.OrderTerms(keeper_fee=keeper_fee, delay=delay, window=window, max_age=max_age)
    )
    log IOrderBook.OrderTermsSet(
        market=market, keeper_fee=keeper_fee, delay=delay, window=window, max_age=max_age
    )


@external
def set_operator(
    operator: address,
    permissions: uint256,
    markets: uint256,
    notional: uint256,
    expiry: uint256,
):
    operators._set_operator(
        msg.sender,
        operator,
        words.Operator(
            expiry=expiry, permissions=permissions, notional=notional, markets=markets
        ),
    )


@external
@view
def operator_word(account: address, operator: address) -> uint256:
    return operators._operators[account][operator]


@external
@view
def hash_of(order: IOrderBook.Order) -> bytes32:
    return order_hashing._hash(order)


@external
@view
def order_word(order_hash: bytes32) -> uint256:
    return self._orders[order_hash]


@external
@view
def order_terms_word(market: uint256) -> uint256:
    return self._terms[market]


@internal
def _execute(
    order: IOrderBook.Order, hash: bytes32, state: words.OrderState
) -> (uint256, Bytes[192]):
    """
    @notice Fills or ends a pending order, or leaves it as it is.
    @return `reasons.FILLED` or why not; and, if the clearinghouse reverted, what with: then
            nothing has changed. Running out of gas inside is such a revert.
    """
    if order.expiry != 0 and block.timestamp > order.expiry:
        self._end(order, hash, state, msg.sender, reasons.EXPIRED)
        return reasons.EXPIRED, b""
    price_word: uint256 = staticcall ORACLE.price_word(order.market)
    price: words.Price = words.unpack_price(price_word)
    is_latest: bool = price.kind != words.CHAINLINK or staticcall ORACLE.is_latest(order.market)
    reason: uint256 = order_rules._price_reason(order, state, price, is_latest)
    if reason != reasons.FILLED:
        return reason, b""

    success: bool = False
    response: Bytes[192] = b""
    success, response = raw_call(
        CLEARINGHOUSE.address,
        abi_encode(
            ITrading.Trade(
                account=order.account,
                market=order.market,
                is_isolated=order.margin_mode == order_rules.ISOLATED,
                position_side=order.position_side,
                is_buy=order.is_buy,
                reduce_only=order.reduce_only,
                size=order.size,
                acceptable_price=order.acceptable_price,
                margin=order.margin,
                leverage=order.leverage,
                bound_to=0,
                epoch=state.epoch if order.kind != order_rules.MARKET else words.EPOCHS,
                refusal=self._refusal(order),
                builder=empty(address),
                builder_rate=0,
                referrer=empty(address),
                referral_share=0,
                order_hash=hash,
                keeper=msg.sender,
                keeper_fee=state.keeper_fee,
                is_escrowed=state.escrowed,
                price_word=price_word,
            ),
            method_id=EXECUTE_TRADE,
        ),
        max_outsize=192,
        revert_on_failure=False,
    )
    if not success:
        return reasons.FAILED, response
    result: ITrading.Result = abi_decode(response, ITrading.Result)
    reason = result.reason
    if reason == reasons.FILLED:
        self._close(hash, order_rules.EXECUTED)
        log IOrderBook.OrderExecuted(
            order_hash=hash, keeper=msg.sender, keeper_fee=result.keeper_fee
        )
    elif not reasons.must_wait(reason):
        self._close(hash, order_rules.CANCELLED)
        log IOrderBook.OrderCancelled(
            order_hash=hash,
            account=order.account,
            receiver=result.receiver,
            keeper_fee=result.keeper_fee,
            reason=reasons.text_of(reason),
        )
    return reason, b""


@internal
def _end(
    order: IOrderBook.Order,
    hash: bytes32,
    state: words.OrderState,
    receiver: address,
    reason: uint256,
):
    """
    @notice Ends an order unfilled; its escrow goes to the receiver.
    """
    self._close(hash, order_rules.CANCELLED)
    paid: address = receiver
    keeper_fee: uint256 = 0
    if state.escrowed:
        paid, keeper_fee = extcall CLEARINGHOUSE.release_escrow(
            order.account, receiver, state.keeper_fee
        )
    log IOrderBook.OrderCancelled(
        order_hash=hash,
        account=order.account,
        receiver=paid,
        keeper_fee=keeper_fee,
        reason=reasons.text_of(reason),
    )


@internal
def _close(hash: bytes32, status: uint256):
    self._orders[hash] = words.with_status(self._orders[hash], status)


@internal
@pure
def _require_pending(state: words.OrderState):
    assert state.status == order_rules.PENDING, "order: not pending"


@internal
@view
def _refusal(order: IOrderBook.Order) -> uint256:
    """
    @notice What the book itself has against filling an order, if anything.
    """
    permission: uint256 = operators.MAY_REDUCE if order.reduce_only else operators.MAY_OPEN
    if not operators._may(order.account, order.placer, order.market, permission):
        return reasons.NOT_ALLOWED
    return reasons.FILLED
