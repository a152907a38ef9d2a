"""What the guardian's two flags block, and what they never block: every entry point, one by one."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bulkhead.protocol import words
from tests.helpers.chain import Receipt, refused
from tests.helpers.entry_points import entry_points, owner_calls
from tests.helpers.protocol import (
    BTC,
    CROSS,
    ETH,
    EXECUTED,
    ISOLATED,
    LIMIT,
    LONG,
    OPEN,
    PENDING,
    REDUCE_ONLY,
    SHORT,
    SOL,
    USD,
    Order,
    Protocol,
)
from tests.helpers.scenes import INTERNAL, LOTS, SCENES, SOMEBODY

NOBODY = "0x" + "00" * 20


class PermitProtocol(Protocol):
    """A protocol whose token knows permits."""

    token_contract = "mocks/MockPermitToken"


@pytest.fixture(scope="module")
def permitted() -> Protocol:
    return PermitProtocol(BTC, ETH, SOL)


@pytest.fixture
def protocol(permitted: Protocol) -> Iterator[Protocol]:
    with permitted.anchored() as protocol:
        yield protocol
        protocol.check_invariants()


def stop_opening(protocol: Protocol) -> Receipt:
    return protocol.clearinghouse.send(protocol.guardian, "stop_opening", True)


def reduce_only(protocol: Protocol) -> Receipt:
    return protocol.clearinghouse.send(protocol.guardian, "set_status", 0, REDUCE_ONLY)


FLAGS = pytest.mark.parametrize("flag", [stop_opening, reduce_only])


def test_the_table_names_every_entry_point() -> None:
    assert SCENES.keys() | INTERNAL == entry_points()


@FLAGS
@pytest.mark.parametrize("entry", SCENES)
def test_no_flag_blocks(
    protocol: Protocol, entry: str, flag: Callable[[Protocol], Receipt]
) -> None:
    act = SCENES[entry](protocol)
    with protocol.anchored():
        expected = act()
    flag(protocol)
    found = act()
    assert found.result == expected.result
    assert [event.name for event in found.events] == [event.name for event in expected.events]


# What they do block


def opening(protocol: Protocol, **fields: Any) -> Order:
    """A limit order that would open, and whose price is there."""
    protocol.deposit(protocol.trader, 5_000 * USD)
    limit = protocol.femto(0, 60_000 if fields.get("is_buy", True) else 40_000)
    return protocol.place(
        protocol.trader, 0, LOTS, **{"kind": LIMIT, "acceptable_price": limit} | fields
    )


def lift(protocol: Protocol) -> None:
    protocol.clearinghouse.send(protocol.owner, "stop_opening", False)
    protocol.clearinghouse.send(protocol.owner, "set_status", 0, OPEN)


@FLAGS
@pytest.mark.parametrize("verb", ["execute", "execute_orders"])
@pytest.mark.parametrize("margin_mode", [CROSS, ISOLATED])
@pytest.mark.parametrize("grows", [False, True])
def test_what_opens_or_grows_a_position_waits_until_the_flag_is_lifted(
    protocol: Protocol,
    flag: Callable[[Protocol], Receipt],
    verb: str,
    margin_mode: int,
    grows: bool,
) -> None:
    order = opening(protocol, margin_mode=margin_mode)
    if grows:
        protocol.fill(order)
        order = opening(protocol, margin_mode=margin_mode)
    protocol.wait(0)
    flag(protocol)

    before = protocol.state()
    if verb == "execute":
        with refused("market: not open"):
            protocol.execute(order)
    else:
        assert protocol.book.send(protocol.keeper, verb, [order]).result == (PENDING,)
    assert protocol.state() == before
    lift(protocol)
    assert protocol.execute(order).result == EXECUTED


@FLAGS
def test_a_flip_waits_as_a_whole(protocol: Protocol, flag: Callable[[Protocol], Receipt]) -> None:
    trader = protocol.trader
    protocol.fill(opening(protocol))
    order = opening(protocol, is_buy=False)
    larger = protocol.place(
        trader, 0, 2 * LOTS, kind=LIMIT, is_buy=False, acceptable_price=protocol.femto(0, 40_000)
    )
    protocol.wait(0)
    flag(protocol)
    with refused("market: not open"):
        protocol.execute(larger)
    assert protocol.execute(order).result == EXECUTED
    assert protocol.position(trader, 0, words.CROSS_LONG).size == 0


@FLAGS
@pytest.mark.parametrize("margin_mode", [CROSS, ISOLATED])
def test_in_hedge_mode_what_closes_a_side_goes_on(
    protocol: Protocol, flag: Callable[[Protocol], Receipt], margin_mode: int
) -> None:
    trader = protocol.trader
    protocol.clearinghouse.send(trader, "set_hedge_mode", True)
    for side, is_buy in ((LONG, True), (SHORT, False)):
        protocol.fill(opening(protocol, margin_mode=margin_mode, position_side=side, is_buy=is_buy))
    flag(protocol)
    for side, is_buy in ((LONG, False), (SHORT, True)):
        protocol.trade(
            trader, 0, LOTS // 2, margin_mode=margin_mode, position_side=side, is_buy=is_buy
        )
        protocol.trade(
            trader,
            0,
            0,
            margin_mode=margin_mode,
            position_side=side,
            is_buy=is_buy,
            reduce_only=True,
        )


def test_one_market_s_flag_leaves_the_others_open(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 5_000 * USD)
    reduce_only(protocol)
    protocol.trade(trader, 1, LOTS)


def test_stopping_leaves_no_market_open(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 5_000 * USD)
    stop_opening(protocol)
    for market in range(3):
        order = protocol.place(trader, market, LOTS)
        protocol.wait(market)
        with refused("market: not open"):
            protocol.execute(order)


# What the guardian may not do


def test_the_guardian_has_no_other_power(protocol: Protocol, guardian: str) -> None:
    before = protocol.state()
    for call in owner_calls(protocol):
        with refused(call.refusal):
            call.of(protocol).send(guardian, call.function, *call.arguments)
    for verb, argument in (("add_liquidity", USD), ("remove_liquidity", USD)):
        with refused("caller: not allowed"):
            protocol.clearinghouse.send(guardian, verb, argument)
    assert protocol.state() == before


def test_a_guardian_that_was_replaced_has_none(protocol: Protocol, guardian: str) -> None:
    for name in (SOMEBODY, NOBODY):
        protocol.clearinghouse.send(protocol.owner, "set_guardian", name)
        with refused("ownable: caller is not the owner"):
            stop_opening(protocol)
        with refused("ownable: caller is not the owner"):
            reduce_only(protocol)
