"""What risk helpers say is what then happens: checked by doing it, offline and on chain."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead import MarginMode, Simulation, errors
from bulkhead.sizing import loss_at_stop, margin_for_distance, size_for_risk
from tests.sdk.world import World

BTC = "BTC-PERP"
ISOLATED = MarginMode.ISOLATED


def pass_time(simulation: Simulation, price: int) -> None:
    simulation.step(simulation.engine.now + 2, {BTC: price})


def lost(size: Decimal, stop: int, *, is_buy: bool, lean: str) -> Decimal:
    """What an account loses that opens a position at 100,000 and closes it at a stop at once."""
    simulation = Simulation()
    other, one = simulation.participant("other"), simulation.participant("one")
    for person in (other, one):
        person.deposit(10**6)
    other.place(BTC, lean.removeprefix("-"), is_buy=not lean.startswith("-"))
    pass_time(simulation, 100_000)
    one.place(BTC, size, is_buy=is_buy)
    pass_time(simulation, 100_000)
    one.close_position(BTC, is_long=is_buy)
    pass_time(simulation, stop)
    view = simulation.engine.account(one.address)
    assert not view.positions
    return 10**6 - view.cash


@settings(max_examples=25, deadline=None)
@given(
    is_buy=st.booleans(),
    distance=st.integers(500, 20_000),
    risk=st.integers(50, 5_000),
    lean=st.sampled_from(["0.01", "3", "-3"]),
)
def test_a_stop_loses_no_more_than_was_risked(
    is_buy: bool, distance: int, risk: int, lean: str
) -> None:
    simulation = Simulation()
    other = simulation.participant("other")
    other.deposit(10**6)
    other.place(BTC, lean.removeprefix("-"), is_buy=not lean.startswith("-"))
    pass_time(simulation, 100_000)
    stop = 100_000 - distance if is_buy else 100_000 + distance
    state = simulation.engine.market(simulation.market_id(BTC))
    fee = simulation.engine.ledger.order_terms(0).keeper_fee
    size = size_for_risk(state, risk, stop, is_buy=is_buy, keeper_fee=fee)
    # Seconds of funding are not in it.
    assert lost(size, stop, is_buy=is_buy, lean=lean) <= risk + Decimal("0.01")
    lots = state.market.lots_exact(size)
    femto = state.market.price_exact(stop)
    losses = [
        loss_at_stop(state, one, femto, is_buy=is_buy, keeper_fee=fee) for one in (lots, lots + 1)
    ]
    assert losses[0] <= risk * 10**6 < losses[1]


def test_losses_grow_with_size() -> None:
    state = Simulation().engine.market(0)
    stop = state.market.price_exact(99_000)
    sizes = [10**6 * step for step in range(1, 50)]
    losses = [loss_at_stop(state, one, stop, is_buy=True, keeper_fee=0) for one in sizes]
    assert all(one < following for one, following in pairwise(losses))


def test_a_stop_lies_on_the_losing_side() -> None:
    state = Simulation().engine.market(0)
    with pytest.raises(ValueError, match=r"stop_price: 100000 is not below"):
        size_for_risk(state, 100, 100_000, is_buy=True, keeper_fee=0)
    with pytest.raises(ValueError, match=r"stop_price: 99000 is not above"):
        size_for_risk(state, 100, 99_000, is_buy=False, keeper_fee=0)


def test_too_little_risk_opens_nothing() -> None:
    state = Simulation().engine.market(0)
    with pytest.raises(errors.Unreached, match=r"risk: 0\.01 USD"):
        size_for_risk(state, "0.01", 50_000, is_buy=True, keeper_fee=0)


@pytest.mark.parametrize("is_long", [True, False])
def test_added_margin_brings_the_liquidation_price_as_far_as_wished(
    world: World, is_long: bool
) -> None:
    trader = world.trader()
    world.fill(trader.place(BTC, "0.1", is_buy=is_long, margin_mode=ISOLATED, leverage=10))
    margin = trader.margin_for_distance(BTC, "0.2", is_long=is_long)
    trader.add_margin(BTC, margin, is_long=is_long)
    (vault,) = world.reader.account(trader.address).isolated
    mark, bound = vault.state.mark_price, vault.liquidation_price
    assert bound is not None
    assert abs(mark - bound) / mark >= Decimal("0.2")
    assert abs(mark - bound) / mark < Decimal("0.2001")
    assert margin_for_distance(vault, "0.1") == 0
    with pytest.raises(errors.PositionNotOpen):
        trader.margin_for_distance(BTC, "0.2", is_long=not is_long)
    with pytest.raises(ValueError, match="distance: 0 is not positive"):
        margin_for_distance(vault, 0)


@pytest.mark.parametrize(("is_buy", "bound"), [(True, 80_000), (False, 120_000)])
def test_leverage_is_the_most_that_keeps_the_liquidation_price(
    world: World, is_buy: bool, bound: int
) -> None:
    trader = world.trader(20_000)
    leverage = trader.leverage_for(BTC, "0.1", bound, is_buy=is_buy)
    assert 4 < leverage < 6
    shown = {
        times: trader.preview_place(
            BTC, "0.1", is_buy=is_buy, margin_mode=ISOLATED, leverage=times
        ).positions[0]
        for times in (leverage, leverage + Decimal("0.01"))
    }
    prices = [one.liquidation_price for one in shown.values()]
    assert prices[0] is not None
    assert prices[1] is not None
    sign = 1 if is_buy else -1
    assert sign * prices[0] <= sign * bound < sign * prices[1]


def test_a_short_can_not_outlive_every_price(world: World) -> None:
    trader = world.trader(20_000)
    with pytest.raises(errors.Unreached, match="liquidation_price"):
        trader.leverage_for(BTC, "0.1", 10**6, is_buy=False)
    # One time's margin is the whole price: such a long lives at any.
    assert trader.leverage_for(BTC, "0.1", 1, is_buy=True) == 1


def test_the_worst_case_is_known_before_entry(world: World) -> None:
    trader = world.trader()
    fields = {"is_buy": True, "margin_mode": ISOLATED, "leverage": 10}
    shown = trader.preview_place(BTC, "0.1", **fields)  # type: ignore[arg-type]
    (vault,) = shown.positions
    assert shown.worst_case > vault.margin
    handle = trader.place(BTC, "0.1", **fields)  # type: ignore[arg-type]
    world.fill(handle)
    world.move_price(BTC, 50_000)
    world.keeper.liquidate()
    assert 5_000 - world.reader.account(trader.address).cash <= shown.worst_case
    cross = trader.preview_place(BTC, "0.001", is_buy=True, margin_mode=MarginMode.CROSS)
    assert cross.worst_case == world.reader.account(trader.address).cash
