"""Funding, impact, fees and side values against exact arithmetic."""

from fractions import Fraction
from math import ceil, floor

import pytest

from bulkhead.protocol.words import Market, Position, Price, Side
from tests.helpers.draw import Draw
from tests.helpers.libraries import Library

pytestmark = pytest.mark.anvil

INPUTS = 10_000
MEMBERS = 5  # positions on a side
DAY = 86_400
MAX_INDEX = 2**63 - 1
MAX_DRIFT = 2**39 - 1


@pytest.fixture
def market_math(libraries: dict[str, Library]) -> Library:
    return libraries["market_math"]


@pytest.fixture
def position_math(libraries: dict[str, Library]) -> Library:
    return libraries["position_math"]


def clamp(number: Fraction, limit: int) -> Fraction:
    return min(max(number, Fraction(-limit)), Fraction(limit))


def funding_area(rate: Fraction, drift: int, limit: int, elapsed: int) -> Fraction:
    """The integral over seconds of clamp(rate + drift * t / DAY), piece by piece."""
    if drift == 0:
        return rate * elapsed
    bound = limit if drift > 0 else -limit
    crossing = min((bound - rate) * DAY / drift, Fraction(elapsed))
    ramp = rate * crossing + Fraction(drift, 2 * DAY) * crossing**2
    return ramp + bound * (elapsed - crossing)


def accruals(draw: Draw) -> list[tuple[Market, int, int]]:
    inputs = []
    for _ in range(INPUTS):
        start = draw.integer(0, 2**35)
        market = draw.struct(
            Market,
            accrued_at=start,
            max_funding_rate=draw.unsigned(draw.random.choice((8, 14, 20))),
            funding_drift=draw.signed(draw.random.choice((8, 24, 40))),
            funding_index=draw.signed(draw.random.choice((20, 50, 64))),
        )
        price = draw.unsigned(draw.random.choice((30, 50, 64)))
        until = start + draw.unsigned(draw.random.choice((8, 20, 34)), DAY)
        inputs.append((market, price, draw.random.choice((until, draw.integer(0, until, start)))))
    return inputs


def test_funding_is_the_integral_of_the_clamped_rate_times_the_price(market_math: Library) -> None:
    inputs = accruals(Draw("funding"))
    clamped = saturated = 0
    for (market, price, until), accrued in zip(
        inputs, market_math.call("accrue_funding", inputs), strict=True
    ):
        elapsed = until - market.accrued_at
        if elapsed <= 0:
            continue
        limit = market.max_funding_rate * 10**6
        rate = clamp(Fraction(market.funding_rate), limit)
        reached = rate + Fraction(market.funding_drift * elapsed, DAY)
        target = clamp(reached, limit)
        assert abs(accrued.funding_rate - target) < 1
        assert abs(accrued.funding_rate) <= limit

        area = funding_area(rate, market.funding_drift, limit, elapsed)
        exact = market.funding_index + area * price / (DAY * 10**12)
        # The rate is whole, and so is the second in which it meets its limit.
        inexact_area = Fraction(elapsed, 2) + abs(target - rate) / 2 * (reached != target)
        tolerance = 1 + inexact_area * price / (DAY * 10**12)
        expected = clamp(exact, MAX_INDEX)
        assert abs(accrued.funding_index - expected) <= tolerance
        clamped += reached != target
        saturated += abs(exact) > MAX_INDEX
    assert clamped > 1_000
    assert saturated > 100


def test_funding_of_a_constant_rate_is_rounded_down_and_nothing_else(
    market_math: Library,
) -> None:
    draw = Draw("constant")
    inputs = []
    for _ in range(INPUTS):
        market = Market(0, draw.signed(30), 0, 0, 2**20 - 1, 0, 0, 0)
        inputs.append((market, draw.unsigned(40), draw.unsigned(20, DAY)))
    results = market_math.call("accrue_funding", inputs)
    assert [result.funding_index for result in results] == [
        floor(Fraction(market.funding_rate * elapsed * price, DAY * 10**12))
        for market, price, elapsed in inputs
    ]


