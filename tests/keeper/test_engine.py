"""A keeper at work on a real node."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from eth_utils.address import to_checksum_address
from eth_utils.conversions import to_hex
from eth_utils.crypto import keccak

from bulkhead import MarginMode, OrderState, Trader
from bulkhead.keeper.trial import Left
from bulkhead.keeper.work import Job, Task
from bulkhead.listings import BTC
from bulkhead.local.chains import rpc
from bulkhead.protocol import words
from bulkhead.values import to_usd
from tests.keeper.stage import Stage, fire, passes, staged

pytestmark = pytest.mark.anvil

ISOLATED = MarginMode.ISOLATED
BTC_PERP, ETH_PERP = "BTC-PERP", "ETH-PERP"


BTC_FEE = to_usd(BTC.keeper_fee)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as stage:
        yield stage


def crowd(stage: Stage, count: int) -> list[str]:
    """Many with an isolated long of 10x each, each a little larger than the one before."""
    reader = stage.world.reader
    w3, contracts, rich = reader.chain.w3, reader.contracts, stage.traders[0]
    people = [str(one) for one in w3.eth.accounts[-count:]]
    units = 100 * 10**reader.deployment.token_decimals
    house = contracts.clearinghouse
    ticket = Trader(reader, people[0]).order(
        BTC_PERP, "0.005", is_buy=True, margin_mode=ISOLATED, leverage=10
    )
    rpc(w3, "evm_setAutomine", False)
    fire(w3, rich.address, contracts.token.call("approve", house.address, count * units))
    for salt, person in enumerate(people):
        size = ticket.size * (1_000 + salt) // 1_000
        order = replace(ticket, account=person, placer=person, salt=salt, size=size)
        fire(w3, rich.address, house.call("deposit", person, units))
        fire(w3, person, contracts.order_book.call("place", order.to_tuple()))
    while int(rpc(w3, "txpool_status")["pending"], 16):
        rpc(w3, "evm_mine")
    rpc(w3, "evm_setAutomine", True)
    stage.world.refresh_prices()
    stage.run()
    return people


def fill_up(stage: Stage, account: str) -> None:
    """Gives an account all the cash that its word can hold: whatever pays it reverts."""
    w3, house = stage.world.reader.chain.w3, stage.world.reader.contracts.clearinghouse
    word = stage.world.reader.chain.read(house.call("account_word", account))
    full = words.pack_account(replace(words.unpack_account(word), cash=2**63 - 1))
    for place in range(100):
        key = keccak(place.to_bytes(32) + bytes.fromhex(account[2:]).rjust(32, b"\0"))
        found = w3.eth.get_storage_at(to_checksum_address(house.address), int.from_bytes(key))
        if int.from_bytes(found) == word:
            rpc(w3, "anvil_setStorageAt", house.address, to_hex(key), f"0x{full:064x}")
            return
    raise AssertionError("the account's word is not where mappings keep theirs")


def test_orders_are_filled_and_the_keeper_is_paid(stage: Stage) -> None:
    handles = [one.place(BTC_PERP, "0.1", is_buy=True) for one in stage.traders]
    stage.world.refresh_prices()
    report = stage.run()
    assert set(stage.states(handles)) == {OrderState.EXECUTED}
    assert (report.transactions, report.tasks, report.done) == (1, 7, 7)
    assert stage.world.reader.account(stage.world.keeper.address).cash == 7 * BTC_FEE


def test_nothing_is_sent_where_there_is_nothing_to_do(stage: Stage) -> None:
    stage.traders[0].place(BTC_PERP, "0.1", is_buy=True)
    report = stage.run()
    assert (report.passes, report.transactions) == (1, 0)


def test_a_dry_run_says_what_it_would_do_and_does_nothing(stage: Stage) -> None:
    handle = stage.traders[0].place(BTC_PERP, "0.1", is_buy=True)
    stage.world.refresh_prices()
    nonce = stage.world.reader.chain.nonce(stage.world.keeper.address)

    async def dry() -> None:
        async with stage.keeper() as kit:
            done = await kit.engine.once(dry_run=True)
            assert [batch.job for batch in done.planned] == [Job.EXECUTE_ORDERS]
            assert done.sent == ()

    asyncio.run(dry())
    assert handle.state() is OrderState.PENDING
    assert stage.world.reader.chain.nonce(stage.world.keeper.address) == nonce


def test_two_hundred_are_liquidated_at_once_worst_first_under_the_cap(tmp_path: Path) -> None:
    with staged(tmp_path, "--accounts", "220") as stage:
        liquidate_crowd(stage)


def liquidate_crowd(stage: Stage) -> None:
    accounts = crowd(stage, 200)
    stage.world.set_prices({BTC_PERP: 80_000})
    cap = 5_000_000
    seen: list[Task] = []

    async def liquidate() -> None:
        async with stage.keeper(policy={"gas_per_batch": cap}) as kit:
            for one in await passes(kit):
                for batch in one.sent:
                    assert batch.gas <= cap
                    seen.extend(batch.tasks)

    asyncio.run(liquidate())
    assert sorted(task.account for task in seen) == sorted(accounts)
    assert [task.urgency for task in seen] == sorted((task.urgency for task in seen), reverse=True)
    assert len({task.urgency for task in seen}) == 200
    assert all(not one.positions for one in stage.world.reader.accounts(accounts).values())


def test_liquidations_go_before_orders(stage: Stage) -> None:
    alice, bob = stage.traders[:2]
    alice.place(BTC_PERP, "0.1", is_buy=True, margin_mode=ISOLATED, leverage=10)
    stage.world.fill()
    bob.place(BTC_PERP, "0.1", is_buy=True)
    stage.world.set_prices({BTC_PERP: 88_000})

    async def once() -> list[Job]:
        async with stage.keeper() as kit:
            return [batch.job for batch in (await kit.engine.once()).sent]

    assert asyncio.run(once()) == [Job.LIQUIDATE_ISOLATED, Job.EXECUTE_ORDERS]


def test_a_race_that_another_wins_is_counted_and_not_run_again(stage: Stage) -> None:
    alice = stage.traders[0]
    handle = alice.place(BTC_PERP, "0.1", is_buy=True)
    stage.world.refresh_prices()
    w3 = stage.world.reader.chain.w3

    async def race() -> None:
        async with stage.keeper(signers=[{"local": "carol"}]) as kit:
            rpc(w3, "evm_setAutomine", False)
            first = await kit.engine.once()
            assert [batch.job for batch in first.sent] == [Job.EXECUTE_ORDERS]
            # Somebody pays more for the same, and is mined before.
            orders = [handle.order.to_tuple()]
            call = kit.reader.contracts.order_book.call("execute_orders", orders)
            fire(w3, stage.world.keeper.address, call, 100 * w3.eth.gas_price)
            rpc(w3, "evm_mine")
            rpc(w3, "evm_setAutomine", True)
            (settled,) = (await kit.engine.once()).watched.settled
            assert (settled.done, len(settled.lost)) == ((), 1)
            later = await kit.engine.once()
            assert (later.sent, later.found) == ((), {})

    asyncio.run(race())
    assert handle.state() is OrderState.EXECUTED


def test_an_order_that_always_fails_delays_no_other(stage: Stage) -> None:
    alice, bob = stage.traders[:2]
    alice.place(BTC_PERP, "0.1", is_buy=True, margin_mode=ISOLATED, leverage=10)
    stage.world.fill()
    poison = alice.close_position(BTC_PERP, is_long=True, margin_mode=ISOLATED)
    fill_up(stage, alice.address)
    healthy = bob.place(BTC_PERP, "0.1", is_buy=True)
    stage.world.refresh_prices()

    async def keep() -> None:
        async with stage.keeper() as kit:
            done = await kit.engine.once()
            assert [(task.key, why) for task, why, _ in done.left] == [
                ("0x" + poison.hash.hex(), Left.FAILS)
            ]
            assert [len(batch.tasks) for batch in done.sent] == [1]
            again = (await passes(kit))[-1]
            assert (again.left, again.resting) == ((), 1)

    asyncio.run(keep())
    assert healthy.state() is OrderState.EXECUTED
