"""When, how much and for whom: sizes against brute force, shares against fractions."""

from dataclasses import replace
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

import pytest

from bulkhead.protocol import fixed_point, margin_math, position_math
from bulkhead.protocol.liquidation_math import PART_ROUNDING
from bulkhead.protocol.margin_math import Tiers
from bulkhead.protocol.words import LiquidationTerms, Position
from tests.helpers.draw import Draw
from tests.helpers.libraries import Library
from tests.helpers.tiers import PPM, Schedule

pytestmark = pytest.mark.anvil

INPUTS = 10_000
STATES = 20_000
FEMTO = 10**9
THOUSAND_USD = 10**18


@pytest.fixture
def liquidation_math(libraries: dict[str, Library]) -> Library:
    return libraries["liquidation_math"]


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


def test_one_lot_is_closed_where_next_to_nothing_is_missing(liquidation_math: Library) -> None:
    # The line of the requirement, in parts that are no whole units, is above equity by one part.
    scale, unit = PPM + 1, PPM * PPM
    line = pow(scale, -1, unit)
    equity = scale * line // unit + PART_ROUNDING
    terms = LiquidationTerms(**dict.fromkeys(LiquidationTerms.__slots__, 0) | {"buffer": 1})
    tiers = Tiers(1, 2, 0, 0)
    assert scale * line - (equity - PART_ROUNDING) * unit == 1
    for given, lots in ((equity, 1), (equity + 1, 0)):
        assert liquidation_math.call("partial_size", [(given, 1, line, tiers, terms)]) == [lots]


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
        floored = min(terms.keeper_floor, terms.keeper_cap, full)
        if added:
            assert keeper + added == floored
        else:
            assert keeper >= floored


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


class State(NamedTuple):
    """What a partial liquidation is computed from."""

    equity: int  # femto
    size: int
    price: int
    tiers: Tiers
    terms: LiquidationTerms


