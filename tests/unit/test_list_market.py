"""Which markets may exist: every bound is refused by its name, at listing and at every change."""

from dataclasses import astuple, replace
from typing import Any

import pytest

from bulkhead.protocol import words
from tests.helpers.chain import advance, refused
from tests.helpers.doctored import doctor_house
from tests.helpers.protocol import (
    BTC,
    OPEN,
    REDUCE_ONLY,
    TIERS,
    USD,
    Market,
    Protocol,
    Terms,
    position_id,
    terms_named,
)

MOST = 2**256 - 1
XRP = Market("XRP-PERP", 2, 2_000)
LOTS = 10**7  # 0.1 BTC, 5,000 USD


@pytest.fixture
def ready(protocol: Protocol) -> Protocol:
    """A fourth feed is live, and nothing is listed on it yet."""
    protocol.set_feed(3, XRP)
    protocol.markets.append(XRP)
    protocol.push_price(3, XRP.price)
    return protocol


def list_market(
    protocol: Protocol,
    symbol: str = "XRP-PERP",
    tiers: Any = TIERS,
    sender: str | None = None,
    terms: dict[str, int] | None = None,
) -> Any:
    return protocol.clearinghouse.send(
        sender or protocol.owner, "list_market", symbol, terms_named(**(terms or {})), tiers
    )


def test_a_listed_market_has_its_words(ready: Protocol) -> None:
    tiers = (
        *TIERS,
        (20_000, 50_000, 100_000),
        (30_000, 60_000, 100_000),
        (40_000, 60_000, 100_000),
    )
    receipt = list_market(ready, tiers=tiers)
    assert receipt.result == 3
    event = receipt.event("MarketListed")
    assert (event.market, event.symbol) == (3, "XRP-PERP")
    assert event.lot_size == 10**18 // 2_000
    assert (event.terms, event.tiers) == (astuple(Terms()), tiers)
    assert ready.clearinghouse.read("market_count") == 4
    assert ready.clearinghouse.read("market_symbol", 3) == "XRP-PERP"
    assert ready.clearinghouse.read("market_id", "XRP-PERP") == 3
    found = ready.market_words(3)
    assert found[0] == event.market_word
    assert found[1:3] == [0, 0]
    market = words.unpack_market(found[0])
    assert (market.maintenance_rate, market.initial_rate) == TIERS[0][1:]
    assert market.first_floor == 1_000
    assert market.max_funding_rate == Terms().max_funding_rate
    packed = [words.pack_tier(words.Tier(*tier)) for tier in tiers[1:]]
    assert found[5] == sum(tier << 64 * i for i, tier in enumerate(packed[:4]))
    assert found[6] == packed[4]
    trade_terms = words.unpack_trade_terms(found[3])
    liquidation_terms = words.unpack_liquidation_terms(found[4])
    for name in Terms.__dataclass_fields__:
        stored = next(
            word for word in (market, trade_terms, liquidation_terms) if hasattr(word, name)
        )
        assert getattr(stored, name) == getattr(Terms(), name), name
    assert trade_terms.status == OPEN


def test_only_the_owner_lists(ready: Protocol, attacker: str, guardian: str) -> None:
    for sender in (attacker, guardian):
        with refused("ownable: caller is not the owner"):
            list_market(ready, sender=sender)
        with refused("ownable: caller is not the owner"):
            ready.clearinghouse.send(sender, "set_terms", 0, terms_named())


def test_a_symbol_is_unique_and_not_empty(ready: Protocol) -> None:
    with refused("symbol: taken"):
        list_market(ready, "BTC-PERP")
    with refused("symbol: empty"):
        list_market(ready, "")
    list_market(ready, "A" * 16)


def test_a_market_needs_a_live_price(ready: Protocol) -> None:
    with ready.anchored():
        advance(3_601)
        with refused("price: not live"):
            list_market(ready)
    list_market(ready)
    with refused("price: not live"):
        list_market(ready, "YRP-PERP")


