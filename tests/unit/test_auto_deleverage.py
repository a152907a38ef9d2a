"""Winners are paid out at the mark while a market owes more than its share of the pool."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from bulkhead.protocol import liquidation_math, market_math, words
from bulkhead.protocol.words import ISOLATED_LONG
from tests.helpers.chain import advance, refused
from tests.helpers.doctored import doctor_house
from tests.helpers.protocol import (
    BTC,
    ETH,
    FRICTIONLESS,
    ISOLATED,
    LONG,
    SHORT,
    USD,
    Market,
    Protocol,
    Terms,
    position_id,
)

BITCOIN = 10**8  # lots, 50,000 USD
FEMTO = 10**9
PPM = 10**6
POOL = 100_000 * USD  # of which the market may owe a fifth: 20,000

TERMS = Terms(reserve_rate=100_000)


@pytest.fixture(scope="module")
def small() -> Protocol:
    """A pool that one market's traders can win too much of."""
    return Protocol(
        Market("BTC-PERP", BTC.price, BTC.lots, TERMS),
        Market("ETH-PERP", ETH.price, ETH.lots, TERMS),
        pool_cash=POOL,
    )


@pytest.fixture
def crowd(small: Protocol) -> Iterator[Protocol]:
    """Longs of 100,000 USD: the attacker's bought at 50,000, the trader's later at 60,000."""
    with small.anchored() as protocol:
        for account in (protocol.attacker, protocol.trader):
            protocol.deposit(account, 60_000 * USD)
        protocol.trade(protocol.attacker, 0, 2 * BITCOIN, margin_mode=ISOLATED)
        protocol.trade(protocol.trader, 0, BITCOIN, 55_000)
        yield protocol
        protocol.check_invariants()


def owed(protocol: Protocol, market: int = 0) -> int:
    """To both sides, femto."""
    price, index = protocol.price(market).price, protocol.accrued(market).funding_index
    return sum(
        market_math.side_value(protocol.side(market, side), side, price, index)
        for side in (True, False)
    )


def share(protocol: Protocol, market: int = 0) -> int:
    cash = max(protocol.house().pool_cash, 0)
    return cash * FEMTO * protocol.trade_terms(market).pool_share // PPM


def early(protocol: Protocol) -> int:
    return position_id(protocol.attacker, 0, 2)


def late(protocol: Protocol) -> int:
    return position_id(protocol.trader, 0, 0)


def empty_pool(protocol: Protocol, left: int = 0) -> None:
    """Moves the pool's cash to insurance, as no call does: conservation holds."""
    house = protocol.house()
    doctor_house(protocol, pool_cash=left, insurance=house.insurance + house.pool_cash - left)


def test_the_leading_position_is_cut_by_the_share_of_the_excess(crowd: Protocol) -> None:
    crowd.push_price(0, 60_000)  # 20,000 and 5,000 won
    before, account = crowd.position(crowd.attacker, 0, 2), crowd.account(crowd.attacker)
    house, side, total, line = crowd.house(), crowd.side(0, True), owed(crowd), share(crowd)
    excess, value = total - line * 9 // 10, crowd.value(crowd.attacker, 0, 2)
    assert total > line

    receipt = crowd.auto_deleverage(0, early(crowd), late(crowd))

    assert receipt.result == 1
    event = receipt.event("PositionDeleveraged")
    lots = 2 * BITCOIN * excess // total
    assert (event.account, event.market, event.slot) == (crowd.attacker, 0, ISOLATED_LONG)
    assert (event.size, event.price) == (lots, crowd.price(0).price)
    left = crowd.position(crowd.attacker, 0, 2)
    assert (left.size, left.generation) == (before.size - lots, before.generation)
    released = before.margin * lots // before.size
    assert left.margin == before.margin - released
    assert crowd.cash(crowd.attacker) == account.cash + event.realised + released
    assert 0 <= value * lots // before.size - event.realised * FEMTO < 2 * FEMTO
    assert crowd.house().pool_cash == house.pool_cash - event.realised
    assert (crowd.house().insurance, crowd.house().fees) == (house.insurance, house.fees)
    assert crowd.side(0, True).size == side.size - lots
    # At most the excess, and all of it but what others are owed.
    assert total - excess <= owed(crowd)
    assert owed(crowd) == pytest.approx(total - event.realised * FEMTO, abs=2 * FEMTO)


