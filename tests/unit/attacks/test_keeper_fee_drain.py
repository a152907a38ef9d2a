"""A ledger's money leaves with the keepers of its orders only while its initial margin holds."""

from collections.abc import Callable
from typing import Any

import pytest

from bulkhead.protocol.words import ISOLATED_LONG
from tests.helpers.chain import advance
from tests.helpers.protocol import CANCELLED, ISOLATED, LIMIT, USD, Order, Protocol

LOTS = 2 * 10**7  # 0.2 BTC, 10,000 USD
VAULT = 400_000  # 0.004 BTC, 200 USD
HIGHEST_FEE = 10 * USD
IMPACT = 100  # quote units, paid at the entry
ORDERS = 10
Way = dict[str, Any]

# Every way for an order to end, and to take its keeper's fee out of the ledger.
WAYS: dict[str, Way] = {
    "one lot more": {"size": 1},
    "one lot less": {"size": 1, "is_buy": False},
    "one lot less, and only less": {"size": 1, "is_buy": False, "reduce_only": True},
    "nothing to reduce": {"size": 1, "reduce_only": True},
    "a vault too dear": {"size": LOTS, "margin_mode": ISOLATED},
    "one lot less of a vault": {"size": 1, "is_buy": False, "margin_mode": ISOLATED},
    "a vault turned round": {"size": 2 * VAULT, "is_buy": False, "margin_mode": ISOLATED},
    "below the minimum": {"size": 1, "market": 1},
    "the end of its time": {"size": 1, "kind": LIMIT, "acceptable_price": 1, "lives": 10},
}


def raise_keeper_fee(protocol: Protocol) -> None:
    protocol.book.send(protocol.owner, "set_order_terms", 0, HIGHEST_FEE, 2, 60, 0)
    protocol.book.send(protocol.owner, "set_order_terms", 1, HIGHEST_FEE, 2, 60, 0)


