"""Bounds of a price against search and counting by the definition, with and without funding."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from bulkhead.protocol.margin_math import Tiers
from bulkhead.protocol.market_math import INDEX_DENOMINATOR
from bulkhead.protocol.price_bounds import Exposure
from bulkhead.protocol.words import MAX_INDEX, MAX_PRICE
from tests.helpers.draw import Draw
from tests.helpers.libraries import Library
from tests.helpers.tiers import FLOOR_UNIT, PPM, Schedule, requirement

pytestmark = pytest.mark.anvil

INPUTS = 10_000
STATES = 20_000
WIDE_STATES = 4_000
TINY_STATES = 500
COUNTED = 2_000  # prices from 1 on
NO_PRICE = 2**256 - 1
A_DAY_AT_TEN_PERCENT = INDEX_DENOMINATOR // 10

State = tuple[Exposure, Tiers]
Prices = tuple[int, int]


@pytest.fixture
def price_bounds(libraries: dict[str, Library]) -> Library:
    return libraries["price_bounds"]


class Definition:
    """Equity and requirement of one state at any price, in whole femto."""

    def __init__(self, exposure: Exposure, tiers: Tiers) -> None:
        schedule = Schedule.of(tiers)
        self.lines = schedule.lines(schedule.maintenance)
        self.exposure = exposure
        self.net = exposure.long_size - exposure.short_size
        self.larger = max(exposure.long_size, exposure.short_size)
        # Equity less requirement is concave in the price but for the rounding: its peak lies at an
        # end or at a tier's edge, and it falls to both sides of it.
        edges = [edge * FLOOR_UNIT // self.larger for edge in schedule.floors]
        peaks = [1, MAX_PRICE, *[edge + step for edge in edges for step in (0, 1)]]
        self.peaks = [peak for peak in peaks if 0 < peak <= MAX_PRICE]

    def equity(self, price: int) -> int:
        exposure = self.exposure
        grown = exposure.area * price // INDEX_DENOMINATOR
        return self.net * (price - exposure.funding_index - grown) + exposure.equity

    def surplus(self, price: int) -> int:
        return self.equity(price) - requirement(self.lines, self.larger * price)

    def is_healthy(self, price: int) -> bool:
        return self.surplus(price) > 0

    def is_rounding(self, price: int) -> bool:
        """Whether less than a unit of the index decides the verdict."""
        return self.exposure.area != 0 and abs(self.surplus(price)) <= abs(self.net)

    def searched_prices(self) -> Prices | None:
        """The two prices by bisection, None where no peak is healthy."""
        peak = next(filter(self.is_healthy, self.peaks), None)
        if peak is None:
            return None
        lower, upper = self._edge(0, peak), self._edge(MAX_PRICE + 1, peak)
        return lower, NO_PRICE if upper > MAX_PRICE else upper

    def _edge(self, end: int, peak: int) -> int:
        while abs(end - peak) > 1:
            middle = (end + peak) // 2
            if self.is_healthy(middle):
                peak = middle
            else:
                end = middle
        return end

    def turns_at(self, lower: int, upper: int) -> bool:
        """Whether each bound is liquidatable, and healthy one unit inside."""
        return all(
            not self.is_healthy(bound) and self.is_healthy(bound + step)
            for bound, step in ((lower, 1), (upper, -1))
            if 0 < bound < NO_PRICE
        )


def pair_of(draw: Draw, size: int) -> tuple[int, int]:
    """A long, a short, or both legs at once; the larger has the size."""
    smaller = draw.random.choice((0, 0, draw.integer(0, size), size * 99 // 100, size))
    return (size, smaller) if draw.boolean() else (smaller, size)


def exposure_of(draw: Draw, legs: tuple[int, int], constant: int, area: int) -> Exposure:
    """With `constant` equity at a price of zero, as the index stood."""
    index = draw.signed(64)
    return Exposure(*legs, constant + (legs[0] - legs[1]) * index, index, area)


def states(draw: Draw, count: int, *, has_funding: bool) -> list[State]:
    """Accounts around their limits: notional among the tiers, equity among the requirements."""
    drawn: list[State] = []
    while len(drawn) < count:
        tiers = draw.tiers()
        edges = [edge * FLOOR_UNIT for edge in Schedule.of(tiers).floors] or [FLOOR_UNIT]
        notional = draw.random.choice(edges) * draw.random.randint(1, 400) // 100
        size = draw.integer(1, 2 ** draw.random.randint(1, 56) - 1)
        legs = pair_of(draw, size)
        rate = draw.random.choice(Schedule.of(tiers).maintenance)
        if rate <= PPM and draw.random.random() < 0.1:
            # A pair whose requirement in this tier grows exactly as fast as its equity.
            unit = draw.integer(1, 2**35)
            size, legs = unit * PPM, (unit * PPM, unit * (PPM - rate))
        price = min(notional // size + 1, MAX_PRICE)
        net = legs[0] - legs[1]
        area = area_of(draw) if has_funding else 0
        part = draw.random.choice((-100, 0, 1, 5, 10, 30, 100, 500))
        constant = -net * (price - area * price // INDEX_DENOMINATOR)
        constant += size * price * part // 1000 + draw.signed(8)
        drawn.append((exposure_of(draw, legs, constant, area), tiers))
    return drawn


def area_of(draw: Draw) -> int:
    """Mostly what days without a trade leave, at times all that the word allows."""
    limit = draw.random.choice((10**13, A_DAY_AT_TEN_PERCENT, A_DAY_AT_TEN_PERCENT, MAX_INDEX))
    return draw.random.randint(1, limit) * draw.random.choice((-1, 1))


def wide_states(draw: Draw, count: int, *, has_funding: bool) -> list[State]:
    """Positions anywhere in the ranges of their words."""
    drawn: list[State] = []
    while len(drawn) < count:
        exposure = draw.exposure(area=None if has_funding else 0)
        if exposure.long_size or exposure.short_size:
            drawn.append((exposure, draw.tiers()))
    return drawn


def tiny_states(draw: Draw, count: int, *, has_funding: bool) -> list[State]:
    """Sizes so large against their tiers that all edges lie at prices one can count."""
    drawn: list[State] = []
    for _ in range(count):
        first_floor = draw.random.randint(1, 20)
        tail = range(draw.random.randint(0, 7))
        rates = sorted(draw.random.sample(range(1, 2**20), len(tail) + 1))
        words = [0, 0]
        for i in tail:
            words[i // 4] |= (first_floor + i << 40 | rates[i + 1] << 20) << 64 * (i % 4)
        legs = pair_of(draw, draw.random.randint(2**54, 2**56 - 1))
        area = area_of(draw) if has_funding else 0
        constant = draw.integer(-(2**62), 2**62)
        drawn.append((exposure_of(draw, legs, constant, area), Tiers(rates[0], 0, *words)))
    return drawn


def priced(price_bounds: Library, inputs: list[State]) -> Iterable[tuple[State, Prices]]:
    return zip(inputs, price_bounds.call("liquidation_prices", inputs), strict=True)


def is_empty(lower: int, upper: int) -> bool:
    """Whether no price lies between the two."""
    return upper <= lower + 1 or lower == MAX_PRICE


def test_without_funding_liquidation_prices_are_those_that_bisection_finds(
    price_bounds: Library,
) -> None:
    draw = Draw("bisection")
    inputs = states(draw, STATES, has_funding=False)
    inputs += wide_states(draw, WIDE_STATES, has_funding=False)
    edges = [0, 0, 0]
    always = 0
    for state, (lower, upper) in priced(price_bounds, inputs):
        searched = Definition(*state).searched_prices()
        if searched is None:
            assert is_empty(lower, upper)
            always += 1
            continue
        assert (lower, upper) == searched
        edges[(lower > 0) + (upper != NO_PRICE)] += 1
    assert always + sum(edges) == len(inputs)
    assert min(always, *edges) > 100
    assert edges[1] > 5_000


def test_with_funding_liquidation_prices_are_turns_that_bisection_finds(
    price_bounds: Library,
) -> None:
    draw = Draw("funding")
    inputs = states(draw, STATES, has_funding=True)
    inputs += wide_states(draw, WIDE_STATES, has_funding=True)
    edges = [0, 0, 0]
    always = other_turns = rounded_away = 0
    for state, (lower, upper) in priced(price_bounds, inputs):
        definition = Definition(*state)
        searched = definition.searched_prices()
        if is_empty(lower, upper):
            # Whatever is healthy there is so by less than a unit of the index.
            healthy = list(filter(definition.is_healthy, definition.peaks))
            assert all(map(definition.is_rounding, healthy))
            always += 1
            rounded_away += bool(healthy)
            continue
        assert definition.turns_at(lower, upper)
        edges[(lower > 0) + (upper != NO_PRICE)] += 1
        if (lower, upper) != searched:
            # Both are turns: between them the rounding decides price by price.
            assert searched is not None
            for one, other in zip((lower, upper), searched, strict=True):
                if one != other:
                    assert definition.is_rounding(one)
                    assert definition.is_rounding(other)
            other_turns += 1
    assert 0 < other_turns < 100
    assert 0 < rounded_away < 100
    assert min(always, *edges) > 100
    assert edges[1] > 5_000


@pytest.mark.parametrize("has_funding", [False, True])
def test_liquidation_prices_are_those_that_counting_finds(
    price_bounds: Library, has_funding: bool
) -> None:
    inputs = tiny_states(Draw("counting"), TINY_STATES, has_funding=has_funding)
    edges = 0
    for state, (lower, upper) in priced(price_bounds, inputs):
        definition = Definition(*state)
        wrong = [
            price
            for price in range(1, COUNTED)
            if (lower < price < upper) != definition.is_healthy(price)
        ]
        assert all(map(definition.is_rounding, wrong))
        edges += 0 < lower < COUNTED or 0 < upper < COUNTED
    assert edges > 150


@pytest.mark.parametrize("has_funding", [False, True])
def test_liquidation_prices_are_where_the_check_itself_turns(
    libraries: dict[str, Library], has_funding: bool
) -> None:
    inputs = states(Draw("turn"), INPUTS, has_funding=has_funding)
    probes = []
    for state, (lower, upper) in priced(libraries["price_bounds"], inputs):
        if has_funding and is_empty(lower, upper):
            continue
        near = {lower, lower + 1, upper - 1, upper}
        probes += [(state, p, not lower < p < upper) for p in near if 0 < p <= MAX_PRICE]
    definitions = [(Definition(*state), price) for state, price, _ in probes]
    due = libraries["margin_math"].call(
        "maintenance_margin",
        [
            (one.larger * price, state[1])
            for (one, price), (state, _, _) in zip(definitions, probes, strict=True)
        ],
    )
    equities = [one.equity(price) for one, price in definitions]
    verdicts = libraries["liquidation_math"].call(
        "is_liquidatable", list(zip(equities, due, strict=True))
    )
    assert verdicts == [expected for _, _, expected in probes]
    assert verdicts == libraries["price_bounds"].call(
        "is_liquidatable_at", [(*state, price) for state, price, _ in probes]
    )
    assert verdicts.count(True) > 5_000
    assert verdicts.count(False) > 5_000


@pytest.mark.parametrize("has_funding", [False, True])
def test_the_bankruptcy_price_is_the_last_at_which_equity_is_not_negative(
    price_bounds: Library, has_funding: bool
) -> None:
    draw = Draw("bankruptcy")
    inputs = states(draw, INPUTS, has_funding=has_funding)
    inputs += wide_states(draw, WIDE_STATES, has_funding=has_funding)
    counts = [0, 0]
    for state, price in zip(
        inputs,
        price_bounds.call("bankruptcy_price", [(exposure,) for exposure, _ in inputs]),
        strict=True,
    ):
        definition = Definition(*state)
        slope = definition.net * (INDEX_DENOMINATOR - state[0].area)
        equity = definition.equity
        if slope == 0:
            assert price == NO_PRICE
        elif price == NO_PRICE:
            assert equity(MAX_PRICE) < 0 if slope > 0 else equity(MAX_PRICE + 1) >= 0
        elif slope > 0:
            assert equity(price) >= 0
            assert price == 0 or equity(price - 1) < 0
        else:
            assert equity(price + 1) < 0
            assert price == 0 or equity(price) >= 0
        counts[slope > 0] += 0 < price <= MAX_PRICE
    assert min(counts) > 2_000


def test_no_position_has_no_bounds(price_bounds: Library) -> None:
    draw = Draw("empty")
    inputs = [
        (replace(exposure, long_size=0, short_size=0), tiers)
        for exposure, tiers in wide_states(draw, 100, has_funding=True)
    ]
    assert price_bounds.call("liquidation_prices", inputs) == [(0, NO_PRICE)] * 100
    exposures = [(exposure,) for exposure, _ in inputs]
    assert price_bounds.call("bankruptcy_price", exposures) == [NO_PRICE] * 100


def test_a_hedged_pair_feels_neither_index_nor_funding(price_bounds: Library) -> None:
    inputs = [
        (replace(exposure, long_size=size, short_size=size), tiers)
        for exposure, tiers in wide_states(Draw("hedged"), 1_000, has_funding=True)
        for size in [max(exposure.long_size, exposure.short_size)]
    ]
    calm = [(replace(exposure, funding_index=0, area=0), tiers) for exposure, tiers in inputs]
    bounds = price_bounds.call("liquidation_prices", inputs)
    assert bounds == price_bounds.call("liquidation_prices", calm)
    assert {lower for lower, _ in bounds} == {0}
    for (exposure, _), (_, upper) in zip(inputs, bounds, strict=True):
        assert upper > 0 or exposure.equity <= 0


def test_where_no_price_moves_anything_every_price_liquidates_or_none(
    price_bounds: Library,
) -> None:
    # A pair that matches, without a requirement: equity alone decides, whatever the price.
    free = Tiers(0, 0, 0, 0)
    without, with_equity = (Exposure(7, 7, equity, 5, 0) for equity in (0, 1))
    assert price_bounds.call("liquidation_prices", [(without, free), (with_equity, free)]) == [
        (0, 0),
        (0, NO_PRICE),
    ]