@pytest.mark.parametrize(("price", "lots"), [("0.9999", 10**4), ("10001", 10**4)])
def test_a_lot_costs_between_a_hundredth_of_a_cent_and_a_dollar(
    protocol: Protocol, price: str, lots: int
) -> None:
    market = Market("XRP-PERP", price, lots)
    with refused("lot: out of range"):
        protocol.list_market(market)


INEQUALITIES: list[tuple[dict[str, int], str]] = [
    ({"taker_fee": 10_001}, "fee: too high"),
    ({"taker_fee": MOST}, "fee: too high"),
    ({"maker_fee": 501}, "fee: maker above taker"),
    ({"maker_fee": MOST}, "fee: maker above taker"),
    ({"insurance_share": 800_001}, "fee: shares above all of it"),
    ({"insurance_share": MOST}, "fee: shares above all of it"),
    ({"treasury_share": 900_001}, "fee: shares above all of it"),
    ({"treasury_share": MOST}, "fee: shares above all of it"),
    ({"skew_scale": 0}, "skew: bad scale"),
    ({"skew_scale": 2**56}, "skew: bad scale"),
    ({"skew_scale": MOST}, "skew: bad scale"),
    ({"skew_cap": 1_251}, "cap: skew above side"),
    ({"skew_cap": MOST}, "cap: skew above side"),
    ({"side_cap": 999}, "cap: skew above side"),
    ({"min_notional": 0}, "size: bad minimum"),
    ({"min_notional": 2**16}, "size: bad minimum"),
    ({"min_notional": MOST}, "size: bad minimum"),
    ({"pool_share": 1_000_001}, "pool: bad share"),
    ({"pool_share": MOST}, "pool: bad share"),
    ({"pool_share": 300_001}, "pool: shares above 90 percent"),
    ({"reserve_rate": 0}, "pool: bad reserve"),
    ({"reserve_rate": 1_000_001}, "pool: bad reserve"),
    ({"reserve_rate": MOST}, "pool: bad reserve"),
    ({"max_funding_rate": 500_001}, "funding: rate too high"),
    ({"funding_velocity": 2**28}, "funding: velocity too high"),
    ({"funding_velocity": MOST}, "funding: velocity too high"),
    ({"penalty": 2_501}, "penalty: above half maintenance"),
    ({"keeper_share": 1_000_001}, "keeper: bad share"),
    ({"keeper_share": MOST}, "keeper: bad share"),
    ({"keeper_floor": 100 * USD + 1}, "keeper: floor above cap"),
    ({"keeper_floor": MOST}, "keeper: floor above cap"),
    ({"keeper_cap": 2**40}, "keeper: cap too high"),
    ({"keeper_cap": MOST}, "keeper: cap too high"),
    ({"keeper_floor": 25_001}, "keeper: floor above penalty"),
    ({"buffer": 1_000_001}, "liquidation: bad buffer"),
    ({"buffer": 0}, "liquidation: buffer too small"),
    ({"partial_above": 2**56}, "liquidation: bad threshold"),
    ({"partial_above": MOST}, "liquidation: bad threshold"),
    ({"taker_fee": 1_251}, "fee: above insured penalty"),
    ({"keeper_share": 500_800}, "cap: above insured penalty"),
    ({"side_cap": 1_251}, "cap: above insured penalty"),
    (
        {"keeper_share": 0, "keeper_floor": 0, "penalty": 3_000, "side_cap": 2_501},
        "cap: above half maintenance",
    ),
    ({"keeper_floor": 12_510}, "cap: above insured penalty"),
    ({"side_cap": MOST}, "cap: above insured penalty"),
    ({"penalty": MOST}, "penalty: too high"),
    ({"buffer": MOST}, "liquidation: bad buffer"),
    ({"max_funding_rate": MOST}, "funding: rate too high"),
    (
        {
            "funding_velocity": 2**28 - 1,
            "keeper_share": 0,
            "keeper_floor": 0,
            "side_cap": 2_500,
        },
        "funding: velocity too high",
    ),
]


