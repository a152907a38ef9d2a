"""What ends an order that its price would fill: margin, caps, the sizes of words."""

from dataclasses import replace
from typing import Any

import pytest

from tests.helpers.chain import advance, refused
from tests.helpers.doctored import doctor_account
from tests.helpers.protocol import (
    BTC,
    CROSS,
    FRICTIONLESS,
    ISOLATED,
    LIMIT,
    LONG,
    PPM,
    SHORT,
    USD,
    Market,
    Protocol,
    Terms,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
KEEPER_FEE = USD // 5
FEE = 2_500_000  # taker, 500 ppm of 5,000 USD
MAKER_FEE = 1_000_000  # 200 ppm of the same
MODES = pytest.mark.parametrize("mode", [CROSS, ISOLATED])


@pytest.fixture
def funded(protocol: Protocol, trader: str) -> Protocol:
    protocol.deposit(trader, 10_000 * USD)
    return protocol


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


def test_an_increase_waits_for_the_prices_of_all_legs(funded: Protocol, trader: str) -> None:
    funded.trade(trader, 1, LOTS)
    order = funded.place(trader, 0, LOTS, kind=LIMIT, acceptable_price=2**63)
    advance(61)
    funded.push_price(0, 50_000)
    with refused("price: not firm"):
        funded.execute(order)
    funded.publish(1, 2_500)
    assert funded.execute(order).event("PositionIncreased").size == LOTS


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


# Below initial margin


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
    # What is left is below initial margin, too: 150 of 208. But the net position is no larger.
    protocol.push_price(0, 41_500)
    assert protocol.fill(larger, 41_500).event("PositionDecreased").size == 2 * LOTS


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
