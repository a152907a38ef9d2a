"""How long funding alone takes, against stepping through every second."""

from random import Random

import pytest

from bulkhead.protocol import funding_bounds
from bulkhead.protocol.funding_bounds import HORIZON, NEVER
from bulkhead.protocol.words import Market

DAY = 86_400
PRICE = 5 * 10**11  # femto per lot


def market(rate: int, drift: int, limit: int = 500_000) -> Market:
    return Market(0, rate, drift, 10**9, limit, 5_000, 10_000, 0)


def first_by_steps(state: Market, is_long: bool, size: int, cushion: int, until: int) -> int:
    for elapsed in range(until):
        if funding_bounds.lost_after(state, PRICE, is_long, size, elapsed) >= cushion:
            return elapsed
    return NEVER


def test_it_is_the_first_second_that_costs_enough() -> None:
    random = Random(5)
    found = 0
    for _ in range(300):
        limit = random.choice((0, 1_000, 500_000))
        rate = random.randint(-limit, limit) * 10**6
        drift = random.randint(-(2**39), 2**39 - 1)
        state = market(rate, drift, limit)
        is_long = random.random() < 0.5
        size = random.randint(1, 10**9)
        reached = funding_bounds.lost_after(state, PRICE, is_long, size, random.randrange(2_000))
        cushion = max(reached + random.randint(-1, 1), 1)
        stepped = first_by_steps(state, is_long, size, cushion, 2_100)
        exact = funding_bounds.time_to_lose(state, PRICE, is_long, size, cushion)
        if stepped != NEVER:
            found += 1
            assert exact == stepped, (state, is_long, size, cushion)
        else:
            assert exact >= 2_100
    assert found > 50


@pytest.mark.parametrize("is_long", [True, False])
def test_who_earns_funding_never_loses_by_it(is_long: bool) -> None:
    state = market(-(10**9) if is_long else 10**9, 0)
    assert funding_bounds.time_to_lose(state, PRICE, is_long, 10**8, 1) == NEVER


def test_a_rate_that_turns_before_the_cushion_is_lost_never_takes_it() -> None:
    state = market(10**9, -(10**10))
    peak = max(funding_bounds.lost_after(state, PRICE, True, 10**8, t) for t in range(DAY // 5))
    assert funding_bounds.time_to_lose(state, PRICE, True, 10**8, peak) < DAY // 5
    assert funding_bounds.time_to_lose(state, PRICE, True, 10**8, peak + 1) == NEVER


def test_a_rate_that_turns_against_the_position_takes_it_later() -> None:
    state = market(-(10**9), 10**10)
    elapsed = funding_bounds.time_to_lose(state, PRICE, True, 10**8, 1)
    assert elapsed > 2 * DAY // 10
    assert funding_bounds.lost_after(state, PRICE, True, 10**8, elapsed) >= 1
    assert funding_bounds.lost_after(state, PRICE, True, 10**8, elapsed - 1) < 1


def test_nothing_left_to_lose_takes_no_time_and_no_position_forever() -> None:
    state = market(10**9, 0)
    assert funding_bounds.time_to_lose(state, PRICE, True, 10**8, 0) == 0
    assert funding_bounds.time_to_lose(state, PRICE, True, 0, 1) == NEVER
    assert funding_bounds.lost_after(state, PRICE, True, 1, HORIZON) > 0
