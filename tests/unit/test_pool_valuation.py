"""What liquidity moves at: the edge that is worse for who moves, at prices nobody doubts."""

from collections.abc import Callable
from random import Random

import pytest

from bulkhead.protocol import words
from tests.helpers.chain import Receipt, advance, now, refused
from tests.helpers.doctored import doctor_house
from tests.helpers.pool import (
    FEMTO,
    VIRTUAL,
    equity,
    is_no_lower,
    is_rounded_from,
    premium,
    price_at_exit,
    price_of_share,
    supply,
)
from tests.helpers.protocol import COOLDOWN, PLENTY, PPM, USD, Protocol

DAY = 86_400
REWARD = USD // 10
LOTS = 10**7  # 0.1 BTC, 5,000 USD
SHARES = 10**15


@pytest.fixture
def skewed(protocol: Protocol) -> Protocol:
    """One is long 500,000 USD of the first market, one short 50,000 USD of the second."""
    for name, market, size, is_buy in (("bull", 0, 10**9, True), ("bear", 1, 2 * 10**8, False)):
        account = protocol.actor(name)
        protocol.deposit(account, 200_000 * USD)
        protocol.trade(account, market, size, is_buy=is_buy)
    protocol.refresh()
    return protocol


def shares_of(protocol: Protocol, account: str) -> int:
    return int(protocol.pool.read("balanceOf", account))


def enter(protocol: Protocol, account: str, amount: int) -> int:
    return int(protocol.pool.send(account, "deposit", amount, account).result)


def request(protocol: Protocol, account: str, shares: int = SHARES) -> int:
    return int(protocol.pool.send(account, "requestRedeem", shares, account, account).result)


def fix(protocol: Protocol, number: int) -> Receipt:
    return protocol.pool.send(protocol.keeper, "fix", number)


def mature(protocol: Protocol, shares: int = SHARES) -> int:
    """A request of the first provider, mature, at prices just published."""
    number = request(protocol, protocol.liquidity_provider, shares)
    advance(COOLDOWN)
    protocol.refresh()
    return number


# The edges