@pytest.mark.parametrize(("terms", "reason"), INEQUALITIES)
def test_terms_beyond_a_bound_are_refused(
    ready: Protocol, owner: str, terms: dict[str, int], reason: str
) -> None:
    before = ready.state()
    with refused(reason):
        list_market(ready, terms=terms)
    if reason != "pool: shares above 90 percent":
        with refused(reason):
            ready.clearinghouse.send(owner, "set_terms", 0, terms_named(**terms))
    assert ready.state() == before


AT_THE_BOUND: list[dict[str, int]] = [
    {"taker_fee": 1_250, "maker_fee": 1_250},
    {"insurance_share": 0, "treasury_share": 1_000_000},
    {"skew_scale": 2**56 - 1},
    {"skew_scale": 1},
    {"min_notional": 2**16 - 1},
    {"pool_share": 300_000},
    {"pool_share": 0},
    {"reserve_rate": 1_000_000},
    {"max_funding_rate": 500_000},
    {"max_funding_rate": 0, "funding_velocity": 0},
    {"keeper_cap": 2**40 - 1},
    {"buffer": 1_000_000},
    {"partial_above": 2**56 - 1},
    {"keeper_share": 0, "keeper_floor": 0, "side_cap": 2_500, "skew_cap": 2_500},
    {"keeper_floor": 12_500},
]


@pytest.mark.parametrize("terms", AT_THE_BOUND)
def test_terms_at_a_bound_are_listed(ready: Protocol, terms: dict[str, int]) -> None:
    list_market(ready, terms=terms)


@pytest.mark.parametrize(
    ("tiers", "reason"),
    [
        ((), "tier: none"),
        (((1, 5_000, 10_000),), "tier: bad floor"),
        (((0, 0, 10_000),), "tier: bad rate"),
        (((0, MOST, 10_000),), "tier: bad rate"),
        (((0, 5_000, 1_000_001),), "tier: bad rate"),
        (((0, 5_000, MOST),), "tier: bad rate"),
        (((0, 5_001, 7_500),), "tier: initial below 1.5 times"),
        (((0, 4_999, 10_000),), "penalty: above half maintenance"),
        ((TIERS[0], (0, 6_000, 12_000)), "tier: bad floor"),
        ((TIERS[0], (2**16, 6_000, 12_000)), "tier: bad floor"),
        ((TIERS[0], (1, 6_000, 12_000), (2**24, 6_000, 12_000)), "tier: bad floor"),
        ((TIERS[0], (1, 6_000, 12_000), (MOST, 6_000, 12_000)), "tier: bad floor"),
        ((TIERS[0], (1, 6_000, 12_000), (1, 7_000, 14_000)), "tier: bad floor"),
        ((TIERS[0], (1, 4_000, 12_000)), "tier: rates must rise"),
        ((TIERS[0], (1, 6_000, 9_999)), "tier: rates must rise"),
    ],
)
def test_tiers_must_rise(ready: Protocol, tiers: Any, reason: str) -> None:
    with refused(reason):
        list_market(ready, tiers=tiers)


def test_eight_tiers_fit(ready: Protocol) -> None:
    tiers = tuple([(i * 1_000, 5_000 + i, 10_000 + i) for i in range(8)])
    list_market(ready, tiers=tiers)


# set_terms


def test_changed_terms_are_stored(ready: Protocol, owner: str, trader: str) -> None:
    ready.deposit(trader, 10_000 * USD)
    ready.trade(trader, 0, LOTS)
    event = ready.set_terms(0, taker_fee=1_000, pool_share=100_000).event("TermsChanged")
    assert event.market == 0
    assert event.terms == terms_named(taker_fee=1_000, pool_share=100_000)
    assert event.market_word == ready.market_words(0)[0]
    assert ready.trade_terms(0).taker_fee == 1_000
    assert ready.trade(trader, 0, LOTS).event("PositionIncreased").fee == 5 * USD
    list_market(ready, terms={"pool_share": 400_000})


