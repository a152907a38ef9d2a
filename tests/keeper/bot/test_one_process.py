"""The bot on a live node, by silverback's own command."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from bulkhead import MarginMode, OrderState
from bulkhead.local.chains import rpc
from tests.keeper.bot.commands import (
    NODE,
    SECONDS,
    STOP_SECONDS,
    Commands,
    blocks,
    is_closed,
    signer,
    until,
)
from tests.keeper.stage import Stage

pytestmark = [pytest.mark.anvil, pytest.mark.slow]

BTC_PERP = "BTC-PERP"
ISOLATED = MarginMode.ISOLATED
*EXPORTS, RUN = blocks("sh")[0]


@pytest.fixture
def commands(stage: Stage, tmp_path: Path) -> Iterator[Commands]:
    _, key = signer(22)
    commands = Commands(tmp_path, {NODE: stage.anvil.url.split("//")[1]}, {"KEEPER_KEY": key})
    yield commands
    commands.close()


def let_blocks_come(stage: Stage) -> None:
    """One a second, as on a chain with others on it."""
    w3 = stage.world.reader.chain.w3
    rpc(w3, "evm_setAutomine", False)
    rpc(w3, "evm_setIntervalMining", 1)


def test_an_order_is_executed_and_an_unhealthy_position_liquidated(
    stage: Stage, commands: Commands, tmp_path: Path
) -> None:
    alice, *_ = stage.traders
    run = commands.start("run", EXPORTS, RUN)
    commands.await_word("run", "transitioning to runtime")
    handle = alice.place(BTC_PERP, "0.1", is_buy=True, margin_mode=ISOLATED, leverage=10)
    let_blocks_come(stage)
    stage.world.refresh_prices()
    until(lambda: handle.state() is OrderState.EXECUTED, "the order is executed")
    stage.world.set_prices({BTC_PERP: 88_000})
    reader = stage.world.reader
    until(lambda: not reader.account(alice.address).positions, "the position is liquidated")
    run.send_signal(signal.SIGTERM)
    assert run.wait(STOP_SECONDS) == 0
    assert is_closed(tmp_path / "keeper.db")


def test_what_was_there_before_it_was_started_is_done(stage: Stage, commands: Commands) -> None:
    alice, bob, *_ = stage.traders
    alice.place(BTC_PERP, "0.1", is_buy=True, margin_mode=ISOLATED, leverage=10)
    stage.world.fill()
    handle = bob.place(BTC_PERP, "0.1", is_buy=True)
    stage.world.set_prices({BTC_PERP: 88_000})
    let_blocks_come(stage)
    commands.start("run", EXPORTS, RUN)
    reader = stage.world.reader
    until(lambda: not reader.account(alice.address).positions, "the position is liquidated")
    until(lambda: handle.state() is OrderState.EXECUTED, "the order is executed")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("BULKHEAD_KEEPER__CHAIN__ID=1", "WrongChain"),
        ("BULKHEAD_BOT_SHARDS=0", "BULKHEAD_BOT_SHARDS: a number from 1"),
        ("BULKHEAD_BOT_SHARDS=2 BULKHEAD_KEEPER__SHARD=1/2", "divides the work already"),
    ],
)
def test_it_refuses_to_start(stage: Stage, commands: Commands, settings: str, said: str) -> None:
    run = commands.start("run", [*EXPORTS, f"export {settings}"], RUN)
    assert run.wait(SECONDS) != 0
    assert said in commands.said("run")
