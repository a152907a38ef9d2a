from decimal import Decimal
from itertools import pairwise

import pytest

from bulkhead.simulate.paths import linear, random_walk, shock, together


def test_a_line_has_both_its_ends_and_equal_steps() -> None:
    steps = list(linear("X", 10, 13, seconds=30, interval=10))
    assert steps == [(0, {"X": 10}), (10, {"X": 11}), (20, {"X": 12}), (30, {"X": 13})]


def test_a_line_down_ends_where_it_should() -> None:
    steps = list(linear("X", 1, 0, seconds=3, interval=1))
    assert [time for time, _ in steps] == [0, 1, 2, 3]
    assert steps[-1][1] == {"X": 0}
    assert steps[1][1] == {"X": Decimal("0.666666666666666666")}


def test_a_shock_comes_at_its_second_or_the_next_step() -> None:
    steps = list(shock("X", 100, 88, at=15, seconds=30, interval=10))
    assert steps == [(0, {"X": 100}), (10, {"X": 100}), (20, {"X": 88}), (30, {"X": 88})]


def test_a_random_walk_stays_within_its_largest_move_and_repeats_itself() -> None:
    def walk(seed: int) -> list[Decimal]:
        steps = random_walk("X", 100, most="0.01", seconds=1_000, interval=1, seed=seed)
        return [Decimal(prices["X"] or 0) for _, prices in steps]

    found = walk(1)
    assert found == walk(1) != walk(2)
    assert len(found) == 1_001
    pairs = list(pairwise(found))
    assert all(abs(b - a) <= a * Decimal("0.01") + Decimal("1e-18") for a, b in pairs)
    assert any(b > a for a, b in pairs)
    assert any(b < a for a, b in pairs)


def test_paths_of_two_markets_are_one_path() -> None:
    both = together([(0, {"X": 1}), (2, {"X": 2})], [(1, {"Y": 3}), (2, {"Y": 4})])
    assert list(both) == [(0, {"X": 1}), (1, {"Y": 3}), (2, {"X": 2, "Y": 4})]


@pytest.mark.parametrize(("seconds", "interval"), [(0, 1), (10, 0), (10, 3), (-10, 10)])
def test_a_time_that_is_no_number_of_intervals_is_refused(seconds: int, interval: int) -> None:
    with pytest.raises(ValueError, match="are not one or more times"):
        list(linear("X", 1, 2, seconds=seconds, interval=interval))


def test_a_move_of_the_whole_price_is_refused() -> None:
    with pytest.raises(ValueError, match="below the whole price"):
        list(random_walk("X", 1, most=1, seconds=1, interval=1, seed=1))
