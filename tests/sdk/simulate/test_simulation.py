"""The friendly top: people, a price path, an equity curve."""

from dataclasses import replace
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest

from bulkhead import errors
from bulkhead.listings import BTC, DEMO_LISTINGS, ETH
from bulkhead.orders import MarginMode, OrderKind, OrderState
from bulkhead.protocol.words import ISOLATED_LONG
from bulkhead.simulate import Simulation, paths
from bulkhead.simulate.simulation import INSURANCE, POOL
from bulkhead.values import to_quote

MARKET = BTC.symbol
LINE: dict[str, Any] = {"seconds": 600, "interval": 30}
ISOLATED, CROSS = MarginMode.ISOLATED, MarginMode.CROSS


@pytest.fixture
def simulation() -> Simulation:
    return Simulation((BTC, ETH))


def falling(to: int, *, seconds: int = 6_000) -> list[paths.Step]:
    return list(paths.linear(MARKET, 100_000, to, seconds=seconds, interval=60))


def money_of(simulation: Simulation) -> int:
    """Quote units in all buckets together."""
    state = simulation.engine.state
    held = sum(account.cash + account.escrow for account in state.accounts.values())
    house = state.house
    return held + state.margins() + house.pool_cash + house.insurance + house.fees


def test_every_market_of_the_demo_is_listed() -> None:
    simulation = Simulation()
    for number, listing in enumerate(DEMO_LISTINGS):
        assert simulation.market_id(listing.symbol) == number
        assert simulation.engine.market(number).mark_price == listing.price
    assert simulation.engine.house().pool_cash == POOL
    assert simulation.engine.house().insurance == INSURANCE


def test_the_curve_of_a_flat_account_is_flat(simulation: Simulation) -> None:
    simulation.participant("alice").deposit("1234.5")
    curve = simulation.run(falling(50_000))
    assert set(curve.equity("alice")) == {Decimal("1234.5")}
    assert not curve.events
    assert len(curve.times) == 101


def test_a_long_gains_what_the_price_gains_less_fees_and_impact(simulation: Simulation) -> None:
    alice = simulation.participant("alice")
    alice.deposit(10_000)
    alice.place(MARKET, "0.1", is_buy=True, leverage=10)
    curve = simulation.run(paths.linear(MARKET, 100_000, 101_000, **LINE))
    (filled,) = curve.fills
    fill = filled.fill
    assert (filled.account, fill.is_buy, fill.size) == ("alice", True, Decimal("0.1"))
    gained = Decimal("0.1") * (101_000 - fill.price)
    assert 0 < 10_000 + gained - fill.fee - curve.equity("alice")[-1] < Decimal("0.5")


def test_a_matched_pair_of_accounts_loses_only_costs(simulation: Simulation) -> None:
    for name, is_buy in (("long", True), ("short", False)):
        someone = simulation.participant(name)
        someone.deposit(10_000)
        someone.place(MARKET, "0.1", is_buy=is_buy, leverage=10)
    curve = simulation.run(falling(99_000))
    totals = [sum(pair) for pair in zip(*curve.equities.values(), strict=True)]
    # Once both have filled the price moves nothing but what one has from the other.
    assert max(totals[1:]) - min(totals[1:]) < 10**15  # a dollar of funding
    assert totals[-1] < totals[0]


def test_no_money_appears_or_is_lost(simulation: Simulation) -> None:
    begin = money_of(simulation)
    for index, name in enumerate(("alice", "bob", "carol")):
        someone = simulation.participant(name)
        someone.deposit(5_000)
        mode = ISOLATED if index else CROSS
        someone.place(MARKET, "0.3", is_buy=True, margin_mode=mode, leverage=20)
    curve = simulation.run(falling(60_000))
    assert curve.liquidations
    assert money_of(simulation) == begin + to_quote(15_000)


