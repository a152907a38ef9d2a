"""A keeper that works through its account: prices and work at once, rewards in one place."""

import asyncio
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from bulkhead import MarginMode, OrderState
from bulkhead.contracts import Contracts
from bulkhead.deployment import Deployment
from bulkhead.errors import CallerNotAnOperator, DeploymentError
from bulkhead.keeper.account import (
    MAX_OPERATORS,
    MAX_UPDATES,
    AccountDesk,
    KeeperAccount,
    deploy_account,
    problems_of,
)
from bulkhead.keeper.configuration.checkup import check
from bulkhead.keeper.desk import Desk, desk_of
from bulkhead.keeper.work import Job, Task
from bulkhead.listings import BTC
from bulkhead.local import advance_time
from tests.keeper.payloads.feeds import FEE, SIGNERS, hermes_of, quotes_of, use_pyth
from tests.keeper.payloads.server import PriceServer
from tests.keeper.stage import Stage, passes, staged

BTC_PERP = "BTC-PERP"
ISOLATED = MarginMode.ISOLATED
ADDRESS = "0x" + "11" * 20


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path, names=("alice", "bob")) as stage:
        yield stage


def boss_of(stage: Stage) -> str:
    return str(stage.world.liquidity_provider.address)


def deployed(stage: Stage, *operators: str) -> KeeperAccount:
    world = stage.world
    keys = operators or (world.keeper.address,)
    w3 = world.reader.chain.w3
    return deploy_account(w3, world.keeper.address, world.reader.deployment, boss_of(stage), keys)


def task(verb: str, argument: Any, market: int | None = None) -> Task:
    return Task(Job.SETTLE, "key", "", market, (), verb, argument, 1)


@pytest.mark.anvil
def test_orders_pay_the_account_and_its_owner_takes_it_out(stage: Stage) -> None:
    account = deployed(stage)
    handle = stage.traders[0].place(BTC_PERP, "0.1", is_buy=True)
    advance_time(stage.anvil.connect(), 5)
    stage.refresh_prices()
    assert stage.run(account=account.address).done == 1
    assert handle.state() is OrderState.EXECUTED
    reader = stage.world.reader
    earned = reader.account(account.address).cash
    assert earned > 0
    assert reader.account(stage.world.keeper.address).cash == 0
    boss = boss_of(stage)
    receipt = reader.chain.send(account.withdraw(BTC.keeper_fee, boss), boss)
    assert receipt.logs
    assert reader.account(account.address).cash == 0


@pytest.mark.anvil
def test_liquidations_go_through_the_account(stage: Stage) -> None:
    account = deployed(stage)
    stage.traders[0].place(BTC_PERP, "0.1", is_buy=True, margin_mode=ISOLATED, leverage=10)
    stage.world.fill()
    stage.world.set_prices({BTC_PERP: 90_300})
    assert stage.run(account=account.address).done == 1
    assert stage.world.reader.account(account.address).cash > 0


def use_one_signer(stage: Stage) -> None:
    admin = stage.world.admin
    admin.set_signers([SIGNERS[0].address], 1)
    admin.set_signed_feed(0, BTC)


def done_at_brought_price(stage: Stage, prices: Any, kind: str, **named: Any) -> list[Job]:
    """Has an order executed at a price that only a server knows; the jobs that were sent."""
    handle = stage.traders[0].place(BTC_PERP, "0.1", is_buy=True)
    advance_time(stage.anvil.connect(), 5)

    async def story() -> list[Job]:
        async with PriceServer(prices(stage)) as server:
            feeds = {kind: [server.url] if kind == "signed_urls" else server.url}
            async with stage.keeper(feeds=feeds, **named) as kit:
                made = await passes(kit)
        return [one.job for each in made for one in each.sent]

    sent = asyncio.run(asyncio.wait_for(story(), 40))
    assert handle.state() is OrderState.EXECUTED
    return sent


def signed_price(stage: Stage) -> Any:
    return quotes_of(stage, SIGNERS[0], int(stage.world.reader.price(BTC_PERP)))


def pyth_price(stage: Stage) -> Any:
    return hermes_of(stage, int(stage.world.reader.price(BTC_PERP)))


