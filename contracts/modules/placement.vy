# pragma version 0.4.3
"""
@title Placement
@license MIT
@notice Commits orders: everything that they leave open is resolved, checked and hashed in.
"""

from ..interfaces import IOrderBook
from ..lib import reasons
from ..lib import words
from . import brackets
from . import builders
from . import operators
from . import order_groups
from . import order_hashing
from . import order_rules
from . import order_store

uses: builders
uses: operators
uses: order_groups
uses: order_hashing
uses: order_store


@internal
def _place(order: IOrderBook.Order, placer: address, is_child: bool, bound_to: uint256) -> bytes32:
    """
    @param is_child Whether the order's group is its entry.
    @param bound_to The generation, plus one, that it takes over from the order it replaces; 0 for none.
    """
    terms: words.OrderTerms = words.unpack_order_terms(order_store._terms[order.market])
    assert terms.delay != 0, "market: unknown"
    order_rules._check_terms(order)
    order.placer = placer
    if order.account == empty(address):
        order.account = placer
    order.expiry = order_rules._expiry(order.kind, order.expiry, terms)
    if placer != order.account:
        self._admit(order, terms.keeper_fee)
    if order.builder_fee != 0 or order.builder != empty(address):
        builders._check_fee(
            order.builder,
            order.builder_fee,
            builders._max_fees[order.account][order.builder],
        )
    if order.group != empty(bytes32):
        reason: uint256 = order_groups._reason(order.account, placer, order.group, is_child)
        assert reasons.must_wait(reason), reasons.text_of(reason)

    is_open: bool = order.margin_mode == 0 or (order.leverage == 0 and not order.reduce_only)
    settings_word: uint256 = 0
    account_word: uint256 = 0
    settings_word, account_word = extcall order_store.CLEARINGHOUSE.escrow_order(
        order.account,
        order.market,
        0 if order.reduce_only else terms.keeper_fee,
        is_open,
    )
    assert (words.flags_of(account_word) & words.FLAG_HEDGE != 0) == (order.position_side != 0), (
        "order: wrong position mode"
    )
    if is_open:
        settings: words.Settings = words.unpack_settings(settings_word)
        order.margin_mode, order.leverage = order_rules._resolve(
            order.margin_mode, order.leverage, order.is_buy, order.reduce_only, settings
        )
    order_rules._check_margin_mode(order.margin_mode, order.margin, order.market)

    hash: bytes32 = order_hashing._hash(order)
    assert order_store._orders[hash] == 0, "order: already placed"
    is_bound: bool = order.reduce_only and order.kind >= order_rules.STOP and not is_child
    generation: uint256 = 0
    if is_bound:
        # Wraps where no generation is named, and is read from the slot then.
        generation = unsafe_sub(bound_to, 1)
        if bound_to == 0:
            slot: uint256 = order_rules._closes_slot(order.margin_mode, order.is_buy)
            generation = order_store._generation(order.account, order.market, slot)
    word: uint256 = words.pack_placed_order(
        block.timestamp + terms.delay,
        order_rules.PENDING,
        terms.keeper_fee,
        not order.reduce_only,
        words.epoch_of(account_word),
        is_child,
        is_bound,
        generation,
    )
    order_store._orders[hash] = word
    log IOrderBook.OrderPlaced(order_hash=hash, account=order.account, order=order, order_word=word)
    return hash


@internal
def _place_bracket(
    entry: IOrderBook.Order, children: DynArray[IOrderBook.Order, 2], placer: address
) -> DynArray[bytes32, 3]:
    entry_hash: bytes32 = self._place(entry, placer, False, 0)
    hashes: DynArray[bytes32, 3] = [entry_hash]
    for given: IOrderBook.Order in children:
        brackets._check_child(given, entry)
        child: IOrderBook.Order = given
        child.group = entry_hash
        hashes.append(self._place(child, placer, True, 0))
    return hashes


@internal
def _admit(order: IOrderBook.Order, keeper_fee: uint256):
    """
    @notice An operator must be allowed to place the order, and have notional left for it.
    """
    operators._require_may(
        order.account, order.placer, order.market, operators._permission(order.reduce_only)
    )
    # Closing all of a position happens once, whatever it pays its keeper.
    if order.size != 0:
        price: uint256 = order_store._price(order.market).price
        notional: uint256 = order_rules._notional(
            order.size, price, max(order.acceptable_price, order.trigger_price)
        )
        operators._charge(
            order.account,
            order.placer,
            price,
            operators._spent(notional, order.margin, order.reduce_only),
            notional,
            keeper_fee,
        )
