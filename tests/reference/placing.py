"""Section 6: orders are resolved and committed: alone, as a bracket, or in another's place."""

from collections.abc import Sequence
from dataclasses import replace as changed

from tests.helpers.protocol import (
    DEFAULT,
    MARKET,
    NO_GROUP,
    ONE_WAY,
    STOP,
    TAKE_PROFIT,
    TRAILING_STOP,
)
from tests.helpers.protocol import ISOLATED as ISOLATED_MODE
from tests.helpers.protocol import Order as Placed
from tests.reference.book import EXECUTED, PENDING, Operator, Order
from tests.reference.orders import Refused, has_right, right_for, take_back
from tests.reference.state import CROSS, FEMTO, ISOLATED, LONG, SHORT, State
from tests.reference.trading import DEFAULT_LEVERAGE

EXITS = (STOP, TAKE_PROFIT, TRAILING_STOP)
WORTH = 100  # keeper's fees, of what an operator places
OF_ENTRY = ("account", "market", "margin_mode", "position_side")
OF_HEIR = (*OF_ENTRY, "is_buy", "group")


def resolve(state: State, order: Placed) -> Placed:
    """What an order leaves open is the account's, the market's or the design's choice."""
    mode = order.margin_mode
    if mode == DEFAULT:
        mode = ISOLATED_MODE if (order.account, order.market) in state.isolates else 1
    rules = state.book.rules[order.market]
    expiry = order.expiry
    if order.kind == MARKET:
        expiry = state.now + rules.delay + rules.window
    elif rules.max_age:
        expiry = expiry or state.now + rules.max_age
    side = LONG if order.is_buy else SHORT  # of what it may open, in hedge mode too
    slot = ISOLATED + side if mode == ISOLATED_MODE else CROSS
    leverage = order.leverage
    if not order.reduce_only:
        own = state.settings.get((order.account, order.market, slot), 0)
        leverage = leverage or own or (DEFAULT_LEVERAGE if slot >= ISOLATED else 0)
    return order._replace(margin_mode=mode, expiry=expiry, leverage=leverage)


def place(state: State, order: Placed) -> bytes:
    """Commits an order; returns its name from now on."""
    against = _rights_against(state, order) + _builder_against(state, order)
    if (order.account, order.placer, order.group) in state.book.done:
        against.append("order: group is done")
    name = _commit(state, order, against)
    if order.reduce_only and order.kind in EXITS:
        made = state.book.orders[name]
        position = state.position(order.account, order.market, made.slot)
        state.book.change(name, bound_to=position.generation)
    return name


def place_signed(
    state: State,
    order: Placed,
    children: Sequence[Placed],
    nonce: int,
    deadline: int,
    signer: str,
) -> list[bytes]:
    """Anyone brings an order or a bracket, once and in time."""
    against = []
    if signer != order.placer:
        against.append("signature: not the signer's")
    if state.now > deadline:
        against.append("signature: expired")
    if (order.placer, nonce) in state.book.spent:
        against.append("signature: nonce is spent")
    try:
        names = place_bracket(state, order, children)
    except Refused as refusal:
        raise Refused(*against, *refusal.reasons) from None
    if against:
        raise Refused(*against)
    state.book.spent.add((order.placer, nonce))
    return names


def _commit(state: State, order: Placed, against: list[str]) -> bytes:
    """The keeper's fee moves to escrow unless the order only reduces."""
    account, rules = state.accounts[order.account], state.book.rules[order.market]
    is_escrowed = not order.reduce_only
    if account.is_hedge != (order.position_side != ONE_WAY):
        against.append("order: wrong position mode")
    if is_escrowed and 0 < rules.keeper_fee > account.cash:
        against.append("balance: below keeper fee")
    resolved = resolve(state, order)
    if order.kind != MARKET and rules.max_age and resolved.expiry > state.now + rules.max_age:
        against.append("order: expires too late")
    name = state.book.name(resolved)
    if name in state.book.orders:
        against.append("order: already placed")
    if against:
        raise Refused(*against)
    if is_escrowed:
        account.cash -= rules.keeper_fee
        account.escrow += rules.keeper_fee
    state.book.orders[name] = Order(
        *(resolved, state.now + rules.delay, resolved.expiry, rules.keeper_fee, is_escrowed),
        *(account.epoch, None),
    )
    return name


