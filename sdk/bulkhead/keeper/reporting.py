"""What a pass means for those who watch: metrics, logs, and what the keeper says of its health."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkhead.keeper.metrics import Failure
from bulkhead.keeper.trial import Left

if TYPE_CHECKING:
    from bulkhead.keeper.assembly import Kit
    from bulkhead.keeper.engine import Pass
    from bulkhead.keeper.metrics import Metrics


def report(done: Pass, kit: Kit, metrics: Metrics) -> None:
    """Counts what a pass did."""
    at = done.at
    metrics.head(done.progress.head, at.number, at.timestamp, at.timestamp)
    metrics.passed(at.timestamp)
    if done.progress.rolled_back_to is not None:
        metrics.rolled_back()
    metrics.candidates(done.found)
    for batch in done.sent:
        metrics.sent(batch.job, len(batch.tasks))
    for task, why, reason in done.left:
        if why is Left.FAILS:
            metrics.failed(task.job, reason or Failure.SIMULATION)
    for settled in done.settled:
        _settled(settled, done, metrics)
