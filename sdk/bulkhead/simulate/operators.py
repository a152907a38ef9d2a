"""Who else may trade for an account: `modules/operators.vy`."""

from dataclasses import replace

from bulkhead.orders import NOBODY, Order, Permission
from bulkhead.protocol import words
from bulkhead.protocol.words import Operator
from bulkhead.simulate.guards import require
from bulkhead.simulate.ledger import Ledger
from bulkhead.simulate.order_rules import notional_of

ANY_MARKET = 2**256 - 1  # what concerns every market at once
LEAST_FEES = 100  # keeper's fees that an operator's order is worth


def set_operator(
    ledger: Ledger,
    account: str,
    operator: str,
    permissions: int,
    markets: int,
    notional: int,
    expiry: int,
) -> None:
    """Gives an operator rights; none revokes them."""
    require(operator not in (NOBODY, account), "operator: bad address")
    require(permissions <= sum(Permission, Permission.NONE), "operator: unknown permission")
    _store(ledger, account, operator, Operator(expiry, permissions, notional, markets))


def may(ledger: Ledger, account: str, actor: str, market: int, permission: Permission) -> bool:
    """Whether an actor has a right in a market now. An account has all of them."""
    if actor == account:
        return True
    rights = ledger.operator(account, actor)
    if rights.expiry < ledger.now or not rights.permissions & permission:
        return False
    return bool(
        rights.permissions & Permission.ALL_MARKETS
        or (market < 128 and rights.markets >> market & 1)
    )


def require_may(
    ledger: Ledger, account: str, actor: str, market: int, permission: Permission
) -> None:
    """Refuses an actor who may not."""
    require(may(ledger, account, actor, market, permission), "operator: not allowed")


def permission_of(order: Order) -> Permission:
    """The right that placing an order takes."""
    return Permission.REDUCE if order.reduce_only else Permission.OPEN


def admit(ledger: Ledger, order: Order, keeper_fee: int) -> None:
    """An operator must be allowed to place the order, and have notional left for it."""
    require_may(ledger, order.account, order.placer, order.market, permission_of(order))
    # Closing all of a position happens once, whatever it pays its keeper.
    if not order.size:
        return
    price = ledger.price(order.market).price
    notional = notional_of(order, price)
    rights = ledger.operator(order.account, order.placer)
    spent = 0 if order.reduce_only else max(notional, order.margin)
    require(price != 0, "operator: no price")
    require(notional >= LEAST_FEES * keeper_fee, "operator: order too small")
    require(rights.notional >= spent, "operator: notional spent")
    if spent:
        rights = replace(rights, notional=rights.notional - spent)
        _store(ledger, order.account, order.placer, rights)


def _store(ledger: Ledger, account: str, operator: str, rights: Operator) -> None:
    word = words.pack_operator(rights)
    ledger.put(ledger.state.operators, (account, operator), rights)
    ledger.log("OperatorSet", account=account, operator=operator, operator_word=word)