def _builder_against(state: State, order: Placed) -> list[str]:
    approved = state.book.approved.get((order.account, order.builder), 0)
    return ["builder: fee not approved"] if order.builder_fee > approved else []


def _rights_against(state: State, order: Placed) -> list[str]:
    """What an operator may not.

    What it places is worth its fees, where it names a size; what may open takes from its notional
    the most that it may open, up.
    """
    if order.placer == order.account:
        return []
    against = []
    if not has_right(state, order.account, order.placer, right_for(order), order.market):
        against.append("operator: not allowed")
    mark = int(state.prices[order.market].price * FEMTO)
    highest = max(mark, order.trigger_price, order.acceptable_price)
    notional = -(-order.size * highest // FEMTO)
    if order.size and notional < WORTH * state.book.rules[order.market].keeper_fee:
        against.append("operator: order too small")
    if not order.reduce_only:
        whose = order.account, order.placer
        operator = state.book.operators.get(whose, Operator())
        spent = max(notional, order.margin)
        if spent > operator.notional:
            against.append("operator: notional spent")
        state.book.operators[whose] = changed(operator, notional=operator.notional - spent)
    return against


def place_bracket(state: State, entry: Placed, children: Sequence[Placed]) -> list[bytes]:
    """Children name nothing but their triggers: their group is their entry's name."""
    against = ["bracket: entry only reduces"] if children and entry.reduce_only else []
    for child in children:
        if not is_exit_of(entry, child):
            against.append("bracket: child not of its entry")
        against += _rights_against(state, child) + _builder_against(state, child)
    try:
        names = [place(state, entry)]
    except Refused as refusal:
        against += refusal.reasons
        names = []
    if against:
        raise Refused(*against)
    for child in children:
        name = _commit(state, child._replace(group=names[0]), [])
        state.book.change(name, is_child=True)
        names.append(name)
    return names


def is_exit_of(entry: Placed, child: Placed) -> bool:
    return (
        child.reduce_only
        and child.kind in EXITS
        and child.size == 0
        and child.group == NO_GROUP
        and child.is_buy != entry.is_buy
        and all(getattr(child, name) == getattr(entry, name) for name in OF_ENTRY)
    )


def replace(state: State, old: bytes, order: Placed) -> bytes:
    """No moment is unprotected: the heir is its entry's child, or bound as the old one was."""
    before = state.book.orders.get(old)
    if before is None or before.status != PENDING:
        raise Refused("order: not pending")
    against = []
    is_tied = before.is_child or before.bound_to is not None
    is_exit = order.reduce_only and order.kind in EXITS
    is_same = all(getattr(order, name) == getattr(before.placed, name) for name in OF_HEIR)
    if not is_same or (is_tied and not is_exit):
        against.append("order: replaces another kind")
    is_grouped = before.placed.group != NO_GROUP and not before.is_child
    if is_grouped and order.placer != before.placed.placer:
        against.append("order: bad group")
    try:
        take_back(state, old, order.placer, dead_are_anyones=False)
        name = (_place_child if before.is_child else place)(state, order)
    except Refused as refusal:
        raise Refused(*against, *refusal.reasons) from None
    if against:
        raise Refused(*against)
    if before.bound_to is not None:
        state.book.change(name, bound_to=before.bound_to)
    return name


def _place_child(state: State, order: Placed) -> bytes:
    """Of an entry that has not done all it does."""
    entry = state.book.orders[order.group]
    against = _rights_against(state, order) + _builder_against(state, order)
    if entry.is_spent or entry.status not in (PENDING, EXECUTED):
        against.append("order: group is done")
    if entry.status == EXECUTED and not entry.opened:
        against.append("position: ended")
    name = _commit(state, order, against)
    state.book.change(name, is_child=True)
    return name
