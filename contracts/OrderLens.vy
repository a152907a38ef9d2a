# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Order lens
@license MIT
@notice Views of orders: placed with the order book's own rules, filled by the simulator.
"""

from .interfaces import ILens
from .interfaces import IOrderBook
from .interfaces import IOrderLens
from .interfaces import IOrderLogic
from .interfaces import ISimulator
from .interfaces import ITrading
from .lib import fixed_point
from .lib import reasons
from .lib import words
from .modules import builders
from .modules import lens_reading
from .modules import operators
from .modules import order_rules

implements: IOrderLens

initializes: lens_reading

ORDER_BOOK: immutable(IOrderBook)
LENS: immutable(ILens)
SIMULATOR: immutable(ISimulator)


@deploy
def __init__(
    clearinghouse: address,
    price_oracle: address,
    order_book: address,
    lens: address,
    simulator: address,
):
    lens_reading.__init__(clearinghouse, price_oracle)
    ORDER_BOOK = IOrderBook(order_book)
    LENS = ILens(lens)
    SIMULATOR = ISimulator(simulator)


@external
@view
def order(order_hash: bytes32) -> IOrderLens.State:
    state: words.OrderState = self._state(order_hash)
    return IOrderLens.State(
        status=state.status,
        executable_from=state.executable_from,
        keeper_fee=state.keeper_fee,
        is_escrowed=state.escrowed,
        epoch=state.epoch,
        is_child=state.is_child,
        is_bound=state.is_bound,
        is_spent=state.is_spent,
        generation=state.generation,
        filled=state.filled,
        extreme=state.extreme,
    )


@external
@view
def exit(order: IOrderBook.Order) -> IOrderLens.Exit:
    slot: uint256 = order_rules._closes_slot(order.margin_mode, order.is_buy)
    position: ILens.Position = staticcall LENS.position(order.account, order.market, slot)
    state: words.OrderState = self._state(staticcall ORDER_BOOK.hash_of(order))
    shown: IOrderLens.Exit = empty(IOrderLens.Exit)
    shown.slot = slot
    shown.trigger_price = order_rules._trigger(
        order.kind, order.is_buy, order.trigger_price, order.callback_rate, state.extreme
    )
    if order.is_buy:
        shown.liquidation_price = position.upper_liquidation_price
        shown.is_beyond = (
            shown.liquidation_price != 0 and shown.trigger_price >= shown.liquidation_price
        )
    else:
        shown.liquidation_price = position.lower_liquidation_price
        shown.is_beyond = shown.trigger_price <= shown.liquidation_price
    # A take-profit triggers on the other side of the mark, an idle trailing stop nowhere yet.
    if order.kind == order_rules.TAKE_PROFIT or shown.trigger_price == 0:
        shown.is_beyond = False
    return shown


@external
def preview_order(order: IOrderBook.Order) -> IOrderLens.Preview:
    lens_reading._require_listed(order.market)
    placed: IOrderBook.Order = order
    state: words.OrderState = self._state(staticcall ORDER_BOOK.hash_of(order))
    self._require_open(state)
    is_placed: bool = state.status == order_rules.PENDING
    if not is_placed:
        placed, state = self._place(order)
    price: words.Price = words.unpack_price(staticcall lens_reading.ORACLE.price_word(order.market))
    preview: IOrderLens.Preview = empty(IOrderLens.Preview)
    preview.order = placed
    preview.mark_price = price.price
    trade: ITrading.Trade = empty(ITrading.Trade)
    if is_placed:
        preview.waits_for, trade = staticcall ORDER_BOOK.trade_of(order, empty(address))
    else:
        preview.waits_for, trade = self._trade_of(placed, state)
    outcome: ISimulator.Outcome = extcall SIMULATOR.simulate(trade, is_placed)
    preview.reason = outcome.reason
    preview.text = reasons.text_of(preview.waits_for if preview.waits_for != 0 else outcome.reason)
    preview.reduced = outcome.reduced
    preview.increased = outcome.increased
    preview.fill_price = self._fill_price(outcome, placed.is_buy, price.price)
    preview.impact = outcome.impact
    preview.fee = outcome.fee
    preview.builder_fee = outcome.builder_fee
    preview.keeper_fee = outcome.keeper_fee
    preview.realised = outcome.realised
    preview.deficit = outcome.deficit
    preview.margin = outcome.margin
    preview.position, preview.account = staticcall LENS.position_with(
        placed.account, placed.market, outcome.slot, outcome.words
    )
    return preview


@internal
@view
def _state(order_hash: bytes32) -> words.OrderState:
    return words.unpack_order_state(staticcall ORDER_BOOK.order_word(order_hash))


@internal
@view
def _place(order: IOrderBook.Order) -> (IOrderBook.Order, words.OrderState):
    """
    @notice As `OrderBook.place` and `Clearinghouse.escrow_order`, but for the delay: any price the
            oracle has may fill it.
    """
    terms: words.OrderTerms = words.unpack_order_terms(
        staticcall ORDER_BOOK.order_terms_word(order.market)
    )
    assert terms.delay != 0, "market: unknown"
    order_rules._check_terms(order)
    placed: IOrderBook.Order = order
    if order.placer == empty(address):
        placed.placer = order.account
    if order.account == empty(address):
        placed.account = order.placer
    placed.expiry = order_rules._expiry(order.kind, order.expiry, terms)
    self._check_admission(placed, terms.keeper_fee)
    account: words.Account = lens_reading._account(placed.account)
    assert order.reduce_only or account.cash >= convert(terms.keeper_fee, int256), (
        "balance: below keeper fee"
    )
    assert (account.flags & words.FLAG_HEDGE != 0) == (order.position_side != 0), (
        "order: wrong position mode"
    )
    placed.margin_mode, placed.leverage = order_rules._resolve(
        order.margin_mode,
        order.leverage,
        order.is_buy,
        order.reduce_only,
        lens_reading._settings(placed.account, order.market),
    )
    order_rules._check_margin_mode(placed.margin_mode, placed.margin, placed.market)
    known: words.OrderState = self._state(staticcall ORDER_BOOK.hash_of(placed))
    assert known.status == 0, "order: already placed"
    state: words.OrderState = empty(words.OrderState)
    state.status = order_rules.PENDING
    state.keeper_fee = terms.keeper_fee
    state.escrowed = not order.reduce_only
    state.epoch = account.epoch
    state.is_bound = order.reduce_only and order.kind >= order_rules.STOP
    if state.is_bound:
        state.generation = lens_reading._position(
            placed.account,
            placed.market,
            order_rules._closes_slot(placed.margin_mode, placed.is_buy),
        ).generation
    return placed, state


@internal
@view
def _check_admission(order: IOrderBook.Order, keeper_fee: uint256):
    """
    @notice As `placement` admits orders, and their groups.
    """
    logic: IOrderLogic = IOrderLogic(ORDER_BOOK.address)
    if order.placer != order.account:
        rights: words.Operator = words.unpack_operator(
            staticcall logic.operator_word(order.account, order.placer)
        )
        operators._require(
            operators._allow(rights, order.market, operators._permission(order.reduce_only))
        )
        if order.size != 0:
            price: uint256 = words.unpack_price(
                staticcall lens_reading.ORACLE.price_word(order.market)
            ).price
            notional: uint256 = order_rules._notional(
                order.size, price, max(order.acceptable_price, order.trigger_price)
            )
            operators._check_charge(
                rights.notional,
                price,
                operators._spent(notional, order.margin, order.reduce_only),
                notional,
                keeper_fee,
            )
    builders._check_fee(
        order.builder,
        order.builder_fee,
        staticcall logic.max_builder_fee(order.account, order.builder),
    )
    reason: uint256 = staticcall ORDER_BOOK.group_reason(order, False)
    assert reasons.must_wait(reason), reasons.text_of(reason)


@internal
@view
def _trade_of(order: IOrderBook.Order, state: words.OrderState) -> (uint256, ITrading.Trade):
    """
    @notice As `OrderBook.trade_of`, of an order that is not placed.
    """
    price_word: uint256 = staticcall lens_reading.ORACLE.price_word(order.market)
    reason: uint256 = order_rules._price_reason(
        order,
        state.executable_from,
        state.extreme,
        words.unpack_price(price_word),
        staticcall lens_reading.ORACLE.is_latest(order.market),
    )
    referrer: address = empty(address)
    share: uint256 = 0
    referrer, share = staticcall IOrderLogic(ORDER_BOOK.address).referral(
        order.account, order.builder
    )
    return reason, order_rules._trade_of(
        order,
        empty(bytes32),
        state,
        price_word,
        empty(address),
        reasons.FILLED,
        referrer,
        share,
    )


@internal
@pure
def _fill_price(outcome: ISimulator.Outcome, is_buy: bool, price: uint256) -> uint256:
    """
    @notice The average, up for a buyer and down for a seller.
    """
    size: uint256 = outcome.reduced + outcome.increased
    if size == 0:
        return 0
    notional: int256 = convert(size * price, int256)
    if is_buy:
        return fixed_point.div_up(convert(notional + outcome.impact, uint256), size)
    return convert(notional - outcome.impact, uint256) // size


@internal
@pure
def _require_open(state: words.OrderState):
    assert state.status <= order_rules.PENDING, "order: not pending"