@pytest.mark.anvil
def test_a_price_and_what_needs_it_go_in_one_transaction(stage: Stage) -> None:
    account = deployed(stage).address
    use_one_signer(stage)
    sent = done_at_brought_price(stage, signed_price, "signed_urls", account=account)
    assert sent == [Job.EXECUTE_ORDERS]
    events = {event.name: event for event in stage.world.reader.events()}
    assert events["PriceUpdated"].transaction == events["OrderExecuted"].transaction


@pytest.mark.anvil
def test_without_an_account_the_price_goes_first(stage: Stage) -> None:
    use_one_signer(stage)
    sent = done_at_brought_price(stage, signed_price, "signed_urls")
    assert sent == [Job.UPDATE_PRICES, Job.EXECUTE_ORDERS]


@pytest.mark.anvil
@pytest.mark.parametrize("has_account", [False, True])
def test_what_the_source_of_a_price_asks_for_goes_with_it(stage: Stage, has_account: bool) -> None:
    named = {"account": deployed(stage).address} if has_account else {}
    pyth = use_pyth(stage)
    done_at_brought_price(stage, pyth_price, "hermes_url", **named)
    chain = stage.world.reader.chain
    assert chain.balance(pyth) >= FEE
    assert [chain.balance(one) for one in named.values()] == [0] * len(named)


@pytest.mark.anvil
def test_a_signer_that_the_account_does_not_know_does_not_start(stage: Stage) -> None:
    account = deployed(stage, ADDRESS)
    settings = stage.settings(account=account.address)
    keeper = stage.world.keeper.address
    with pytest.raises(DeploymentError, match=f"{keeper} is no operator"):
        stage.run(account=account.address)
    assert any("is no operator" in one.problem for one in check(settings).problems)
    reader, boss = stage.world.reader, boss_of(stage)
    reader.chain.send(account.set_operator(keeper), boss)
    assert stage.run(account=account.address).done == 0
    assert not [one for one in check(settings).problems if "account" in one.problem]
    reader.chain.send(account.set_operator(keeper, False), boss)
    with pytest.raises(CallerNotAnOperator):
        reader.chain.check(account.update_prices([]), keeper)


@pytest.mark.anvil
def test_what_is_no_account_of_this_exchange_does_not_start(stage: Stage) -> None:
    with pytest.raises(DeploymentError, match="no contract at"):
        stage.run(account=ADDRESS)
    world = stage.world
    w3, deployment = world.reader.chain.w3, world.reader.deployment
    other = replace(deployment, order_book=deployment.lens)
    keeper = world.keeper.address
    account = deploy_account(w3, keeper, other, boss_of(stage), [keeper])
    (problem,) = problems_of(w3, deployment, account, [keeper])
    assert "its order_book is" in problem


@pytest.mark.anvil
def test_more_operators_than_fit_are_refused_before_it_is_deployed(stage: Stage) -> None:
    with pytest.raises(ValueError, match="operators"):
        deployed(stage, *[ADDRESS] * (MAX_OPERATORS + 1))


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> Contracts:
    named = {one.name: ADDRESS for one in fields(Deployment)}
    return Contracts(Deployment(**{**named, "chain_id": 1, "block": 0, "token_decimals": 6}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("verb", "argument", "name", "is_through"),
    [
        ("liquidate_isolated", 1, "liquidate", True),
        ("liquidate_cross", ADDRESS, "liquidate", True),
        ("auto_deleverage", 1, "deleverage", True),
        ("fix", 1, "fix", True),
        ("lapse", 1, "lapse", False),
        ("settle_positions", 1, "settle_positions", False),
        ("fix_settlement", 0, "fix_settlement", False),
        ("settle_dead", 0, "settle_dead", False),
    ],
)
def test_only_what_pays_or_needs_a_price_goes_through_the_account(
    contracts: Contracts, verb: str, argument: Any, name: str, is_through: bool
) -> None:
    desk = desk_of(contracts, [ADDRESS], "0x" + "22" * 20)
    assert isinstance(desk, AccountDesk)
    call = desk.call_of([task(verb, argument, market=0)])
    assert call.name == name
    assert (call.to == desk.account.address) is is_through
    assert desk.payees == {desk.account.address}
    assert desk.brings == MAX_UPDATES


def test_signers_without_an_account_work_themselves(contracts: Contracts) -> None:
    desk = desk_of(contracts, [ADDRESS], None)
    assert type(desk) is Desk
    assert desk.brings == 0
    assert desk.payees == {ADDRESS}
