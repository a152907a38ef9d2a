"""How a market ends: announced, averaged over an hour, fixed; or dead for too long."""

from random import Random

import pytest

from bulkhead.protocol import market_math, words
from bulkhead.protocol.words import HOUR
from tests.helpers.chain import Contract, Receipt, advance, now, refused
from tests.helpers.feeds import LOT, PYTH_ID, answer, use_aggregator
from tests.helpers.protocol import ISOLATED, PPM, USD, Protocol

DAY = 86_400
MAX_AGE = 3_600
FEMTO = 10**7  # femto per lot in a USD per BTC


def go_to(at: int) -> None:
    advance(at - now())


def announce(protocol: Protocol, market: int = 0, notice: int = DAY) -> int:
    """Announces the first hour that may be; returns when it begins."""
    hour = -(-(now() + notice) // HOUR)
    protocol.oracle.send(protocol.owner, "announce_settlement", market, hour)
    return hour * HOUR


def fix(protocol: Protocol, market: int = 0) -> Receipt:
    return protocol.oracle.send(protocol.attacker, "fix_settlement", market)


def settle_dead(protocol: Protocol, market: int = 0) -> Receipt:
    return protocol.oracle.send(protocol.attacker, "settle_dead", market)


def counted(protocol: Protocol) -> words.Settlement:
    return words.unpack_settlement(protocol.oracle.read("settlement_word", 0))


# Announcing


def test_a_settlement_is_in_the_price_from_its_announcement_on(
    protocol: Protocol, owner: str
) -> None:
    before = protocol.price(0)
    hour = now() // HOUR + 30
    event = protocol.oracle.send(owner, "announce_settlement", 0, hour).event("SettlementAnnounced")
    assert (event.market, event.price_word) == (0, protocol.oracle.read("price_word", 0))
    after = protocol.price(0)
    assert after.settles_at == hour
    assert (after.price, after.kind) == (before.price, words.PUBLISHED)


def test_a_days_notice_is_given(protocol: Protocol, owner: str) -> None:
    go_to((now() // HOUR + 1) * HOUR)
    with refused("settlement: too soon"):
        protocol.oracle.send(owner, "announce_settlement", 0, now() // HOUR + 23)
    protocol.oracle.send(owner, "announce_settlement", 0, now() // HOUR + 24)


def test_a_settlement_is_announced_once(protocol: Protocol, owner: str) -> None:
    start = announce(protocol)
    with refused("settlement: announced already"):
        protocol.oracle.send(owner, "announce_settlement", 0, start // HOUR + 1)


@pytest.mark.parametrize(
    ("market", "hour", "reason"),
    [
        (0, 2**20, "settlement: bad hour"),
        (0, 2**256 - 1, "settlement: bad hour"),
        (0, 0, "settlement: too soon"),
        (3, 2**20 - 1, "price: none"),
        (1_024, 2**20 - 1, "market: unknown"),
    ],
)
def test_an_announcement_that_makes_no_sense_is_refused(
    protocol: Protocol, owner: str, market: int, hour: int, reason: str
) -> None:
    with refused(reason):
        protocol.oracle.send(owner, "announce_settlement", market, hour)


def test_a_settlement_is_cancelled_before_its_hour_begins(protocol: Protocol, owner: str) -> None:
    before = protocol.price(0)
    with refused("settlement: none"):
        protocol.oracle.send(owner, "cancel_settlement", 0)
    start = announce(protocol)
    go_to(start - 1)
    with protocol.anchored():
        event = protocol.oracle.send(owner, "cancel_settlement", 0).event("SettlementCancelled")
        assert words.unpack_price(event.price_word) == protocol.price(0) == before
    go_to(start)
    with refused("market: settling"):
        protocol.oracle.send(owner, "cancel_settlement", 0)


def test_only_the_owner_announces_and_cancels(protocol: Protocol, attacker: str) -> None:
    with refused("caller: not the owner"):
        protocol.oracle.send(attacker, "announce_settlement", 0, 2**20 - 1)
    announce(protocol)
    with refused("caller: not the owner"):
        protocol.oracle.send(attacker, "cancel_settlement", 0)


# The average


def test_prices_weigh_the_time_they_were_the_newest(protocol: Protocol) -> None:
    start = announce(protocol)
    go_to(start - 100)
    protocol.publish(0, 40_000)
    go_to(start + 900)
    protocol.publish(0, 50_000)
    go_to(start + 2_700)
    protocol.publish(0, 60_000)
    go_to(start + HOUR)
    event = fix(protocol).event("SettlementFixed")
    expected = (900 * 40_000 + 1_800 * 50_000 + 900 * 60_000) * FEMTO // HOUR
    price = protocol.price(0)
    assert words.unpack_price(event.price_word) == price
    assert (price.price, price.kind, price.settles_at) == (expected, words.SETTLED, start // HOUR)
    assert (price.published_at, price.accepted_at) == (now(), now())


def test_when_a_price_is_brought_plays_no_part(protocol: Protocol) -> None:
    start = announce(protocol)
    go_to(start)
    protocol.publish(0, 50_000)
    go_to(start + 1_800)
    with protocol.anchored():
        protocol.publish(0, 60_000)
        go_to(start + HOUR)
        fix(protocol)
        at_once = protocol.price(0).price
    go_to(start + HOUR + 600)
    protocol.publish(0, 60_000, start + 1_800)
    fix(protocol)
    assert protocol.price(0).price == at_once == 55_000 * FEMTO


def test_prices_after_the_hour_weigh_nothing(protocol: Protocol) -> None:
    start = announce(protocol)
    go_to(start + HOUR - 1)
    protocol.publish(0, 50_000)
    go_to(start + HOUR + 500)
    protocol.publish(0, 90_000)
    assert counted(protocol) == words.Settlement(50_000 * FEMTO, 1)
    advance(10)
    assert protocol.publish(0, 95_000).named("SettlementCounted") == []
    assert counted(protocol) == words.Settlement(50_000 * FEMTO, 1)
    assert fix(protocol).named("SettlementCounted") == []
    assert protocol.price(0).price == 50_000 * FEMTO


def test_silence_weighs_nothing(protocol: Protocol, owner: str) -> None:
    go_to(now())
    protocol.refresh()
    protocol.oracle.send(owner, "set_published_feed", 0, LOT, 60, 600)
    start = announce(protocol)
    go_to(start - 500)
    protocol.publish(0, 40_000)  # silent from 100 into the hour on
    go_to(start + 1_000)
    protocol.publish(0, 50_000)  # and again after 600 seconds
    go_to(start + HOUR - 300)
    protocol.publish(0, 60_000)
    go_to(start + HOUR)
    fix(protocol)
    expected = (100 * 40_000 + 600 * 50_000 + 300 * 60_000) * FEMTO // 1_000
    assert protocol.price(0).price == expected


def test_the_average_is_rounded_down(protocol: Protocol) -> None:
    start = announce(protocol)
    go_to(start)
    protocol.publish(0, 50_000)
    advance(1)
    protocol.publish(0, 51_000)
    go_to(start + HOUR)
    fix(protocol)
    assert protocol.price(0).price == (50_000 + 51_000 * 3_599) * FEMTO // HOUR


def test_every_count_is_logged(protocol: Protocol) -> None:
    start = announce(protocol)
    go_to(start)
    assert protocol.publish(0, 50_000).named("SettlementCounted") == []
    advance(7)
    event = protocol.publish(0, 51_000).event("SettlementCounted")
    assert (event.market, event.settlement_word) == (0, protocol.oracle.read("settlement_word", 0))
    assert counted(protocol) == words.Settlement(7 * 50_000 * FEMTO, 7)


# Fixing


def test_it_is_fixed_by_anyone_once_the_hour_is_over(protocol: Protocol) -> None:
    with refused("settlement: none"):
        fix(protocol)
    start = announce(protocol)
    go_to(start)
    protocol.publish(0, 50_000)
    with refused("settlement: not over"):
        fix(protocol)
    go_to(start + HOUR - 1)
    with refused("settlement: not over"):
        fix(protocol)
    advance(1)
    fix(protocol)


def test_an_hour_without_a_price_is_waited_for_one(protocol: Protocol) -> None:
    start = announce(protocol)
    last = protocol.price(0).price
    for at in (start + HOUR, start + HOUR + 3 * DAY - 1):
        go_to(at)
        with refused("settlement: no price yet"):
            fix(protocol)
    advance(1)
    with protocol.anchored():
        fix(protocol)
        assert protocol.price(0).price == last
    protocol.publish(0, 45_000)
    fix(protocol)
    assert protocol.price(0).price == 45_000 * FEMTO


@pytest.mark.parametrize("market", [3, 1_023, 1_024, 2**256 - 1])
def test_a_market_without_a_settlement_is_not_fixed(protocol: Protocol, market: int) -> None:
    reason = "settlement: none" if market < 1_024 else "market: unknown"
    with refused(reason):
        fix(protocol, market)
    reason = "price: none" if market < 1_024 else "market: unknown"
    with refused(reason):
        settle_dead(protocol, market)


def test_a_settled_price_never_changes(protocol: Protocol, owner: str) -> None:
    start = announce(protocol)
    go_to(start)
    protocol.publish(0, 50_000)
    go_to(start + HOUR)
    fix(protocol)
    word = protocol.oracle.read("price_word", 0)
    aggregator = Contract("mocks/MockAggregator", 8).address
    advance(1)
    for change in (
        lambda: protocol.publish(0, 60_000),
        lambda: fix(protocol),
        lambda: settle_dead(protocol),
        lambda: announce(protocol),
        lambda: protocol.oracle.send(owner, "cancel_settlement", 0),
        lambda: protocol.oracle.send(owner, "set_published_feed", 0, LOT, 60, 3_600),
        lambda: protocol.oracle.send(owner, "set_signed_feed", 0, LOT, 60, 3_600),
        lambda: protocol.oracle.send(owner, "set_chainlink_feed", 0, LOT, 60, 3_600, aggregator),
        lambda: protocol.oracle.send(
            owner, "set_pyth_feed", 0, LOT, 60, 3_600, aggregator, PYTH_ID
        ),
        lambda: protocol.oracle.send(owner, "set_check", 0, aggregator, 1, 0),
    ):
        with refused("market: settled"):
            change()
    protocol.oracle.send(owner, "set_sequencer", aggregator, 60)
    with refused("market: settled"):
        protocol.publish(0, 60_000)
    assert protocol.oracle.read("price_word", 0) == word
    assert protocol.oracle.read("is_latest", 0) is True


def test_the_owner_changes_nothing_in_the_hour(protocol: Protocol, owner: str) -> None:
    """Not the source, not how long its prices count, not how certain they must be."""
    start = announce(protocol)
    go_to(start)
    nobody = "0x" + "00" * 20
    with refused("market: settling"):
        protocol.oracle.send(owner, "set_published_feed", 0, LOT, 60, 600)
    with refused("market: settling"):
        protocol.oracle.send(owner, "set_check", 0, nobody, 0, 1)
    with refused("market: settling"):
        announce(protocol)


# Dead feeds


def test_a_dead_feed_settles_its_market_at_the_last_good_price(protocol: Protocol) -> None:
    last = protocol.price(0)
    go_to(last.published_at + MAX_AGE + 7 * DAY)
    with refused("feed: not dead"):
        settle_dead(protocol)
    advance(1)
    event = settle_dead(protocol).event("SettlementFixed")
    price = protocol.price(0)
    assert words.unpack_price(event.price_word) == price
    assert (price.price, price.kind) == (last.price, words.SETTLED)
    assert (price.settles_at, price.published_at) == (now() // HOUR, now())


def test_an_announced_settlement_does_not_keep_a_dead_market_alive(protocol: Protocol) -> None:
    announce(protocol, notice=30 * DAY)
    advance(8 * DAY)
    settle_dead(protocol)
    assert protocol.price(0).settles_at == now() // HOUR


def test_a_market_that_settles_is_not_settled_dead(protocol: Protocol) -> None:
    start = announce(protocol)
    go_to(start + 20 * DAY)
    with refused("market: settling"):
        settle_dead(protocol)
    fix(protocol)


def test_a_feed_whose_price_waits_to_be_brought_is_not_dead(protocol: Protocol, owner: str) -> None:
    """Nobody settles a quiet market whose feed is well."""
    aggregator = use_aggregator(protocol, 0)
    advance(8 * DAY)
    answer(protocol, aggregator, 51_000)
    with refused("feed: not dead"):
        settle_dead(protocol)
    # But one that no update would take is no life.
    for dollars, updated_at in ((0, now()), (51_000, now() - MAX_AGE - 1), (51_000, now() + 1)):
        answer(protocol, aggregator, dollars, updated_at)
        with protocol.anchored():
            settle_dead(protocol)
    for senseless in (-1, 1, 2**100, 2**127, 2**255 - 1):
        aggregator.send(owner, "set_answer", senseless if senseless != 1 else 0, now())
        with protocol.anchored():
            settle_dead(protocol)
    aggregator.send(owner, "set_dead", True)
    settle_dead(protocol)


def test_an_answer_at_its_feeds_bound_is_no_life(protocol: Protocol) -> None:
    aggregator = Contract("mocks/MockAggregator", 8)
    aggregator.send(protocol.attacker, "set_bounds", 10**8, 10**5 * 10**8)
    use_aggregator(protocol, 0, aggregator)
    advance(8 * DAY)
    answer(protocol, aggregator, 10**5)
    settle_dead(protocol)


def test_nothing_dies_in_the_grace_after_a_sequencers_outage(
    protocol: Protocol, owner: str
) -> None:
    uptime = Contract("mocks/MockAggregator", 0)
    protocol.oracle.send(owner, "set_sequencer", uptime.address, HOUR)
    advance(8 * DAY)
    uptime.send(owner, "set_round", 1, 0, now() - HOUR + 1, now())
    with refused("sequencer: in grace"):
        settle_dead(protocol)
    # One that never comes back, or does not answer, keeps nobody's money.
    for status, dead in ((1, False), (0, True)):
        uptime.send(owner, "set_round", 1, status, now(), now())
        uptime.send(owner, "set_dead", dead)
        with protocol.anchored():
            settle_dead(protocol)
    uptime.send(owner, "set_dead", False)
    uptime.send(owner, "set_round", 1, 0, now() - HOUR, now())
    settle_dead(protocol)


# The market's clock


def test_no_funding_accrues_in_the_hour_or_after_it(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 10_000 * USD)
    protocol.trade(trader, 0, 10**7, margin_mode=ISOLATED, leverage=2 * PPM)
    start = announce(protocol)
    go_to(start - 100)
    protocol.publish(0, 50_000)
    go_to(start)
    until = market_math.live_time(protocol.price(0), now())
    for seconds in (1, 1_000, 2_599):
        advance(seconds)
        protocol.publish(0, 50_000)
        assert market_math.live_time(protocol.price(0), now()) == until
    advance(10 * DAY)
    assert market_math.live_time(protocol.price(0), now()) == until
    index = protocol.accrued(0).funding_index
    fix(protocol)
    assert market_math.live_time(protocol.price(0), now()) == until
    advance(10 * DAY)
    assert protocol.accrued(0).funding_index == index


@pytest.mark.parametrize("seed", range(12))
def test_the_clock_never_turns_and_the_average_is_what_was_published(
    protocol: Protocol, owner: str, seed: int
) -> None:
    """Against one price for each second, through whatever may happen to a market."""
    random = Random(seed)
    advance(1)
    protocol.publish(0, 50_000)
    max_age = random.choice((60, 900, 3_600))
    protocol.oracle.send(owner, "set_published_feed", 0, LOT, 60, max_age)
    taken = {now(): protocol.price(0).price}
    clock = market_math.live_time(protocol.price(0), now())
    ahead = now() - clock
    longest = random.choice((400, 1_500, 20_000))
    for _ in range(400):
        price = protocol.price(0)
        if price.kind == words.SETTLED:
            break
        advance(random.randint(1, longest))
        settling = price.settles_at and now() >= price.settles_at * HOUR
        die = random.random()
        if die < 0.05 and not settling and not price.settles_at:
            announce(protocol)
        elif die < 0.06 and not settling and price.settles_at:
            protocol.oracle.send(owner, "cancel_settlement", 0)
        elif die < 0.1 and settling:
            protocol.oracle.attempt(owner, "fix_settlement", 0)
        elif die < 0.11:
            protocol.oracle.attempt(owner, "settle_dead", 0)
        elif die < 0.7:
            at = random.randint(max(price.published_at + 1, now() - max_age), now())
            protocol.publish(0, random.randint(40_000, 60_000), at)
            taken[at] = protocol.price(0).price
        moved = market_math.live_time(protocol.price(0), now())
        assert clock <= moved <= now() - ahead
        clock = moved
    while protocol.price(0).kind != words.SETTLED:
        if not protocol.price(0).settles_at:
            announce(protocol)
        advance(DAY)
        protocol.oracle.attempt(owner, "fix_settlement", 0)
        assert market_math.live_time(protocol.price(0), now()) >= clock
    settled = protocol.price(0)
    start = settled.settles_at * HOUR
    times = sorted(taken)
    seen = []
    for second in range(start, start + HOUR):
        newest = max((at for at in times if at <= second), default=None)
        if newest is not None and second < newest + max_age:
            seen.append(taken[newest])
    if counted(protocol).counted:
        assert settled.price == sum(seen) // len(seen)
        assert counted(protocol) == words.Settlement(sum(seen), len(seen))
    else:
        assert settled.price == taken[times[-1]]
