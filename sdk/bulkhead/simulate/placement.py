"""Commits orders, with what they leave open resolved: `modules/placement.vy`."""

from collections.abc import Sequence
from dataclasses import fields, replace

from bulkhead.orders import NO_GROUP, NOBODY, MarginMode, Order, OrderKind, OrderStatus
from bulkhead.protocol import words
from bulkhead.protocol.reasons import must_wait, text_of
from bulkhead.protocol.words import Account, OrderState
from bulkhead.simulate import builders, operators, order_groups, order_rules
from bulkhead.simulate.guards import require
from bulkhead.simulate.ledger import Ledger

_FIELDS = tuple(field.name for field in fields(Order))


def place(
    ledger: Ledger, placer: str, order: Order, *, is_child: bool = False, bound_to: int = 0
) -> bytes:
    """Commits an order.

    Args:
        ledger: The words.
        placer: Who commits it.
        order: What it says.
        is_child: Whether the order's group is its entry.
        bound_to: The generation, plus one, that it takes over from the order it replaces; 0 for
            none.

    Returns:
        Its hash.
    """
    terms = ledger.order_terms(order.market)
    require(terms.delay != 0, "market: unknown")
    order_rules.check_terms(order, ledger.now)
    account = placer if order.account == NOBODY else order.account
    expiry = order_rules.expiry_of(order, terms, ledger.now)
    resolved = replace(order, placer=placer, account=account, expiry=expiry)
    if placer != account:
        operators.admit(ledger, resolved, terms.keeper_fee)
    builders.check_fee(ledger, resolved)
    if order.group != NO_GROUP:
        reason = order_groups.reason_of(ledger, resolved, is_child=is_child)
        require(must_wait(reason), text_of(reason))

    state = _escrow(ledger, account, 0 if order.reduce_only else terms.keeper_fee)
    require(
        bool(state.flags & words.FLAG_HEDGE) == (order.position_side != 0),
        "order: wrong position mode",
    )
    if order.margin_mode == MarginMode.DEFAULT or not (order.leverage or order.reduce_only):
        mode, leverage = order_rules.resolve(order, ledger.settings(account, order.market))
        resolved = replace(resolved, margin_mode=mode, leverage=leverage)
    order_rules.check_margin_mode(resolved)

    order_hash = ledger.hash_of(resolved)
    require(ledger.order(order_hash).status == OrderStatus.UNKNOWN, "order: already placed")
    is_bound = order.reduce_only and order.kind >= OrderKind.STOP and not is_child
    generation = 0
    if is_bound:
        slot = order_rules.closes_slot(resolved)
        generation = ledger.position(account, order.market, slot).generation
        if bound_to:
            generation = bound_to - 1
    placed = OrderState(
        executable_from=ledger.now + terms.delay,
        status=OrderStatus.PENDING,
        keeper_fee=terms.keeper_fee,
        escrowed=not order.reduce_only,
        epoch=state.epoch,
        is_child=is_child,
        is_bound=is_bound,
        generation=generation,
    )
    ledger.put(ledger.placed, order_hash, resolved)
    ledger.log(
        "OrderPlaced",
        order_hash=order_hash,
        account=account,
        order={name: getattr(resolved, name) for name in _FIELDS},
        order_word=ledger.store_order(order_hash, placed),
    )
    return order_hash


def place_bracket(
    ledger: Ledger, placer: str, entry: Order, children: Sequence[Order]
) -> tuple[bytes, ...]:
    """Commits an entry and the orders that close what it opens.

    Returns:
        The entry's hash, then its children's.
    """
    entry_hash = place(ledger, placer, entry)
    hashes = [entry_hash]
    for given in children:
        order_groups.check_child(given, entry)
        child = replace(given, group=entry_hash)
        hashes.append(place(ledger, placer, child, is_child=True))
    return tuple(hashes)


def _escrow(ledger: Ledger, account: str, keeper_fee: int) -> Account:
    """Moves a keeper's fee from an account's cash to its escrow."""
    state = ledger.account(account)
    if keeper_fee:
        require(state.cash >= keeper_fee, "balance: below keeper fee")
        state = replace(state, cash=state.cash - keeper_fee, escrow=state.escrow + keeper_fee)
        ledger.store_account(account, state)
    return state