def expected_band(protocol: Protocol, *confidences: int) -> int:
    return sum(
        -(-abs(protocol.skew(market)) * protocol.price(market).price * confidence // PPM)
        for market, confidence in enumerate(confidences)
    )


def test_the_band_is_every_market_s_skew_at_its_price_s_confidence(skewed: Protocol) -> None:
    before = equity(skewed)
    for market, confidence in enumerate((1_234, 5_678)):
        skewed.requote(market, confidence=confidence)
    found, band, is_live = skewed.pool.read("equity")
    assert (found, is_live) == (before, True)
    assert band == expected_band(skewed, 1_234, 5_678) > 0


def test_a_matched_market_has_no_band(protocol: Protocol) -> None:
    for name, is_buy in (("bull", True), ("bear", False)):
        protocol.deposit(protocol.actor(name), 20_000 * USD)
        protocol.trade(protocol.actor(name), 0, LOTS, is_buy=is_buy)
    protocol.requote(0, confidence=100_000)
    assert protocol.pool.read("equity")[1] == 0


def test_an_entrant_pays_the_upper_edge(skewed: Protocol, attacker: str) -> None:
    plain = skewed.pool.read("previewDeposit", 10**9)
    skewed.requote(0, confidence=20_000)
    upper = -(-(equity(skewed) + expected_band(skewed, 20_000)) // FEMTO)
    expected = 10**9 * supply(skewed) // (upper + 1)
    assert skewed.pool.read("previewDeposit", 10**9) == expected < plain
    wanted = 10**15 + 1
    cost = -(-wanted * (upper + 1) // supply(skewed))
    with skewed.anchored():
        assert enter(skewed, attacker, 10**9) == expected
    assert skewed.pool.read("previewMint", wanted) == cost
    assert skewed.pool.send(attacker, "mint", wanted, attacker).result == cost


def test_who_leaves_is_paid_the_lower_edge(skewed: Protocol) -> None:
    number = mature(skewed)
    with skewed.anchored():
        plain = fix(skewed, number).result
    skewed.requote(0, confidence=20_000)
    lower = (equity(skewed) - expected_band(skewed, 20_000) - premium(skewed)) // FEMTO
    expected = SHARES * (lower + 1) // supply(skewed) - REWARD
    assert fix(skewed, number).result == expected < plain


@pytest.mark.parametrize("price_in", [49_500, 50_000, 50_500])
@pytest.mark.parametrize("price_out", [49_500, 50_000, 50_500])
def test_who_knows_the_price_within_its_confidence_wins_nothing(
    skewed: Protocol, attacker: str, price_in: int, price_out: int
) -> None:
    """The true price is 50,000; what is published is off by at most the 1 % it admits."""
    before = skewed.balance(attacker)
    skewed.push_price(0, price_in)
    skewed.requote(0, confidence=10_102)
    shares = enter(skewed, attacker, PLENTY)
    number = request(skewed, attacker, shares)
    advance(COOLDOWN)
    skewed.push_price(1, skewed.dollars(1))
    skewed.push_price(0, price_out)
    skewed.requote(0, confidence=10_102)
    fix(skewed, number)
    skewed.pool.send(attacker, "redeem", shares, attacker, attacker)
    earned = skewed.balance(attacker) - before
    # What the pool really lost or won meanwhile is the funding of an hour: a few USD.
    assert earned < 60 * USD


# Firm prices


def stale(protocol: Protocol) -> None:
    advance(61)
    protocol.publish(0, 50_000)


def cautious(protocol: Protocol) -> None:
    protocol.requote(1, caution=words.NO_OPENING)


def very_cautious(protocol: Protocol) -> None:
    protocol.requote(1, caution=words.ONLY_BANKRUPT)


def settling(protocol: Protocol) -> None:
    protocol.requote(1, settles_at=now() // 3_600)


DOUBTS = pytest.mark.parametrize("doubt", [stale, cautious, very_cautious, settling])


@DOUBTS
def test_one_doubted_market_stops_whoever_moves(
    skewed: Protocol, attacker: str, doubt: Callable[[Protocol], None]
) -> None:
    number = mature(skewed)
    doubt(skewed)
    for verb, arguments in (
        ("deposit", (USD, attacker)),
        ("mint", (10**12, attacker)),
        ("fix", (number,)),
    ):
        with refused("price: not firm"):
            skewed.pool.send(attacker, verb, *arguments)
    for preview in ("previewDeposit", "previewMint"):
        with refused("price: not firm"):
            skewed.pool.read(preview, 10**12)
    for most in ("maxDeposit", "maxMint"):
        assert skewed.pool.read(most, attacker) == 0


@DOUBTS
def test_a_doubt_stops_neither_requests_nor_lapses_nor_claims(
    skewed: Protocol, liquidity_provider: str, doubt: Callable[[Protocol], None]
) -> None:
    fix(skewed, mature(skewed))
    number = request(skewed, liquidity_provider)
    advance(COOLDOWN + DAY + 1)
    doubt(skewed)
    skewed.pool.send(liquidity_provider, "redeem", SHARES, liquidity_provider, liquidity_provider)
    skewed.pool.send(skewed.keeper, "lapse", number)
    request(skewed, liquidity_provider)


@DOUBTS
def test_a_market_in_which_nothing_is_open_is_not_asked(
    protocol: Protocol, attacker: str, doubt: Callable[[Protocol], None]
) -> None:
    number = mature(protocol)
    doubt(protocol)
    enter(protocol, attacker, USD)
    fix(protocol, number)


def test_who_leaves_leaves_the_premium_that_closing_every_skew_would_take(
    skewed: Protocol,
) -> None:
    """Who brings a skew and who takes it away pay and get the same: a share's exit stands still."""
    before = price_at_exit(skewed)
    for name, market, is_buy in (("bull", 0, False), ("bear", 1, True)):
        assert premium(skewed) > 0
        skewed.trade(skewed.actor(name), market, 0, is_buy=is_buy, reduce_only=True)
    after = price_of_share(skewed)
    assert premium(skewed) == 0
    # Fees came in, and nothing went out.
    assert is_no_lower(after, before)


# Settlement


def test_a_settled_market_closes_without_a_premium(skewed: Protocol) -> None:
    number = mature(skewed)
    skewed.requote(1, settles_at=now() // 3_600, kind=words.SETTLED)
    skew, scale = skewed.skew(1), skewed.trade_terms(1).skew_scale
    alone = premium(skewed) - skew**2 * skewed.price(1).price // (2 * scale)
    lower = (equity(skewed) - alone) // FEMTO
    expected = SHARES * (lower + 1) // supply(skewed) - REWARD
    assert fix(skewed, number).result == expected


def test_liquidity_moves_until_the_window_opens(skewed: Protocol, attacker: str) -> None:
    opens = now() // 3_600 + 1
    skewed.requote(1, settles_at=opens)
    number = request(skewed, skewed.liquidity_provider)
    enter(skewed, attacker, USD)
    advance(opens * 3_600 - now() - 1)
    for market in range(2):
        skewed.requote(market, published_at=now())
    with skewed.anchored():
        enter(skewed, attacker, USD)
    advance(1)
    with refused("price: not firm"):
        enter(skewed, attacker, USD)
    assert number


def test_a_settled_market_s_price_is_good_for_ever(skewed: Protocol, attacker: str) -> None:
    """It is final: older than any request, and older than any feed may be."""
    skewed.requote(1, settles_at=now() // 3_600, kind=words.SETTLED)
    advance(30 * DAY)
    skewed.push_price(0, 50_000)
    enter(skewed, attacker, USD)
    number = request(skewed, skewed.liquidity_provider)
    advance(COOLDOWN)
    with refused("price: not firm"):
        fix(skewed, number)
    skewed.push_price(0, 50_000)
    fix(skewed, number)


# Cash


@pytest.fixture
def losing(protocol: Protocol) -> Protocol:
    """Long from 50,000 and short from 45,000, equally: at 47,500 both have lost 125,000 USD."""
    for name, dollars, is_buy in (("bull", 50_000, True), ("bear", 45_000, False)):
        account = protocol.actor(name)
        protocol.deposit(account, PLENTY)
        protocol.trade(account, 0, 5 * 10**9, dollars, is_buy=is_buy)
    protocol.push_price(0, 47_500)
    return protocol


def test_exits_stop_while_pool_cash_is_negative(losing: Protocol, attacker: str) -> None:
    """What traders have lost is not there yet: the pool is worth something, and has nothing."""
    number = mature(losing, 10**12)
    house = losing.house()
    for cash, stops in ((-1, True), (10**7, False)):
        with losing.anchored():
            doctor_house(losing, pool_cash=cash, fees=house.fees + house.pool_cash - cash)
            assert equity(losing) > 0
            enter_more = losing.pool.attempt(attacker, "deposit", 1, attacker)
            assert enter_more.refusal != "pool: reserve"
        with losing.anchored():
            doctor_house(losing, pool_cash=cash, fees=house.fees + house.pool_cash - cash)
            if stops:
                with refused("pool: reserve"):
                    fix(losing, number)
            else:
                fix(losing, number)


def test_no_exit_takes_more_than_there_is(losing: Protocol) -> None:
    """The shares are worth the traders' losses, too; those are paid when positions close."""
    number = mature(losing, shares_of(losing, losing.liquidity_provider))
    with refused("pool: reserve"):
        fix(losing, number)


def test_a_matched_market_reserves_nothing(losing: Protocol) -> None:
    assert losing.skew(0) == 0
    worth = equity(losing) // FEMTO
    shares = shares_of(losing, losing.liquidity_provider)
    number = mature(losing, shares * (losing.house().pool_cash - USD) // worth)
    fix(losing, number)
    assert losing.house().pool_cash < 2 * USD


def test_a_market_without_a_share_of_the_pool_stops_exits(skewed: Protocol) -> None:
    skewed.push_price(0, 49_000)
    skewed.set_terms(0, pool_share=0)
    number = mature(skewed, 1)
    with refused("pool: reserve"):
        fix(skewed, number)


def test_an_insolvent_pool_takes_and_gives_nothing(skewed: Protocol, attacker: str) -> None:
    number = mature(skewed)
    house = skewed.house()
    owed = house.pool_cash * FEMTO - equity(skewed)
    cash = owed // FEMTO - 2
    doctor_house(skewed, pool_cash=cash, fees=house.fees + house.pool_cash - cash)
    assert equity(skewed) < 0
    for verb, arguments in (
        ("deposit", (USD, attacker)),
        ("mint", (10**12, attacker)),
        ("fix", (number,)),
    ):
        with refused("pool: insolvent"):
            skewed.pool.send(attacker, verb, *arguments)
    assert skewed.pool.read("maxDeposit", attacker) == 0
    assert skewed.pool.read("totalAssets") == 0


# The price of a share


@pytest.mark.parametrize("confidence", [0, 3_000])
@pytest.mark.parametrize("seed", range(4))
def test_at_constant_prices_nobody_s_coming_and_going_costs_those_who_stay(
    skewed: Protocol, seed: int, confidence: int
) -> None:
    """Deposits, mints, requests, fixes, lapses and claims in any order, at one moment."""
    random = Random(seed)
    providers = [skewed.liquidity_provider, *map(skewed.actor, ("first", "second"))]
    pool = skewed.pool
    waiting = [request(skewed, skewed.liquidity_provider, 10**17 + i) for i in range(3)]
    late = [request(skewed, skewed.liquidity_provider, 10**16 + i) for i in range(2)]
    advance(COOLDOWN + DAY)
    waiting += [request(skewed, skewed.liquidity_provider, 10**16) for _ in range(3)]
    advance(1)
    lapsed = waiting[:3] + late
    waiting = waiting[3:]
    advance(COOLDOWN)
    skewed.refresh()
    for market in range(2):
        skewed.requote(market, confidence=confidence)
    moved = 0
    for _ in range(25):
        account = random.choice(providers)
        amount = random.choice((1, random.randint(1, 10**9), random.randint(1, 10**12)))
        before, at_exit = price_of_share(skewed), price_at_exit(skewed)
        held, claimable = shares_of(skewed, account), pool.read("maxRedeem", account)
        verb = random.choice(("deposit", "mint", "request", "fix", "lapse", "redeem", "withdraw"))
        if verb == "deposit":
            enter(skewed, account, amount)
        elif verb == "mint":
            pool.send(account, "mint", amount * VIRTUAL + 1, account)
        elif verb == "request" and held:
            request(skewed, account, random.randint(1, held))
        elif verb == "fix" and waiting:
            fix(skewed, waiting.pop())
        elif verb == "lapse" and lapsed:
            pool.send(account, "lapse", lapsed.pop())
        elif verb == "redeem" and claimable:
            pool.send(account, "redeem", random.randint(1, claimable), account, account)
        elif verb == "withdraw" and pool.read("maxWithdraw", account):
            most = pool.read("maxWithdraw", account)
            pool.send(account, "withdraw", random.randint(1, most), account, account)
        else:
            continue
        moved += 1
        assert is_no_lower(price_of_share(skewed), before), verb
        if confidence == 0 and verb == "fix":
            assert is_rounded_from(price_at_exit(skewed), at_exit), verb
        elif confidence == 0:
            assert is_rounded_from(price_of_share(skewed), before), verb
    assert moved > 10


def test_a_share_s_price_moves_by_what_the_pool_wins_and_nothing_else(
    skewed: Protocol, attacker: str
) -> None:
    value, shares = price_of_share(skewed)
    bull = skewed.actor("bull")
    worth = skewed.value(bull, 0, words.CROSS_LONG)
    skewed.push_price(0, 51_000)
    won = skewed.value(bull, 0, words.CROSS_LONG) - worth
    bear = skewed.value(skewed.actor("bear"), 1, words.CROSS_SHORT)
    found, same = price_of_share(skewed)
    assert same == shares
    assert won > 9_000 * USD * FEMTO
    drift = value - won - found
    assert abs(drift) < USD * FEMTO, (drift, bear)  # a second's funding of the other market
    enter(skewed, attacker, PLENTY)
    after, more = price_of_share(skewed)
    assert more > shares
    assert after * same >= found * more
