"""Progressive requirements against tax by bracket and against the maximum of lines."""

from fractions import Fraction
from math import ceil

import pytest

from bulkhead.protocol.margin_math import Tiers
from tests.helpers.draw import Draw
from tests.helpers.libraries import Library
from tests.helpers.tiers import FLOOR_UNIT, Schedule, requirement

pytestmark = pytest.mark.anvil

INPUTS = 10_000


@pytest.fixture
def margin_math(libraries: dict[str, Library]) -> Library:
    return libraries["margin_math"]


def notionals(draw: Draw) -> list[tuple[int, Tiers]]:
    inputs = []
    for _ in range(INPUTS):
        tiers = draw.tiers()
        edges = [floor * FLOOR_UNIT for floor in Schedule.of(tiers).floors]
        inputs.append((draw.unsigned(120, *edges), tiers))
    return inputs


def test_maintenance_is_tax_by_bracket_and_the_highest_line(margin_math: Library) -> None:
    inputs = notionals(Draw("maintenance"))
    for (notional, tiers), due in zip(
        inputs, margin_math.call("maintenance_margin", inputs), strict=True
    ):
        schedule = Schedule.of(tiers)
        assert due == ceil(schedule.taxed(schedule.maintenance, notional))
        assert due == requirement(schedule.lines(schedule.maintenance), notional)


def test_initial_is_the_larger_of_the_tiers_and_the_leverages(margin_math: Library) -> None:
    draw = Draw("initial")
    inputs = [
        (notional, draw.unsigned(28, 10**6, 10**7), tiers) for notional, tiers in notionals(draw)
    ]
    for (notional, leverage, tiers), due in zip(
        inputs, margin_math.call("initial_margin", inputs), strict=True
    ):
        schedule = Schedule.of(tiers)
        by_tiers = schedule.taxed(schedule.initial, notional)
        by_leverage = Fraction(notional * 10**6, leverage) if leverage else Fraction(0)
        assert due == ceil(max(by_tiers, by_leverage))
        assert ceil(by_tiers) == requirement(schedule.lines(schedule.initial), notional)


def test_requirements_have_no_cliff(margin_math: Library) -> None:
    inputs = notionals(Draw("cliff"))
    here = margin_math.call("maintenance_margin", inputs)
    next_to_it = margin_math.call("maintenance_margin", [(n + 1, tiers) for n, tiers in inputs])
    # A rate is below 2**20 ppm, so one femto of notional adds at most two of margin.
    assert {b - a for a, b in zip(here, next_to_it, strict=True)} <= {0, 1, 2}


def test_requirements_are_convex(margin_math: Library) -> None:
    draw = Draw("convex")
    spans = [(n, draw.unsigned(119), tiers) for n, tiers in notionals(draw)]
    spans = [(n % 2**119, width, tiers) for n, width, tiers in spans]
    at_start = margin_math.call("maintenance_margin", [(n, t) for n, _, t in spans])
    midway = margin_math.call("maintenance_margin", [(n + w // 2, t) for n, w, t in spans])
    at_end = margin_math.call("maintenance_margin", [(n + w // 2 * 2, t) for n, w, t in spans])
    for first, middle, last in zip(at_start, midway, at_end, strict=True):
        assert first + last > 2 * (middle - 1)


def test_words_that_are_not_reached_need_not_be_read(margin_math: Library) -> None:
    inputs = []
    for notional, tiers in notionals(Draw("unread")):
        floors = Schedule.of(tiers).floors
        if floors and notional <= floors[0] * FLOOR_UNIT:
            inputs.append((notional, tiers))
    assert len(inputs) > 1_000
    unread = [
        (notional, Tiers(tiers.maintenance_rate, tiers.initial_rate, 0, 0))
        for notional, tiers in inputs
    ]
    read = margin_math.call("maintenance_margin", inputs)
    assert margin_math.call("maintenance_margin", unread) == read


def test_every_tier_is_found_at_its_place_and_none_beyond_the_last(margin_math: Library) -> None:
    draw = Draw("places")
    for _ in range(200):
        tiers = draw.tiers()
        schedule = Schedule.of(tiers)
        found = margin_math.call("tier_at", [(tiers, index) for index in range(7)])
        count = len(schedule.floors)
        assert [tier.floor for tier in found] == schedule.floors + [0] * (7 - count)
        assert [t.maintenance_rate for t in found[:count]] == schedule.maintenance[1:]
        assert [t.initial_rate for t in found[:count]] == schedule.initial[1:]


def test_an_isolated_order_moves_notional_over_leverage_and_no_less_than_the_tier_asks(
    margin_math: Library,
) -> None:
    draw = Draw("order")
    inputs = [
        (draw.unsigned(120), draw.unsigned(28, 10**6), draw.unsigned(20)) for _ in range(INPUTS)
    ]
    for (notional, leverage, rate), margin in zip(
        inputs, margin_math.call("order_margin", inputs), strict=True
    ):
        dollars = Fraction(notional, 10**9)
        by_leverage = dollars * 10**6 / leverage if leverage else Fraction(0)
        assert margin == ceil(max(dollars * rate / 10**6, by_leverage))