def listed_tiers(draw: Draw) -> Tiers:
    """One to eight tiers that a listing takes, floors from a thousand USD to billions."""
    random = draw.random
    count = random.randint(0, 7)
    floors = sorted(random.sample(range(1, 2 ** random.randint(4, 24)), count))
    rates = sorted(random.randint(1_000, 400_000) for _ in range(count + 1))
    tail = [
        floor << 40 | rate << 20 | rate * 3 // 2
        for floor, rate in zip(floors, rates[1:], strict=True)
    ]
    first, second = (
        sum(tier << 64 * i for i, tier in enumerate(part)) for part in (tail[:4], tail[4:])
    )
    return Tiers(rates[0], rates[0] * 3 // 2, first, second)


def liquidatable(draw: Draw) -> State:
    """A position of any of its market's tiers, with two thirds of maintenance or more."""
    random, tiers = draw.random, listed_tiers(draw)
    price = random.randint(10**11, 10**15)
    tier = margin_math.tier_at(tiers, random.randint(0, 6))
    notional = random.choice((random.randint(10**16, 10**26), tier.floor * THOUSAND_USD * 2))
    size = max(notional // price, 1)
    due = margin_math.maintenance_margin(size * price, tiers)
    terms = LiquidationTerms(
        penalty=random.choice((0, tiers.maintenance_rate // 2, random.randint(0, 500))),
        keeper_share=500_000,
        keeper_floor=12_500,
        keeper_cap=100 * 10**6,
        buffer=random.choice((0, 200_000, 10**6, random.randint(0, 10**6))),
        partial_above=0,
    )
    terms = replace(terms, penalty=min(terms.penalty, tiers.maintenance_rate // 2))
    return State(random.randint(due * 2 // 3 + 1, due), size, price, tiers, terms)


def holds(state: State, lots: int) -> bool:
    """Whether the rest has its buffer, by the tiers as tax brackets, in exact arithmetic."""
    schedule = Schedule.of(state.tiers)
    due = schedule.taxed(schedule.maintenance, (state.size - lots) * state.price)
    penalty = Fraction(lots * state.price * state.terms.penalty, PPM)
    kept = state.equity - PART_ROUNDING - penalty
    return kept >= due * Fraction(PPM + state.terms.buffer, PPM)


def test_a_part_is_the_fewest_lots_that_restore_the_buffer(liquidation_math: Library) -> None:
    draw = Draw("partial")
    states = [liquidatable(draw) for _ in range(STATES)]
    reached = set()
    parts = 0
    for state, lots in zip(states, liquidation_math.call("partial_size", states), strict=True):
        assert 0 < lots <= state.size
        assert not holds(state, lots - 1), state
        if lots < state.size:
            assert holds(state, lots), state
            parts += 1
            edges = Schedule.of(state.tiers).floors
            reached.add(sum(state.size * state.price > edge * THOUSAND_USD for edge in edges))
    assert parts > STATES // 2
    assert reached == set(range(8))


def test_a_part_closed_leaves_the_buffer_and_a_healthier_position(
    liquidation_math: Library,
) -> None:
    """With every rounding that the contract makes."""
    draw = Draw("closed part")
    states = [liquidatable(draw) for _ in range(STATES)]
    sizes = liquidation_math.call("partial_size", states)
    parts = 0
    for state, lots in zip(states, sizes, strict=True):
        if lots == state.size:
            continue
        parts += 1
        is_long = draw.boolean()
        position = Position(state.size, 0, 0, 0, draw.signed(40))
        entry = state.size * state.price // FEMTO + draw.random.randint(-(10**9), 10**9)
        position = replace(position, entry_notional=max(entry, 0))
        left, released = position_math.decrease(position, is_long, lots)
        index = position.funding_index + draw.random.randint(-(10**9), 10**9)
        value = position_math.value_of(position, is_long, state.price, index)
        part = position_math.value_of(released, is_long, state.price, index)
        rest = position_math.value_of(left, is_long, state.price, index)
        margin = state.equity - value  # femto: what makes the equity the state's
        penalty = ceil(Fraction(lots * state.price * state.terms.penalty, PPM * FEMTO))
        after = margin + (fixed_point.quote_down(part) - penalty) * FEMTO + rest
        due = margin_math.maintenance_margin(left.size * state.price, state.tiers)
        assert after * PPM >= (PPM + state.terms.buffer) * due
        before = margin_math.maintenance_margin(state.size * state.price, state.tiers)
        assert after * before >= state.equity * due
    assert parts > STATES // 2


def test_a_part_that_costs_what_it_relieves_is_all(liquidation_math: Library) -> None:
    terms = LiquidationTerms(5_000, 0, 0, 0, 0, 0)
    state = State(10**15, 10**8, 10**12, Tiers(5_000, 10_000, 0, 0), terms)
    dear = state._replace(terms=replace(terms, penalty=5_001))
    cheap = state._replace(terms=replace(terms, penalty=4_999), equity=4_999 * 10**14)
    assert liquidation_math.call("partial_size", [state, dear]) == [state.size, state.size]
    assert liquidation_math.call("partial_size", [cheap])[0] == state.size
    healthy = state._replace(terms=replace(terms, penalty=4_999), equity=10**18)
    assert liquidation_math.call("partial_size", [healthy]) == [0]


def test_small_positions_and_small_rests_close_whole_and_no_part_is_small(
    liquidation_math: Library,
) -> None:
    tiers, price = Tiers(5_000, 10_000, 0, 0), 10**12  # a lot is 0.001 USD
    terms = LiquidationTerms(2_500, 500_000, 12_500, 10**8, 200_000, 10_000 * 10**6)
    size = 20_000_000  # 20,000 USD; 100 of maintenance margin
    equity = 90 * 10**15

    def closed(size: int = size, equity: int = equity, least: int = 10_000) -> int:
        given = (equity, size, price, tiers, terms, least)
        return int(liquidation_math.call("closing_size", [given])[0])

    just_enough = liquidation_math.call("partial_size", [(equity, size, price, tiers, terms)])[0]
    assert just_enough == 8_571_430  # 30 USD missing, 3.5 relieved by a thousand
    assert closed() == just_enough
    assert closed(least=9_000_000) == 9_000_000
    assert closed(least=size - just_enough) == size
    assert closed(least=10_000_001) == size
    assert closed(size=10_000_000) == 10_000_000
    assert closed(size=10_000_001, equity=45 * 10**15) < 10_000_001


def test_two_thirds_of_maintenance_keep_a_part(liquidation_math: Library) -> None:
    inputs = [(200, 300), (199, 300), (-1, 0), (0, 0), (-(10**30), 10**30)]
    assert liquidation_math.call("keeps_part", inputs) == [True, False, False, True, False]


def test_doubt_protects_whatever_has_equity_and_a_band_favours_the_account(
    liquidation_math: Library,
) -> None:
    inputs = [
        (100, 100, 0, 0),
        (100, 100, 1, 0),
        (100, 100, 0, 1),
        (100, 100, 0, 2),
        (0, 100, 0, 2),
        (-5, 100, 5, 2),
        (-5, 100, 6, 2),
        (-5, 0, 0, 0),
    ]
    verdicts = liquidation_math.call("may_liquidate", inputs)
    assert verdicts == [True, False, True, False, True, True, False, False]


def test_a_market_is_over_its_share_and_deleveraging_stops_at_nine_tenths(
    liquidation_math: Library,
) -> None:
    draw = Draw("excess")
    inputs = []
    for _ in range(INPUTS):
        cash, share = draw.signed(96), draw.integer(0, PPM)
        line = max(cash, 0) * share * 1_000
        inputs.append((draw.signed(160, line, line * 9 // 10), cash, share))
    for (owed, cash, share), excess in zip(
        inputs, liquidation_math.call("excess_owed", inputs), strict=True
    ):
        backing = Fraction(max(cash, 0) * share * FEMTO, PPM)
        assert excess == (owed - backing * Fraction(9, 10) if owed > backing else 0)


def test_a_rank_is_the_profit_per_lot_against_the_average(liquidation_math: Library) -> None:
    draw = Draw("rank")
    inputs = [
        (draw.signed(121), draw.integer(1, 2**56 - 1), draw.signed(160), draw.integer(1, 2**64 - 1))
        for _ in range(INPUTS)
    ]
    for (profit, size, side_profit, side_size), rank in zip(
        inputs, liquidation_math.call("deleveraging_rank", inputs), strict=True
    ):
        if profit <= 0 or side_profit <= 0:
            assert rank == 0
        else:
            assert rank == floor(PPM * Fraction(profit, size) / Fraction(side_profit, side_size))
            assert (rank >= PPM) == (profit * side_size >= side_profit * size)


def test_deleveraging_takes_its_share_and_never_more_than_the_excess(
    liquidation_math: Library,
) -> None:
    draw = Draw("deleveraged")
    inputs = []
    for _ in range(INPUTS):
        size, owed = draw.integer(1, 2**56 - 1), draw.integer(1, 2**130)
        profit = draw.integer(1, 2**121)
        excess = draw.integer(1, owed, owed, owed // 2)
        left = draw.integer(0, excess, excess, profit)
        least = draw.integer(0, size, size // 3, 1)
        inputs.append((size, draw.integer(0, size, size), profit, excess, owed, left, least))
    wholes = 0
    for (size, exposed, profit, excess, owed, left, least), lots in zip(
        inputs, liquidation_math.call("deleveraged_size", inputs), strict=True
    ):
        most = min(floor(exposed * Fraction(excess, owed)), floor(Fraction(size * left, profit)))
        if most >= size:
            wholes += 1
            assert lots == size
        else:
            assert lots == min(most, max(size - least, 0))
        assert Fraction(lots * profit, size) <= left
    assert wholes > 50
