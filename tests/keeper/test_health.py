"""Alive and ready, asked over HTTP."""

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from bulkhead.keeper.configuration.groups import WatchSettings
from bulkhead.keeper.watch.health import Health, serving
from bulkhead.keeper.watch.metrics import Metrics

STALL = 30.0
Ask = Callable[[str], Awaitable[tuple[int, Any]]]


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def ready(clock: Callable[[], float] = time.monotonic) -> Health:
    health = Health(max_lag=3, stall=STALL, clock=clock)
    health.lag, health.is_verified, health.lanes, health.endpoints = 0, True, 2, 1
    health.turned()
    return health


def asked(health: Health, use: Callable[[Ask], Awaitable[None]]) -> None:
    """Uses a server of a keeper in this state."""

    async def session() -> None:
        settings = WatchSettings(port=0)
        async with (
            serving(settings, health, Metrics()) as port,
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
        ):

            async def ask(path: str) -> tuple[int, Any]:
                async with client.get(path) as answer:
                    text = await answer.text()
                    is_json = answer.content_type == "application/json"
                    return answer.status, json.loads(text) if is_json else text

            await use(ask)

    asyncio.run(session())


def test_a_keeper_that_is_ready_says_so() -> None:
    async def use(ask: Ask) -> None:
        assert await ask("/readyz") == (200, {"ok": True, "problems": []})
        assert await ask("/healthz") == (200, {"ok": True, "problems": []})

    asked(ready(), use)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("lag", 4, "it is 4 blocks behind; 3 are allowed"),
        ("lag", None, "it has not caught up yet"),
        ("is_verified", False, "chain and exchange are not verified yet"),
        ("lanes", 0, "no signer can send"),
        ("endpoints", 0, "no RPC address is usable"),
        ("is_stopping", True, "it is stopping"),
    ],
)
def test_a_keeper_that_is_not_ready_says_why_and_lives(
    field: str, value: object, problem: str
) -> None:
    health = ready()
    setattr(health, field, value)

    async def use(ask: Ask) -> None:
        assert await ask("/readyz") == (503, {"ok": False, "problems": [problem]})
        assert (await ask("/healthz"))[0] == 200

    asked(health, use)


def test_every_reason_is_told_at_once() -> None:
    async def use(ask: Ask) -> None:
        status, said = await ask("/readyz")
        assert status == 503
        assert len(said["problems"]) == 4

    asked(Health(max_lag=3, stall=STALL), use)


def test_what_is_at_its_limit_is_ready() -> None:
    clock = Clock()
    health = ready(clock)
    health.lag = 3
    clock.now += STALL
    assert health.obstacles() == ()


def test_a_keeper_that_sends_nothing_needs_no_signer() -> None:
    health = ready()
    health.lanes = None
    assert health.obstacles() == ()


def test_a_loop_that_does_not_turn_is_neither_alive_nor_ready() -> None:
    clock = Clock()
    health = ready(clock)
    clock.now += STALL + 1

    async def use(ask: Ask) -> None:
        status, said = await ask("/healthz")
        assert (status, said["ok"]) == (503, False)
        assert "has not turned for 31 s" in said["problems"][0]
        assert (await ask("/readyz"))[0] == 503
        health.turned()
        assert (await ask("/healthz"))[0] == 200

    asked(health, use)


def test_a_keeper_that_still_builds_its_index_is_alive() -> None:
    clock = Clock()
    health = Health(max_lag=3, stall=STALL, clock=clock)
    clock.now += 10_000
    assert health.ailments() == ()


def test_metrics_say_whether_it_is_ready() -> None:
    health = ready()

    async def use(ask: Ask) -> None:
        assert "\nbulkhead_keeper_ready 1.0\n" in (await ask("/metrics"))[1]
        health.is_stopping = True
        assert "\nbulkhead_keeper_ready 0.0\n" in (await ask("/metrics"))[1]

    asked(health, use)


@pytest.mark.parametrize("path", ["/", "/stop", "/metrics/..%2f", "/readyz/x"])
def test_there_is_nothing_else(path: str) -> None:
    async def use(ask: Ask) -> None:
        assert (await ask(path))[0] == 404

    asked(ready(), use)


def test_nothing_can_be_posted() -> None:
    async def session() -> None:
        async with (
            serving(WatchSettings(port=0), ready(), Metrics()) as port,
            aiohttp.ClientSession() as client,
            client.post(f"http://127.0.0.1:{port}/readyz") as answer,
        ):
            assert answer.status == 405

    asyncio.run(session())


def test_it_listens_on_this_machine_alone() -> None:
    async def session() -> None:
        async with serving(WatchSettings(port=0), ready(), Metrics()) as port:
            with socket.socket() as other:
                # Taken on the loopback, free on another of its addresses.
                other.bind(("127.0.0.2", port))

    asyncio.run(session())


def test_a_port_that_is_taken_is_told() -> None:
    async def session() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(OSError, match="address already in use"):
                async with serving(WatchSettings(port=port), ready(), Metrics()):
                    pass

    asyncio.run(session())


def test_it_can_be_off() -> None:
    async def session() -> None:
        async with serving(WatchSettings(enabled=False), ready(), Metrics()) as port:
            assert port == 0

    asyncio.run(session())


def test_a_client_that_never_finishes_does_not_hold_up_the_end() -> None:
    async def session() -> None:
        async with serving(WatchSettings(port=0), ready(), Metrics()) as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")
            await writer.drain()
            hanging = writer
        hanging.close()

    asyncio.run(asyncio.wait_for(session(), 5))