def test_funding_is_accrued_under_the_old_terms(ready: Protocol, trader: str) -> None:
    ready.deposit(trader, 10_000 * USD)
    ready.trade(trader, 0, LOTS)
    advance(3_000)
    expected = ready.accrued(0)
    ready.set_terms(0, funding_velocity=0)
    market = ready.market(0)
    assert market.funding_index == expected.funding_index
    assert market.funding_rate == expected.funding_rate
    assert market.funding_drift == 0


@pytest.mark.parametrize("is_buy", [True, False])
def test_funding_drifts_on_at_the_new_velocity(ready: Protocol, trader: str, is_buy: bool) -> None:
    ready.deposit(trader, 10_000 * USD)
    ready.trade(trader, 0, LOTS, is_buy=is_buy)
    drift = ready.market(0).funding_drift
    assert (drift > 0) == is_buy
    ready.set_terms(0, funding_velocity=2 * Terms().funding_velocity)
    assert ready.market(0).funding_drift == 2 * drift


def test_changed_terms_keep_the_status(ready: Protocol, owner: str) -> None:
    ready.clearinghouse.send(owner, "set_status", 0, REDUCE_ONLY)
    ready.set_terms(0, taker_fee=400)
    assert ready.trade_terms(0).status == REDUCE_ONLY


@pytest.mark.parametrize("market", [3, 1_024, MOST])
def test_an_unknown_market_has_no_terms(ready: Protocol, owner: str, market: int) -> None:
    with refused("market: unknown"):
        ready.clearinghouse.send(owner, "set_terms", market, terms_named())
    with refused("market: unknown"):
        ready.clearinghouse.send(owner, "set_status", market, OPEN)
    assert ready.market_words(market) == [0] * 10
    assert ready.clearinghouse.read("market_symbol", market) == ""


def test_terms_change_at_a_live_price_alone(ready: Protocol, owner: str) -> None:
    advance(3_601)
    with refused("price: not live"):
        ready.set_terms(0, taker_fee=400)


def test_an_unknown_symbol_has_no_market(protocol: Protocol) -> None:
    for symbol in ("XRP-PERP", ""):
        with refused("market: unknown"):
            protocol.clearinghouse.read("market_id", symbol)


# set_status


def test_the_guardian_stops_a_market_and_the_owner_opens_it(
    protocol: Protocol, owner: str, guardian: str, attacker: str
) -> None:
    receipt = protocol.clearinghouse.send(guardian, "set_status", 0, REDUCE_ONLY)
    event = receipt.event("StatusChanged")
    assert (event.market, event.status) == (0, REDUCE_ONLY)
    assert protocol.trade_terms(0) == replace(protocol.trade_terms(1), status=REDUCE_ONLY)
    with refused("ownable: caller is not the owner"):
        protocol.clearinghouse.send(guardian, "set_status", 0, OPEN)
    protocol.clearinghouse.send(owner, "set_status", 0, OPEN)
    protocol.clearinghouse.send(owner, "set_status", 0, REDUCE_ONLY)
    for status in (OPEN, REDUCE_ONLY):
        with refused("ownable: caller is not the owner"):
            protocol.clearinghouse.send(attacker, "set_status", 0, status)


@pytest.mark.parametrize("status", [2, MOST])
def test_an_unknown_status_is_refused(protocol: Protocol, owner: str, status: int) -> None:
    with refused("status: unknown"):
        protocol.clearinghouse.send(owner, "set_status", 0, status)


def test_the_shares_of_all_markets_stay_below_nine_tenths(ready: Protocol) -> None:
    with refused("pool: shares above 90 percent"):
        ready.set_terms(0, pool_share=500_001)
    ready.set_terms(0, pool_share=500_000)
    with refused("pool: shares above 90 percent"):
        list_market(ready, terms={"pool_share": 1})
    assert BTC.terms.pool_share == 200_000


# What a change of terms may not do to those who are in