def test_funding_counts_no_time_twice(market_math: Library) -> None:
    inputs = accruals(Draw("time"))
    for (market, _, until), accrued in zip(
        inputs, market_math.call("accrue_funding", inputs), strict=True
    ):
        moved = until > market.accrued_at
        assert accrued.accrued_at == (until if moved else market.accrued_at)
        if not moved:
            assert accrued.funding_index == market.funding_index
            assert accrued.funding_rate == market.funding_rate
        kept = ("funding_drift", "max_funding_rate", "maintenance_rate", "first_floor")
        assert all(getattr(accrued, name) == getattr(market, name) for name in kept)


def test_the_clock_stands_still_while_the_feed_is_silent(market_math: Library) -> None:
    draw = Draw("clock")
    inputs, expected = [], []
    for _ in range(INPUTS):
        published_at, max_age = draw.integer(0, 2**35), draw.unsigned(20)
        silence = draw.integer(0, published_at)
        age = draw.integer(0, 2**20, max_age)
        price = draw.struct(
            Price, published_at=published_at, max_age=max_age, silence=silence, settles_at=0
        )
        inputs.append((price, published_at + age))
        expected.append(published_at - silence + (age if age < max_age else max_age))
    assert market_math.call("live_time", inputs) == expected


def test_the_clock_ends_where_the_settlement_begins(market_math: Library) -> None:
    draw = Draw("end of the clock")
    inputs, expected = [], []
    for _ in range(INPUTS):
        hour = draw.integer(1, 2**20 - 1)
        silence = draw.integer(0, 3_600 * hour)
        published_at = draw.integer(silence, 2**35, 3_600 * hour)
        price = draw.struct(
            Price, published_at=published_at, max_age=3_600, silence=silence, settles_at=hour
        )
        now = draw.integer(published_at, 2**36, 3_600 * hour)
        inputs.append((price, now))
        expected.append(min(now, published_at + 3_600, 3_600 * hour) - silence)
    assert market_math.call("live_time", inputs) == expected


def test_the_drift_is_the_clamped_skew_and_alike_on_both_sides(market_math: Library) -> None:
    draw = Draw("drift")
    inputs = []
    for _ in range(INPUTS):
        scale = draw.integer(1, 2**56 - 1)
        inputs.append((draw.unsigned(28), draw.signed(60, scale, -scale), scale))
    results = market_math.call("funding_drift", inputs)
    mirrored = market_math.call("funding_drift", [(v, -skew, scale) for v, skew, scale in inputs])
    for (velocity, skew, scale), drift, opposite in zip(inputs, results, mirrored, strict=True):
        assert opposite == -drift
        exact = velocity * 10**6 * min(Fraction(abs(skew), scale), Fraction(1))
        assert abs(drift) == min(floor(exact), MAX_DRIFT)
        assert drift == 0 or (drift < 0) == (skew < 0)


def test_skew_is_what_longs_hold_more_than_shorts(market_math: Library) -> None:
    draw = Draw("skew")
    inputs = [(draw.unsigned(64), draw.unsigned(64)) for _ in range(INPUTS)]
    assert market_math.call("skew_of", inputs) == [longs - shorts for longs, shorts in inputs]