def test_the_words_in_the_events_are_the_state_after_them(crowd: Protocol) -> None:
    crowd.push_price(0, 60_000)
    receipt = crowd.auto_deleverage(0, early(crowd))
    event, read = receipt.event("PositionDeleveraged"), crowd.clearinghouse.read
    assert event.position_word == read("position_word", early(crowd))
    assert event.account_word == read("account_word", crowd.attacker)
    settled = receipt.event("MarketSettled")
    assert [settled.market_word, settled.long_word, settled.short_word] == crowd.market_words(0)[:3]
    assert receipt.event("HouseSettled").house_word == read("house_word")
    skew, scale = crowd.skew(0), crowd.trade_terms(0).skew_scale
    drift = market_math.funding_drift(crowd.trade_terms(0).funding_velocity, skew, scale)
    assert crowd.market(0).funding_drift == drift


def test_nobody_is_cut_within_the_share(crowd: Protocol) -> None:
    crowd.push_price(0, 57_000)
    assert owed(crowd) <= share(crowd)
    with refused("market: within its share"):
        crowd.auto_deleverage(0, early(crowd))


def test_called_again_and_again_it_ends_at_the_share(crowd: Protocol) -> None:
    """Never below nine tenths of what the share was."""
    crowd.push_price(0, 62_000)
    for _ in range(60):
        if owed(crowd) <= share(crowd):
            break
        line, total = share(crowd), owed(crowd)
        receipt = crowd.auto_deleverage(0, early(crowd), late(crowd))
        assert receipt.result
        assert owed(crowd) >= line * 9 // 10
        paid = sum(event.realised for event in receipt.named("PositionDeleveraged"))
        assert paid * FEMTO <= total - line * 9 // 10
    assert owed(crowd) <= share(crowd)
    with refused("market: within its share"):
        crowd.auto_deleverage(0, early(crowd))


def test_a_position_below_the_average_is_exempt(crowd: Protocol) -> None:
    crowd.push_price(0, 60_000)
    before = crowd.state()
    assert crowd.auto_deleverage(0, late(crowd)).result == 0
    assert crowd.state() == before


