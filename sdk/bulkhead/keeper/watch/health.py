"""Whether a keeper is alive and ready, and the HTTP server that says so.

`/healthz` is for whoever restarts it, `/readyz` for whoever is to be called, `/metrics` for
Prometheus. Nothing here moves the keeper, and nothing that is told is a secret; the server listens
on this machine alone unless it is told otherwise.

Needs the extra `bulkhead[keeper]`.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from bulkhead.keeper.watch.metrics import CONTENT_TYPE

if TYPE_CHECKING:
    from bulkhead.keeper.configuration.groups import WatchSettings
    from bulkhead.keeper.watch.metrics import Metrics

CLOSE_SECONDS = 1.0  # that an open answer may still take when the keeper stops


@dataclass(slots=True)
class Health:
    """What the loop knows of itself.

    Attributes:
        max_lag: Blocks that a ready keeper may be behind.
        stall: Seconds of this machine without a turn of the loop after which it is not alive.
        clock: This machine's monotonic clock.
        lag: Blocks it is behind; None before it knows.
        is_verified: Whether the chain is the one that was meant, and has the exchange.
        lanes: Signers that can send, or are sending; None where nothing is to be sent.
        endpoints: Addresses that are asked.
        is_stopping: Whether it was told to stop.
    """

    max_lag: int
    stall: float
    clock: Callable[[], float] = time.monotonic
    lag: int | None = None
    is_verified: bool = False
    lanes: int | None = 0
    endpoints: int = 0
    is_stopping: bool = False
    _turned_at: float | None = field(default=None, init=False)

    def turned(self) -> None:
        """The loop has turned once more."""
        self._turned_at = self.clock()

    def ailments(self) -> tuple[str, ...]:
        """Why it is not alive. Before its first turn it is: building an index may take long."""
        if self._turned_at is None:
            return ()
        since = self.clock() - self._turned_at
        if since <= self.stall:
            return ()
        return (f"the loop has not turned for {since:.0f} s; {self.stall:g} s are allowed",)

    def obstacles(self) -> tuple[str, ...]:
        """Why it is not ready: every reason there is."""
        found = list(self.ailments())
        if self.is_stopping:
            found.append("it is stopping")
        if not self.is_verified:
            found.append("chain and exchange are not verified yet")
        if self.endpoints == 0:
            found.append("no RPC address is usable")
        if self.lag is None:
            found.append("it has not caught up yet")
        elif self.lag > self.max_lag:
            found.append(f"it is {self.lag} blocks behind; {self.max_lag} are allowed")
        if self.lanes == 0:
            found.append("no signer can send")
        return tuple(found)


@asynccontextmanager
async def serving(settings: WatchSettings, health: Health, metrics: Metrics) -> AsyncIterator[int]:
    """Answers while the block runs, unless settings say not to.

    Args:
        settings: Where.
        health: What is told.
        metrics: What Prometheus gets.

    Yields:
        The port that it listens on; 0 for none.

    Raises:
        OSError: If it can not listen there.
    """
    if not settings.enabled:
        yield 0
        return
    runner = web.AppRunner(
        application(health, metrics), access_log=None, shutdown_timeout=CLOSE_SECONDS
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def application(health: Health, metrics: Metrics) -> web.Application:
    """The three pages."""

    async def healthz(request: web.Request) -> web.Response:  # noqa: ARG001 - aiohttp's
        return _said(health.ailments())

    async def readyz(request: web.Request) -> web.Response:  # noqa: ARG001
        return _said(health.obstacles())

    async def read(request: web.Request) -> web.Response:  # noqa: ARG001
        metrics.ready(not health.obstacles())
        return web.Response(body=metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", read)
    return app


def _said(problems: tuple[str, ...]) -> web.Response:
    return web.json_response(
        {"ok": not problems, "problems": list(problems)},
        status=503 if problems else 200,
        headers={"Cache-Control": "no-store"},
    )
