"""What the contracts refuse the engine refuses, by the same reason; neither changes anything."""

from collections.abc import Callable, Iterator
from dataclasses import astuple, replace
from typing import Any

import pytest

from tests.helpers.chain import advance, now
from tests.helpers.mirror import Mirror, Recorder, state_of
from tests.helpers.protocol import (
    BTC,
    ETH,
    ISOLATED,
    LIMIT,
    MARKET,
    NOBODY,
    PPM,
    STOP,
    TAKE_PROFIT,
    TRAILING_STOP,
    USD,
    Protocol,
    Terms,
)

COIN = 10**8  # lots of BTC
PLENTY = 2**62 + 1
TOO_MUCH = 2**56

Call = tuple[str, str, str, tuple[Any, ...]]  # contract, sender's role, function, arguments


@pytest.fixture(scope="module")
def built() -> tuple[Protocol, Recorder]:
    recorder = Recorder()
    with recorder.watching():
        protocol = Protocol(BTC, ETH)
        trader, other = protocol.trader, protocol.attacker
        protocol.deposit(trader, 10_000 * USD)
        protocol.deposit(other, 1_000 * USD)
        protocol.trade(trader, 0, COIN // 10, margin_mode=ISOLATED, leverage=10 * PPM)
        protocol.trade(trader, 1, 4 * 10**7, leverage=5 * PPM)
        protocol.set_operator(trader, protocol.guardian, permissions=1, markets=0b10, notional=USD)
    return protocol, recorder


@pytest.fixture
def mirrored(built: tuple[Protocol, Recorder]) -> Iterator[Protocol]:
    protocol, recorder = built
    contracts = (protocol.clearinghouse, protocol.book, protocol.oracle, protocol.pool)
    with protocol.anchored():
        Mirror(protocol, state_of(protocol, recorder))
        yield protocol
    for contract in contracts:
        del contract.attempt
        vars(contract).pop("read", None)


def attempt(protocol: Protocol, contract: str, sender: str, function: str, *arguments: Any) -> str:
    target = getattr(protocol, contract)
    receipt = target.attempt(getattr(protocol, sender), function, *arguments)
    assert receipt.refusal is not None, receipt.events
    return str(receipt.refusal)


CLEARINGHOUSE: dict[str, tuple[str, str, Callable[[Protocol], tuple[Any, ...]]]] = {
    "deposit of nothing": ("amount: zero", "deposit", lambda p: (p.trader, 0)),
    "deposit of too much": ("amount: too large", "deposit", lambda p: (p.trader, PLENTY)),
    "deposit for nobody": ("account: zero", "deposit", lambda p: (NOBODY, 1)),
    "withdrawal of nothing": ("amount: zero", "withdraw", lambda p: (0, p.trader)),
    "withdrawal of all": (
        "balance: not withdrawable",
        "withdraw",
        lambda p: (p.cash(p.trader), p.trader),
    ),
    "withdrawal to nobody": ("receiver: bad address", "withdraw", lambda p: (1, NOBODY)),
    "margin for a closed vault": (
        "position: not open",
        "deposit_margin",
        lambda p: (p.trader, 1, True, 1),
    ),
    "too much margin from a wallet": (
        "margin: too large",
        "deposit_margin",
        lambda p: (p.trader, 0, True, TOO_MUCH),
    ),
    "no margin": ("amount: zero", "add_margin", lambda p: (0, True, 0)),
    "more margin than there is": (
        "balance: not withdrawable",
        "add_margin",
        lambda p: (0, True, p.cash(p.trader)),
    ),
    "margin for an unknown market": ("market: unknown", "add_margin", lambda p: (2**20, True, 1)),
    "removing from an unknown market": (
        "market: unknown",
        "remove_margin",
        lambda p: (2**20, True, 1),
    ),
    "removing from a market that is not listed": (
        "position: not open",
        "remove_margin",
        lambda p: (9, True, 1),
    ),
    "removing nothing": ("amount: zero", "remove_margin", lambda p: (0, True, 0)),
    "removing what backs it": ("margin: below initial", "remove_margin", lambda p: (0, True, USD)),
    "removing more than all": (
        "margin: below initial",
        "remove_margin",
        lambda p: (0, True, 10**12),
    ),
    "an allowance without a vault": (
        "position: not open",
        "set_auto_margin",
        lambda p: (0, False, USD),
    ),
    "an allowance too large": (
        "margin: too large",
        "set_auto_margin",
        lambda p: (0, True, TOO_MUCH),
    ),
    "leverage below one": (
        "leverage: out of range",
        "set_leverage",
        lambda p: (0, PPM - 1, True, True),
    ),
    "leverage without room": (
        "margin: below initial",
        "set_leverage",
        lambda p: (1, PPM, False, True),
    ),
    "leverage of no market": ("market: unknown", "set_leverage", lambda p: (7, 0, True, True)),
    "a default of no market": (
        "market: unknown",
        "set_default_margin_mode",
        lambda p: (7, True),
    ),
    "hedge mode with positions": ("account: not flat", "set_hedge_mode", lambda p: (True,)),
    "margin into cross": (
        "margin: not for cross",
        "convert_position",
        lambda p: (0, True, False, 1),
    ),
    "nothing to convert": (
        "position: not open",
        "convert_position",
        lambda p: (0, True, True, 0),
    ),
    "too little to convert with": (
        "margin: below initial",
        "convert_position",
        lambda p: (1, True, True, 1),
    ),
    "more to convert with than there is": (
        "balance: not withdrawable",
        "convert_position",
        lambda p: (1, True, True, 9_990 * USD),
    ),
    "deleveraging without need": (
        "market: within its share",
        "auto_deleverage",
        lambda p: (0, ()),
    ),
    "deleveraging of no market": ("market: unknown", "auto_deleverage", lambda p: (5, ())),
}


@pytest.mark.parametrize("case", CLEARINGHOUSE)
def test_an_account_is_refused_by_both(mirrored: Protocol, case: str) -> None:
    reason, function, arguments = CLEARINGHOUSE[case]
    given = arguments(mirrored)
    mirrored.refresh()
    assert attempt(mirrored, "clearinghouse", "trader", function, *given) == reason


ORDERS: dict[str, tuple[str, dict[str, Any]]] = {
    "market: unknown": ("market: unknown", {"market": 3}),
    "kind": ("order: unknown kind", {"kind": 5}),
    "margin mode": ("order: unknown margin mode", {"margin_mode": 3}),
    "side": ("order: unknown side", {"position_side": 3}),
    "size": ("size: too large", {"size": TOO_MUCH}),
    "no size": ("size: zero", {"size": 0}),
    "callback": ("order: bad callback rate", {"kind": TRAILING_STOP}),
    "callback of another": ("order: bad callback rate", {"callback_rate": 1}),
    "no trigger": ("order: bad trigger price", {"kind": STOP}),
    "trigger of a market order": ("order: bad trigger price", {"trigger_price": 1}),
    "price": ("price: too large", {"acceptable_price": 2**64}),
    "no limit": ("order: no limit price", {"kind": LIMIT}),
    "expiry of a market order": ("order: bad expiry", {"expiry": 2**35}),
    "past": ("order: expired", {"kind": LIMIT, "acceptable_price": 1, "expiry": 1}),
    "group": ("order: bad group", {"group": b"\1" * 32}),
    "margin of a reduction": (
        "margin: not for reduce-only",
        {"reduce_only": True, "margin": 1, "margin_mode": ISOLATED},
    ),
    "margin": ("margin: too large", {"margin": TOO_MUCH, "margin_mode": ISOLATED}),
    "margin in cross": ("margin: not for cross", {"margin": 1}),
    "leverage": ("leverage: out of range", {"leverage": PPM - 1}),
    "hedge": ("order: wrong position mode", {"position_side": 1}),
    "builder without a fee": ("builder: bad fee", {"builder": "0x" + "11" * 20}),
    "builder": ("builder: fee not approved", {"builder": "0x" + "11" * 20, "builder_fee": 1}),
    "operator elsewhere": ("operator: not allowed", {"placer": "guardian"}),
    "operator reducing": ("operator: not allowed", {"placer": "guardian", "reduce_only": True}),
    "operator's notional": ("operator: notional spent", {"placer": "guardian", "market": 1}),
    "operator's crumbs": (
        "operator: order too small",
        {"placer": "guardian", "market": 1, "size": 1},
    ),
    "stranger": ("operator: not allowed", {"placer": "keeper"}),
}


@pytest.mark.parametrize("case", ORDERS)
def test_an_order_is_refused_by_both(mirrored: Protocol, case: str) -> None:
    reason, fields = ORDERS[case]
    known: dict[str, Any] = {"market": 0, "size": COIN // 100, "placer": "trader"} | fields
    placer = known.pop("placer")
    order = mirrored.order(mirrored.trader, placer=NOBODY, **known)
    assert attempt(mirrored, "book", placer, "place", order) == reason


def test_an_order_without_its_keepers_fee_is_refused_by_both(mirrored: Protocol) -> None:
    order = mirrored.order(mirrored.liquidity_provider, 0, COIN)
    assert attempt(mirrored, "book", "liquidity_provider", "place", order) == (
        "balance: below keeper fee"
    )


def test_the_same_order_is_refused_twice_by_both(mirrored: Protocol) -> None:
    placed = mirrored.place(mirrored.trader, 0, COIN // 100, kind=LIMIT, acceptable_price=1)
    assert attempt(mirrored, "book", "trader", "place", placed) == "order: already placed"


def test_what_waits_or_is_unknown_is_not_executed_by_either(mirrored: Protocol) -> None:
    order = mirrored.place(mirrored.trader, 0, COIN // 100)
    resting = mirrored.place(
        mirrored.trader, 0, COIN // 100, kind=LIMIT, acceptable_price=mirrored.femto(0, 90_000)
    )
    unknown = mirrored.order(mirrored.trader, 0, COIN)
    assert attempt(mirrored, "book", "keeper", "execute", unknown) == "order: not pending"
    assert attempt(mirrored, "book", "keeper", "execute", order) == "price: too early"
    assert attempt(mirrored, "book", "trader", "cancel", order) == "order: market is binding"
    assert attempt(mirrored, "book", "keeper", "cancel", order) == "operator: not allowed"
    mirrored.wait(0)
    advance(BTC.trade_age + 1)
    assert attempt(mirrored, "book", "keeper", "execute", resting) == "price: stale"


def test_a_price_that_says_no_keeps_an_order_in_both(mirrored: Protocol) -> None:
    low = mirrored.femto(0, 40_000)
    limit = mirrored.place(mirrored.trader, 0, COIN // 100, kind=LIMIT, acceptable_price=low)
    stop = {"kind": TAKE_PROFIT, "is_buy": True, "trigger_price": low}
    target = mirrored.place(mirrored.trader, 0, COIN // 100, **stop)
    mirrored.wait(0)
    assert attempt(mirrored, "book", "keeper", "execute", limit) == "price: not acceptable"
    assert attempt(mirrored, "book", "keeper", "execute", target) == "price: not triggered"
    mirrored.clearinghouse.send(mirrored.guardian, "stop_opening", True)
    taken = mirrored.place(mirrored.trader, 0, COIN // 100)
    mirrored.wait(0)
    assert attempt(mirrored, "book", "keeper", "execute", taken) == "market: not open"


def test_a_bracket_that_is_none_is_refused_by_both(mirrored: Protocol) -> None:
    trader = mirrored.trader
    entry = mirrored.order(trader, 0, COIN // 100, kind=MARKET)
    child = mirrored.exit_of(entry)
    closing = entry._replace(reduce_only=True)
    for given, exits, reason in (
        (closing, [child], "bracket: entry only reduces"),
        (entry, [child._replace(size=1)], "bracket: child not of its entry"),
        (entry, [child, child], "order: already placed"),
    ):
        assert attempt(mirrored, "book", "trader", "place_bracket", given, exits) == reason
    placed = mirrored.bracket(entry, child)
    mirrored.wait(0)
    assert attempt(mirrored, "book", "keeper", "execute", placed[1]) == "order: entry not filled"


def test_an_heir_of_another_kind_is_refused_by_both(mirrored: Protocol) -> None:
    old = mirrored.place(mirrored.trader, 0, COIN // 100, kind=LIMIT, acceptable_price=1)
    other = mirrored.order(mirrored.trader, 1, COIN // 100, kind=LIMIT, acceptable_price=1)
    assert attempt(mirrored, "book", "trader", "replace", old, other) == (
        "order: replaces another kind"
    )


def test_bad_prices_are_refused_by_both(mirrored: Protocol) -> None:
    def publish(price: int, when: int) -> str:
        payload = price.to_bytes(32, "big") + when.to_bytes(32, "big")
        return attempt(mirrored, "oracle", "owner", "update", 0, payload)

    advance(5_000)
    assert publish(0, now()) == "price: zero"
    assert publish(2**128, now()) == "price: too large"
    assert publish(1, now()) == "price: zero"
    assert publish(10**24, now() + 1) == "price: from the future"
    assert publish(10**24, 1) == "price: older than the last"
    assert publish(10**24, now() - 3_601) == "price: stale"


TERMS: dict[str, dict[str, int]] = {
    "fee: too high": {"taker_fee": 10_001},
    "fee: maker above taker": {"maker_fee": 501},
    "fee: shares above all of it": {"insurance_share": PPM},
    "skew: bad scale": {"skew_scale": 0},
    "cap: skew above side": {"skew_cap": 1_251},
    "size: bad minimum": {"min_notional": 0},
    "pool: bad share": {"pool_share": PPM + 1},
    "pool: bad reserve": {"reserve_rate": 0},
    "funding: rate too high": {"max_funding_rate": 500_001},
    "funding: velocity too high": {"funding_velocity": 2**28},
    "penalty: too high": {"penalty": PPM + 1},
    "keeper: bad share": {"keeper_share": PPM + 1},
    "keeper: floor above cap": {"keeper_cap": 1},
    "keeper: cap too high": {"keeper_cap": 2**40},
    "liquidation: bad buffer": {"buffer": PPM + 1},
    "liquidation: bad threshold": {"partial_above": TOO_MUCH},
    "keeper: floor above penalty": {"keeper_floor": 10**6},
    "cap: above insured penalty": {"side_cap": 1_251},
    "fee: above insured penalty": {"taker_fee": 2_000},
    "penalty: above half maintenance": {"penalty": 2_501},
    "pool: shares above 90 percent": {"pool_share": 800_000},
    "skew: scale fixed while open": {"skew_scale": 10**14},
}


@pytest.mark.parametrize("reason", TERMS)
def test_terms_out_of_bounds_are_refused_by_both(mirrored: Protocol, reason: str) -> None:
    mirrored.refresh()
    terms = astuple(replace(Terms(), **TERMS[reason]))
    assert attempt(mirrored, "clearinghouse", "owner", "set_terms", 0, terms) == reason


def test_terms_at_a_dead_price_are_refused_by_both(mirrored: Protocol) -> None:
    advance(BTC.max_age + 1_000)
    arguments = ("clearinghouse", "owner", "set_terms", 0, astuple(Terms()))
    assert attempt(mirrored, *arguments) == "price: not live"


TIERS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "tier: none": (),
    "tier: bad rate": ((0, 0, 10_000),),
    "tier: initial below 1.5 times": ((0, 10_000, 14_999),),
    "tier: bad floor": ((1, 5_000, 10_000),),
    "tier: rates must rise": ((0, 5_000, 10_000), (1_000, 4_000, 20_000)),
    "tier: floors are fixed": ((0, 5_000, 10_000), (2_000, 10_000, 20_000)),
    "penalty: above half maintenance": ((0, 4_999, 10_000),),
}


@pytest.mark.parametrize("reason", TIERS)
def test_tiers_out_of_bounds_are_refused_by_both(mirrored: Protocol, reason: str) -> None:
    arguments = (0, TIERS[reason], 86_400)
    found = attempt(mirrored, "clearinghouse", "owner", "ramp_tiers", *arguments)
    # The lower cap's bound is met before the penalty's.
    assert found in (reason, "cap: above half maintenance")


def test_liquidity_that_may_not_move_is_refused_by_both(mirrored: Protocol) -> None:
    provider = mirrored.liquidity_provider
    shares = mirrored.pool.read("balanceOf", provider)
    for function, arguments, reason in (
        ("deposit", (0, provider), "amount: zero"),
        ("deposit", (USD, NOBODY), "erc20: mint to the zero address"),
        ("mint", (2**128, provider), "shares: too many"),
        ("requestRedeem", (0, provider, provider), "shares: zero"),
        ("requestRedeem", (1, NOBODY, provider), "controller: zero"),
        (
            "requestRedeem",
            (shares + 1, provider, provider),
            "erc20: transfer amount exceeds balance",
        ),
        ("fix", (1,), "request: unknown"),
        ("lapse", (1,), "request: unknown"),
        ("redeem", (1, provider, provider), "claim: too large"),
        ("withdraw", (1, provider, provider), "claim: too large"),
    ):
        mirrored.refresh()
        assert attempt(mirrored, "pool", "liquidity_provider", function, *arguments) == reason
    mirrored.pool.send(provider, "requestRedeem", shares // 2, provider, provider)
    assert attempt(mirrored, "pool", "keeper", "fix", 1) == "request: not mature"
    assert attempt(mirrored, "pool", "keeper", "lapse", 1) == "request: not lapsed"
    advance(100)
    assert attempt(mirrored, "pool", "liquidity_provider", "deposit", USD, provider) == (
        "price: not firm"
    )
