"""Filling one order: what it does to a position, and what it costs."""

from dataclasses import replace
from typing import Any

import pytest

from bulkhead.protocol import market_math, position_math, words
from bulkhead.protocol.words import CROSS_LONG, CROSS_SHORT, ISOLATED_LONG, ISOLATED_SHORT
from tests.helpers.chain import advance, now, refused
from tests.helpers.doctored import doctor_account
from tests.helpers.protocol import (
    BTC,
    CROSS,
    EXECUTED,
    FRICTIONLESS,
    ISOLATED,
    LIMIT,
    LONG,
    NOBODY,
    PPM,
    SHORT,
    USD,
    Market,
    Protocol,
    Terms,
    position_id,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
PRICE = 5 * 10**11  # femto per lot, 50,000 USD
KEEPER_FEE = USD // 5
FEE = 2_500_000  # taker, 500 ppm of 5,000 USD
MAKER_FEE = 1_000_000  # 200 ppm of the same
IMPACT = 25  # quote units that 0.1 BTC pays in an even market
MODES = pytest.mark.parametrize("mode", [CROSS, ISOLATED])


@pytest.fixture
def funded(protocol: Protocol, trader: str) -> Protocol:
    protocol.deposit(trader, 10_000 * USD)
    return protocol


def slot_of(mode: int, is_long: bool = True) -> int:
    return (0 if mode == CROSS else 2) + (0 if is_long else 1)


# Increase


def test_a_cross_order_opens_a_leg(funded: Protocol, trader: str, keeper: str) -> None:
    order = funded.place(trader, 0, LOTS, leverage=20 * PPM)
    receipt = funded.fill(order)

    assert receipt.result == EXECUTED
    assert funded.position(trader, 0, CROSS_LONG) == words.Position(
        LOTS, 5_000 * USD + IMPACT, 20 * PPM, 0, 0
    )
    assert funded.account(trader) == words.Account(
        10_000 * USD - FEE - KEEPER_FEE, words.leg_bit(0, 0), 0, 0, 0, 0
    )
    assert funded.cash(keeper) == KEEPER_FEE
    event = receipt.event("PositionIncreased")
    assert (event.account, event.market, event.slot) == (trader, 0, CROSS_LONG)
    assert event.order_hash == funded.hash_of(order)
    assert (event.size, event.price, event.fee, event.margin) == (LOTS, PRICE, FEE, 0)
    assert event.impact == IMPACT * 10**9
    executed = receipt.event("OrderExecuted")
    assert executed.order_hash == funded.hash_of(order)
    assert (executed.keeper, executed.keeper_fee) == (keeper, KEEPER_FEE)


def test_an_isolated_order_opens_a_vault(funded: Protocol, trader: str) -> None:
    event = funded.trade(trader, 0, LOTS, margin_mode=ISOLATED).event("PositionIncreased")
    # A tenth of the notional at mark, and what the fill lost against it.
    assert event.margin == 500 * USD + IMPACT
    assert funded.position(trader, 0, ISOLATED_LONG) == words.Position(
        LOTS, 5_000 * USD + IMPACT, 500 * USD + IMPACT, 0, 0
    )
    assert funded.account(trader) == words.Account(
        10_000 * USD - FEE - KEEPER_FEE - 500 * USD - IMPACT, 0, 1, 0, 0, 0
    )


def test_an_order_may_name_its_margin(funded: Protocol, trader: str) -> None:
    event = funded.trade(trader, 0, LOTS, margin_mode=ISOLATED, margin=777 * USD).event(
        "PositionIncreased"
    )
    assert event.margin == 777 * USD


def test_a_short_mirrors_a_long(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=ISOLATED, is_buy=False)
    assert funded.position(trader, 0, ISOLATED_SHORT) == words.Position(
        LOTS, 5_000 * USD - IMPACT, 500 * USD + IMPACT, 0, 0
    )


@MODES
def test_an_increase_adds_up(funded: Protocol, trader: str, mode: int) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=mode)
    before = funded.position(trader, 0, slot_of(mode))
    event = funded.trade(trader, 0, LOTS, 52_000, margin_mode=mode).event("PositionIncreased")
    position = funded.position(trader, 0, slot_of(mode))
    entry = position_math.entry_notional_of(LOTS, True, event.price, event.impact)
    assert position.size == 2 * LOTS
    assert position.entry_notional == before.entry_notional + entry
    assert position == words.unpack_position(event.position_word)


