"""What each action does in each state of its market's price, on the real protocol, cell by cell.

The table in docs/design.md is this one. A settled market's price needs nobody's word any more, so
those who hold it act as at a fresh one; only trading it is over.
"""

from collections.abc import Callable

import pytest

from bulkhead.protocol import words
from bulkhead.protocol.words import HOUR
from tests.helpers.chain import Contract, Refused, advance, now, refused
from tests.helpers.feeds import answer, bring, use_aggregator
from tests.helpers.protocol import (
    EXECUTED,
    FRICTIONLESS,
    ISOLATED,
    LIMIT,
    PENDING,
    PPM,
    USD,
    Market,
    Order,
    Protocol,
    position_id,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
ENTRY, PRICE = 50_000, 45_000
MARKET = Market("BTC-PERP", ENTRY, 10**8, FRICTIONLESS)
WORKS, SKIPS = "works", "skips"

orders: dict[str, Order] = {}


@pytest.fixture(scope="module")
def world() -> Protocol:
    """One market. Accounts of every kind hold it from 50,000 USD; its next price is 45,000."""
    world = Protocol(MARKET)
    for name in ("trader", "holder", "flat"):
        world.deposit(world.actor(name), 20_000 * USD)
    trader, holder, flat = (world.actor(name) for name in ("trader", "holder", "flat"))
    world.trade(trader, 0, LOTS)
    world.trade(holder, 0, LOTS)
    for account in (trader, holder, flat):
        world.trade(account, 0, LOTS, margin_mode=ISOLATED, leverage=2 * PPM)
    # Margin of 10.2 % and 9 %: at 45,000 the first is worth a little, the second less than nothing.
    for name, margin in (("thin", 510), ("bankrupt", 450)):
        vault, ledger = world.actor(f"{name} vault"), world.actor(f"{name} ledger")
        world.deposit(vault, 1_000 * USD)
        world.trade(vault, 0, LOTS, margin_mode=ISOLATED, margin=margin * USD)
        world.deposit(ledger, margin * USD + world.markets[0].keeper_fee)
        world.trade(ledger, 0, LOTS)
    rest = {"kind": LIMIT, "acceptable_price": 2**63}
    orders["open"] = world.place(trader, 0, LOTS, **rest)
    rest = {"kind": LIMIT, "acceptable_price": 1, "is_buy": False, "reduce_only": True}
    orders["reduce cross"] = world.place(trader, 0, LOTS // 2, **rest)
    orders["reduce isolated"] = world.place(trader, 0, LOTS // 2, margin_mode=ISOLATED, **rest)
    return world


# States of the price


def ask_to_leave(protocol: Protocol) -> None:
    provider = protocol.liquidity_provider
    shares = protocol.pool.read("balanceOf", provider) // 100
    protocol.pool.send(provider, "requestRedeem", shares, provider, provider)
    advance(HOUR)


def publish(protocol: Protocol) -> None:
    """The price that all states are about, after a request to leave the pool has matured."""
    ask_to_leave(protocol)
    protocol.push_price(0, PRICE)


def fresh(protocol: Protocol) -> None:
    publish(protocol)
    advance(60)


def old(protocol: Protocol) -> None:
    publish(protocol)
    advance(61)


def superseded(protocol: Protocol) -> None:
    publish(protocol)
    advance(1)
    answer(protocol, use_aggregator(protocol, 0), PRICE)
    assert not protocol.oracle.read("is_latest", 0)


def silent(protocol: Protocol) -> None:
    publish(protocol)
    advance(HOUR + HOUR)


def silent_for_long(protocol: Protocol) -> None:
    publish(protocol)
    advance(HOUR + HOUR + 1)


def dispute(protocol: Protocol) -> Contract:
    second = Contract("mocks/MockAggregator", 8)
    protocol.oracle.send(protocol.owner, "set_check", 0, second.address, 10_000, 0)
    second.send(protocol.owner, "set_answer", 60_000 * 10**8, now() + HOUR)
    return second


def disputed(protocol: Protocol) -> None:
    dispute(protocol)
    publish(protocol)
    assert protocol.price(0).caution == words.ONLY_BANKRUPT


def disputed_for_long(protocol: Protocol) -> None:
    dispute(protocol)
    publish(protocol)
    advance(900)
    protocol.publish(0, PRICE)
    assert protocol.price(0).caution == words.NO_OPENING


def settling(protocol: Protocol) -> None:
    hour = now() // HOUR + 26
    protocol.oracle.send(protocol.owner, "announce_settlement", 0, hour)
    advance(hour * HOUR - HOUR - now())
    publish(protocol)


def settled(protocol: Protocol) -> None:
    settling(protocol)
    advance(HOUR)
    protocol.oracle.send(protocol.keeper, "fix_settlement", 0)
    assert protocol.price(0).price == protocol.femto(0, PRICE)


def settled_with_rounds_to_come(protocol: Protocol) -> None:
    source, hour = use_aggregator(protocol, 0), now() // HOUR + 26
    protocol.oracle.send(protocol.owner, "announce_settlement", 0, hour)
    advance(hour * HOUR - HOUR - now())
    ask_to_leave(protocol)
    answer(protocol, source, PRICE)
    bring(protocol, 0)
    advance(HOUR)
    protocol.oracle.send(protocol.keeper, "fix_settlement", 0)
    advance(1)
    answer(protocol, source, PRICE)
    assert protocol.oracle.read("is_latest", 0)


# Actions: what came of each


def send(protocol: Protocol, sender: str, function: str, *arguments: object) -> str:
    protocol.clearinghouse.send(protocol.actor(sender), function, *arguments)
    return WORKS


def execute(protocol: Protocol, name: str) -> str:
    order = orders[name]
    receipt = protocol.book.attempt(protocol.keeper, "execute", order)
    if receipt.refusal is None:
        return WORKS if receipt.result == EXECUTED else receipt.event("OrderCancelled").reason
    assert protocol.status(order) == PENDING
    return receipt.refusal


def cancel(protocol: Protocol) -> str:
    protocol.cancel(orders["open"])
    return WORKS


def enter_pool(protocol: Protocol) -> str:
    protocol.add_liquidity(1_000 * USD)
    return WORKS


def leave_pool(protocol: Protocol) -> str:
    protocol.pool.send(protocol.keeper, "fix", 1)
    return WORKS


def liquidate_isolated(protocol: Protocol, name: str) -> str:
    account = protocol.actor(f"{name} vault")
    receipt = protocol.liquidate_isolated(position_id(account, 0, words.ISOLATED_LONG))
    return WORKS if receipt.result else SKIPS


def liquidate_cross(protocol: Protocol, name: str) -> str:
    return WORKS if protocol.liquidate_cross(protocol.actor(f"{name} ledger")).result else SKIPS


def settle(protocol: Protocol) -> str:
    account = protocol.actor("holder")
    receipt = protocol.settle_positions(position_id(account, 0, words.CROSS_LONG))
    return WORKS if receipt.result else SKIPS


STATES: dict[str, Callable[[Protocol], None]] = {
    "fresh": fresh,
    "old": old,
    "silent": silent,
    "silent for long": silent_for_long,
    "disputed": disputed,
    "disputed for long": disputed_for_long,
    "settling": settling,
    "settled": settled,
    "superseded": superseded,
    "settled with rounds to come": settled_with_rounds_to_come,
}
ACTIONS: dict[str, Callable[[Protocol], str]] = {
    "cancel": cancel,
    "deposit": lambda p: send(p, "trader", "deposit", p.trader, USD),
    "deposit margin": lambda p: send(p, "trader", "deposit_margin", p.trader, 0, True, USD),
    "add margin, no legs": lambda p: send(p, "flat", "add_margin", 0, True, USD),
    "withdraw, no legs": lambda p: send(p, "flat", "withdraw", USD, p.actor("flat")),
    "reduce cross": lambda p: execute(p, "reduce cross"),
    "reduce isolated": lambda p: execute(p, "reduce isolated"),
    "open": lambda p: execute(p, "open"),
    "add margin, with legs": lambda p: send(p, "trader", "add_margin", 0, True, USD),
    "remove margin": lambda p: send(p, "holder", "remove_margin", 0, True, USD),
    "withdraw, with legs": lambda p: send(p, "trader", "withdraw", USD, p.trader),
    "convert to isolated": lambda p: send(p, "holder", "convert_position", 0, True, True, 0),
    "convert to cross": lambda p: send(p, "holder", "convert_position", 0, True, False, 0),
    "enter the pool": enter_pool,
    "leave the pool": leave_pool,
    "liquidate isolated": lambda p: liquidate_isolated(p, "thin"),
    "liquidate isolated, bankrupt": lambda p: liquidate_isolated(p, "bankrupt"),
    "liquidate cross": lambda p: liquidate_cross(p, "thin"),
    "liquidate cross, bankrupt": lambda p: liquidate_cross(p, "bankrupt"),
    "settle a position": settle,
}

STALE, FIRM, OVER = "price: stale", "price: not firm", "market: settling"
COLUMNS = list(STATES)[:8]
SAME = {"superseded": "old", "settled with rounds to come": "settled"}
ALWAYS = (WORKS,) * 8
NEEDS_FIRM = (WORKS, FIRM, FIRM, FIRM, FIRM, FIRM, FIRM, WORKS)
CONVERTS = (WORKS, FIRM, FIRM, FIRM, FIRM, FIRM, FIRM, FIRM)
CLOSES = (WORKS, STALE, STALE, STALE, WORKS, WORKS, OVER, OVER)
OPENS = (WORKS, STALE, STALE, STALE, FIRM, FIRM, OVER, OVER)
LIQUIDATES = (WORKS, SKIPS, SKIPS, SKIPS, SKIPS, WORKS, SKIPS, SKIPS)
LIQUIDATES_BANKRUPT = (WORKS, SKIPS, SKIPS, SKIPS, WORKS, WORKS, SKIPS, SKIPS)
SETTLES = (SKIPS, SKIPS, SKIPS, SKIPS, SKIPS, SKIPS, SKIPS, WORKS)
TABLE = {
    "cancel": ALWAYS,
    "deposit": ALWAYS,
    "deposit margin": ALWAYS,
    "add margin, no legs": ALWAYS,
    "withdraw, no legs": ALWAYS,
    "reduce cross": CLOSES,
    "reduce isolated": CLOSES,
    "open": OPENS,
    "add margin, with legs": NEEDS_FIRM,
    "remove margin": NEEDS_FIRM,
    "withdraw, with legs": NEEDS_FIRM,
    "convert to isolated": CONVERTS,
    "convert to cross": CONVERTS,
    "enter the pool": NEEDS_FIRM,
    "leave the pool": NEEDS_FIRM,
    "liquidate isolated": LIQUIDATES,
    "liquidate isolated, bankrupt": LIQUIDATES_BANKRUPT,
    "liquidate cross": LIQUIDATES,
    "liquidate cross, bankrupt": LIQUIDATES_BANKRUPT,
    "settle a position": SETTLES,
}
"""What becomes of each action in each state, in their order; of an order, why it waits."""


def outcome(protocol: Protocol, action: str) -> str:
    try:
        return ACTIONS[action](protocol)
    except Refused as refusal:
        return refusal.reason


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("state", STATES)
def test_an_action_in_a_state_of_the_price(protocol: Protocol, state: str, action: str) -> None:
    STATES[state](protocol)
    expected = dict(zip(COLUMNS, TABLE[action], strict=True))[SAME.get(state, state)]
    assert outcome(protocol, action) == expected


def test_a_spike_late_in_the_window_lets_no_money_out(protocol: Protocol) -> None:
    """The average is all but known by then: what it takes away is as good as gone."""
    hour = now() // HOUR + 26
    protocol.oracle.send(protocol.owner, "announce_settlement", 0, hour)
    advance(hour * HOUR - now())
    protocol.publish(0, 30_000)
    advance(HOUR - 10)
    protocol.publish(0, 60_000)
    trader = protocol.trader
    for function, arguments in (
        ("withdraw", (USD, trader)),
        ("remove_margin", (0, True, USD)),
        ("add_margin", (0, True, USD)),
    ):
        with refused("price: not firm"):
            protocol.clearinghouse.send(trader, function, *arguments)
