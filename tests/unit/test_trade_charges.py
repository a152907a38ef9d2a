"""What a fill costs, and who pays where its trader cannot."""

from dataclasses import replace

import pytest

from bulkhead.protocol import market_math, position_math
from bulkhead.protocol.words import CROSS_LONG, CROSS_SHORT, ISOLATED_LONG
from tests.helpers.chain import advance, now
from tests.helpers.protocol import (
    BTC,
    FRICTIONLESS,
    ISOLATED,
    LIMIT,
    PPM,
    USD,
    Protocol,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
KEEPER_FEE = USD // 5
FEE = 2_500_000  # taker, 500 ppm of 5,000 USD
IMPACT = 25  # quote units that 0.1 BTC pays in an even market


@pytest.fixture
def funded(protocol: Protocol, trader: str) -> Protocol:
    protocol.deposit(trader, 10_000 * USD)
    return protocol


# Fees, impact, funding


def test_fees_split_at_zero_skew(funded: Protocol, trader: str, attacker: str) -> None:
    funded.deposit(attacker, 10_000 * USD)
    funded.trade(trader, 0, LOTS)
    # Sells 0.25: 0.1 shrinks the skew at the maker's 200 ppm, 0.15 grows it at the taker's 500.
    receipt = funded.trade(attacker, 0, 5 * LOTS // 2, is_buy=False)
    assert receipt.event("PositionIncreased").fee == 1 * USD + 3_750_000


def test_fees_are_shared(funded: Protocol, trader: str) -> None:
    before = funded.house()
    funded.trade(trader, 0, LOTS)
    after = funded.house()
    assert after.insurance - before.insurance == FEE // 10
    assert after.fees - before.fees == FEE // 5
    assert after.pool_cash - before.pool_cash == FEE - FEE // 10 - FEE // 5


def test_a_trade_that_shrinks_the_skew_is_paid(
    funded: Protocol, trader: str, attacker: str
) -> None:
    funded.deposit(attacker, 10_000 * USD)
    funded.trade(trader, 0, LOTS)
    event = funded.trade(attacker, 0, LOTS, is_buy=False).event("PositionIncreased")
    assert event.impact == -IMPACT * 10**9
    assert funded.position(attacker, 0, CROSS_SHORT).entry_notional == 5_000 * USD + IMPACT


def test_funding_accrues_from_the_long_to_the_short(
    funded: Protocol, trader: str, attacker: str
) -> None:
    funded.deposit(attacker, 10_000 * USD)
    funded.trade(trader, 0, 8 * LOTS)
    funded.trade(attacker, 0, LOTS, is_buy=False)
    values = funded.value(trader, 0, CROSS_LONG), funded.value(attacker, 0, CROSS_SHORT)
    for _ in range(24):
        advance(3_599)
        funded.push_price(0, 50_000)
    assert funded.accrued(0).funding_index > 0
    assert funded.value(trader, 0, CROSS_LONG) < values[0]
    assert funded.value(attacker, 0, CROSS_SHORT) > values[1]
    accrued = funded.accrued(0)
    funded.trade(trader, 0, 8 * LOTS, is_buy=False, reduce_only=True)
    assert funded.market(0).funding_index >= accrued.funding_index


def test_funding_stops_with_the_last_prices_life(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS)
    advance(3_600)
    index = funded.accrued(0).funding_index
    advance(10**6)
    assert funded.accrued(0).funding_index == index
    funded.push_price(0, 50_000)
    # The silence itself is never charged.
    assert funded.accrued(0).funding_index - index <= index


def test_a_fill_stores_the_drift_of_its_skew(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS)
    market = funded.market(0)
    terms = funded.trade_terms(0)
    assert market.accrued_at == now()
    assert market.funding_drift == market_math.funding_drift(
        terms.funding_velocity, LOTS, terms.skew_scale
    )
    assert market.funding_drift > 0


# What a reduction pays its keeper


def test_a_partial_close_pays_its_keeper_from_what_it_releases(
    funded: Protocol, trader: str, keeper: str
) -> None:
    funded.trade(trader, 0, 2 * LOTS, margin_mode=ISOLATED)
    cash, earned = funded.cash(trader), funded.cash(keeper)
    margin = funded.position(trader, 0, ISOLATED_LONG).margin
    receipt = funded.trade(trader, 0, LOTS, margin_mode=ISOLATED, is_buy=False, reduce_only=True)
    event = receipt.event("PositionDecreased")
    assert receipt.event("OrderExecuted").keeper_fee == KEEPER_FEE
    assert funded.cash(keeper) == earned + KEEPER_FEE
    assert funded.cash(trader) == cash + margin // 2 + event.realised - event.fee - KEEPER_FEE


def test_a_vault_pays_for_its_reduction_where_the_release_does_not(
    funded: Protocol, trader: str
) -> None:
    funded.trade(trader, 0, 2 * LOTS, margin_mode=ISOLATED, margin=400 * USD)
    cash, left = funded.cash(trader), funded.position(trader, 0, ISOLATED_LONG)
    # Equity is 101 USD at 48,505: 0.15 % of it do not pay the keeper's 0.20, but the vault does.
    size = 30_000
    order = funded.place(trader, 0, size, margin_mode=ISOLATED, is_buy=False, reduce_only=True)
    event = funded.fill(order, 48_505).event("PositionDecreased")
    _, released = position_math.decrease(left, True, size)
    owed = event.fee + KEEPER_FEE - event.realised - released.margin
    assert owed > 0
    assert funded.cash(trader) == cash
    after = funded.position(trader, 0, ISOLATED_LONG)
    assert after.margin == left.margin - released.margin - owed


def test_a_reduction_leaves_nothing_unpaid() -> None:
    protocol = Protocol(replace(BTC, terms=FRICTIONLESS))
    protocol.deposit(protocol.trader, 100 * USD)
    protocol.trade(protocol.trader, 0, 24_000, margin_mode=ISOLATED, margin=120_001)
    # At 55,000 the vault is worth 1.32 USD, all but 0.12 of it a profit that pays no keeper.
    order = protocol.place(
        protocol.trader, 0, 1_000, margin_mode=ISOLATED, is_buy=False, reduce_only=True
    )
    event = protocol.fill(order, 55_000).event("OrderCancelled")
    assert (event.reason, event.keeper_fee) == ("margin: below initial", 0)
    assert protocol.position(protocol.trader, 0, ISOLATED_LONG).margin == 120_001


# Debts


def test_the_last_close_claws_escrow_back_before_insurance_pays(
    protocol: Protocol, trader: str, keeper: str
) -> None:
    protocol.deposit(trader, 1_000 * USD)
    protocol.trade(trader, 0, 2 * LOTS)
    limit = {"kind": LIMIT, "acceptable_price": 1}
    resting = [protocol.place(trader, 1, 10**7, **limit) for _ in range(5)]
    assert protocol.account(trader).escrow == 5 * KEEPER_FEE
    close = protocol.place(trader, 0, 0, is_buy=False, reduce_only=True)
    before = protocol.house()
    event = protocol.fill(close, 44_000).event("PositionDecreased")
    state = protocol.account(trader)
    assert (state.cash, state.escrow, state.legs) == (0, 0, 0)
    assert event.deficit > 0
    assert event.fee == 0  # the charge is forgiven before insurance pays
    assert protocol.house().insurance == before.insurance - event.deficit
    # The fees that were to pay for the resting orders are gone, and nobody owes them.
    event = protocol.cancel(resting[0]).event("OrderCancelled")
    assert event.keeper_fee == 0


def test_a_closed_leg_may_leave_a_debt_to_those_that_are_left(
    protocol: Protocol, trader: str
) -> None:
    protocol.deposit(trader, 1_500 * USD)
    protocol.trade(trader, 0, 2 * LOTS, leverage=10 * PPM)
    protocol.trade(trader, 1, 2 * 10**7)  # 2 ETH, 5,000 USD
    resting = protocol.place(trader, 1, 10**7, kind=LIMIT, acceptable_price=1)
    protocol.push_price(1, 3_500)  # 2,000 won
    before = protocol.house()
    close = protocol.place(trader, 0, 0, is_buy=False, reduce_only=True)
    event = protocol.fill(close, 40_000).event("PositionDecreased")  # 2,000 lost
    state = protocol.account(trader)
    assert (event.deficit, state.escrow) == (0, KEEPER_FEE)
    assert event.fee > 0
    assert -600 * USD < state.cash < -500 * USD
    assert protocol.house().insurance >= before.insurance
    protocol.cancel(resting)
    protocol.check_invariants()


def test_a_closed_vault_in_debt_costs_its_margin_and_no_more(
    funded: Protocol, trader: str, keeper: str
) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=ISOLATED)
    cash, earned = funded.cash(trader), funded.cash(keeper)
    insurance = funded.house().insurance
    close = funded.place(trader, 0, 0, margin_mode=ISOLATED, is_buy=False, reduce_only=True)
    receipt = funded.fill(close, 44_000)
    event = receipt.event("PositionDecreased")
    assert funded.cash(trader) == cash
    assert event.fee == 0
    assert receipt.event("OrderExecuted").keeper_fee == 0
    assert funded.cash(keeper) == earned
    assert event.deficit == 100 * USD - 22  # closing is paid for shrinking the skew
    assert funded.house().insurance == insurance - event.deficit


def test_a_closed_vault_in_debt_is_forgiven_its_impact(
    funded: Protocol, trader: str, attacker: str
) -> None:
    funded.deposit(attacker, 10_000 * USD)
    funded.trade(attacker, 0, 4 * LOTS, is_buy=False)
    funded.trade(trader, 0, LOTS, margin_mode=ISOLATED)
    margin = funded.position(trader, 0, ISOLATED_LONG).margin
    close = funded.place(trader, 0, 0, margin_mode=ISOLATED, is_buy=False, reduce_only=True)
    before = funded.house()
    funded.wait(0, 44_000)
    worth = funded.value(trader, 0, ISOLATED_LONG) // 10**9
    event = funded.execute(close).event("PositionDecreased")
    assert event.impact > 10**9  # more of a skew
    assert (event.realised, event.fee, event.deficit) == (worth, 0, -worth - margin)
    assert funded.house().pool_cash == before.pool_cash - worth


def test_a_deficit_of_one_unit_is_insurances(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=ISOLATED)
    funded.clearinghouse.send(trader, "add_margin", 0, True, 100 * USD - 23)
    insurance = funded.house().insurance
    close = funded.place(trader, 0, 0, margin_mode=ISOLATED, is_buy=False, reduce_only=True)
    assert funded.fill(close, 44_000).event("PositionDecreased").deficit == 1
    assert funded.house().insurance == insurance - 1