def test_the_words_in_an_event_are_the_state_after_it(funded: Protocol, trader: str) -> None:
    event = funded.trade(trader, 0, LOTS, margin_mode=ISOLATED).event("PositionIncreased")
    assert event.account_word == funded.clearinghouse.read("account_word", trader)
    assert event.house_word == funded.clearinghouse.read("house_word")
    assert event.market_word == funded.market_words(0)[0]
    assert event.side_word == funded.market_words(0)[1]
    id_ = position_id(trader, 0, ISOLATED_LONG)
    assert event.position_word == funded.clearinghouse.read("position_word", id_)


def test_both_modes_live_side_by_side(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS)
    funded.trade(trader, 0, 2 * LOTS, margin_mode=ISOLATED, is_buy=False)
    assert funded.position(trader, 0, CROSS_LONG).size == LOTS
    assert funded.position(trader, 0, ISOLATED_SHORT).size == 2 * LOTS


# Reduce, close, flip


@MODES
def test_an_opposite_order_reduces(funded: Protocol, trader: str, mode: int) -> None:
    funded.trade(trader, 0, 2 * LOTS, margin_mode=mode)
    before = funded.position(trader, 0, slot_of(mode))
    cash = funded.cash(trader)
    receipt = funded.trade(trader, 0, LOTS, 55_000, margin_mode=mode, is_buy=False)
    event = receipt.event("PositionDecreased")
    after = funded.position(trader, 0, slot_of(mode))
    left, released = position_math.decrease(before, True, LOTS)
    if mode == CROSS:
        left, released = replace(left, margin=before.margin), replace(released, margin=0)
    assert after == left
    worth = position_math.value_of(released, True, event.price, 0)
    assert event.realised == (worth - event.impact) // 10**9
    assert abs(event.realised - 500 * USD) < 100
    assert funded.cash(trader) == cash - KEEPER_FEE + event.realised - event.fee + released.margin
    assert event.deficit == 0


@MODES
def test_closing_keeps_the_generation_alone(funded: Protocol, trader: str, mode: int) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=mode)
    funded.trade(trader, 0, LOTS, margin_mode=mode, is_buy=False)
    assert funded.position(trader, 0, slot_of(mode)) == words.Position(0, 0, 0, 1, 0)
    state = funded.account(trader)
    assert (state.legs, state.vaults) == (0, 0)
    assert funded.side(0, True) == words.Side(0, 0)


@MODES
def test_opening_and_closing_costs_fees_and_rounding_alone(
    funded: Protocol, trader: str, mode: int
) -> None:
    cash = funded.cash(trader)
    fees = funded.trade(trader, 0, LOTS, margin_mode=mode).event("PositionIncreased").fee
    closed = funded.trade(trader, 0, LOTS, margin_mode=mode, is_buy=False)
    fees += closed.event("PositionDecreased").fee
    assert funded.cash(trader) == cash - fees - 2 * KEEPER_FEE


@MODES
def test_an_order_beyond_the_position_flips_it(funded: Protocol, trader: str, mode: int) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=mode)
    receipt = funded.trade(trader, 0, 3 * LOTS // 2, margin_mode=mode, is_buy=False)
    assert receipt.event("PositionDecreased").size == LOTS
    assert receipt.event("PositionIncreased").size == LOTS // 2
    assert funded.position(trader, 0, slot_of(mode)).size == 0
    assert funded.position(trader, 0, slot_of(mode, is_long=False)).size == LOTS // 2


@MODES
def test_a_flip_with_a_rest_below_the_minimum_only_closes(
    funded: Protocol, trader: str, mode: int
) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=mode)
    receipt = funded.trade(trader, 0, LOTS + 19_999, margin_mode=mode, is_buy=False)
    assert receipt.event("PositionDecreased").size == LOTS
    assert receipt.named("PositionIncreased") == []


@MODES
def test_a_reduction_that_would_leave_dust_closes_all(
    funded: Protocol, trader: str, mode: int
) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=mode)
    receipt = funded.trade(trader, 0, LOTS - 19_999, margin_mode=mode, is_buy=False)
    assert receipt.event("PositionDecreased").size == LOTS
    funded.trade(trader, 0, LOTS, margin_mode=mode)
    receipt = funded.trade(trader, 0, LOTS - 20_000, margin_mode=mode, is_buy=False)
    assert receipt.event("PositionDecreased").size == LOTS - 20_000


