"""What a pass means for those who watch."""

import asyncio
from pathlib import Path

import pytest

from bulkhead.keeper.watch.health import Health
from bulkhead.keeper.watch.metrics import Metrics
from bulkhead.keeper.watch.reporting import Reporter
from bulkhead.local.chains import rpc
from tests.keeper.stage import Stage, staged
from tests.keeper.test_metrics import value

pytestmark = pytest.mark.anvil

BLOCKS = 5


def test_the_lag_is_to_the_highest_block_that_a_node_has_shown(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        metrics, health = Metrics(), Health(max_lag=3, stall=60)
        async with stage.keeper() as kit:
            reporter = Reporter(kit, metrics, health)
            done = await kit.engine.once()
            await reporter.report(done)
            assert (health.lag, value(metrics, "head_lag_seconds")) == (0, 0)
            rpc(stage.world.reader.chain.w3, "anvil_mine", BLOCKS, 12)
            async with asyncio.timeout(30):
                while kit.pool.top is None or kit.pool.top.number < done.watched.at.number + BLOCKS:
                    await asyncio.sleep(0.05)
            await reporter.report(done)
        assert health.lag == value(metrics, "head_lag_blocks") == BLOCKS
        assert (value(metrics, "head_lag_seconds") or 0) >= (BLOCKS - 1) * 12

    with staged(tmp_path, names=("alice",)) as stage:
        asyncio.run(story(stage))
