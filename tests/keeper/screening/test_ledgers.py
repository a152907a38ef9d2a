from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead import decisions
from bulkhead.markets import MarketState
from bulkhead.protocol import words
from bulkhead.protocol.words import CROSS_LONG, CROSS_SHORT, Position
from tests.helpers.positions import FRESH, LIVE, NOW, Held, address_of, edge, position_of, state_of

PRICE = 10**12  # femto per lot
USD = 10**6  # quote
ALICE = address_of(0xA11CE)
CLOSED = position_of(0, 0)
MARKETS = 3

States = dict[int, MarketState]

signed = st.integers(1, 62).flatmap(lambda bits: st.integers(-(1 << bits), 1 << bits))


@st.composite
def legs(draw: st.DrawFn) -> Position:
    size = draw(st.integers(1, 56).flatmap(lambda bits: st.integers(1, (1 << bits) - 1)))
    even = min(size * PRICE // 10**9, words.MAX_NOTIONAL)
    entry = draw(st.one_of(st.integers(even // 2, even), st.integers(0, words.MAX_NOTIONAL)))
    return position_of(size, entry, 0, draw(signed))


@st.composite
def ages(draw: st.DrawFn) -> dict[str, int]:
    """A price's age, doubt and end."""
    old = st.sampled_from((0, 0, 0, FRESH + 1, LIVE + 1, 2 * LIVE + 1))
    return {
        "published_at": NOW - draw(old),
        "caution": draw(st.sampled_from((0, 0, words.NO_OPENING, words.ONLY_BANKRUPT))),
        "confidence": draw(st.sampled_from((0, 1, 20_000))),
        "kind": draw(st.sampled_from((words.PYTH, words.PYTH, words.PYTH, words.SETTLED))),
        "settles_at": draw(st.sampled_from((0, 0, 0, NOW // words.HOUR))),
    }


def aged(state: MarketState, age: dict[str, int]) -> MarketState:
    return replace(state, price=replace(state.price, **age))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_account_is_missed_at_the_price_that_makes_it_liquidatable(data: st.DataObject) -> None:
    held = Held()
    held.set_cash(ALICE, data.draw(signed), data.draw(st.integers(0, 2**40 - 1)))
    for market in range(data.draw(st.integers(1, MARKETS))):
        for slot in data.draw(st.sets(st.sampled_from((CROSS_LONG, CROSS_SHORT)), min_size=1)):
            held.set_position(ALICE, market, slot, data.draw(legs()))
    states = {
        market: aged(state_of(PRICE, data.draw(signed)), data.draw(ages()))
        for market in range(MARKETS)
    }
    age, index = data.draw(ages()), data.draw(signed)

    def states_at(price: int) -> dict[int, MarketState]:
        return states | {0: aged(state_of(price, index), age)}

    low, high = 1, data.draw(st.sampled_from((PRICE, words.MAX_PRICE)))
    found = edge(lambda price: held.is_due(states_at(price)), low, high)
    for price in (low, high) if found is None else (found - 1, found, low, high):
        held.check(states_at(price))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_account_is_missed_at_the_cash_that_makes_it_liquidatable(data: st.DataObject) -> None:
    held = Held()
    for market in range(data.draw(st.integers(1, MARKETS))):
        for slot in data.draw(st.sets(st.sampled_from((CROSS_LONG, CROSS_SHORT)), min_size=1)):
            held.set_position(ALICE, market, slot, data.draw(legs()))
    states = {market: state_of(PRICE, data.draw(signed)) for market in range(MARKETS)}

    def is_due(cash: int) -> bool:
        held.set_cash(ALICE, cash)
        return held.is_due(states)

    found = edge(is_due, -(2**63), 2**63 - 1)
    for cash in (-(2**63), 2**63 - 1) if found is None else (found - 1, found):
        held.set_cash(ALICE, cash)
        held.check(states)


def test_no_matched_pair_is_missed_where_floats_are_coarse() -> None:
    random = Random(11)
    for _ in range(200):
        held = Held()
        price = random.randrange(2**40, 2**50)
        size = random.randrange(2**54, 2**55) * 10**9 // price
        worth = random.randrange(2**54, 2**55)
        for slot in (CROSS_LONG, CROSS_SHORT):
            index = random.randrange(-price, price)
            held.set_position(ALICE, 0, slot, position_of(size, worth, 0, index))
        states = {0: state_of(price)}

        def is_due(cash: int, held: Held = held, states: States = states) -> bool:
            held.set_cash(ALICE, cash)
            return held.is_due(states)

        found = edge(is_due, -(2**62), 2**62)
        assert found is not None
        held.set_cash(ALICE, found - 1)
        assert held.check(states).ledgers


@pytest.mark.parametrize("losing", [1, 2, 16, 64])
@pytest.mark.parametrize("cash", [0, 2**62])
def test_losses_beyond_all_bounds_are_not_hidden_by_gains(losing: int, cash: int) -> None:
    held = Held()
    held.set_cash(ALICE, cash)
    for market in range(words.CROSS_MARKETS):
        slot = CROSS_SHORT if market < losing else CROSS_LONG
        size = words.MAX_SIZE if market < losing else words.MAX_SIZE // 64
        held.set_position(ALICE, market, slot, position_of(size, 1 << 40))
    states = {market: state_of(words.MAX_PRICE) for market in range(words.CROSS_MARKETS)}
    assert held.is_due(states)
    assert held.check(states).ledgers


def crowd(count: int, markets: int, seed: int = 5) -> Held:
    held, random = Held(), Random(seed)
    for number in range(count):
        account = address_of(number + 1)
        dollars = 0.0
        for market in random.sample(range(markets), random.randint(1, markets)):
            for slot in random.choice(((0,), (1,), (0, 1))):
                size = int(10 ** random.uniform(4, 9))
                notional = size * PRICE // 10**9
                dollars += notional / USD
                held.positions[account, market, slot] = position_of(
                    size, int(notional * random.uniform(0.9, 1.1)), 0, random.randrange(10**9)
                )
        held.accounts[account] = words.Account(
            int(dollars * USD * random.uniform(0, 0.3)), 0, 0, 0, 0, random.randrange(10**6)
        )
    held.reload()
    return held


def test_hardly_a_healthy_account_is_a_candidate() -> None:
    held, random = crowd(800, 6), Random(2)
    hits = false = 0
    for _ in range(15):
        states = {market: state_of(int(PRICE * random.uniform(0.9, 1.1))) for market in range(6)}
        found = held.check(states).ledgers
        due = decisions.liquidatable_cross(found, states)
        hits += len(due)
        false += len(found) - len(due)
    assert hits > 500
    assert false <= hits // 1_000


def test_candidates_come_with_the_largest_shortfall_first() -> None:
    held = crowd(200, 3)
    states = {market: state_of(PRICE * 9 // 10) for market in range(3)}
    found = held.check(states)
    assert len(found.ledgers) > 10
    assert found.ledgers == decisions.liquidatable_cross(found.ledgers, states)
    some = held.index.candidates(states, (), limit=10)
    assert some.ledgers == found.ledgers[:10]
    assert (found.is_complete, some.is_complete) == (True, False)


def test_funding_in_a_market_that_did_not_move_is_not_missed() -> None:
    held = Held()
    # Each has a dollar more than the one before above what is required.
    for number in range(100):
        held.set_position(address_of(number + 1), 0, CROSS_LONG, position_of(10**9, 10**12))
        held.set_cash(address_of(number + 1), (9_500 + number) * USD)
    found: list[int] = []
    for index in range(0, PRICE // 10_000, PRICE // 2**22):
        states = {0: state_of(PRICE, index)}
        found.append(len(held.check(states).ledgers))
    assert found[-1] > found[0]


def test_the_tick_of_one_market_moves_those_alone_that_it_touches() -> None:
    held = crowd(100, 2)
    states = {market: state_of(PRICE) for market in range(2)}
    before = {one.account for one in held.check(states).ledgers}
    states[1] = state_of(PRICE // 2)
    moved = before ^ {one.account for one in held.check(states).ledgers}
    assert moved
    assert all(any(market == 1 for _, market, _ in _keys(held, one)) for one in moved)


def test_an_account_whose_leg_has_a_merely_old_price_waits() -> None:
    held = Held()
    for market in (0, 1):
        held.set_position(ALICE, market, CROSS_LONG, position_of(10**7, 10**10))
    states = {0: state_of(PRICE), 1: state_of(PRICE)}
    assert held.check(states).ledgers
    states[1] = state_of(PRICE, published_at=NOW - FRESH - 1)
    assert not held.check(states).ledgers
    states[1] = state_of(PRICE, published_at=NOW - LIVE - 1)
    assert held.check(states).ledgers


def test_in_doubt_no_account_with_equity_is_a_candidate() -> None:
    held = Held()
    for number, cash in enumerate((0, 20 * USD)):
        account = address_of(number + 1)
        held.set_cash(account, cash)
        held.set_position(account, 0, CROSS_LONG, position_of(10**7, 10**10))
        held.set_position(account, 1, CROSS_LONG, position_of(10**7, 10**10))
    doubted = state_of(PRICE, caution=words.ONLY_BANKRUPT)
    assert len(held.check({0: state_of(PRICE), 1: state_of(PRICE)}).ledgers) == 2
    found = held.check({0: state_of(PRICE), 1: doubted}).ledgers
    assert [one.word.cash for one in found] == [0]


def test_an_account_without_legs_is_no_candidate() -> None:
    held = Held()
    held.set_cash(ALICE, 0)
    held.set_position(ALICE, 0, CROSS_LONG, position_of(10**7, 10**10))
    states = {0: state_of(PRICE)}
    assert held.check(states).ledgers
    held.set_position(ALICE, 0, CROSS_LONG, CLOSED)
    assert not held.check(states).ledgers
    assert not held.index.candidates({}, ()).ledgers


@pytest.mark.parametrize("reload", [False, True])
def test_thousands_of_changes_leave_what_a_fresh_index_would_find(reload: bool) -> None:
    held, random = crowd(150, 3), Random(3)
    states = {market: state_of(PRICE) for market in range(3)}
    held.check(states)
    for turn in range(4_000):
        account = address_of(random.randrange(1, 1_800))
        key = account, random.randrange(3), random.randrange(2)
        opened = position_of(10**7, int(10**10 * random.uniform(0.9, 1.1)))
        if random.random() < 0.3 and key in held.positions:
            held.set_position(*key, CLOSED)
        else:
            held.set_position(*key, opened)
        held.set_cash(account, random.randrange(10**9), random.randrange(10**6))
        if turn % 500 == 0:
            states[turn % 3] = state_of(int(PRICE * random.uniform(0.9, 1.1)), turn)
            found = held.check(states, limit=2_000)
            due = decisions.liquidatable_cross(held.ledgers, states)
            assert {one.account for one in found.ledgers} == {one.account for one in due}
            if reload:
                held.reload()
    assert held.index.legs == len(held.positions)
    assert held.index.ledgers == len(held.ledgers)


def _keys(held: Held, account: str) -> list[tuple[str, int, int]]:
    return [key for key in held.positions if key[0] == account]