@MODES
def test_a_reduce_only_order_never_flips(funded: Protocol, trader: str, mode: int) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=mode)
    receipt = funded.trade(trader, 0, 5 * LOTS, margin_mode=mode, is_buy=False, reduce_only=True)
    assert receipt.event("PositionDecreased").size == LOTS
    assert receipt.named("PositionIncreased") == []


@MODES
def test_a_close_position_order_takes_all_there_is_when_it_fills(
    funded: Protocol, trader: str, mode: int
) -> None:
    funded.trade(trader, 0, LOTS, margin_mode=mode)
    order = funded.place(trader, 0, 0, margin_mode=mode, is_buy=False, reduce_only=True)
    funded.trade(trader, 0, LOTS, margin_mode=mode)
    assert funded.fill(order).event("PositionDecreased").size == 2 * LOTS


def test_a_reduce_only_order_ends_where_nothing_is_open(
    funded: Protocol, trader: str, keeper: str
) -> None:
    order = funded.place(trader, 0, LOTS, is_buy=False, reduce_only=True)
    event = funded.fill(order).event("OrderCancelled")
    assert (event.reason, event.keeper_fee) == ("position: nothing to reduce", 0)
    assert funded.cash(keeper) == 0


def test_a_hedge_order_that_only_reduces_its_own_side_ends(funded: Protocol, trader: str) -> None:
    funded.clearinghouse.send(trader, "set_hedge_mode", True)
    funded.trade(trader, 0, LOTS, position_side=LONG)
    for fields in (
        {"position_side": LONG, "is_buy": True, "reduce_only": True},
        {"position_side": SHORT, "is_buy": True},
    ):
        event = funded.fill(funded.place(trader, 0, LOTS, **fields)).event("OrderCancelled")
        assert event.reason == "position: nothing to reduce"


def test_the_legs_of_a_pair_share_one_leverage(funded: Protocol, trader: str) -> None:
    funded.clearinghouse.send(trader, "set_hedge_mode", True)
    funded.trade(trader, 0, LOTS, position_side=LONG, leverage=7 * PPM)
    funded.trade(trader, 0, LOTS, position_side=SHORT, is_buy=False, leverage=9 * PPM)
    assert funded.position(trader, 0, CROSS_SHORT).margin == 7 * PPM


def test_a_hedged_pair_needs_margin_for_its_larger_leg_alone(
    protocol: Protocol, trader: str
) -> None:
    protocol.deposit(trader, 1_020 * USD)
    protocol.clearinghouse.send(trader, "set_hedge_mode", True)
    protocol.trade(trader, 0, LOTS, position_side=LONG, leverage=5 * PPM)
    protocol.trade(trader, 0, LOTS, position_side=SHORT, is_buy=False)
    refused_order = protocol.place(trader, 0, LOTS, position_side=SHORT, is_buy=False)
    assert protocol.fill(refused_order).event("OrderCancelled").reason == "margin: below initial"


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


