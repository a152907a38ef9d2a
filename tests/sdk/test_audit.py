"""The logs alone rebuild every word, after a life in which everything happens."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal

import pytest

from bulkhead import MarginMode, OrderKind, Permission, PositionSide, Trader
from bulkhead.audit import audit, compare
from bulkhead.interfaces import user_abi
from bulkhead.listings import ETH, SOL
from bulkhead.local import advance_time
from bulkhead.protocol import words
from bulkhead.reader import Reader
from bulkhead.replay import Replay
from tests.sdk.world import RICH, World, refreshed

BTC_PERP, ETH_PERP = "BTC-PERP", "ETH-PERP"
CROSS, ISOLATED = MarginMode.CROSS, MarginMode.ISOLATED


@pytest.fixture(scope="module")
def reader(built: World) -> Iterator[Reader]:
    tester = built.w3.provider.ethereum_tester  # type: ignore[attr-defined]
    snapshot = tester.take_snapshot()
    world = refreshed(built)
    alice, bob = world.trader(20_000), Trader(world.reader, world.people[6])
    world.admin.mint(bob.address, RICH)
    govern(world)
    settle_roles(world, alice, bob)
    trade(world, alice, bob)
    liquidate(world, alice, bob)
    leave(world, alice)
    yield world.reader
    tester.revert_to_snapshot(snapshot)


def settle_roles(world: World, alice: Trader, bob: Trader) -> None:
    """Whatever is said before anybody trades."""
    world.admin.mint(world.admin.address, 10_000)
    world.admin.fund_insurance(10_000)
    world.admin.set_guardian(world.stranger)
    world.provider.set_operator(world.stranger)  # of the pool: its event has a namesake
    for stopped in (True, False):
        world.admin.stop_opening(stopped)
        world.admin.set_status(ETH_PERP, reduce_only=stopped)
    world.admin.set_terms(ETH_PERP, ETH.terms._replace(taker_fee=600))
    bob.deposit(1_000)
    bob.withdraw(Decimal("0.000001"))
    bob.set_hedge_mode(True)
    alice.set_operator(
        world.stranger,
        Permission.OPEN | Permission.REDUCE | Permission.CANCEL | Permission.ALL_MARKETS,
        notional=1_000_000,
        expiry=world.reader.now() + 3_600,
    )
    alice.set_default_margin_mode(ETH_PERP, is_isolated=True)
    alice.set_leverage(BTC_PERP, 20, is_isolated=True)


def govern(world: World) -> None:
    """A market comes, is doubted, ramps, and is settled; insurance gives some back."""
    admin, symbol = world.admin, SOL.symbol
    admin.mint(admin.address, 1_000)
    admin.fund_insurance(1_000)
    admin.list_market(SOL)
    admin.replace_tiers(symbol, SOL.tiers)
    raised = [one._replace(initial_rate=one.initial_rate + 1_000) for one in SOL.tiers]
    admin.ramp_tiers(symbol, raised, 86_400)
    other = world.chainlink_feed(100)
    admin.set_sequencer(other.address, 60)
    admin.set_sequencer(None)
    admin.set_check(symbol, second=other.address, max_deviation=10_000)
    admin.set_price(symbol, 200)
    admin.request_insurance(100)
    hour = world.reader.now() // words.HOUR + 26
    admin.announce_settlement(symbol, hour)
    admin.cancel_settlement(symbol)
    admin.announce_settlement(symbol, hour)
    for moment in (10, 1_800):
        advance_time(world.w3, hour * words.HOUR + moment - world.reader.now())
        other.answer(200)
        admin.set_price(symbol, 200 + moment)
    advance_time(world.w3, words.HOUR)
    admin.fix_settlement(symbol)
    admin.end_ramp(symbol)
    advance_time(world.w3, 3 * 86_400)
    admin.withdraw_insurance(world.stranger)
    publish(world, 100_000, 4_000)


def trail(world: World, alice: Trader, stranger: Trader) -> None:
    """Orders that follow the price, hang together, and are ended all at once; nonces voided."""
    alice.place(*(BTC_PERP, "0.01"), is_buy=True, kind=OrderKind.TRAILING_STOP, callback_rate="0.1")
    publish(world, 100_000, 4_000)
    assert world.keeper.ratchet() == 1
    stranger.cancel_nonces([1, 300])
    alice.cancel_all()


def publish(world: World, bitcoin: int, ether: int) -> None:
    world.move_price(BTC_PERP, bitcoin)
    world.admin.set_price(ETH_PERP, ether)


def trade(world: World, alice: Trader, bob: Trader) -> None:
    """Orders that fill, are refused, cancelled, and expire; both margin modes; margin moves."""
    operator = Trader(world.reader, world.stranger, account=alice.address)
    operator.place(BTC_PERP, "0.1", is_buy=True, margin_mode=ISOLATED)
    alice.place(BTC_PERP, "0.2", is_buy=False)
    alice.place(ETH_PERP, 1, is_buy=True, leverage=10)
    bob.place(BTC_PERP, "0.2", is_buy=True, position_side=PositionSide.LONG)
    refused = bob.place(ETH_PERP, 100, is_buy=True, position_side=PositionSide.LONG)
    publish(world, 100_000, 4_000)
    world.keeper.execute_orders()
    assert refused.outcome().reason == "margin: below initial"
    alice.set_leverage(BTC_PERP, 10)
    alice.add_margin(BTC_PERP, 100, is_long=True)
    alice.deposit_margin(BTC_PERP, 50, is_long=True)
    alice.remove_margin(BTC_PERP, 100, is_long=True)
    alice.convert_to_cross(ETH_PERP, is_long=True)
    alice.convert_to_isolated(ETH_PERP, is_long=True)
    alice.set_auto_margin(ETH_PERP, 1, is_long=True)
    resting = alice.place(
        BTC_PERP, "0.1", is_buy=True, kind=OrderKind.LIMIT, acceptable_price=90_000
    )
    alice.cancel(resting)
    # Its escrow pays a part of the debt of an account that goes under.
    bob.place(
        BTC_PERP,
        "0.1",
        is_buy=True,
        kind=OrderKind.STOP,
        trigger_price=150_000,
        position_side=PositionSide.LONG,
    )
    alice.place(ETH_PERP, "0.2", is_buy=False, reduce_only=True)
    publish(world, 101_000, 4_000)
    world.keeper.execute_orders()
    alice.place(ETH_PERP, 1, is_buy=False)
    advance_time(world.w3, 100)
    assert [report.reason for report in world.keeper.execute_orders()] == ["order: expired"]


def liquidate(world: World, alice: Trader, bob: Trader) -> None:
    """A vault with something left, a vault and a ledger with less than nothing."""
    publish(world, 101_000, 3_615)
    assert [report.deficit for report in world.keeper.liquidate()] == [0]
    publish(world, 88_000, 3_615)
    reports = world.keeper.liquidate()
    assert {(report.account, report.is_isolated) for report in reports} == {
        (alice.address, True),
        (bob.address, False),
    }
    assert all(report.deficit > 0 for report in reports)


def leave(world: World, alice: Trader) -> None:
    """Liquidity goes, fees are claimed, and a leg and an order stay."""
    request = world.provider.request_redeem(world.provider.shares() / 2)
    advance_time(world.w3, request.matures_at - world.reader.now())
    publish(world, 88_000, 3_600)
    world.provider.fix(request.id)
    world.provider.redeem(world.provider.claimable_shares() / 2)
    world.admin.claim_fees(world.stranger)
    trail(world, alice, Trader(world.reader, world.stranger))
    alice.close_position(
        BTC_PERP, is_long=False, margin_mode=CROSS, kind=OrderKind.STOP, trigger_price=95_000
    )


# What happens in a dispute's end and in liquidations of the ladder is replayed in tests/unit.
ELSEWHERE = {
    "DisputeEnded",
    "HouseSettled",
    "MarginToppedUp",
    "PairNetted",
    "PositionDeleveraged",
    "PositionSettled",
}


@pytest.fixture(scope="module")
def log(reader: Reader) -> Replay:
    """Read once, and never changed: it takes seconds on a chain in memory."""
    replay = Replay(reader.contracts.liquidity_pool.address)
    replay.take_all(reader.events())
    return replay


@pytest.fixture
def replay(log: Replay) -> Replay:
    return deepcopy(log)


def test_the_life_logs_every_event_that_carries_a_word(reader: Reader) -> None:
    logged = {event.name for event in reader.events()}
    carriers = {
        entry["name"]
        for contract in ("Clearinghouse", "OrderBook", "PriceOracle", "LiquidityPool")
        for entry in user_abi(contract)
        if entry["type"] == "event" and any("_word" in one["name"] for one in entry["inputs"])
    }
    assert len(carriers) >= 20
    assert carriers - logged == ELSEWHERE
    assert {"OrderExecuted", "OrderCancelled", "OrderTermsSet", "StatusChanged"} <= logged


def test_the_books_are_clean_to_the_unit(reader: Reader) -> None:
    books = audit(reader)
    assert books.mismatches == ()
    assert books.difference == 0
    assert books.is_clean
    assert books.tokens > 0
    assert sum(amount for _, amount in books.rows()) == Decimal(books.tokens) / 10**6


def test_the_replay_holds_what_is_open(replay: Replay) -> None:
    open_slots = [slot for (_, _, slot), one in replay.positions.items() if one.size]
    assert open_slots == [words.CROSS_SHORT]
    assert len(replay.positions) == 5
    assert {state.status for state in replay.orders.values()} == {1, 2, 3}
    assert len(replay.settings) == 2
    assert replay.prices[0].silence > 0


def add_cash(replay: Replay) -> str:
    address, account = next(iter(replay.accounts.items()))
    replay.accounts[address] = replace(account, cash=account.cash + 1)
    return f"account {address}"


def forget_a_generation(replay: Replay) -> str:
    key, position = next(
        (key, one) for key, one in replay.positions.items() if one.size == 0 and one.generation
    )
    replay.positions[key] = replace(position, generation=0)
    return f"position {key[0]} {key[1]}/{key[2]}"


def change_leverage(replay: Replay) -> str:
    key, settings = next(iter(replay.settings.items()))
    replay.settings[key] = replace(settings, cross_leverage=settings.cross_leverage + 1)
    return f"settings {key[0]} {key[1]}"


def move_insurance_to_the_pool(replay: Replay) -> str:
    house = replay.house
    replay.house = replace(house, insurance=house.insurance - 1, pool_cash=house.pool_cash + 1)
    return "house"


def fill_an_order(replay: Replay) -> str:
    order_hash, state = next((key, one) for key, one in replay.orders.items() if one.status == 1)
    replay.orders[order_hash] = replace(state, status=2)
    return f"order 0x{order_hash.hex()}"


def move_a_price(replay: Replay) -> str:
    replay.prices[1] = replace(replay.prices[1], price=replay.prices[1].price + 1)
    return "price of market 1"


def move_an_index(replay: Replay) -> str:
    state = replay.markets[0]
    replay.markets[0] = replace(state, funding_index=state.funding_index + 1)
    return "state of market 0"


def grow_a_side(replay: Replay) -> str:
    side = replay.sides[0, False]
    replay.sides[0, False] = replace(side, size=side.size + 1)
    return "shorts of market 0"


def lower_a_fee(replay: Replay) -> str:
    replay.trade_terms[1] = replace(replay.trade_terms[1], taker_fee=500)
    return "trade terms of market 1"


def lower_a_tier(replay: Replay) -> str:
    first, second = replay.tiers[1]
    replay.tiers[1] = (first - 1, second)
    return "tiers of market 1"


def shorten_a_delay(replay: Replay) -> str:
    replay.order_terms[0] = replace(replay.order_terms[0], delay=1)
    return "order terms of market 0"


@pytest.mark.parametrize(
    "tamper",
    [
        add_cash,
        forget_a_generation,
        change_leverage,
        move_insurance_to_the_pool,
        fill_an_order,
        move_a_price,
        move_an_index,
        grow_a_side,
        lower_a_fee,
        lower_a_tier,
        shorten_a_delay,
    ],
    ids=lambda tamper: str(tamper.__name__),
)
def test_a_word_that_is_not_the_chain_s_is_named(
    reader: Reader, replay: Replay, tamper: Callable[[Replay], str]
) -> None:
    name = tamper(replay)
    books = compare(reader, replay, reader.block())
    assert books.mismatches == (name,)
    assert not books.is_clean


def test_a_position_that_the_side_does_not_count_is_named_twice(
    reader: Reader, replay: Replay
) -> None:
    key, position = next((key, one) for key, one in replay.positions.items() if one.size)
    replay.positions[key] = replace(position, size=position.size + 1)
    found = compare(reader, replay, reader.block()).mismatches
    assert found == (f"position {key[0]} {key[1]}/{key[2]}", "sum of shorts in market 0")


def test_money_out_of_nothing_is_a_difference(reader: Reader, replay: Replay) -> None:
    add_cash(replay)
    assert compare(reader, replay, reader.block()).difference == -1
