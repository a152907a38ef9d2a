"""Value, increase and decrease against exact arithmetic."""

from fractions import Fraction
from math import ceil, floor

import pytest

from bulkhead.protocol.words import Position
from tests.helpers.draw import Draw
from tests.helpers.libraries import Library

pytestmark = pytest.mark.anvil

INPUTS = 10_000
FEMTO = 10**9


@pytest.fixture
def position_math(libraries: dict[str, Library]) -> Library:
    return libraries["position_math"]


def worth(position: Position, is_long: bool, price: int, funding_index: int) -> int:
    """s * (size * p - entry_notional) - s * size * (F - funding_index), in femto."""
    sign = 1 if is_long else -1
    gain = sign * (position.size * price - position.entry_notional * FEMTO)
    return gain - sign * position.size * (funding_index - position.funding_index)


def test_value_is_profit_less_funding_owed(position_math: Library) -> None:
    draw = Draw("value")
    inputs = [
        (draw.struct(Position), draw.boolean(), draw.unsigned(64), draw.signed(64))
        for _ in range(INPUTS)
    ]
    assert position_math.call("value_of", inputs) == [worth(*given) for given in inputs]


def test_a_long_enters_up_and_a_short_down(position_math: Library) -> None:
    draw = Draw("entry")
    inputs = []
    for _ in range(INPUTS):
        size, price = draw.unsigned(56), draw.unsigned(64)
        cost = draw.integer(-size * price // 4, size * price // 4)
        inputs.append((size, draw.boolean(), price, cost))
    assert position_math.call("entry_notional_of", inputs) == [
        ceil(Fraction(size * price + cost, FEMTO))
        if is_long
        else floor(Fraction(size * price - cost, FEMTO))
        for size, is_long, price, cost in inputs
    ]


def test_an_increase_adds_and_rounds_the_index_against_the_account(position_math: Library) -> None:
    draw = Draw("increase")
    inputs = [
        (
            draw.struct(Position, size=draw.unsigned(56)),
            draw.boolean(),
            draw.integer(1, 2**56 - 1),
            draw.unsigned(56),
            draw.signed(64),
        )
        for _ in range(INPUTS)
    ]
    for (position, is_long, size, notional, index), increased in zip(
        inputs, position_math.call("increase", inputs), strict=True
    ):
        assert increased.size == position.size + size
        assert increased.entry_notional == position.entry_notional + notional
        assert (increased.margin, increased.generation) == (position.margin, position.generation)
        mean = Fraction(position.size * position.funding_index + size * index, position.size + size)
        assert increased.funding_index == (floor(mean) if is_long else ceil(mean))

        price = draw.unsigned(64)
        added = Position(size, notional, 0, 0, index)
        parts = worth(position, is_long, price, index) + worth(added, is_long, price, index)
        lost = parts - worth(increased, is_long, price, index)
        assert 0 <= lost < position.size + size


def test_the_first_fill_of_a_slot_takes_the_markets_index(position_math: Library) -> None:
    draw = Draw("first")
    empty = Position(0, 0, 0, 5, 0)
    inputs = [
        (empty, draw.boolean(), draw.integer(1, 2**56 - 1), 7, draw.signed(64))
        for _ in range(INPUTS)
    ]
    results = position_math.call("increase", inputs)
    assert [result.funding_index for result in results] == [given[4] for given in inputs]


def splits(draw: Draw) -> list[tuple[Position, bool, int]]:
    inputs = []
    for _ in range(INPUTS):
        position = draw.struct(Position, size=draw.integer(1, 2**56 - 1))
        inputs.append((position, draw.boolean(), draw.integer(1, position.size, position.size)))
    return inputs


def test_a_decrease_splits_exactly_and_rounds_the_released_part_against_the_account(
    position_math: Library,
) -> None:
    draw = Draw("decrease")
    inputs = splits(draw)
    for (position, is_long, size), (left, released) in zip(
        inputs, position_math.call("decrease", inputs), strict=True
    ):
        assert released.size == size
        assert left.size + released.size == position.size
        assert left.entry_notional + released.entry_notional == position.entry_notional
        assert left.margin + released.margin == position.margin

        part = Fraction(size, position.size)
        entry = position.entry_notional * part
        assert released.entry_notional == (ceil(entry) if is_long else floor(entry))
        assert released.margin == floor(position.margin * part)

        price, index = draw.unsigned(64), draw.signed(64)
        whole = worth(position, is_long, price, index)
        realised = worth(released, is_long, price, index)
        assert realised + worth(left, is_long, price, index) == whole
        assert 0 <= whole * part - realised < FEMTO


def test_basis_sums_survive_increases_and_decreases(position_math: Library) -> None:
    draw = Draw("basis")
    inputs = splits(draw)
    results = position_math.call("decrease", inputs)
    whole = position_math.call("basis_of", [(position,) for position, _, _ in inputs])
    left = position_math.call("basis_of", [(rest,) for rest, _ in results])
    released = position_math.call("basis_of", [(part,) for _, part in results])
    assert [a + b for a, b in zip(left, released, strict=True)] == whole

    joined = position_math.call(
        "increase",
        [
            (rest, is_long, part.size, part.entry_notional, part.funding_index)
            for (_, is_long, _), (rest, part) in zip(inputs, results, strict=True)
        ],
    )
    assert position_math.call("basis_of", [(position,) for position in joined]) == whole


def test_releasing_everything_leaves_the_next_generation_and_nothing_else(
    position_math: Library,
) -> None:
    draw = Draw("end")
    ends = [(position, is_long, position.size) for position, is_long, _ in splits(draw)]
    ends.append((Position(1, 2, 3, 2**23 - 1, 4), True, 1))
    for (position, _, _), (left, released) in zip(
        ends, position_math.call("decrease", ends), strict=True
    ):
        generation = (position.generation + 1) % 2**23
        assert (left.size, left.entry_notional, left.margin, left.funding_index) == (0, 0, 0, 0)
        assert left.generation == generation
        assert released.margin == position.margin
        assert released.entry_notional == position.entry_notional
