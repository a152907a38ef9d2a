"""When, at which prices and for whom: closed forms against search, shares against fractions."""

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor

import pytest

from bulkhead.protocol.margin_math import Tiers
from bulkhead.protocol.words import LiquidationTerms
from tests.helpers.draw import Draw
from tests.helpers.libraries import Library
from tests.helpers.tiers import FLOOR_UNIT, PPM, Line, Schedule, requirement

pytestmark = pytest.mark.anvil

INPUTS = 10_000
STATES = 20_000
TINY_STATES = 1_000
NO_PRICE = 2**256 - 1
BEYOND = 2**200  # every slope has decided by then

State = tuple[int, int, int, Tiers]  # long size, short size, constant equity, tiers


@pytest.fixture
def liquidation_math(libraries: dict[str, Library]) -> Library:
    return libraries["liquidation_math"]


@pytest.fixture
def margin_math(libraries: dict[str, Library]) -> Library:
    return libraries["margin_math"]


def pair_of(draw: Draw, size: int) -> tuple[int, int]:
    """A long, a short, or both legs at once; the larger has the size."""
    smaller = draw.random.choice((0, 0, draw.integer(0, size), size * 99 // 100, size))
    return (size, smaller) if draw.boolean() else (smaller, size)


def states(draw: Draw, count: int) -> list[State]:
    """Accounts around their limits: notional among the tiers, equity among the requirements."""
    drawn: list[State] = []
    while len(drawn) < count:
        tiers = draw.tiers()
        edges = [edge * FLOOR_UNIT for edge in Schedule.of(tiers).floors] or [FLOOR_UNIT]
        notional = draw.random.choice(edges) * draw.random.randint(1, 400) // 100
        size = draw.integer(1, 2 ** draw.random.randint(1, 56) - 1)
        price = min(notional // size + 1, 2**64 - 1)
        long_size, short_size = pair_of(draw, size)
        rate = draw.random.choice(Schedule.of(tiers).maintenance)
        if rate <= PPM and draw.random.random() < 0.1:
            # A pair whose requirement in this tier grows exactly as fast as its equity.
            unit = draw.integer(1, 2**35)
            size, long_size, short_size = unit * PPM, unit * PPM, unit * (PPM - rate)
            price = min(notional // size + 1, 2**64 - 1)
        net = long_size - short_size
        part = draw.random.choice((-100, 0, 1, 5, 10, 30, 100, 500))
        constant = -net * price + size * price * part // 1000 + draw.signed(8)
        drawn.append((long_size, short_size, constant, tiers))
    return drawn


def tiny_states(draw: Draw, count: int) -> list[State]:
    """Sizes so large against their tiers that all edges lie at prices one can count."""
    drawn: list[State] = []
    for _ in range(count):
        first_floor = draw.random.randint(1, 20)
        tail = range(draw.random.randint(0, 7))
        rates = sorted(draw.random.sample(range(1, 2**20), len(tail) + 1))
        words = [0, 0]
        for i in tail:
            words[i // 4] |= (first_floor + i << 40 | rates[i + 1] << 20) << 64 * (i % 4)
        long_size, short_size = pair_of(draw, draw.random.randint(2**54, 2**56 - 1))
        constant = draw.integer(-(2**62), 2**62)
        drawn.append((long_size, short_size, constant, Tiers(rates[0], 0, *words)))
    return drawn


def healthy(state: State, lines: list[Line]) -> Callable[[int], bool]:
    long_size, short_size, constant, _ = state
    net, larger = long_size - short_size, max(long_size, short_size)
    return lambda price: net * price + constant > requirement(lines, larger * price)


def searched_prices(state: State) -> tuple[int, int] | None:
    """The same two prices by bisection, None where no price is healthy.

    Equity less requirement is concave in the price: its peak lies at an end or at a tier's edge,
    and it falls to both sides of it.
    """
    schedule = Schedule.of(state[3])
    is_healthy = healthy(state, schedule.lines(schedule.maintenance))
    larger = max(state[0], state[1])
    kinks = [edge * FLOOR_UNIT // larger for edge in schedule.floors]
    peaks = [1, BEYOND, *[kink + step for kink in kinks for step in (0, 1)]]
    peak = next((price for price in peaks if price > 0 and is_healthy(price)), None)
    if peak is None:
        return None
    return edge_between(0, peak, is_healthy), edge_between(BEYOND, peak, is_healthy)


def edge_between(end: int, peak: int, is_healthy: Callable[[int], bool]) -> int:
    """The unhealthy price next to the healthy ones between an end and the peak."""
    if end and is_healthy(end):
        return NO_PRICE
    while abs(end - peak) > 1:
        middle = (end + peak) // 2
        if is_healthy(middle):
            peak = middle
        else:
            end = middle
    return end


def test_liquidation_prices_are_those_that_bisection_finds(liquidation_math: Library) -> None:
    inputs = states(Draw("bisection"), STATES)
    one_sided = two_sided = always = never = 0
    for state, (lower, upper) in zip(
        inputs, liquidation_math.call("liquidation_prices", inputs), strict=True
    ):
        searched = searched_prices(state)
        if searched is None:
            assert upper <= lower + 1
            always += 1
            continue
        assert (lower, upper) == searched
        edges = (lower > 0) + (upper != NO_PRICE)
        never += edges == 0
        one_sided += edges == 1
        two_sided += edges == 2
    assert always + never + one_sided + two_sided == STATES
    assert min(always, never, two_sided) > 100
    assert one_sided > 5_000


def test_liquidation_prices_are_those_that_counting_finds(liquidation_math: Library) -> None:
    inputs = tiny_states(Draw("counting"), TINY_STATES)
    edges = 0
    for state, (lower, upper) in zip(
        inputs, liquidation_math.call("liquidation_prices", inputs), strict=True
    ):
        schedule = Schedule.of(state[3])
        is_healthy = healthy(state, schedule.lines(schedule.maintenance))
        prices = range(1, 2_000)
        assert [lower < p < upper for p in prices] == [is_healthy(p) for p in prices]
        edges += 0 < lower < 2_000 or 0 < upper < 2_000
    assert edges > 300


def test_liquidation_prices_are_where_the_check_itself_turns(
    liquidation_math: Library, margin_math: Library
) -> None:
    inputs = states(Draw("turn"), INPUTS)
    probes = []
    for state, (lower, upper) in zip(
        inputs, liquidation_math.call("liquidation_prices", inputs), strict=True
    ):
        near = {lower, lower + 1, upper - 1, upper}
        probes += [(state, p, not lower < p < upper) for p in near if 0 < p < 2**64]
    notionals = [(max(state[0], state[1]) * price, state[3]) for state, price, _ in probes]
    equities = [(state[0] - state[1]) * price + state[2] for state, price, _ in probes]
    due = margin_math.call("maintenance_margin", notionals)
    verdicts = liquidation_math.call("is_liquidatable", list(zip(equities, due, strict=True)))
    assert verdicts == [expected for _, _, expected in probes]
    assert verdicts.count(True) > 5_000
    assert verdicts.count(False) > 5_000


def test_an_account_is_liquidatable_where_margin_is_due_and_not_below_equity(
    liquidation_math: Library,
) -> None:
    draw = Draw("liquidatable")
    inputs = []
    for _ in range(INPUTS):
        due = draw.unsigned(draw.random.choice((4, 60, 200)))
        inputs.append((draw.signed(202, due, -due), due))
    assert liquidation_math.call("is_liquidatable", inputs) == [
        due != 0 and equity - due <= 0 for equity, due in inputs
    ]


def test_the_bankruptcy_price_is_the_last_at_which_equity_is_not_negative(
    liquidation_math: Library,
) -> None:
    draw = Draw("bankruptcy")
    inputs = [state[:3] for state in states(draw, INPUTS)]
    for (long_size, short_size, constant), price in zip(
        inputs, liquidation_math.call("bankruptcy_price", inputs), strict=True
    ):
        net = long_size - short_size
        if net == 0:
            assert price == NO_PRICE
            continue
        further = price - 1 if net > 0 else price + 1
        assert further < 0 or net * further + constant < 0
        if price or net > 0:
            assert net * price + constant >= 0


def penalties(draw: Draw) -> list[tuple[int, int, LiquidationTerms]]:
    inputs = []
    for _ in range(INPUTS):
        terms = draw.struct(LiquidationTerms)
        notional = draw.unsigned(draw.random.choice((60, 90, 120)))
        full = ceil(Fraction(notional * terms.penalty, 10**15))
        inputs.append((draw.signed(100, full, full // 2, terms.keeper_floor), notional, terms))
    return inputs


def test_a_penalty_is_rounded_up_and_shrinks_rather_than_cause_a_deficit(
    liquidation_math: Library,
) -> None:
    inputs = penalties(Draw("penalty"))
    for (equity, notional, terms), (penalty, _, _) in zip(
        inputs, liquidation_math.call("split_penalty", inputs), strict=True
    ):
        full = ceil(Fraction(notional, 10**9) * Fraction(terms.penalty, PPM))
        assert penalty == max(min(full, equity), 0)


def test_a_keeper_gets_a_clamped_share_and_insurance_adds_up_to_the_floor_only(
    liquidation_math: Library,
) -> None:
    inputs = penalties(Draw("keeper"))
    for (_, notional, terms), (penalty, keeper, added) in zip(
        inputs, liquidation_math.call("split_penalty", inputs), strict=True
    ):
        full = ceil(Fraction(notional, 10**9) * Fraction(terms.penalty, PPM))
        share = floor(full * Fraction(terms.keeper_share, PPM))
        assert 0 <= keeper <= penalty
        assert keeper + added <= terms.keeper_cap
        assert keeper == min(max(share, terms.keeper_floor), terms.keeper_cap, penalty)
        if added:
            assert keeper + added == min(terms.keeper_floor, terms.keeper_cap)
        else:
            assert keeper >= min(terms.keeper_floor, terms.keeper_cap)


def test_charges_shrink_in_order_before_a_deficit_exists(liquidation_math: Library) -> None:
    draw = Draw("charges")
    inputs = []
    for _ in range(INPUTS):
        charges = [draw.unsigned(draw.random.choice((4, 40))) for _ in range(3)]
        sums = [sum(charges[:count]) for count in range(4)]
        inputs.append((draw.unsigned(42, *sums), *charges))
    for (shortfall, *charges), (*cuts, deficit) in zip(
        inputs, liquidation_math.call("shrink_charges", inputs), strict=True
    ):
        assert sum(cuts) + deficit == shortfall
        assert all(0 <= cut <= charge for cut, charge in zip(cuts, charges, strict=True))
        # A charge is touched only once those before it are gone, a deficit is the last resort.
        untouched = [cut < charge for cut, charge in zip(cuts, charges, strict=True)]
        later = [*cuts[1:], deficit]
        assert all(not any(later[i:]) for i in range(3) if untouched[i])
