"""Who is in line for auto-deleveraging, and what a call would take off."""

from dataclasses import replace
from decimal import Decimal

from bulkhead import deleveraging
from bulkhead.deleveraging import Holding
from bulkhead.markets import MarketState
from bulkhead.protocol import position_math, words
from bulkhead.protocol.words import House, Position, Side
from tests.sdk.test_decisions import ALICE, LOTS, PRICE, USD, state

BOB = "0x" + "b0" * 20
CAROL = "0x" + "c0" * 20
FEMTO = 10**9


def held(account: str, entry: int, size: int = LOTS, slot: int = 2, hedged: int = 0) -> Holding:
    """Lots bought or sold at `entry` thousandths of the price."""
    notional = size * PRICE * entry // 1_000 // FEMTO
    return Holding(account, 0, slot, Position(size, notional, 0, 0, 0), hedged)


# 1,000 USD of profit, 3,000 of it, and 500 of loss.
ONE, BEST, WORST = held(ALICE, 900), held(BOB, 700), held(CAROL, 1_050)


def market(*holdings: Holding, share: int = 200_000) -> MarketState:
    sides = [
        Side(
            sum(one.position.size for one in holdings if one.slot % 2 == side),
            sum(position_math.basis_of(one.position) for one in holdings if one.slot % 2 == side),
        )
        for side in range(2)
    ]
    base = state()
    terms = replace(base.market.terms, pool_share=share, min_notional=10)
    return replace(base, long=sides[0], short=sides[1], market=replace(base.market, terms=terms))


def house(pool_cash: int) -> House:
    return House(pool_cash, 0, 0, 0)


def test_a_rank_is_the_profit_per_lot_over_the_average() -> None:
    state = market(ONE, BEST)
    assert [deleveraging.rank_of(one, state) for one in (ONE, BEST)] == [500_000, 1_500_000]
    assert deleveraging.rank_of(WORST, market(ONE, BEST, WORST)) == 0
    assert deleveraging.rank_of(replace(BEST, hedged=LOTS), state) == 0


def test_nothing_is_proposed_within_the_share_or_without_a_price_to_act_on() -> None:
    state = market(ONE, BEST)  # owes 4,000 USD
    assert deleveraging.proposals([ONE, BEST], state, house(20_000 * USD)) == ()
    due = house(20_000 * USD - 1)
    assert deleveraging.proposals([ONE, BEST], state, due) == (BEST,)
    for price in (
        replace(state.price, caution=words.ONLY_BANKRUPT),
        replace(state.price, settles_at=1),
        replace(state.price, published_at=0),
    ):
        assert deleveraging.proposals([BEST], replace(state, price=price), due) == ()


def test_a_call_takes_the_excess_in_proportion() -> None:
    state = market(ONE, BEST)
    call = deleveraging.round_of(state, house(10_000 * USD))  # 2,000 is its share
    assert call is not None
    assert (call.owed, call.excess) == (4_000 * 10**15, 2_200 * 10**15)
    assert deleveraging.size_of(BEST, state, call, call.excess) == LOTS * 55 // 100
    assert deleveraging.size_of(BEST, state, call, 10**18) == LOTS // 3
    assert deleveraging.size_of(ONE, state, call, call.excess) == 0
    half = replace(BEST, hedged=LOTS // 2)
    assert deleveraging.size_of(half, state, call, call.excess) == LOTS // 2 * 55 // 100


def test_the_losing_side_is_exempt() -> None:
    short = held(CAROL, 1_010, slot=1)
    state = market(BEST, short)
    assert deleveraging.proposals([BEST, short], state, house(0)) == (BEST,)
    assert deleveraging.rank_of(short, state) == 1_000_000


def test_proposals_ascend_and_fit_into_one_call() -> None:
    crowd = [held(f"0x{i + 1:040x}", 900 - i % 2) for i in range(200)]
    found = deleveraging.proposals(reversed(crowd), market(*crowd), house(0))
    assert len(found) == 64
    assert [one.id for one in found] == sorted(one.id for one in found)
    assert {one.position.entry_notional for one in found} == {crowd[1].position.entry_notional}


def test_a_quantile_says_who_is_first_in_line() -> None:
    everyone = [ONE, BEST, WORST, held(CAROL, 1_100, slot=1)]
    state = market(*everyone)
    quantiles = [deleveraging.adl_quantile(one, everyone, state) for one in everyone]
    assert quantiles == [Decimal("0.5"), 1, 0, 1]
