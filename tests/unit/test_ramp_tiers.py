"""Margin rates move over a day at least: no change liquidates anybody in the block it lands in."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from bulkhead.protocol import margin_math, words
from bulkhead.protocol.margin_math import Tiers
from tests.helpers.chain import Receipt, advance, now, refused
from tests.helpers.protocol import (
    BTC,
    FRICTIONLESS,
    ISOLATED,
    PLENTY,
    PPM,
    TIERS,
    USD,
    Protocol,
    position_id,
    terms_named,
)

DAY = 86_400
LOTS = 10**7  # 0.1 BTC, 5,000 USD
MOST = 2**256 - 1
HIGHER = ((0, 10_000, 30_000), (1_000, 40_000, 80_000), (5_000, 60_000, 120_000))
LONG_VAULT = words.ISOLATED_LONG


@pytest.fixture(scope="module")
def still() -> Protocol:
    """A market without fees, impact and funding, whose pool bears any position."""
    terms = replace(FRICTIONLESS, pool_share=900_000, reserve_rate=1)
    return Protocol(replace(BTC, terms=terms), pool_cash=20 * PLENTY // 4)


@pytest.fixture
def calm(still: Protocol) -> Iterator[Protocol]:
    with still.anchored() as protocol:
        yield protocol
        protocol.check_invariants()


def ramp(
    protocol: Protocol, tiers: Any = HIGHER, duration: int = DAY, sender: str | None = None
) -> Receipt:
    return protocol.clearinghouse.send(sender or protocol.owner, "ramp_tiers", 0, tiers, duration)


def tiers_of(rates: Any) -> Tiers:
    """Tiers as the chain stores them."""
    packed = [words.pack_tier(words.Tier(*tier)) for tier in rates[1:]]
    first = sum(tier << 64 * i for i, tier in enumerate(packed[:4]))
    second = sum(tier << 64 * i for i, tier in enumerate(packed[4:]))
    return Tiers(rates[0][1], rates[0][2], first, second)


def test_a_ramp_is_stored_with_where_it_comes_from(protocol: Protocol) -> None:
    before = protocol.market_words(0)
    receipt = ramp(protocol, duration=3 * DAY)
    found = protocol.market_words(0)
    event = receipt.event("TiersRamped")
    assert (event.market, event.tiers) == (0, HIGHER)
    assert [event.market_word, event.first_word, event.second_word] == [found[0], *found[5:7]]
    assert [event.ramp_word, event.first_before_word, event.second_before_word] == found[7:]
    market = words.unpack_market(found[0])
    assert market == replace(
        words.unpack_market(before[0]),
        maintenance_rate=10_000,
        initial_rate=30_000,
        is_ramping=True,
    )
    target = tiers_of(HIGHER)
    assert found[5:7] == [target.first, target.second]
    assert words.unpack_ramp(found[7]) == words.Ramp(now(), now() + 3 * DAY, 5_000, 10_000)
    assert found[8:] == before[5:7]
    assert found[1:5] == before[1:5]


def test_only_the_owner_ramps(protocol: Protocol, guardian: str, attacker: str) -> None:
    for sender in (guardian, attacker):
        with refused("ownable: caller is not the owner"):
            ramp(protocol, sender=sender)
        with refused("ownable: caller is not the owner"):
            protocol.clearinghouse.send(sender, "replace_tiers", 0, HIGHER)


@pytest.mark.parametrize("market", [3, MOST])
def test_an_unknown_market_has_no_tiers(protocol: Protocol, owner: str, market: int) -> None:
    for verb, arguments in (
        ("ramp_tiers", (HIGHER, DAY)),
        ("replace_tiers", (HIGHER,)),
        ("end_ramp", ()),
    ):
        with refused("market: unknown"):
            protocol.clearinghouse.send(owner, verb, market, *arguments)


@pytest.mark.parametrize("duration", [0, DAY - 1, 90 * DAY + 1, MOST])
def test_a_ramp_takes_a_day_to_ninety(protocol: Protocol, duration: int) -> None:
    with refused("tier: bad duration"):
        ramp(protocol, duration=duration)
    for bound in (DAY, 90 * DAY):
        with protocol.anchored():
            ramp(protocol, duration=bound)


BAD_TIERS = [
    ((), "tier: none"),
    (((0, 5_000, 7_499), *TIERS[1:]), "tier: initial below 1.5 times"),
    (((0, 0, 10_000), *TIERS[1:]), "tier: bad rate"),
    (((0, 5_000, MOST), *TIERS[1:]), "tier: bad rate"),
    (((0, 4_999, 10_000), *TIERS[1:]), "penalty: above half maintenance"),
    (((0, 11_000, 20_000), *TIERS[1:]), "tier: rates must rise"),
    (((1, 5_000, 10_000), *TIERS[1:]), "tier: bad floor"),
]


@pytest.mark.parametrize(("tiers", "reason"), BAD_TIERS)
def test_new_tiers_obey_the_bounds_of_listing(
    protocol: Protocol, owner: str, tiers: Any, reason: str
) -> None:
    with refused(reason):
        ramp(protocol, tiers)
    with refused(reason):
        protocol.clearinghouse.send(owner, "replace_tiers", 0, tiers)


def test_new_tiers_obey_the_market_s_own_terms(protocol: Protocol, owner: str) -> None:
    protocol.clearinghouse.send(owner, "replace_tiers", 0, ((0, 20_000, 40_000),))
    cases: list[tuple[dict[str, int], int, str]] = [
        ({"penalty": 6_000, "side_cap": 3_000}, 11_999, "penalty: above half maintenance"),
        (
            {"penalty": 6_000, "keeper_share": 0, "keeper_floor": 0, "side_cap": 6_000}
            | {"penalty": 6_001},
            12_000,
            "penalty: above half maintenance",
        ),
        (
            {"keeper_share": 0, "keeper_floor": 0, "penalty": 8_000, "side_cap": 7_000}
            | {"buffer": 0, "penalty": 7_000},
            14_000,
            "liquidation: buffer too small",
        ),
        (
            {"keeper_share": 0, "keeper_floor": 0, "penalty": 8_000, "side_cap": 8_000},
            15_999,
            "cap: above half maintenance",
        ),
    ]
    for terms, rate, reason in cases:
        with protocol.anchored():
            protocol.set_terms(0, **terms)
            for verb, more in (("ramp_tiers", (DAY,)), ("replace_tiers", ())):
                with refused(reason):
                    protocol.clearinghouse.send(owner, verb, 0, ((0, rate, 3 * rate),), *more)


@pytest.mark.parametrize(
    "tiers",
    [
        HIGHER[:2],
        (*HIGHER, (9_000, 70_000, 140_000)),
        (HIGHER[0], (999, 40_000, 80_000), HIGHER[2]),
        (*HIGHER[:2], (5_001, 60_000, 120_000)),
    ],
)
def test_a_ramp_moves_no_floor(protocol: Protocol, tiers: Any) -> None:
    with refused("tier: floors are fixed"):
        ramp(protocol, tiers)


def test_a_ramp_of_eight_tiers_keeps_all_of_them(protocol: Protocol, owner: str) -> None:
    low = tuple([(i * 1_000, 5_000 + i, 10_000 + i) for i in range(8)])
    high = tuple([(i * 1_000, 6_000 + 2 * i, 12_000 + 3 * i) for i in range(8)])
    protocol.clearinghouse.send(owner, "replace_tiers", 0, low)
    with refused("tier: floors are fixed"):
        ramp(protocol, high[:7])
    with refused("tier: floors are fixed"):
        ramp(protocol, (*high[:7], (7_001, *high[7][1:])))
    ramp(protocol, high)
    found = protocol.market_words(0)
    assert found[5:7] == [tiers_of(high).first, tiers_of(high).second]
    assert found[8:] == [tiers_of(low).first, tiers_of(low).second]


def test_one_ramp_ends_before_the_next_begins(protocol: Protocol) -> None:
    ramp(protocol)
    advance(DAY - 1)
    with refused("tier: ramp under way"):
        ramp(protocol, TIERS)
    advance(1)
    ramp(protocol, TIERS)
    found = protocol.market_words(0)
    assert found[8:] == [tiers_of(HIGHER).first, 0]
    assert words.unpack_ramp(found[7]) == words.Ramp(now(), now() + DAY, 10_000, 30_000)


# What a ramp asks of positions


def open_vault(protocol: Protocol, size: int, margin_rate: int) -> int:
    """An isolated long whose margin is a rate of its notional. Returns its id."""
    trader = protocol.actor("ramped")
    notional = size * protocol.price(0).price // 10**9
    margin = notional * margin_rate // 10**6
    protocol.deposit(trader, margin + USD)
    protocol.trade(trader, 0, size, margin_mode=ISOLATED, margin=margin)
    return position_id(trader, 0, LONG_VAULT)


def is_liquidated(protocol: Protocol, vault: int) -> bool:
    """Whether a liquidation now would close it. Nothing changes."""
    with protocol.anchored():
        protocol.publish(0, protocol.markets[0].price)
        return bool(protocol.liquidate_isolated(vault).result)


def required(size: int, price: int, target: Tiers, before: Tiers, elapsed: int) -> int:
    tiers = margin_math.ramped_tiers(target, before, elapsed, DAY)
    return margin_math.maintenance_margin(size * price, tiers)


@pytest.mark.parametrize(
    ("size", "margin_rate"),
    [(LOTS, 11_000), (6 * 10**9, 45_000), (16 * 10**9, 99_000)],
    ids=["first tier", "second tier", "third tier"],
)
def test_a_position_is_liquidatable_from_the_very_second_the_mirror_says(
    calm: Protocol, size: int, margin_rate: int
) -> None:
    vault = open_vault(calm, size, margin_rate)
    position = calm.position(calm.actor("ramped"), 0, LONG_VAULT)
    price = calm.price(0).price
    equity = position.margin * 10**9 + calm.value(calm.actor("ramped"), 0, LONG_VAULT)
    steep = tuple([(floor, 200_000 + i, 400_000 + i) for i, (floor, _, _) in enumerate(TIERS)])
    target, before = tiers_of(steep), tiers_of(TIERS)

    ramp(calm, steep)

    start = now()
    due = next(t for t in range(DAY) if required(size, price, target, before, t) >= equity)
    assert due > 1
    assert not is_liquidated(calm, vault), "in the block the change lands"
    advance(due - 1)
    assert not is_liquidated(calm, vault)
    advance(1)
    assert now() == start + due
    assert is_liquidated(calm, vault)


@pytest.mark.parametrize("seed", range(4))
def test_a_requirement_moves_linearly_from_what_it_was_to_what_it_will_be(seed: int) -> None:
    random = Random(seed)
    for _ in range(200):
        floors = sorted(random.sample(range(1, 2**16), 7))
        rates = []
        for _ in range(2):
            maintenance = sorted(random.randint(1, 600_000) for _ in range(8))
            initial = sorted(min(10**6, rate * 3 // 2 + 1) for rate in maintenance)
            rates.append(list(zip((0, *floors), maintenance, initial, strict=True)))
        before, target = tiers_of(rates[0]), tiers_of(rates[1])
        notional = random.randrange(2 ** random.randint(1, 90))
        duration = random.randint(DAY, 90 * DAY)

        def margin(tiers: Tiers, amount: int = notional) -> int:
            return margin_math.maintenance_margin(amount, tiers)

        assert margin_math.ramped_tiers(target, before, 0, duration) == before
        assert margin_math.ramped_tiers(target, before, duration, duration) == target
        elapsed = random.randrange(duration)
        old, new = margin(before), margin(target)
        now_due = margin(margin_math.ramped_tiers(target, before, elapsed, duration))
        line = (old * (duration - elapsed) + new * elapsed) / duration
        # Each rate is rounded down: at most a millionth of the notional for the account.
        assert line - notional / 10**6 - 2 <= now_due <= line + 1 + line / 10**12


@pytest.mark.parametrize(
    "tiers", [HIGHER, ((0, 500_000, 10**6), *[(f, 500_000, 10**6) for f in (1_000, 5_000)])]
)
@pytest.mark.parametrize("size", [LOTS, 6 * 10**9])
def test_the_block_a_ramp_lands_in_liquidates_nobody(calm: Protocol, size: int, tiers: Any) -> None:
    """A vault and a cross account, each a quote unit above its maintenance margin."""
    vault = open_vault(calm, size, 40_000)
    trader = calm.actor("crossed")
    calm.deposit(trader, 10 * PLENTY)
    calm.trade(trader, 0, size)
    calm.withdraw(trader, calm.cash(trader) - size * calm.price(0).price // 10**9 // 20)
    state = calm.position(calm.actor("ramped"), 0, LONG_VAULT)
    due = margin_math.maintenance_margin(size * calm.price(0).price, calm.tiers(0))
    edge = position_edge(calm, size, state.margin, due)
    with calm.anchored():
        calm.push_price(0, edge)
        vault_alive = not calm.liquidate_isolated(vault).result
    assert vault_alive
    calm.push_price(0, edge)
    ramp(calm, tiers)
    assert not calm.liquidate_isolated(vault).result
    assert not calm.liquidate_cross(trader).result
    advance(DAY)
    calm.publish(0, edge)
    assert calm.liquidate_isolated(vault).result == 1


def position_edge(protocol: Protocol, size: int, margin: int, due: int) -> Any:
    """The lowest price, to the cent, at which the vault is not liquidatable."""
    price = protocol.price(0).price
    dollars = protocol.dollars(0)
    tiers = protocol.tiers(0)
    step = dollars / 50_000
    while True:
        lower = dollars - step
        femto = protocol.femto(0, lower)
        equity = margin * 10**9 - size * (price - femto)
        if margin_math.maintenance_margin(size * femto, tiers) >= equity:
            return dollars
        dollars = lower


# The end of a ramp


@pytest.mark.parametrize("rates", [(40_000, 10_000), (10_000, 40_000)], ids=["down", "up"])
def test_an_order_moves_the_margin_of_the_moment(calm: Protocol, rates: tuple[int, int]) -> None:
    before, after = (((0, rate // 2, rate),) for rate in rates)
    calm.deposit(calm.trader, 1_000 * USD)
    calm.clearinghouse.send(calm.owner, "replace_tiers", 0, before)
    began = now()
    ramp(calm, after)
    for elapsed in (0, DAY // 2, DAY):
        with calm.anchored():
            advance(began + elapsed - now())
            calm.trade(calm.trader, 0, LOTS, margin_mode=ISOLATED, leverage=100 * PPM)
            passed = now() - began if elapsed < DAY else DAY
            rate = (rates[0] * (DAY - passed) + rates[1] * passed) // DAY
            # One unit more: the entry is rounded up, which is a loss against the mark.
            assert calm.position(calm.trader, 0, LONG_VAULT).margin == 5_000 * rate + 1


def test_anyone_ends_a_ramp_that_is_over_and_nothing_else_changes(
    protocol: Protocol, attacker: str
) -> None:
    with refused("tier: no ramp"):
        protocol.clearinghouse.send(attacker, "end_ramp", 0)
    ramp(protocol)
    advance(DAY - 1)
    with refused("tier: ramp under way"):
        protocol.clearinghouse.send(attacker, "end_ramp", 0)
    advance(1)
    before = protocol.market_words(0)
    event = protocol.clearinghouse.send(attacker, "end_ramp", 0).event("RampEnded")
    found = protocol.market_words(0)
    assert (event.market, event.market_word) == (0, found[0])
    assert protocol.market(0) == replace(words.unpack_market(before[0]), is_ramping=False)
    assert found[1:] == before[1:]
    with refused("tier: no ramp"):
        protocol.clearinghouse.send(attacker, "end_ramp", 0)


def test_a_past_ramp_asks_for_its_target_with_and_without_its_mark(calm: Protocol) -> None:
    vault = open_vault(calm, LOTS, 20_000)
    ramp(calm, ((0, 20_000, 30_000), *HIGHER[1:]))
    advance(DAY - 1)
    assert not is_liquidated(calm, vault)
    advance(1)
    assert is_liquidated(calm, vault)
    calm.clearinghouse.send(calm.attacker, "end_ramp", 0)
    assert is_liquidated(calm, vault)


# Terms while rates are on their way


@pytest.mark.parametrize("is_rising", [True, False])
def test_terms_hold_at_both_ends_of_a_ramp(protocol: Protocol, owner: str, is_rising: bool) -> None:
    low, high = ((0, 5_000, 10_000),), ((0, 8_000, 16_000),)
    start, end = (low, high) if is_rising else (high, low)
    protocol.clearinghouse.send(owner, "replace_tiers", 0, start)
    terms = {"penalty": 4_000}
    with protocol.anchored():
        protocol.clearinghouse.send(owner, "replace_tiers", 0, high)
        protocol.set_terms(0, **terms)
    ramp(protocol, end)
    for _ in range(2):
        with refused("penalty: above half maintenance"):
            protocol.set_terms(0, **terms)
        protocol.set_terms(0, taker_fee=400)
        assert protocol.market(0).is_ramping
        advance(DAY // 2 - 1)
        protocol.refresh()
    if is_rising:
        protocol.set_terms(0, **terms)
    else:
        with refused("penalty: above half maintenance"):
            protocol.set_terms(0, **terms)
        protocol.set_terms(0)
    assert not protocol.market(0).is_ramping


def test_changed_terms_keep_a_ramp_going(calm: Protocol, owner: str) -> None:
    vault = open_vault(calm, LOTS, 15_000)
    ramp(calm, ((0, 20_000, 30_000), *HIGHER[1:]))
    terms = replace(calm.markets[0].terms, partial_above=1)
    advance(1)
    calm.refresh()
    calm.clearinghouse.send(owner, "set_terms", 0, terms_named(**vars_of(terms)))
    assert not is_liquidated(calm, vault)
    advance(DAY - 2)
    assert is_liquidated(calm, vault)


def vars_of(terms: Any) -> dict[str, int]:
    return {name: getattr(terms, name) for name in terms.__dataclass_fields__}


# Replacing


def test_an_empty_market_gets_other_tiers_at_once(protocol: Protocol, owner: str) -> None:
    other = ((0, 6_000, 12_000), (7, 8_000, 16_000))
    ramp(protocol)
    receipt = protocol.clearinghouse.send(owner, "replace_tiers", 0, other)
    found = protocol.market_words(0)
    event = receipt.event("TiersReplaced")
    assert (event.market, event.tiers) == (0, other)
    assert [event.market_word, event.first_word, event.second_word] == [found[0], *found[5:7]]
    market = protocol.market(0)
    assert (market.maintenance_rate, market.initial_rate, market.first_floor) == (6_000, 12_000, 7)
    assert not market.is_ramping
    assert found[5:7] == [tiers_of(other).first, 0]
    protocol.clearinghouse.send(owner, "replace_tiers", 0, other[:1])
    assert protocol.market(0).first_floor == 0


@pytest.mark.parametrize("is_buy", [True, False])
def test_nothing_is_replaced_while_anything_is_open(
    protocol: Protocol, owner: str, trader: str, is_buy: bool
) -> None:
    protocol.deposit(trader, 5_000 * USD)
    protocol.trade(trader, 0, LOTS, is_buy=is_buy)
    with refused("tier: fixed while open"):
        protocol.clearinghouse.send(owner, "replace_tiers", 0, HIGHER)
    protocol.trade(trader, 0, 0, is_buy=not is_buy, reduce_only=True)
    protocol.clearinghouse.send(owner, "replace_tiers", 0, HIGHER)
