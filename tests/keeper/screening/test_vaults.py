from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead import decisions
from bulkhead.markets import MarketState
from bulkhead.protocol import words
from bulkhead.protocol.words import Position, Ramp, Tier
from tests.helpers.positions import (
    FRESH,
    NOW,
    Held,
    address_of,
    edge,
    position_of,
    state_of,
)

PRICE = 10**12  # femto per lot
ALICE = address_of(0xA11CE)
CLOSED = position_of(0, 0)
DAY = 86_400

sides = st.sampled_from((words.ISOLATED_LONG, words.ISOLATED_SHORT))
indices = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.integers(-PRICE, PRICE), st.integers(-10, 10)
)


def spread(most: int) -> st.SearchStrategy[int]:
    """Of every magnitude alike."""
    return st.integers(1, most.bit_length()).flatmap(
        lambda bits: st.integers(1 << bits - 1, min((1 << bits) - 1, most))
    )


@st.composite
def positions(draw: st.DrawFn, price: int) -> Position:
    """Around a price, where funding lets it, with some of its notional as margin."""
    size = draw(spread(words.MAX_SIZE))
    notional = max(min(size * price // 10**9, words.MAX_NOTIONAL), 1)
    entry = draw(st.one_of(spread(words.MAX_NOTIONAL), st.integers(notional // 2, notional)))
    margin = draw(st.one_of(spread(words.MAX_NOTIONAL), st.integers(0, notional // 2)))
    return position_of(size, entry, margin, draw(indices))


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Tier, ...]:
    count = draw(st.integers(0, 7))
    floors = sorted(draw(st.sets(st.integers(1, 2**24 - 1), min_size=count, max_size=count)))
    rates = sorted(draw(st.lists(st.integers(1, 300_000), min_size=count + 1, max_size=count + 1)))
    return tuple(Tier(*one, one[1]) for one in zip((0, *floors), rates, strict=True))


def check_edge(held: Held, state_at: Callable[[int], MarketState], low: int, high: int) -> None:
    """Checks both sides of where it turns, and both ends."""
    found = edge(lambda at: held.is_due({0: state_at(at)}), low, high)
    for at in (low, high) if found is None else (found - 1, found, low, high):
        held.check({0: state_at(at)})


def turning(held: Held, index: int, tiers: tuple[Tier, ...], low: int, high: int) -> int | None:
    return edge(lambda price: held.is_due({0: state_of(price, index, tiers=tiers)}), low, high)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_vault_is_missed_at_the_price_that_makes_it_liquidatable(data: st.DataObject) -> None:
    held = Held()
    price = data.draw(spread(words.MAX_PRICE - 1))
    held.set_position(ALICE, 0, data.draw(sides), data.draw(positions(price)))
    index, tiers = data.draw(indices), data.draw(schedules())
    confidence = data.draw(st.sampled_from((0, 1, 20_000, 2**20 - 1)))
    caution = data.draw(st.sampled_from((0, words.NO_OPENING, words.ONLY_BANKRUPT)))

    def state_at(price: int) -> MarketState:
        return state_of(price, index, tiers=tiers, confidence=confidence, caution=caution)

    check_edge(held, state_at, price, data.draw(spread(words.MAX_PRICE)))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_vault_is_missed_at_the_funding_that_makes_it_liquidatable(data: st.DataObject) -> None:
    held = Held()
    price = data.draw(spread(words.MAX_PRICE))
    held.set_position(ALICE, 0, data.draw(sides), data.draw(positions(price)))
    tiers = data.draw(schedules())

    def state_at(index: int) -> MarketState:
        return state_of(price, index, tiers=tiers)

    check_edge(held, state_at, -words.MAX_INDEX, words.MAX_INDEX)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_no_vault_is_missed_while_rates_are_on_their_way(data: st.DataObject) -> None:
    held = Held()
    price = data.draw(st.integers(PRICE // 10, PRICE * 10))
    for number in range(8):
        position = data.draw(positions(price))
        held.set_position(address_of(number), 0, data.draw(sides), position)
    target, before = data.draw(schedules()), data.draw(schedules())
    # Floors stay as listed.
    count = min(len(target), len(before))
    target = target[:count]
    before = tuple(
        replace(old, floor=new.floor) for old, new in zip(before[:count], target, strict=True)
    )
    ramp = Ramp(NOW, NOW + 10 * DAY, before[0].maintenance_rate, before[0].initial_rate)
    now = NOW
    for _ in range(6):
        now += data.draw(st.sampled_from((0, 1, 60, 3_600, 2 * DAY)))
        state = state_of(price, tiers=target, ramp=(ramp, before), now=now)
        held.check({0: state})


def test_no_vault_is_missed_where_floats_are_coarse() -> None:
    random = Random(11)
    flat = (Tier(0, 5_000, 10_000),)
    for _ in range(300):
        price = random.randrange(2**55, 2**61)
        size = random.randrange(2**10, 2**24)
        worth = size * price // 10**9
        # Price and funding, and entry and funding, all but cancel out.
        sign = random.choice((1, -1))
        index = price - sign * price * 5_000 // 10**6 + random.randrange(-(2**20), 2**20)
        paid = index - price + worth * 10**9 // size
        slot = words.ISOLATED_LONG if sign > 0 else words.ISOLATED_SHORT
        held = Held()
        held.set_position(ALICE, 0, slot, position_of(size, worth, worth * 5_000 // 10**6, paid))
        found = turning(held, index, flat, price // 2, price * 3 // 2)
        assert found is not None
        for at in (found - 1, found):
            held.check({0: state_of(at, index, tiers=flat)})


@pytest.mark.parametrize("step", [60, -60])
def test_lists_built_before_rates_moved_a_little_miss_nothing(step: int) -> None:
    held = Held()
    before = (Tier(0, 5_000, 10_000), Tier(100, 100_000, 200_000))
    after = (Tier(0, 5_000, 10_000), Tier(100, 100_000 + step, 200_000))
    ramp = Ramp(NOW, NOW + DAY, 5_000, 10_000)
    worth = 10**12  # quote: a million dollars, nine tenths of it in the second tier
    for number in range(200):
        # The requirement goes from 90,500 dollars to 54 more or less.
        position = position_of(10**9, worth, (90_400 + number) * 10**6)
        held.set_position(address_of(number + 1), 0, words.ISOLATED_LONG, position)
    held.reload()
    for hour in range(0, 25, 4):
        now = NOW + hour * 3_600
        state = state_of(PRICE, tiers=after, ramp=(ramp, before), now=now)
        found = held.check({0: state})
        due = decisions.liquidatable_isolated(held.vaults, {0: state})
        assert 0 < len(due) == len(found.vaults)


@pytest.mark.parametrize("factor", [3, 20, 1_000])
def test_a_price_far_above_all_before_reaches_tiers_that_were_out_of_reach(factor: int) -> None:
    held = Held()
    steep = (Tier(0, 5_000, 10_000), Tier(25, 800_000, 900_000))
    size, worth = 10**7, 10**10  # ten thousand dollars at first
    for number in range(100):
        # Shorts that gained so much funding that they are even at the high price.
        position = position_of(size, worth, number * worth * factor // 100, PRICE - PRICE * factor)
        held.set_position(address_of(number + 1), 0, words.ISOLATED_SHORT, position)
    held.reload()
    assert not held.check({0: state_of(PRICE, tiers=steep)}).vaults
    state = state_of(PRICE * factor, tiers=steep)
    found = held.check({0: state})
    due = decisions.liquidatable_isolated(held.vaults, {0: state})
    assert 10 < len(due) == len(found.vaults)


def test_in_doubt_nothing_with_equity_is_a_candidate() -> None:
    held = Held()
    for number, margin in enumerate((0, 10**6, 10**7)):
        position = position_of(10**7, 10**10, margin)
        held.set_position(address_of(number + 1), 0, words.ISOLATED_LONG, position)
    assert len(held.check({0: state_of(PRICE)}).vaults) == 3
    doubted = state_of(PRICE, caution=words.ONLY_BANKRUPT)
    assert [one.position.margin for one in held.check({0: doubted}).vaults] == [0]


def test_a_market_that_does_not_trade_has_no_candidates() -> None:
    held = Held()
    held.set_position(ALICE, 0, words.ISOLATED_LONG, position_of(10**7, 10**10, 0))
    assert held.check({0: state_of(PRICE)}).vaults
    assert not held.check({0: state_of(PRICE, published_at=NOW - FRESH - 1)}).vaults


def population(count: int, seed: int = 7) -> Held:
    held, random = Held(), Random(seed)
    for number in range(count):
        size = int(10 ** random.uniform(4, 10))
        entry = int(size * PRICE / 10**9 * random.uniform(0.8, 1.2))
        position = position_of(
            size, entry, int(entry * random.uniform(0.01, 0.3)), random.randrange(-(10**10), 10**10)
        )
        slot = random.choice((words.ISOLATED_LONG, words.ISOLATED_SHORT))
        held.positions[address_of(number + 1), 0, slot] = position
    held.reload()
    return held


def test_hardly_a_healthy_vault_is_a_candidate() -> None:
    held = population(3_000)
    hits = false = 0
    for step in range(20):
        states = {0: state_of(PRICE * (80 + 2 * step) // 100, step * 10**9)}
        found = held.check(states).vaults
        due = decisions.liquidatable_isolated(found, states)
        hits += len(due)
        false += len(found) - len(due)
    assert hits > 1_000
    assert false <= hits // 1_000


def test_candidates_come_with_the_largest_shortfall_first() -> None:
    held = population(500)
    states = {0: state_of(PRICE * 9 // 10)}
    found = held.check(states)
    assert found.vaults == decisions.liquidatable_isolated(found.vaults, states)


def test_the_deepest_are_taken_where_there_are_more_than_wanted() -> None:
    held = population(500)
    states = {0: state_of(PRICE * 7 // 10)}
    everything = held.index.candidates(states, {0})
    some = held.index.candidates(states, {0}, limit=10)
    assert everything.is_complete
    assert not some.is_complete
    rows = everything.vault_rows
    sizes = [one.position.size for one in rows]
    depth = dict(zip(rows, (rows.shortfall / sizes).tolist(), strict=True))
    deepest = sorted(depth, key=lambda one: -depth[one])[:10]
    assert set(some.vaults) == set(deepest)


@pytest.mark.parametrize("reload", [False, True])
def test_thousands_of_changes_leave_what_a_fresh_index_would_find(reload: bool) -> None:
    held, random = population(300), Random(3)
    states = {0: state_of(PRICE)}
    held.check(states)
    keys = list(held.positions)
    for turn in range(6_000):
        account, market, slot = random.choice(keys)
        if random.random() < 0.3:
            account = address_of(random.randrange(1, 2_000))
        entry = int(10**10 * random.uniform(0.8, 1.2))
        opened = position_of(10**7, entry, random.randrange(10**9))
        changed = CLOSED if random.random() < 0.3 else opened
        if changed.size or (account, market, slot) in held.positions:
            held.set_position(account, market, slot, changed)
        if turn % 500 == 0:
            states = {0: state_of(int(PRICE * random.uniform(0.9, 1.1)))}
            found = held.check(states)
            due = decisions.liquidatable_isolated(held.vaults, states)
            assert found.vaults == due
            if reload:
                held.reload()
    assert held.index.vaults == len(held.positions)


def test_a_vault_that_has_ended_is_no_candidate_and_one_opened_again_is() -> None:
    held = population(50)
    states = {0: state_of(PRICE * 7 // 10)}
    vault = held.check(states).vaults[0]
    key = vault.account, vault.market, vault.slot
    held.set_position(*key, CLOSED)
    assert vault.account not in {one.account for one in held.check(states).vaults}
    held.set_position(*key, vault.position)
    assert vault in held.check(states).vaults