@pytest.fixture
def winning(protocol: Protocol, trader: str) -> Protocol:
    """A long of 500,000 USD wins 50,000: a hundredth of the pool's five million."""
    protocol.deposit(trader, 100_000 * USD)
    protocol.trade(trader, 0, 10**9)
    protocol.push_price(0, 55_000)
    return protocol


def test_a_smaller_share_of_the_pool_still_covers_what_is_owed(
    winning: Protocol, trader: str
) -> None:
    """Else everybody in profit could be deleveraged in the block it lands in."""
    owed, cash = winning.value(trader, 0, words.CROSS_LONG), winning.house().pool_cash
    least = -(-owed * 10**6 // (cash * 10**9))
    assert 9_000 < least < 11_000
    with refused("pool: owes above its share"):
        winning.set_terms(0, pool_share=least - 1)
    with winning.anchored():
        winning.set_terms(0, pool_share=least)
    with refused("pool: owes above its share"):
        winning.set_terms(0, pool_share=0)


def test_a_larger_share_needs_no_cover(winning: Protocol) -> None:
    """It can only help, so it is never in the way, however short the pool."""
    house = doctor_house(winning, pool_cash=-USD, fees=winning.house().pool_cash + USD)
    assert house.pool_cash < 0
    winning.set_terms(0, taker_fee=400)
    winning.set_terms(0, pool_share=300_000)
    doctor_house(winning, pool_cash=house.fees - USD, fees=0)


def test_a_market_that_owes_nothing_may_lose_its_share(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 100_000 * USD)
    protocol.trade(trader, 0, 10**9)
    protocol.push_price(0, 49_000)
    protocol.set_terms(0, pool_share=0)


# Every field that might hurt whoever is in, as far as its bounds allow.
HURTFUL: list[dict[str, int]] = [
    {"taker_fee": 1_250, "maker_fee": 1_250},
    {"penalty": 2_500, "keeper_share": 0, "keeper_floor": 0},
    {"side_cap": 1_000, "skew_cap": 1},
    {"min_notional": 2**16 - 1},
    {"pool_share": 20_000, "reserve_rate": 1_000_000},
    {"funding_velocity": 214 * 10**6, "max_funding_rate": 500_000},
    {"keeper_cap": 2**40 - 1},
    {"buffer": 1_000_000},
    {"partial_above": 2**56 - 1},
]


@pytest.mark.parametrize("changes", HURTFUL)
def test_no_change_of_terms_liquidates_in_the_block_it_lands_in(
    protocol: Protocol, trader: str, changes: dict[str, int]
) -> None:
    """A vault and a cross account at the edge: not liquidatable before, nor right after."""
    protocol.deposit(trader, 1_000 * USD)
    other = protocol.actor("crossed")
    protocol.deposit(other, 1_000 * USD)
    protocol.trade(trader, 0, LOTS, margin_mode=2)
    protocol.trade(other, 0, LOTS)
    protocol.withdraw(other, protocol.cash(other) - 500 * USD)
    edge = lowest_safe_price(protocol, trader, other)
    protocol.push_price(0, edge)
    values = [protocol.value(trader, 0, 2), protocol.value(other, 0, 0)]
    protocol.set_terms(0, **changes)
    assert [protocol.value(trader, 0, 2), protocol.value(other, 0, 0)] == values
    assert not protocol.liquidate_isolated(position_id(trader, 0, 2)).result
    assert not protocol.liquidate_cross(other).result
    # And both can still leave.
    protocol.trade(trader, 0, 0, margin_mode=2, is_buy=False, reduce_only=True)
    protocol.trade(other, 0, 0, is_buy=False, reduce_only=True)


def lowest_safe_price(protocol: Protocol, vault: str, crossed: str) -> int:
    """The lowest price in whole USD at which neither is liquidatable."""
    low, high = 40_000, 50_000
    while high - low > 1:
        middle = (low + high) // 2
        with protocol.anchored():
            protocol.push_price(0, middle)
            hit = protocol.liquidate_isolated(position_id(vault, 0, 2)).result
            hit += protocol.liquidate_cross(crossed).result
        low, high = (middle, high) if hit else (low, middle)
    return high