def test_a_losing_position_and_the_losing_side_are_exempt(crowd: Protocol) -> None:
    keeper = crowd.keeper
    crowd.deposit(keeper, 50_000 * USD)
    crowd.trade(keeper, 0, BITCOIN // 5, 62_000, is_buy=False)
    crowd.trade(keeper, 0, BITCOIN // 5, 62_000, margin_mode=ISOLATED)
    crowd.push_price(0, 61_900)  # the short wins 20 USD, its owner's long loses as much
    ids = [position_id(keeper, 0, slot) for slot in range(4)]
    before = crowd.state()
    assert owed(crowd) > share(crowd)
    assert crowd.auto_deleverage(0, *ids).result == 0
    assert crowd.state() == before


def test_what_is_hedged_is_exempt(small: Protocol) -> None:
    with small.anchored() as protocol:
        trader = protocol.trader
        protocol.deposit(trader, 100_000 * USD)
        protocol.clearinghouse.send(trader, "set_hedge_mode", True)
        protocol.trade(trader, 0, 3 * BITCOIN, position_side=LONG)
        protocol.push_price(0, 60_000)
        protocol.trade(trader, 0, 2 * BITCOIN, 60_000, position_side=SHORT, is_buy=False)
        protocol.push_price(0, 60_000)
        total = owed(protocol)
        excess = liquidation_math.excess_owed(
            total, protocol.house().pool_cash, protocol.trade_terms(0).pool_share
        )
        with protocol.anchored():
            event = protocol.auto_deleverage(0, position_id(trader, 0, 0)).event(
                "PositionDeleveraged"
            )
            assert event.size == BITCOIN * excess // total
            assert protocol.position(trader, 0, 0).margin == 0  # no leverage chosen
        protocol.trade(trader, 0, BITCOIN, 60_000, position_side=SHORT, is_buy=False)
        protocol.push_price(0, 60_000)
        assert protocol.auto_deleverage(0, position_id(trader, 0, 0)).result == 0
        protocol.check_invariants()


def test_a_cross_leg_keeps_its_leverage_and_pays_its_profit_to_cash(small: Protocol) -> None:
    with small.anchored() as protocol:
        trader = protocol.trader
        protocol.deposit(trader, 100_000 * USD)
        protocol.trade(trader, 0, 3 * BITCOIN, leverage=20 * PPM)
        protocol.push_price(0, 60_000)
        cash = protocol.cash(trader)
        event = protocol.auto_deleverage(0, position_id(trader, 0, 0)).event("PositionDeleveraged")
        left = protocol.position(trader, 0, 0)
        assert (left.size, left.margin) == (3 * BITCOIN - event.size, 20 * PPM)
        assert protocol.cash(trader) == cash + event.realised
        protocol.check_invariants()


def test_shorts_win_as_the_price_falls(small: Protocol) -> None:
    with small.anchored() as protocol:
        trader = protocol.trader
        protocol.deposit(trader, 100_000 * USD)
        protocol.trade(trader, 0, 3 * BITCOIN, is_buy=False, margin_mode=ISOLATED)
        protocol.push_price(0, 40_000)
        event = protocol.auto_deleverage(0, position_id(trader, 0, 3)).event("PositionDeleveraged")
        assert event.slot == 3
        assert event.realised > 0
        protocol.check_invariants()


def test_an_empty_pool_pays_out_whole_positions(crowd: Protocol) -> None:
    """Where there is no share, all that is owed is excess."""
    crowd.push_price(0, 115_000)
    crowd.trade(crowd.trader, 0, 0, 115_000, is_buy=False, reduce_only=True)
    empty_pool(crowd)
    crowd.push_price(0, 115_000)
    receipt = crowd.auto_deleverage(0, early(crowd))
    assert receipt.event("PositionDeleveraged").size == 2 * BITCOIN
    assert crowd.position(crowd.attacker, 0, 2) == words.Position(0, 0, 0, 1, 0)
    assert crowd.account(crowd.attacker).vaults == 0
    assert crowd.side(0, True).size == 0


def test_one_lot_is_cut_whole() -> None:
    protocol = Protocol(Market("ORE-PERP", 1, 1, TERMS), pool_cash=100 * USD)
    trader = protocol.trader
    protocol.deposit(trader, 100 * USD)
    protocol.push_price(0, 20)
    protocol.trade(trader, 0, 1, 20)
    protocol.push_price(0, 60)
    empty_pool(protocol)
    assert protocol.auto_deleverage(0, position_id(trader, 0, 0)).result == 1
    assert protocol.position(trader, 0, 0).size == 0
    protocol.check_invariants()


def test_a_part_that_is_worth_nothing_stays() -> None:
    terms = replace(FRICTIONLESS, pool_share=500_000)
    protocol = Protocol(replace(BTC, terms=terms), pool_cash=POOL)
    trader = protocol.trader
    protocol.deposit(trader, 10_000 * USD)
    protocol.trade(trader, 0, BITCOIN // 10)
    protocol.push_price(0, Decimal("50000.00004"))
    empty_pool(protocol, left=5)
    # Three units are owed, of which a quarter is too much; a quarter of the entry is a unit more.
    assert owed(protocol) == 3 * FEMTO
    assert protocol.auto_deleverage(0, position_id(trader, 0, 0)).result == 0


def test_a_rest_keeps_the_minimum(small: Protocol) -> None:
    with small.anchored() as protocol:
        protocol.set_terms(0, min_notional=65_000, keeper_floor=0)
        trader, attacker = protocol.trader, protocol.attacker
        for account in (trader, attacker):
            protocol.deposit(account, 60_000 * USD)
        protocol.trade(trader, 0, 13 * BITCOIN // 10)
        protocol.trade(attacker, 0, 2 * BITCOIN, leverage=20 * PPM)
        protocol.push_price(0, 64_000)
        protocol.auto_deleverage(0, position_id(trader, 0, 0), position_id(attacker, 0, 0))
        left = protocol.position(trader, 0, 0).size * protocol.price(0).price
        assert 65_000 * 10**15 <= left < 65_000 * 10**15 + protocol.price(0).price
        protocol.check_invariants()


def test_a_position_named_twice_or_out_of_order_is_cut_once(crowd: Protocol) -> None:
    crowd.push_price(0, 60_000)
    send = crowd.clearinghouse.send
    with crowd.anchored():
        once = crowd.auto_deleverage(0, early(crowd)).event("PositionDeleveraged").size
    twins = [early(crowd), early(crowd), early(crowd) | 1 << 200, early(crowd) | 4]
    receipt = send(crowd.keeper, "auto_deleverage", 0, twins)
    assert receipt.event("PositionDeleveraged").size == once


def test_what_is_not_of_the_market_is_skipped(crowd: Protocol) -> None:
    crowd.trade(crowd.trader, 1, 10**7, margin_mode=ISOLATED)
    crowd.push_price(1, 4_000)
    crowd.push_price(0, 60_000)
    ids = [position_id(crowd.trader, 1, 2), 0, 2**256 - 1, position_id(crowd.keeper, 0, 2)]
    assert crowd.auto_deleverage(0, *ids).result == 0


def test_the_excess_is_shared_by_all_that_lead(small: Protocol) -> None:
    """Together they lose no more than it, in whichever batch they are named."""
    with small.anchored() as protocol:
        traders = [protocol.actor(f"winner {i}") for i in range(4)]
        for account in traders:
            protocol.deposit(account, 20_000 * USD)
            protocol.trade(account, 0, BITCOIN // 2, leverage=20 * PPM)
        protocol.trade(protocol.actor("winner 0"), 0, BITCOIN // 4, leverage=20 * PPM)
        protocol.push_price(0, 62_000)
        total, line = owed(protocol), share(protocol)
        ids = [position_id(account, 0, 0) for account in traders]
        receipt = protocol.auto_deleverage(0, *ids)
        cuts = receipt.named("PositionDeleveraged")
        assert sum(event.realised for event in cuts) * FEMTO <= total - line * 9 // 10
        assert owed(protocol) >= line * 9 // 10
        assert receipt.result == len(cuts) >= 2
        protocol.check_invariants()


def test_its_caller_earns_nothing(crowd: Protocol) -> None:
    crowd.push_price(0, 60_000)
    before = crowd.account(crowd.keeper)
    crowd.auto_deleverage(0, early(crowd))
    assert crowd.account(crowd.keeper) == before


def test_it_needs_a_fresh_undoubted_price_of_a_living_market(crowd: Protocol) -> None:
    crowd.push_price(0, 60_000)
    with refused("market: unknown"):
        crowd.auto_deleverage(9, early(crowd))
    with crowd.anchored(), refused("price: not firm"):
        crowd.requote(0, caution=words.ONLY_BANKRUPT)
        crowd.auto_deleverage(0, early(crowd))
    with crowd.anchored(), refused("price: stale"):
        crowd.requote(0, settles_at=1)
        crowd.auto_deleverage(0, early(crowd))
    with crowd.anchored():
        crowd.requote(0, caution=words.NO_OPENING)
        assert crowd.auto_deleverage(0, early(crowd)).result == 1
    advance(61)
    with refused("price: stale"):
        crowd.auto_deleverage(0, early(crowd))