def test_the_worst_vault_is_liquidated_and_the_rest_of_the_account_goes_on(
    simulation: Simulation,
) -> None:
    alice = simulation.participant("alice")
    alice.deposit(5_000)
    alice.place(MARKET, "0.1", is_buy=True, margin_mode=ISOLATED, leverage=10, margin=1_000)
    alice.place(ETH.symbol, "0.6", is_buy=True, margin_mode=ISOLATED, leverage=5)
    curve = simulation.run(paths.shock(MARKET, 100_000, 88_000, at=120, **LINE))
    (hit,) = curve.liquidations
    assert (hit.account, hit.market.symbol, hit.slot) == ("alice", MARKET, ISOLATED_LONG)
    assert hit.is_isolated
    assert not hit.is_partial
    assert hit.penalty == 0
    assert hit.deficit > 0
    (left,) = alice.account.positions
    assert left.market.symbol == ETH.symbol
    assert curve.equity("alice")[-1] > 3_900


def test_a_stop_before_the_liquidation_saves_the_account(simulation: Simulation) -> None:
    order: dict[str, Any] = {"is_buy": True, "leverage": 20}
    careful, careless = (simulation.participant(name) for name in ("stopped", "liquidated"))
    for someone in (careful, careless):
        someone.deposit(2_000)
    placed = careful.place_bracket(MARKET, "0.2", stop_loss=97_000, **order)
    careless.place(MARKET, "0.2", **order)
    curve = simulation.run(falling(80_000))
    assert {one.account for one in curve.liquidations} == {"liquidated"}
    assert [simulation.outcome(one).state for one in placed] == [OrderState.EXECUTED] * 2
    assert curve.equity("stopped")[-1] > 1_300
    assert curve.equity("liquidated")[-1] < 200


def test_a_trailing_stop_follows_the_price_and_sells_on_the_way_back(
    simulation: Simulation,
) -> None:
    alice = simulation.participant("alice")
    alice.deposit(5_000)
    _, stop = alice.place_bracket(MARKET, "0.1", is_buy=True, leverage=10, trailing="0.02")
    up = paths.linear(MARKET, 100_000, 110_000, **LINE)
    simulation.run(up)
    curve = simulation.run(paths.linear(MARKET, 110_000, 105_000, **LINE))
    (filled,) = curve.fills
    assert filled.fill.mark_price == Decimal(
        "107_750"
    )  # the first step at or below 98 % of the best
    assert simulation.outcome(stop).state == OrderState.EXECUTED
    assert not alice.account.positions


def test_somebody_acts_between_the_steps(simulation: Simulation) -> None:
    alice = simulation.participant("alice")
    alice.deposit(5_000)
    alice.place(MARKET, "0.1", is_buy=True, margin_mode=ISOLATED, leverage=20)

    def feed(_: Simulation) -> None:
        for position in alice.account.isolated:
            if position.margin < 2_000:
                alice.add_margin(MARKET, 500, is_long=True)

    curve = simulation.run(falling(90_000), feed)
    assert not curve.liquidations
    assert alice.account.isolated[0].margin >= 2_000
    added = [event for event in curve.events if event.name == "MarginAdded"]
    assert len(added) == 4


def test_a_silent_market_is_not_traded(simulation: Simulation) -> None:
    alice = simulation.participant("alice")
    alice.deposit(5_000)
    placed = alice.place(MARKET, "0.1", is_buy=True, kind=OrderKind.LIMIT, acceptable_price=200_000)
    curve = simulation.run([(time, {MARKET: None}) for time in range(0, 600, 60)])
    assert not curve.fills
    assert simulation.outcome(placed).state == OrderState.PENDING
    curve = simulation.run([(0, {})])
    assert len(curve.fills) == 1
    assert simulation.outcome(placed).state == OrderState.EXECUTED


def test_margin_moves_in_and_out_and_modes_change(simulation: Simulation) -> None:
    alice = simulation.participant("alice")
    alice.deposit(5_000)
    alice.set_default_margin_mode(MARKET, is_isolated=True)
    alice.set_leverage(MARKET, 5, is_isolated=True)
    alice.place(MARKET, "0.05", is_buy=True)
    simulation.run([(10, {})])
    (vault,) = alice.account.isolated
    assert vault.margin >= 1_000
    alice.add_margin(MARKET, 100, is_long=True)
    alice.remove_margin(MARKET, 100, is_long=True)
    alice.set_auto_margin(MARKET, 50, is_long=True)
    alice.convert_to_cross(MARKET, is_long=True)
    assert len(alice.account.cross) == 1
    alice.convert_to_isolated(MARKET, is_long=True)
    alice.close_position(MARKET, is_long=True, margin_mode=ISOLATED)
    simulation.run([(10, {})])
    assert not alice.account.positions
    alice.set_hedge_mode(True)
    assert alice.account.is_hedge
    alice.withdraw(alice.account.free_collateral)
    assert alice.account.equity == 0


