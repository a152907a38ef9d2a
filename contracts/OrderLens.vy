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
from .interfaces import ISimulator
from .interfaces import ITrading
from .lib import fixed_point
from .lib import reasons
from .lib import words
from .modules import lens_reading
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
    )


@external
def preview_order(order: IOrderBook.Order) -> IOrderLens.Preview:
    lens_reading._require_listed(order.market)
    placed: IOrderBook.Order = order
    state: words.OrderState = self._state(staticcall ORDER_BOOK.hash_of(order))
    self._require_open(state)
    is_placed: bool = state.status == order_rules.PENDING
    if not is_placed:
        placed, state = self._place(order)
    price_word: uint256 = staticcall lens_reading.ORACLE.price_word(order.market)
    price: words.Price = words.unpack_price(price_word)
    preview: IOrderLens.Preview = empty(IOrderLens.Preview)
    preview.order = placed
    preview.mark_price = price.price
    preview.waits_for = order_rules._price_reason(
        placed, state, price, staticcall lens_reading.ORACLE.is_latest(order.market)
    )
    if placed.expiry != 0 and block.timestamp > placed.expiry:
        preview.waits_for = reasons.EXPIRED
    outcome: ISimulator.Outcome = extcall SIMULATOR.simulate(
        ITrading.Trade(
            account=placed.account,
            market=placed.market,
            is_isolated=placed.margin_mode == order_rules.ISOLATED,
            position_side=placed.position_side,
            is_buy=placed.is_buy,
            reduce_only=placed.reduce_only,
            size=placed.size,
            acceptable_price=placed.acceptable_price,
            margin=placed.margin,
            leverage=placed.leverage,
            bound_to=0,
            epoch=words.EPOCHS,
            refusal=reasons.FILLED,
            builder=empty(address),
            builder_rate=0,
            referrer=empty(address),
            referral_share=0,
            order_hash=empty(bytes32),
            keeper=empty(address),
            keeper_fee=state.keeper_fee,
            is_escrowed=state.escrowed,
            price_word=price_word,
        ),
        is_placed,
    )
    preview.reason = outcome.reason
    preview.text = reasons.text_of(
        preview.waits_for if preview.waits_for != 0 else outcome.reason
    )
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
    if order.kind == order_rules.MARKET:
        placed.expiry = block.timestamp + terms.delay + terms.window
    account: words.Account = lens_reading._account(placed.account)
    assert order.reduce_only or account.cash >= convert(terms.keeper_fee, int256), (
        "balance: below keeper fee"
    )
    assert (account.flags & words.FLAG_HEDGE != 0) == (order.position_side != 0), (
        "order: wrong position mode"
    )
    placed = order_rules._resolve(
        placed, lens_reading._settings(placed.account, order.market)
    )
    order_rules._check_margin_mode(placed)
    known: words.OrderState = self._state(staticcall ORDER_BOOK.hash_of(placed))
    assert known.status == 0, "order: already placed"
    state: words.OrderState = empty(words.OrderState)
    state.status = order_rules.PENDING
    state.keeper_fee = terms.keeper_fee
    state.escrowed = not order.reduce_only
    return placed, state


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