def trades(draw: Draw) -> list[tuple[int, int, int, int, int]]:
    """Two trades in a row, the skew before them, the skew's scale, and the price."""
    inputs = []
    for _ in range(INPUTS):
        bits = draw.random.choice((8, 30, 57))
        first, second = draw.signed(bits), draw.signed(bits)
        skew = draw.signed(bits, -first, -first - second, -first // 2)
        inputs.append((first, second, skew, draw.integer(1, 2**56 - 1), draw.unsigned(64)))
    return inputs


def test_impact_is_the_average_of_the_skews_before_and_after_rounded_up(
    market_math: Library,
) -> None:
    inputs = trades(Draw("impact"))
    costs = market_math.call("impact_cost", [(d, s, scale, p) for d, _, s, scale, p in inputs])
    assert costs == [
        ceil(size * price * Fraction(skew + (skew + size), 2) / scale)
        for size, _, skew, scale, price in inputs
    ]


def test_splitting_a_trade_never_gains_and_costs_at_most_one_femto(market_math: Library) -> None:
    inputs = trades(Draw("split"))
    first = market_math.call("impact_cost", [(a, s, scale, p) for a, _, s, scale, p in inputs])
    second = market_math.call("impact_cost", [(b, s + a, scale, p) for a, b, s, scale, p in inputs])
    whole = market_math.call("impact_cost", [(a + b, s, scale, p) for a, b, s, scale, p in inputs])
    assert {a + b - c for a, b, c in zip(first, second, whole, strict=True)} == {0, 1}


def test_opening_and_closing_at_once_never_gains(market_math: Library) -> None:
    inputs = trades(Draw("cycle"))
    opened = market_math.call("impact_cost", [(d, s, scale, p) for d, _, s, scale, p in inputs])
    closed = market_math.call(
        "impact_cost", [(-d, s + d, scale, p) for d, _, s, scale, p in inputs]
    )
    assert {a + b for a, b in zip(opened, closed, strict=True)} == {0, 1}


def test_a_fee_is_maker_on_what_shrinks_the_skew_and_taker_on_the_rest(
    market_math: Library,
) -> None:
    draw = Draw("fee")
    inputs = [
        (size, skew, price, draw.unsigned(16), draw.unsigned(16))
        for size, _, skew, _, price in trades(draw)
    ]
    for (size, skew, price, maker, taker), fee in zip(
        inputs, market_math.call("trade_fee", inputs), strict=True
    ):
        making = Fraction(abs(size) + abs(skew) - abs(skew + size), 2)
        taking = abs(size) - making
        assert fee == ceil((making * maker + taking * taker) * price / 10**15)


def test_splitting_a_trade_never_lowers_its_fee_by_anything(market_math: Library) -> None:
    draw = Draw("fees")
    inputs = [
        (abs(a) * sign, abs(b) * sign, skew, price, draw.unsigned(16), draw.unsigned(16))
        for a, b, skew, _, price in trades(draw)
        for sign in [draw.random.choice((-1, 1))]
    ]
    first = market_math.call("trade_fee", [(a, s, p, m, t) for a, _, s, p, m, t in inputs])
    second = market_math.call("trade_fee", [(b, s + a, p, m, t) for a, b, s, p, m, t in inputs])
    whole = market_math.call("trade_fee", [(a + b, s, p, m, t) for a, b, s, p, m, t in inputs])
    assert {a + b - c for a, b, c in zip(first, second, whole, strict=True)} == {0, 1}


@pytest.mark.parametrize("is_long", [True, False])
def test_a_side_is_worth_exactly_what_its_positions_are(
    is_long: bool, market_math: Library, position_math: Library
) -> None:
    draw = Draw(f"side {is_long}")
    sides = [[draw.struct(Position) for _ in range(MEMBERS)] for _ in range(INPUTS // MEMBERS)]
    views = [(is_long, draw.unsigned(64), draw.signed(64)) for _ in sides]
    values = position_math.call(
        "value_of",
        [(p, *view) for side, view in zip(sides, views, strict=True) for p in side],
    )
    bases = position_math.call("basis_of", [(p,) for side in sides for p in side])
    words = [
        Side(sum(p.size for p in side), sum(bases[i * MEMBERS : (i + 1) * MEMBERS]))
        for i, side in enumerate(sides)
    ]
    worth = market_math.call(
        "side_value", [(word, *view) for word, view in zip(words, views, strict=True)]
    )
    assert worth == [sum(values[at : at + MEMBERS]) for at in range(0, len(values), MEMBERS)]
