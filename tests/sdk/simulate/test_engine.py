"""The engine as others build on it: over any state, all or nothing, with the contracts' logs."""

from copy import deepcopy
from dataclasses import replace

import pytest

from bulkhead import errors
from bulkhead.orders import MarginMode, OrderStatus
from bulkhead.protocol import words
from bulkhead.replay import Replay
from bulkhead.simulate import Engine
from bulkhead.state import ExchangeState
from bulkhead.values import femto_to_usd
from tests.helpers.offline import Offline
from tests.helpers.protocol import BTC, ETH, PPM, USD

COIN = 10**8  # lots of BTC


@pytest.fixture
def offline() -> Offline:
    """A trader with a vault in BTC and a cross leg in ETH."""
    exchange = Offline(BTC, ETH)
    trader = exchange.trader
    exchange.engine.deposit(trader, trader, 10_000 * USD)
    vault = {"margin_mode": MarginMode.ISOLATED, "leverage": 10 * PPM}
    exchange.trade(trader, 0, COIN // 10, **vault)
    exchange.trade(trader, 1, 10**7)
    return exchange


def test_a_replay_of_what_it_logged_is_its_state(offline: Offline) -> None:
    offline.push_prices(43_000, 2_000)
    vault = words.position_id(int(offline.trader, 16), 0, words.ISOLATED_LONG)
    assert offline.engine.liquidate_isolated(offline.keeper, [vault]).value == 1
    state = offline.engine.state
    replay = Replay(liquidity_pool=state.liquidity_pool)
    replay.take_all(offline.engine.events)
    for name in ("accounts", "positions", "sides", "markets", "prices", "orders", "house"):
        assert getattr(replay, name) == getattr(state, name), name
    assert [replay.market_words(market) for market in range(2)] == [
        state.market_words(market) for market in range(2)
    ]


def test_another_engine_goes_on_from_a_state(offline: Offline) -> None:
    copied = Engine(deepcopy(offline.engine.state), offline.engine.now)
    for engine in (copied, offline.engine):
        engine.add_margin(offline.trader, 0, True, 100 * USD)
    assert copied.state == offline.engine.state
    assert copied.account(offline.trader) == offline.engine.account(offline.trader)


def test_an_engine_of_one_account_and_its_markets_does_what_the_whole_one_does(
    offline: Offline,
) -> None:
    whole, trader = offline.engine, offline.trader
    part = ExchangeState(liquidity_pool=whole.state.liquidity_pool, house=whole.state.house)
    for market, symbol in whole.state.symbols.items():
        part.take_market(
            market,
            symbol,
            whole.state.lot_sizes[market],
            whole.state.market_words(market),
            words.pack_price(whole.state.prices[market]),
        )
    part.accounts[trader] = whole.state.accounts[trader]
    part.positions |= {key: one for key, one in whole.state.positions.items() if key[0] == trader}
    engine = Engine(part, whole.now)
    for one in (engine, whole):
        one.add_margin(trader, 0, True, 2 * USD)
        one.remove_margin(trader, 0, True, USD)
        one.convert_position(trader, 1, True, True)
    assert engine.account(trader) == whole.account(trader)
    assert [part.market_words(market) for market in range(2)] == [
        whole.state.market_words(market) for market in range(2)
    ]


def test_a_refused_call_changes_and_logs_nothing(offline: Offline) -> None:
    engine, trader = offline.engine, offline.trader
    state, logged = deepcopy(engine.state), list(engine.events)
    entry = offline.order(trader, 0, COIN // 100)
    child = replace(entry, is_buy=False)  # it does not say that it only reduces
    with pytest.raises(errors.BracketChildNotOfItsEntry):
        engine.place_bracket(trader, entry, [child])
    with pytest.raises(errors.MarginBelowInitial):
        engine.remove_margin(trader, 0, True, 400 * USD)
    with pytest.raises(errors.WordOutOfRange):
        engine.set_operator(trader, offline.keeper, 1, 2**128, 0, 0)
    assert engine.state == state
    assert engine.events == logged
    assert engine.market(0).long == state.sides[0, True]


def test_a_batch_goes_on_past_an_order_that_waits(offline: Offline) -> None:
    trader = offline.trader
    first = offline.place(trader, 0, COIN // 100)
    limit = {"kind": 1, "acceptable_price": 1}
    second = offline.place(trader, 0, COIN // 100, **limit)
    third = offline.place(trader, 1, 10**6)
    unknown = offline.order(trader, 0, 1)
    offline.engine.advance(2)
    offline.push_prices(BTC.price, ETH.price)
    done = offline.engine.execute_orders(offline.keeper, [first, second, unknown, third])
    assert done.value == (
        OrderStatus.EXECUTED,
        OrderStatus.PENDING,
        OrderStatus.UNKNOWN,
        OrderStatus.EXECUTED,
    )


def test_the_views_agree_with_the_words(offline: Offline) -> None:
    offline.push_prices(51_000, 2_400)
    offline.engine.advance(50)
    view = offline.engine.account(offline.trader)
    assert view.equity == femto_to_usd(offline.engine.equity(offline.trader))
    assert [one.slot for one in view.positions] == [words.CROSS_LONG, words.ISOLATED_LONG]
    assert view.free_collateral > 0


def test_numbers_that_no_call_could_carry_are_refused(offline: Offline) -> None:
    engine, trader = offline.engine, offline.trader
    for amount in (-1, 2**256):
        with pytest.raises(ValueError, match="not a uint256"):
            engine.deposit(trader, trader, amount)
        with pytest.raises(ValueError, match="not a uint256"):
            engine.place(trader, offline.order(trader, 0, amount))
    with pytest.raises(TypeError, match="not a whole number"):
        engine.withdraw(trader, 1.5, trader)  # type: ignore[arg-type]


def test_a_market_with_a_newer_round_neither_fills_nor_liquidates(offline: Offline) -> None:
    order = offline.place(offline.trader, 0, COIN // 100)
    offline.engine.advance(2)
    offline.push_prices(45_000, 2_500)
    engine, keeper = offline.engine, offline.keeper
    vault = words.position_id(int(offline.trader, 16), 0, words.ISOLATED_LONG)
    late = Engine(deepcopy(engine.state), engine.now, outdated=[0])
    assert late.liquidate_isolated(keeper, [vault]).value == 0
    with pytest.raises(errors.PriceStale):
        late.execute(keeper, order)
    assert engine.liquidate_isolated(keeper, [vault]).value == 1
