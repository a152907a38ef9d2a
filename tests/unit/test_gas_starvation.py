"""However little gas a keeper brings, an order is executed or left untouched, never cancelled."""

from collections.abc import Callable

import pytest

from bulkhead.protocol.words import ISOLATED_LONG
from tests.helpers.chain import Contract, Receipt, advance
from tests.helpers.feeds import answer, bring, use_aggregator
from tests.helpers.protocol import (
    COOLDOWN,
    CROSS,
    EXECUTED,
    ISOLATED,
    PENDING,
    STOP,
    USD,
    Order,
    Protocol,
    position_id,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
STEP = 600  # gas


def opens_cross(protocol: Protocol) -> Order:
    return protocol.place(protocol.trader, 0, LOTS)


def opens_vault(protocol: Protocol) -> Order:
    return protocol.place(protocol.trader, 0, LOTS, margin_mode=ISOLATED)


def stops_loss(protocol: Protocol) -> Order:
    """A stop on a cross long, with another leg to value."""
    trader = protocol.trader
    protocol.trade(trader, 0, LOTS)
    protocol.trade(trader, 1, 10**7)
    return protocol.place(
        *(trader, 0, 0),
        kind=STOP,
        is_buy=False,
        reduce_only=True,
        trigger_price=protocol.femto(0, 60_000),
    )


def flips_vault(protocol: Protocol) -> Order:
    trader = protocol.trader
    protocol.trade(trader, 0, LOTS, margin_mode=ISOLATED)
    return protocol.place(trader, 0, 2 * LOTS, margin_mode=ISOLATED, is_buy=False)


@pytest.mark.parametrize("verb", ["execute", "execute_orders"])
@pytest.mark.parametrize("prepare", [opens_cross, opens_vault, stops_loss, flips_vault])
def test_too_little_gas_leaves_an_order_as_it_was(
    protocol: Protocol, verb: str, prepare: Callable[[Protocol], Order]
) -> None:
    protocol.deposit(protocol.trader, 10_000 * USD)
    order = prepare(protocol)
    protocol.wait(0)
    argument = order if verb == "execute" else [order]
    before = protocol.state()
    with protocol.anchored():
        enough = protocol.book.send(protocol.keeper, verb, argument).gas_used

    executed = untouched = 0
    for gas in range(1_000, enough + 12_000, STEP):
        with protocol.anchored():
            receipt = protocol.book.attempt(protocol.keeper, verb, argument, gas=gas)
            status = protocol.status(order)
            if status == EXECUTED:
                executed += 1
                assert receipt.result in (EXECUTED, (EXECUTED,), [EXECUTED])
            else:
                untouched += 1
                assert status == PENDING
                assert protocol.state() == before
                # Out of gas at the top has no words; a failure inside is named.
                assert receipt.refusal in (None, "", "order: execution failed")
    assert executed > 10
    assert untouched > 50


def test_a_starved_batch_leaves_its_later_orders_alone(protocol: Protocol) -> None:
    protocol.deposit(protocol.trader, 10_000 * USD)
    orders = [opens_cross(protocol) for _ in range(3)]
    protocol.wait(0)
    seen = set()
    with protocol.anchored():
        enough = protocol.book.send(protocol.keeper, "execute_orders", orders).gas_used
    for gas in range(1_000, enough + 60_000, 4 * STEP):
        with protocol.anchored():
            protocol.book.attempt(protocol.keeper, "execute_orders", orders, gas=gas)
            statuses = [protocol.status(order) for order in orders]
            assert set(statuses) <= {PENDING, EXECUTED}
            seen.add(tuple(statuses))
            protocol.check_invariants()
    assert (PENDING,) * 3 in seen
    assert (EXECUTED,) * 3 in seen


# Liquidations, and liquidity

DUE = 45_200  # at 10x, of a long from 50,000: below maintenance margin, above nothing


@pytest.fixture
def aggregator(protocol: Protocol) -> Contract:
    """Market 0 on a Chainlink feed: before anybody is judged it is asked for a newer round."""
    found = use_aggregator(protocol, 0)
    renew(protocol, found, 50_000)
    return found


def renew(protocol: Protocol, aggregator: Contract, dollars: int) -> None:
    advance(3)
    answer(protocol, aggregator, dollars)
    bring(protocol, 0)


def long_vault(protocol: Protocol, aggregator: Contract) -> int:
    """5,000 USD long on 500, and a cross leg in the same market."""
    trader = protocol.trader
    protocol.deposit(trader, 2_000 * USD)
    for mode, size in ((ISOLATED, LOTS), (CROSS, LOTS // 100)):
        order = protocol.place(trader, 0, size, margin_mode=mode)
        renew(protocol, aggregator, 50_000)
        assert protocol.execute(order).result == EXECUTED
    return position_id(trader, 0, ISOLATED_LONG)


def starved(
    protocol: Protocol, act: Callable[[int | None], Receipt], step: int = STEP
) -> set[tuple[str, ...]]:
    """What a call logs with any gas up to enough; where it logs nothing, nothing has changed."""
    before = protocol.state()
    with protocol.anchored():
        enough = act(None).gas_used
    seen: set[tuple[str, ...]] = set()
    for gas in range(1_000, enough + 12_000, step):
        with protocol.anchored():
            names = tuple(event.name for event in act(gas).events)
            seen.add(names)
            if not names:
                assert protocol.state() == before
            protocol.check_invariants()
    return seen


def test_who_may_add_margin_is_not_liquidated_for_want_of_gas(
    protocol: Protocol, aggregator: Contract
) -> None:
    """A keeper would earn more where the ledger could not be asked."""
    vault = long_vault(protocol, aggregator)
    protocol.set_auto_margin(protocol.trader, 0, True, 100 * USD)
    renew(protocol, aggregator, DUE)

    def liquidate(gas: int | None) -> Receipt:
        return protocol.clearinghouse.attempt(
            protocol.keeper, "liquidate_isolated", [vault], gas=gas
        )

    seen = starved(protocol, liquidate)
    assert len(seen) == 2
    assert any("MarginToppedUp" in names for names in seen)
    assert not any("PositionLiquidated" in names for names in seen)


def test_no_lack_of_gas_hides_a_newer_round(protocol: Protocol, aggregator: Contract) -> None:
    vault = long_vault(protocol, aggregator)
    renew(protocol, aggregator, DUE)
    advance(1)
    answer(protocol, aggregator, 50_000)

    def liquidate(gas: int | None) -> Receipt:
        return protocol.clearinghouse.attempt(
            protocol.keeper, "liquidate_isolated", [vault], gas=gas
        )

    assert starved(protocol, liquidate) == {()}


@pytest.mark.parametrize("verb", ["liquidate_isolated", "liquidate_cross"])
def test_a_liquidation_is_done_whole_or_not_at_all(protocol: Protocol, verb: str) -> None:
    trader, other = protocol.trader, protocol.attacker
    mode = ISOLATED if verb == "liquidate_isolated" else CROSS
    for account in (trader, other):
        protocol.deposit(account, 1_050 * USD)
        for market in (0, 1):
            size = 5_000 * 10**15 // protocol.price(market).price
            protocol.trade(account, market, size, margin_mode=mode)
    for market in (0, 1):
        protocol.push_price(market, protocol.dollars(market) * 9 // 10)
    ids = [position_id(account, 0, ISOLATED_LONG) for account in (trader, other)]
    argument = ids if mode == ISOLATED else [trader, other]

    def liquidate(gas: int | None) -> Receipt:
        return protocol.clearinghouse.attempt(protocol.keeper, verb, argument, gas=gas)

    seen = starved(protocol, liquidate, 4 * STEP)
    assert len(seen) == 2
    (done,) = (names for names in seen if names)
    assert done.count("PositionLiquidated") >= 2


def test_a_request_is_fixed_at_its_worth_or_not_at_all(
    protocol: Protocol, aggregator: Contract
) -> None:
    long_vault(protocol, aggregator)
    provider = protocol.liquidity_provider
    number = protocol.pool.send(provider, "requestRedeem", 10**15, provider, provider).result
    advance(COOLDOWN)
    renew(protocol, aggregator, 50_000)
    with protocol.anchored():
        worth = protocol.pool.send(protocol.keeper, "fix", number).result

    def fix(gas: int | None) -> Receipt:
        receipt = protocol.pool.attempt(protocol.keeper, "fix", number, gas=gas)
        assert receipt.result in (None, worth)
        return receipt

    assert len(starved(protocol, fix)) == 2