def test_an_order_is_cancelled_alone_or_with_all(simulation: Simulation) -> None:
    alice = simulation.participant("alice")
    alice.deposit(1_000)
    limit: dict[str, Any] = {"is_buy": True, "kind": OrderKind.LIMIT, "acceptable_price": 90_000}
    first, second = (alice.place(MARKET, "0.01", **limit) for _ in range(2))
    alice.cancel(first)
    assert simulation.outcome(first).state == OrderState.CANCELLED
    alice.cancel_all()
    simulation.run([(10, {MARKET: 80_000})])
    assert simulation.outcome(second).reason == "order: cancelled by owner"
    assert alice.account.equity == 1_000


def test_what_is_refused_changes_nothing(simulation: Simulation) -> None:
    alice = simulation.participant("alice")
    alice.deposit(100)
    before = replace(simulation.engine.state, accounts=dict(simulation.engine.state.accounts))
    with pytest.raises(errors.BalanceNotWithdrawable):
        alice.withdraw(101)
    with pytest.raises(errors.PositionNotOpen):
        alice.add_margin(MARKET, 1, is_long=True)
    with pytest.raises(errors.LeverageOutOfRange):
        alice.set_leverage(MARKET, "0.5")
    with pytest.raises(errors.OrderNoLimitPrice):
        alice.place(MARKET, 1, is_buy=True, kind=OrderKind.LIMIT)
    assert simulation.engine.state == before


def test_the_same_inputs_give_the_same_curve() -> None:
    def run() -> str:
        simulation = Simulation((BTC,))
        alice = simulation.participant("alice")
        alice.deposit(5_000)
        alice.place(MARKET, "0.3", is_buy=True, leverage=20)
        walk = paths.random_walk(MARKET, 100_000, most="0.01", seconds=6_000, interval=60, seed=5)
        file = StringIO()
        simulation.run(walk).write_csv(file)
        return file.getvalue()

    assert run() == run()


def test_rows_say_time_prices_and_equities(simulation: Simulation) -> None:
    simulation.participant("alice").deposit(1_000)
    curve = simulation.run(paths.linear(MARKET, 100_000, 100_001, seconds=2, interval=1))
    assert curve.columns() == ("time", MARKET, ETH.symbol, "alice")
    begin = curve.times[0]
    assert list(curve.rows()) == [
        (begin, 100_000, 4_000, 1_000),
        (begin + 1, Decimal("100000.5"), 4_000, 1_000),
        (begin + 2, 100_001, 4_000, 1_000),
    ]
    file = StringIO()
    curve.write_csv(file)
    head, _, *_, last = file.getvalue().splitlines()
    assert head == f"time,{MARKET},{ETH.symbol},alice"
    assert [Decimal(cell) for cell in last.split(",")] == [begin + 2, 100_001, 4_000, 1_000]


def test_time_only_advances(simulation: Simulation) -> None:
    now = simulation.engine.now
    with pytest.raises(ValueError, match="not later"):
        simulation.step(now, {})
    with pytest.raises(ValueError, match="not later"):
        simulation.run([(5, {}), (5, {})])
    with pytest.raises(ValueError, match="is before"):
        simulation.engine.now = now - 1


def test_prices_of_unknown_markets_and_floats_are_refused(simulation: Simulation) -> None:
    with pytest.raises(KeyError, match="DOGE"):
        simulation.run([(1, {"DOGE": 1})])
    with pytest.raises(KeyError, match="DOGE"):
        simulation.participant("alice").place("DOGE", 1, is_buy=True)
    with pytest.raises(errors.MarketUnknown):
        simulation.market_id(9)
    with pytest.raises(TypeError, match="not exact money"):
        simulation.run([(1, {MARKET: 1.5})])  # type: ignore[dict-item]