def test_a_reduction_that_leaves_a_vault_less_healthy_ends(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, 2 * LOTS, margin_mode=ISOLATED, margin=400 * USD)
    close = {"margin_mode": ISOLATED, "is_buy": False, "reduce_only": True}
    order = funded.place(trader, 0, LOTS // 20, **close)
    event = funded.fill(order, 48_030).event("OrderCancelled")
    assert (event.reason, event.keeper_fee) == ("margin: below initial", 0)
    order = funded.place(trader, 0, 0, **close)
    assert funded.fill(order, 48_030).event("PositionDecreased").size == 2 * LOTS


@pytest.mark.parametrize("lacking", [0, 1])
def test_a_reduction_may_leave_a_vault_its_initial_margin_to_the_unit(lacking: int) -> None:
    protocol = Protocol(replace(BTC, terms=FRICTIONLESS))
    protocol.deposit(protocol.trader, 1_000 * USD)
    # 10,000 USD less 15 need 99.85; the keeper has 0.20, the entry's impact was 2 units.
    margin = 99_850_000 + KEEPER_FEE + 2 - lacking
    protocol.trade(protocol.trader, 0, 2 * LOTS, margin_mode=ISOLATED, margin=margin)
    order = protocol.place(
        protocol.trader, 0, 30_000, margin_mode=ISOLATED, is_buy=False, reduce_only=True
    )
    receipt = protocol.fill(order)
    if lacking == 0:
        assert receipt.event("PositionDecreased").size == 30_000
    else:
        assert receipt.event("OrderCancelled").reason == "margin: below initial"


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


# What a fill costs


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


# Limits: what ends an order


def ends(protocol: Protocol, reason: str, **fields: Any) -> None:
    """An order that the price says yes to ends with the reason, and its keeper is paid."""
    order = protocol.place(protocol.trader, **fields)
    earned = protocol.cash(protocol.keeper)
    event = protocol.fill(order).event("OrderCancelled")
    assert event.reason == reason
    assert (event.receiver, event.keeper_fee) == (protocol.keeper, KEEPER_FEE)
    assert protocol.cash(protocol.keeper) == earned + KEEPER_FEE


def test_below_the_minimum_notional(funded: Protocol) -> None:
    ends(funded, "size: below minimum", market=0, size=19_999)
    funded.trade(funded.trader, 0, 20_000)


@MODES
def test_below_initial_margin(funded: Protocol, mode: int) -> None:
    if mode == CROSS:
        ends(funded, "margin: below initial", market=0, size=21 * LOTS, leverage=10 * PPM)
    else:
        ends(
            funded,
            "margin: below initial",
            market=0,
            size=LOTS,
            margin_mode=ISOLATED,
            margin=49 * USD,
        )


@pytest.mark.parametrize("lacking", [0, 1])
def test_initial_margin_may_be_met_to_the_unit(
    protocol: Protocol, trader: str, attacker: str, lacking: int
) -> None:
    protocol.deposit(attacker, 10_000 * USD)
    protocol.trade(attacker, 0, LOTS)
    # It turns the skew over, to as much of the other side: no impact, and half of it a maker's.
    fees = FEE + MAKER_FEE + KEEPER_FEE
    protocol.deposit(trader, 1_000 * USD + fees - lacking)
    order = protocol.place(trader, 0, 2 * LOTS, is_buy=False, leverage=10 * PPM)
    receipt = protocol.fill(order)
    if lacking == 0:
        assert receipt.event("PositionIncreased").impact == 0
    else:
        assert receipt.event("OrderCancelled").reason == "margin: below initial"


@pytest.mark.parametrize("lacking", [0, 1])
def test_each_of_eight_tiers_asks_for_its_part(lacking: int) -> None:
    tiers = tuple([(i, 5_000 * (i + 1), 10_000 * (i + 1)) for i in range(8)])
    protocol = Protocol(replace(BTC, terms=FRICTIONLESS, tiers=tiers))
    protocol.deposit(protocol.trader, 1_000 * USD)
    # Of 10,000 USD 1 % of the first thousand, 2 % of the next, from 7,000 on 8 %; the impact is 2.
    margin = 520 * USD + 2 - lacking
    order = protocol.place(protocol.trader, 0, 2 * LOTS, margin_mode=ISOLATED, margin=margin)
    receipt = protocol.fill(order)
    if lacking == 0:
        assert receipt.event("PositionIncreased").margin == margin
    else:
        assert receipt.event("OrderCancelled").reason == "margin: below initial"


def test_more_margin_than_is_free(funded: Protocol) -> None:
    ends(
        funded,
        "balance: not withdrawable",
        market=0,
        size=LOTS,
        margin_mode=ISOLATED,
        margin=9_998 * USD,
    )


def test_a_position_too_large_for_its_word(funded: Protocol) -> None:
    ends(funded, "size: too large", market=0, size=2**56 - 1)
    ends(
        funded,
        "size: too large",
        market=0,
        size=2**56 - 1,
        margin_mode=ISOLATED,
        is_buy=False,
    )


def narrow(**terms: int) -> Protocol:
    """A world of one market with its own terms and plenty of money."""
    protocol = Protocol(replace(BTC, terms=replace(Terms(), **terms)))
    protocol.deposit(protocol.trader, 10**6 * USD)
    protocol.deposit(protocol.attacker, 10**6 * USD)
    return protocol


def test_the_skew_cap_holds_what_grows_the_skew() -> None:
    protocol = narrow(skew_scale=10**12, skew_cap=100, side_cap=200)  # 1 and 2 BTC
    protocol.trade(protocol.trader, 0, 10**8)
    ends(protocol, "cap: skew", market=0, size=20_000)
    protocol.trade(protocol.attacker, 0, 2 * 10**8, is_buy=False)
    protocol.check_invariants()


def test_the_side_cap_holds_both_sides() -> None:
    protocol = narrow(skew_scale=10**12, skew_cap=100, side_cap=200)
    protocol.trade(protocol.attacker, 0, 10**8, is_buy=False)
    protocol.trade(protocol.trader, 0, 2 * 10**8)
    protocol.trade(protocol.attacker, 0, 10**8, is_buy=False)
    ends(protocol, "cap: open interest", market=0, size=20_000)
    protocol.check_invariants()


def test_the_pool_must_cover_the_reserve() -> None:
    # 20 % of 5,000,000 USD must cover 30 % of the skew: 3,333,333 USD, 66.67 BTC, and what
    # 20 % of the order's own fee covers.
    protocol = narrow()
    ends(protocol, "cap: reserve", market=0, size=6_670_000_000)
    protocol.trade(protocol.trader, 0, 6_660_000_000)
    protocol.check_invariants()


def test_an_account_has_255_vaults(funded: Protocol, trader: str) -> None:
    with funded.anchored():
        doctor_account(funded, trader, vaults=254)
        funded.trade(trader, 0, LOTS, margin_mode=ISOLATED)
        assert funded.account(trader).vaults == 255
        ends(funded, "account: too many vaults", market=1, size=10**7, margin_mode=ISOLATED)
        # One that is open may grow.
        funded.trade(trader, 0, LOTS, margin_mode=ISOLATED)


def test_a_market_beyond_the_cross_word_is_isolated_only() -> None:
    markets = [
        Market(f"M{i}", 100, 10**5, terms=replace(Terms(), pool_share=10_000)) for i in range(66)
    ]
    protocol = Protocol(*markets)
    protocol.deposit(protocol.trader, 10_000 * USD)
    with refused("market: isolated only"):
        protocol.place(protocol.trader, 64, 10**6)
    for market in range(32):
        protocol.trade(protocol.trader, market, 10**5)
    ends(protocol, "account: too many legs", market=32, size=10**5)
    protocol.trade(protocol.trader, 64, 10**5, margin_mode=ISOLATED)
    protocol.trade(protocol.trader, 65, 10**5, margin_mode=ISOLATED)
    protocol.check_invariants()
    protocol.refresh()
    protocol.clearinghouse.send(protocol.trader, "withdraw", USD, protocol.trader)


def test_no_premium_counts_as_margin() -> None:
    """A fill's own gain is left out of the initial margin check, in both modes."""
    protocol = narrow(skew_scale=10**12, skew_cap=1_000, side_cap=1_250)
    protocol.trade(protocol.attacker, 0, 10**9)  # 10 BTC of skew: a premium of 0.1 %
    poor = protocol.actor("poor")
    protocol.deposit(poor, 510 * USD)
    # 1 BTC sold brings 47.5 USD above mark; fee 10 USD, initial margin 500 USD.
    order = protocol.place(poor, 0, 10**8, is_buy=False)
    event = protocol.fill(order).event("OrderCancelled")
    assert event.reason == "margin: below initial"
    named = {"margin_mode": ISOLATED, "margin": 470 * USD}
    order = protocol.place(poor, 0, 10**8, is_buy=False, **named)
    event = protocol.fill(order).event("OrderCancelled")
    assert event.reason == "margin: below initial"


# A reduction must not make an account less healthy


def test_an_account_below_initial_margin_may_still_reduce(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, 19 * LOTS, leverage=10 * PPM)  # 95,000 USD on 10,000
    funded.push_price(0, "48000")  # equity about 6,150 of 9,120 initial
    receipt = funded.trade(trader, 0, LOTS, "48000", is_buy=False, reduce_only=True)
    assert receipt.event("PositionDecreased").size == LOTS
    with refused("balance: not withdrawable"):
        funded.withdraw(trader, 1)


def test_a_pair_below_initial_margin_is_not_left_by_its_smaller_leg(
    protocol: Protocol, trader: str
) -> None:
    protocol.deposit(trader, 1_010 * USD)
    protocol.clearinghouse.send(trader, "set_hedge_mode", True)
    protocol.trade(trader, 0, 2 * LOTS, position_side=LONG, leverage=20 * PPM)
    protocol.trade(trader, 0, LOTS, position_side=SHORT, is_buy=False)
    protocol.push_price(0, 44_000)  # equity about 400 of 440 initial
    smaller = protocol.place(trader, 0, 0, position_side=SHORT, reduce_only=True)
    event = protocol.fill(smaller, 44_000).event("OrderCancelled")
    assert event.reason == "margin: below initial"
    larger = protocol.place(trader, 0, 0, position_side=LONG, is_buy=False, reduce_only=True)
    assert protocol.fill(larger, 44_000).event("PositionDecreased").size == 2 * LOTS


def test_a_pair_below_initial_margin_grows_by_neither_leg(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 1_010 * USD)
    protocol.clearinghouse.send(trader, "set_hedge_mode", True)
    protocol.trade(trader, 0, 2 * LOTS, position_side=LONG, leverage=20 * PPM)
    protocol.trade(trader, 0, LOTS, position_side=SHORT, is_buy=False)
    protocol.push_price(0, 44_000)
    for side in (LONG, SHORT):
        order = protocol.place(trader, 0, LOTS // 2, position_side=side, is_buy=side == LONG)
        event = protocol.fill(order, 44_000).event("OrderCancelled")
        assert event.reason == "margin: below initial"


def test_an_account_below_initial_margin_may_not_increase(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, 19 * LOTS, leverage=10 * PPM)
    order = funded.place(trader, 0, LOTS, leverage=10 * PPM)
    event = funded.fill(order, "48000").event("OrderCancelled")
    assert event.reason == "margin: below initial"


# Keeper's fee, escrow and clawback


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


def test_a_keeper_may_be_the_trader(funded: Protocol, trader: str) -> None:
    funded.fill(funded.place(trader, 0, LOTS), keeper=trader)
    assert funded.cash(trader) == 10_000 * USD - FEE


def test_an_executed_order_never_fills_twice(funded: Protocol, trader: str) -> None:
    order = funded.place(trader, 0, LOTS)
    funded.fill(order)
    funded.wait(0)
    with refused("order: not pending"):
        funded.execute(order)
    assert funded.position(trader, 0, CROSS_LONG).size == LOTS


def test_an_order_of_another_content_is_not_executed(funded: Protocol, trader: str) -> None:
    order = funded.place(trader, 0, LOTS)
    funded.wait(0)
    for forged in (
        order._replace(size=2 * LOTS),
        order._replace(account=funded.attacker),
        order._replace(acceptable_price=1),
        order._replace(expiry=0),
    ):
        with refused("order: not pending"):
            funded.execute(forged)


def test_the_owner_executes_too_and_has_the_keepers_fee_back(funded: Protocol, trader: str) -> None:
    order = funded.place(trader, 0, LOTS)
    event = funded.fill(order, keeper=trader).event("OrderExecuted")
    assert (event.keeper, event.keeper_fee) == (trader, KEEPER_FEE)
    state = funded.account(trader)
    assert (state.cash, state.escrow) == (10_000 * USD - FEE, 0)
    funded.check_invariants()


def test_the_owner_of_an_order_that_ends_has_the_keepers_fee_back(
    funded: Protocol, trader: str
) -> None:
    order = funded.place(trader, 0, 19_999)
    held = funded.balance(trader)
    event = funded.fill(order, keeper=trader).event("OrderCancelled")
    assert (event.receiver, event.keeper_fee) == (trader, KEEPER_FEE)
    assert (funded.cash(trader), funded.account(trader).escrow) == (10_000 * USD, 0)
    assert funded.balance(trader) == held


def test_a_filled_order_remembers_what_it_opened(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 0, LOTS)
    funded.trade(trader, 0, 0, is_buy=False, reduce_only=True)
    order = funded.place(trader, 0, LOTS)
    assert funded.fill(order).result == EXECUTED
    state = funded.order_state(order)
    assert (state.filled, state.generation) == (LOTS, 1)
    assert state.executable_from == funded.price(0).published_at + 1


def test_only_the_order_book_trades(funded: Protocol, attacker: str) -> None:
    trade = (
        *(funded.trader, 0, False, 0, True, False, LOTS, 0, 0, 0, 0, 0, 0),
        *(NOBODY, 0, NOBODY, 0),
        *(b"\0" * 32, attacker, 0, False, funded.oracle.read("price_word", 0)),
    )
    with refused("caller: not allowed"):
        funded.clearinghouse.send(attacker, "execute_trade", trade)
