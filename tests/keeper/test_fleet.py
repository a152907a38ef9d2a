"""Several keepers at once, and keepers that are killed."""

import asyncio
import os
import random
import signal
import time
from pathlib import Path

import pytest

from bulkhead import audit
from bulkhead.keeper.running import RunReport, run
from bulkhead.keeper.watch.metrics import Metrics
from bulkhead.listings import BTC
from bulkhead.values import to_usd
from tests.keeper.stage import Stage, staged

pytestmark = [pytest.mark.anvil, pytest.mark.slow]

KILLS = 5  # at least, on however fast a machine
KEEPERS = ("keeper", "dave", "erin", "frank", "grace", "carol")


def test_four_shards_and_two_rivals_share_the_work_to_the_unit(tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        hashes = stage.place_many(120, stage.traders[:2])
        stage.world.refresh_prices()
        reports = asyncio.run(all_at_once(stage))
        assert set(stage.ends_of(hashes).values()) == {1}
        assert sum(report.done for report in reports) == 120
        assert earned(stage) == 120 * to_usd(BTC.keeper_fee)
        assert audit.audit(stage.world.reader).is_clean


def earned(stage: Stage) -> object:
    """What the keepers' accounts have beyond what their traders have deposited."""
    accounts = [stage.world.reader.account(one.address) for one in stage.traders[2:]]
    own = sum(account.cash - 50_000 for account in accounts)
    return own + stage.world.reader.account(stage.world.keeper.address).cash


async def all_at_once(stage: Stage) -> list[RunReport]:
    """Four shards, and two keepers that each take all they find."""
    shards = [f"{number}/4" for number in (1, 2, 3, 4)]
    settings = [
        stage.settings(name, shard=shard, signers=[{"local": name}])
        for name, shard in zip(KEEPERS, [*shards, "1/1", "1/1"], strict=True)
    ]
    runs = (run(one, once=True, stop=asyncio.Event(), metrics=Metrics()) for one in settings)
    return list(await asyncio.gather(*runs))


def is_unfinished(stage: Stage, hashes: set[bytes], kills: int) -> bool:
    return kills < KILLS or len(stage.ends_of(hashes)) < len(hashes)


def test_a_thousand_orders_each_end_once_while_keepers_are_killed(tmp_path: Path) -> None:
    dice = random.Random(7)
    with staged(tmp_path, "--block-time", "1", "--mixed-mining") as stage:
        hashes = set(stage.place_many(1_000))
        keepers = {name: stage.launch(name, signers=[{"local": name}]) for name in KEEPERS[:2]}
        kills = 0
        deadline = time.monotonic() + 150
        try:
            while is_unfinished(stage, hashes, kills) and time.monotonic() < deadline:
                stage.refresh_prices()
                time.sleep(dice.uniform(1, 4))
                name = dice.choice(KEEPERS[:2])
                os.killpg(keepers[name].pid, signal.SIGKILL)
                keepers[name].wait()
                keepers[name] = stage.launch(name, signers=[{"local": name}])
                kills += 1
        finally:
            for process in keepers.values():
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        ends = stage.ends_of(hashes)
        assert len(ends) == 1_000
        assert set(ends.values()) == {1}
        assert kills >= KILLS
        assert audit.audit(stage.world.reader).is_clean