def lower_keeper_fee(protocol: Protocol) -> None:
    protocol.book.send(protocol.owner, "set_order_terms", 0, USD // 5, 2, 60, 0)


def stretched(protocol: Protocol) -> None:
    """10,000 USD long on 104 USD and a vault beside it; all that is free may be escrowed now."""
    protocol.deposit(protocol.trader, 130 * USD)
    protocol.trade(protocol.trader, 0, LOTS)
    protocol.trade(protocol.trader, 0, VAULT, margin_mode=ISOLATED)
    raise_keeper_fee(protocol)


def person(protocol: Protocol) -> int:
    """What the trader and the attacker, who is one with him, have in the protocol."""
    states = [protocol.account(protocol.trader), protocol.account(protocol.attacker)]
    margin = sum(protocol.position(protocol.trader, 0, slot).margin for slot in range(2, 4))
    return sum(state.cash + state.escrow for state in states) + margin


def commit(protocol: Protocol, way: Way) -> Order | None:
    fields = dict(way)
    market = fields.pop("market", 0)
    size = fields.pop("size")
    lives = fields.pop("lives", 0)
    if lives:
        fields["expiry"] = protocol.price(0).published_at + lives
    order = protocol.order(protocol.trader, market, size, **fields)
    receipt = protocol.book.attempt(protocol.trader, "place", order)
    if receipt.refusal is not None:
        return None
    return Order(*receipt.event("OrderPlaced").order)


def settle(protocol: Protocol, order: Order, dollars: int) -> None:
    protocol.wait(0, dollars)
    protocol.push_price(1, 2_500)
    if order.kind == LIMIT:
        advance(20)
    protocol.book.attempt(protocol.attacker, "execute", order)


def one_by_one(protocol: Protocol, way: Way) -> None:
    protocol.push_price(0, 49_750)
    for _ in range(ORDERS):
        order = commit(protocol, way)
        if order is not None:
            settle(protocol, order, 49_750)
        else:
            protocol.push_price(0, 49_750)


def placed_before(protocol: Protocol, way: Way) -> None:
    orders = [commit(protocol, way) for _ in range(ORDERS)]
    for order in orders:
        if order is not None:
            settle(protocol, order, 49_750)


@pytest.mark.parametrize(
    "way",
    [pytest.param(way, id=name) for name, way in WAYS.items()],
)
@pytest.mark.parametrize("manner", [one_by_one, placed_before])
def test_no_order_of_a_stretched_ledger_drains_it(
    protocol: Protocol,
    trader: str,
    attacker: str,
    manner: Callable[[Protocol, Way], None],
    way: Way,
) -> None:
    """The market takes 50 USD, the fees must not take the rest, and at 60 he is liquidated."""
    stretched(protocol)
    money, house = person(protocol), protocol.house()

    manner(protocol, way)
    protocol.push_price(1, 2_500)
    protocol.push_price(0, 49_600)
    receipt = protocol.liquidate_cross(trader)

    assert sum(event.deficit for event in receipt.named("DebtWrittenOff")) == 0
    assert protocol.house().insurance >= house.insurance
    assert person(protocol) <= money - (0 if protocol.account(trader).legs else 50 * USD)


@pytest.mark.parametrize("cash", [0, 1])
def test_an_unfilled_orders_fee_leaves_exactly_as_far_as_initial_margin_holds(
    protocol: Protocol, trader: str, attacker: str, cash: int
) -> None:
    # After both fees of the entry: 100 of initial margin, the impact, and one fee less a unit.
    protocol.deposit(trader, 115_200_000 + IMPACT - 1 + cash)
    protocol.trade(trader, 0, LOTS)
    raise_keeper_fee(protocol)
    order = protocol.place(trader, 0, 1)
    receipt = protocol.fill(order, 50_000, keeper=attacker)
    event = receipt.event("OrderCancelled")
    assert (event.reason, event.keeper_fee) == ("margin: below initial", HIGHEST_FEE)
    assert event.receiver == (attacker if cash else trader)
    assert protocol.cash(attacker) == HIGHEST_FEE * cash
    assert protocol.account(trader).escrow == 0


def test_unrealised_profit_pays_no_keeper(protocol: Protocol, trader: str, attacker: str) -> None:
    protocol.deposit(trader, 110 * USD)
    protocol.trade(trader, 0, LOTS)
    raise_keeper_fee(protocol)
    order = protocol.place(trader, 0, 1, margin_mode=ISOLATED)
    event = protocol.fill(order, 60_000, keeper=attacker).event("OrderCancelled")
    assert event.receiver == trader
    assert protocol.cash(attacker) == 0


def test_a_silent_leg_lets_no_fee_leave(protocol: Protocol, trader: str, attacker: str) -> None:
    protocol.deposit(trader, 1_000 * USD)
    protocol.trade(trader, 0, LOTS)
    raise_keeper_fee(protocol)
    expiring = protocol.place(
        trader, 1, LOTS, kind=LIMIT, acceptable_price=1, expiry=protocol.price(1).published_at + 60
    )
    advance(3_700)
    event = protocol.execute(expiring, keeper=attacker).event("OrderCancelled")
    assert (event.reason, event.receiver) == ("order: expired", trader)
    assert protocol.cash(attacker) == 0


def test_a_keeper_of_a_sound_ledger_is_paid_for_what_ends(
    protocol: Protocol, trader: str, keeper: str
) -> None:
    protocol.deposit(trader, 1_000 * USD)
    protocol.trade(trader, 0, LOTS)
    earned = protocol.cash(keeper)
    event = protocol.fill(protocol.place(trader, 0, 10**9)).event("OrderCancelled")
    assert (event.reason, event.receiver) == ("margin: below initial", keeper)
    assert protocol.cash(keeper) == earned + USD // 5


# Escrow


@pytest.fixture
def escrowed(protocol: Protocol, trader: str) -> Protocol:
    """The same position on 104.80 USD, and 110 in the escrow of orders placed before it."""
    protocol.deposit(trader, 220 * USD)
    raise_keeper_fee(protocol)
    for _ in range(11):
        protocol.place(trader, 0, 10**5, kind=LIMIT, acceptable_price=1)
    lower_keeper_fee(protocol)
    protocol.trade(trader, 0, LOTS)
    state = protocol.account(trader)
    assert (state.cash, state.escrow) == (104_800_000, 110 * USD)
    return protocol


def test_much_escrow_carries_a_position_as_cash_would(escrowed: Protocol, trader: str) -> None:
    escrowed.push_price(0, 49_176)  # 50.00 left with the escrow, 49.18 due
    assert escrowed.liquidate_cross(trader).result == 0
    escrowed.push_price(0, 49_171)  # 49.00 left, 49.17 due
    insurance = escrowed.house().insurance

    receipt = escrowed.liquidate_cross(trader)

    assert receipt.result == 1
    event = receipt.event("PositionLiquidated")
    assert (event.penalty, event.deficit) == (24_585_500, 0)
    written_off = receipt.event("DebtWrittenOff")
    assert written_off.deficit == 0
    state = escrowed.account(trader)
    left = 214_800_000 - 165_800_000 - IMPACT - event.penalty
    assert (state.cash, state.escrow) == (0, left)
    assert written_off.escrow == 110 * USD - left
    assert escrowed.house().insurance == insurance + event.penalty - event.reward


@pytest.mark.parametrize(("dollars", "lost"), [(49_000, 200_000_100), (48_800, 240_000_100)])
def test_escrow_pays_a_debt_before_insurance_does(
    escrowed: Protocol, trader: str, dollars: int, lost: int
) -> None:
    escrowed.push_price(0, dollars)
    insurance, pool_cash = escrowed.house().insurance, escrowed.house().pool_cash

    receipt = escrowed.liquidate_cross(trader)

    debt = lost - 104_800_000
    closed = receipt.event("PositionLiquidated")
    event = receipt.event("DebtWrittenOff")
    assert event.escrow + event.deficit == debt + closed.penalty
    assert event.deficit == max(debt - 110 * USD, 0)
    assert closed.penalty == max(110 * USD - debt, 0)
    state = escrowed.account(trader)
    assert (state.cash, state.escrow) == (0, 0)
    spent = closed.reward - closed.penalty + event.deficit
    assert escrowed.house().insurance == insurance - spent
    assert escrowed.house().pool_cash == pool_cash + lost


def test_an_order_whose_escrow_paid_a_debt_pays_its_keeper_what_is_left(
    escrowed: Protocol, trader: str, attacker: str
) -> None:
    escrowed.push_price(0, 49_171)
    escrowed.liquidate_cross(trader)
    left = escrowed.account(trader).escrow
    assert 2 * HIGHEST_FEE < left < 3 * HIGHEST_FEE
    resting = [order for order in escrowed.orders.values() if order.kind == LIMIT]
    paid = []
    for order in resting[:4]:
        receipt = escrowed.cancel(order)
        paid.append(receipt.event("OrderCancelled").keeper_fee)
        assert escrowed.status(order) == CANCELLED
    assert paid == [HIGHEST_FEE, HIGHEST_FEE, left - 2 * HIGHEST_FEE, 0]
    assert (escrowed.cash(trader), escrowed.account(trader).escrow) == (left, 0)


def test_a_stretched_ledger_can_still_be_closed(
    protocol: Protocol, trader: str, attacker: str
) -> None:
    stretched(protocol)
    protocol.push_price(0, 49_600)
    close = protocol.place(trader, 0, 0, is_buy=False, reduce_only=True)
    receipt = protocol.fill(close, keeper=attacker)
    assert receipt.event("PositionDecreased").deficit == 0
    assert protocol.account(trader).legs == 0
    assert protocol.position(trader, 0, ISOLATED_LONG).size == VAULT
    assert protocol.cash(attacker) <= HIGHEST_FEE
