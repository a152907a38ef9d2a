"""What a keeper finds to do, as pure functions of what it knows and sees. No chain in here."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bulkhead import feeds
from bulkhead.chain import Block
from bulkhead.decisions import Vault
from bulkhead.interfaces import Event
from bulkhead.keeper import planning
from bulkhead.keeper.book import Book
from bulkhead.keeper.foresight import Update, foreseen, needed
from bulkhead.keeper.planning import Sight
from bulkhead.keeper.work import Job, Task
from bulkhead.liquidity import LAPSE, REWARD, RedeemRequest
from bulkhead.markets import MarketState
from bulkhead.orders import OrderKind, OrderStatus, PlacedOrder
from bulkhead.protocol import words
from bulkhead.protocol.words import Account, House, OrderState, Position
from bulkhead.replay import Replay
from tests.sdk.test_decisions import ALICE, LOTS, NOW, PRICE, USD, placed, state, with_terms
from tests.sdk.test_deleveraging import BEST, ONE, house, market

BOB = "0x" + "b0" * 20
POOL = "0x" + "99" * 20
NOTIONAL = LOTS * PRICE // 10**9
FLOOR = 12_500

Slots = dict[tuple[str, int, int], Position]


def position(margin: int, *, auto: bool = False) -> Position:
    return Position(LOTS, NOTIONAL, margin, 0, 0, auto)


def book_of(positions: Slots, accounts: dict[str, Account] | None = None) -> Book:
    replay = Replay(POOL)
    replay.positions.update(positions)
    replay.accounts.update(accounts or {})
    return Book(replay)


def sight_of(*states: MarketState, requests: Iterable[RedeemRequest] = ()) -> Sight:
    found = {number: replace_id(one, number) for number, one in enumerate(states)}
    return Sight(Block(1, NOW), found, {one.id: one for one in requests})


def replace_id(one: MarketState, number: int) -> MarketState:
    return replace(one, market=replace(one.market, id=number))


def keys(tasks: Iterable[Task]) -> list[tuple[Job, str]]:
    return [task.intent for task in tasks]


def test_the_worst_vault_goes_first_and_says_what_is_missing() -> None:
    poor, poorer = (ALICE, 0, words.ISOLATED_LONG), (BOB, 0, words.ISOLATED_LONG)
    book = book_of({poor: position(10 * USD), poorer: position(5 * USD)})
    first, second = planning.isolated_liquidations(book.vaults(), book, sight_of(state()))
    assert [first.account, second.account] == [BOB, ALICE]
    assert first.urgency - second.urgency == 5 * USD * 10**9
    assert (first.needs, first.verb, first.argument) == ((0,), "liquidate_isolated", int(first.key))
    assert not first.is_debt


def test_a_vault_with_less_than_nothing_left_is_a_debt() -> None:
    fallen = state(PRICE * 8 // 10)
    book = book_of({(ALICE, 0, words.ISOLATED_LONG): position(10 * USD)})
    (task,) = planning.isolated_liquidations(book.vaults(), book, sight_of(fallen))
    assert task.is_debt


def test_a_vault_that_may_be_topped_up_is_a_top_up_and_reads_its_owners_legs() -> None:
    priced = with_terms(state(), keeper_floor=FLOOR)
    vault = (ALICE, 0, words.ISOLATED_LONG)
    book = book_of(
        {vault: position(40 * USD, auto=True)}, {ALICE: Account(500 * USD, 0, 1, 0, 0, 0)}
    )
    book.state.settings[ALICE, 0] = words.Settings(False, 0, 0, 0, 500 * USD, 0)
    (task,) = planning.isolated_liquidations(book.vaults(), book, sight_of(priced))
    assert (task.job, task.verb, task.reward) == (Job.TOP_UP, "liquidate_isolated", FLOOR)
    assert task.gas > planning.GAS_PER_VAULT
    book.state.settings[ALICE, 0] = words.Settings(False, 0, 0, 0, 0, 0)
    (task,) = planning.isolated_liquidations(book.vaults(), book, sight_of(priced))
    assert task.job is Job.LIQUIDATE_ISOLATED


def test_a_cross_account_is_one_task_that_needs_all_its_markets() -> None:
    legs = {(ALICE, number, words.CROSS_LONG): position(0) for number in (0, 1)}
    book = book_of(legs, {ALICE: Account(20 * USD, 0b101, 0, 0, 0, 0)})
    priced = with_terms(state(), keeper_floor=FLOOR)
    (task,) = planning.cross_liquidations(book.ledgers(), sight_of(priced, priced))
    assert (task.key, task.needs, task.reward) == (ALICE, (0, 1), 2 * FLOOR)
    assert task.gas == 3 * planning.GAS_PER_LEG


def with_orders(*orders: PlacedOrder) -> Book:
    book = book_of({})
    for one in orders:
        book._resting[one.hash] = one
        book.state.orders[one.hash] = replace(
            words.unpack_order_state(0), status=int(OrderStatus.PENDING), extreme=one.extreme
        )
    return book


def test_an_expired_order_is_cleared_and_another_executed() -> None:
    late = replace(placed(expiry=NOW - 1), hash=b"\2" * 32)
    book = with_orders(placed(), late)
    found = {task.key: task for task in planning.executions(book.orders(), book, sight_of(state()))}
    assert [found[one].job for one in ("0x" + "01" * 32, "0x" + "02" * 32)] == [
        Job.EXECUTE_ORDERS,
        Job.CLEAR_EXPIRED,
    ]
    assert found["0x" + "01" * 32].argument == placed().order.to_tuple()


def test_an_order_needs_the_prices_of_its_accounts_legs() -> None:
    book = with_orders(placed())
    book.state.accounts[ALICE] = Account(0, 0b1000, 0, 0, 0, 0)
    (task,) = planning.executions(book.orders(), book, sight_of(state()))
    assert task.needs == (0, 1)


def test_a_trailing_stop_is_shown_a_price_that_moves_it() -> None:
    stop = placed(kind=OrderKind.TRAILING_STOP, is_buy=False, callback_rate=50_000)
    assert keys(planning.ratchets([stop], sight_of(state()))) == [
        (Job.TRAIL_STOPS, "0x" + "01" * 32)
    ]
    seen = replace(stop, extreme=PRICE)
    assert list(planning.ratchets([seen], sight_of(state()))) == []


def test_winners_are_named_as_the_call_wants_them() -> None:
    holdings = (ONE, BEST)
    book = book_of({(one.account, 0, one.slot): one.position for one in holdings})
    book.state.house = house(20_000 * USD - 1)
    (task,) = planning.deleveragings(book, sight_of(market(*holdings)))
    assert (task.account.lower(), task.market, task.reward) == (BEST.account, 0, 0)
    book.state.house = House(20_000 * USD, 0, 0, 0)
    assert list(planning.deleveragings(book, sight_of(market(*holdings)))) == []


def test_a_price_is_made_final_when_its_hour_is_over_or_its_feed_long_dead() -> None:
    def verbs(**price: int) -> list[str]:
        one = replace(state(), price=replace(state().price, **price))
        return [task.verb for task in planning.final_prices(sight_of(one))]

    hour = NOW // 3_600
    assert verbs() == []
    assert verbs(settles_at=hour) == []
    assert verbs(settles_at=hour - 1) == ["fix_settlement"]
    dead = NOW - 3_600 - feeds.DEAD_AFTER
    assert verbs(published_at=dead) == []
    assert verbs(published_at=dead - 1) == ["settle_dead"]
    assert verbs(kind=words.SETTLED, settles_at=hour - 1) == []


def test_positions_of_a_market_that_is_over_are_settled() -> None:
    over = replace(state(), price=replace(state().price, kind=words.SETTLED))
    book = book_of({(ALICE, number, words.ISOLATED_LONG): position(USD) for number in (0, 1)})
    (task,) = planning.settlements(book, sight_of(over, state()))
    assert (task.job, task.market, task.verb) == (Job.SETTLE, 0, "settle_positions")


def test_a_request_is_fixed_once_mature_and_returned_once_lapsed() -> None:
    def found(matures_at: int, shares: int = 1) -> list[tuple[str, int]]:
        request = RedeemRequest(7, ALICE, shares, matures_at)
        seen = sight_of(state(skew=LOTS), requests=[request])
        return [(task.verb, task.reward) for task in planning.redemptions(seen)]

    assert found(NOW + 1) == []
    assert found(NOW) == [("fix", REWARD)]
    assert found(NOW - LAPSE) == [("fix", REWARD)]
    assert found(NOW - LAPSE - 1) == [("lapse", 0)]
    assert found(NOW, shares=0) == []


def test_to_fix_a_request_every_market_with_open_interest_is_needed() -> None:
    request = RedeemRequest(7, ALICE, 1, NOW)
    seen = sight_of(state(), state(skew=LOTS), requests=[request])
    (task,) = planning.redemptions(seen)
    assert task.needs == (1,)


def test_liquidations_go_before_orders_and_jobs_can_be_left_out() -> None:
    book = with_orders(placed())
    vault = Vault(BOB, 0, words.ISOLATED_LONG, position(0))
    everything = frozenset(Job)

    def jobs(wanted: frozenset[Job], vaults: Sequence[Vault] | None = (vault,)) -> list[Job]:
        found = planning.all_tasks(book, sight_of(state()), wanted, vaults, ())
        return [task.job for task in found]

    assert jobs(everything) == [Job.LIQUIDATE_ISOLATED, Job.EXECUTE_ORDERS]
    assert jobs(everything - {Job.LIQUIDATE_ISOLATED}) == [Job.EXECUTE_ORDERS]
    assert jobs(everything, None) == [Job.EXECUTE_ORDERS]


def test_a_price_that_can_be_brought_is_decided_at_and_asked_for_by_what_needs_it() -> None:
    behind = sight_of(state(is_latest=False), state())
    update = Update(0, b"", 0, state(PRICE * 8 // 10))
    vault = Vault(ALICE, 0, words.ISOLATED_LONG, position(10 * USD))
    book = book_of({})
    assert keys(planning.updates(behind)) == [(Job.UPDATE_PRICES, "0")]
    assert list(planning.isolated_liquidations([vault], book, behind)) == []
    ahead = foreseen(behind, {0: update})
    (task,) = planning.isolated_liquidations([vault], book, ahead)
    assert needed(task.needs, {0: update}) == [update]
    assert needed((1,), {0: update}) == []
    assert list(planning.updates(ahead)) == []


def test_a_book_knows_its_holdings_and_what_a_pair_matches() -> None:
    legs: Slots = {
        (ALICE, 0, words.CROSS_LONG): replace(position(0), size=3),
        (ALICE, 0, words.CROSS_SHORT): replace(position(0), size=2),
        (BOB, 0, words.ISOLATED_LONG): position(USD),
        (BOB, 1, words.ISOLATED_LONG): replace(position(0), size=0),
    }
    book = book_of(legs)
    found = {(one.account, one.slot): one.hedged for one in book.holdings(0)}
    assert found == {(ALICE, 0): 2, (ALICE, 1): 2, (BOB, 2): 0}
    assert book.markets() == {0}
    assert [one.account for one in book.vaults()] == [BOB]


def test_a_copy_of_a_book_goes_on_alone() -> None:
    book = book_of({(ALICE, 0, words.ISOLATED_LONG): position(USD)})
    twin = book.copy()
    closed = words.pack_position(replace(position(0), size=0))
    arguments = {"account": ALICE, "market": 0, "slot": 2, "position_word": closed}
    twin.take(Event("PositionSettled", arguments, POOL, 1, "0x", 0))
    assert list(twin.open_slots()) == []
    assert len(list(book.open_slots())) == 1
    assert (twin.touched, book.touched) == ({(ALICE, 0, 2)}, set())


def test_an_order_of_a_group_that_is_done_is_known_to_be() -> None:
    group = b"\7" * 32
    book = with_orders(placed(group=group))
    (before,) = book.orders()
    book.state.done_groups.add((ALICE, ALICE, group))
    (after,) = book.orders()
    assert (before.is_group_done, after.is_group_done) == (False, True)


def test_a_child_is_told_what_became_of_its_entry() -> None:
    entry = b"\7" * 32
    book = with_orders(replace(placed(group=entry), is_child=True))
    pending: OrderState = replace(words.unpack_order_state(0), status=int(OrderStatus.PENDING))
    book.state.orders[entry] = pending
    assert [one.entry for one in book.orders()] == [None]
    filled = replace(pending, status=int(OrderStatus.EXECUTED), filled=LOTS)
    book.state.orders[entry] = filled
    assert [one.entry for one in book.orders()] == [filled]
