"""A server of prices that does as it is told, and remembers what it was asked."""

import asyncio
import json
from typing import Any, Self

from aiohttp import web


class PriceServer:
    """Listens while the `async with` block runs; `answer` is what it says."""

    def __init__(self, answer: Any = None) -> None:
        self.answer: Any = answer
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.delay = 0.0
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        query = {name: request.query.getall(name) for name in request.query}
        self.asked.append((request.path, query))
        await asyncio.sleep(self.delay)
        answer = self.answer(request) if callable(self.answer) else self.answer
        if isinstance(answer, web.Response):
            return answer
        return web.Response(text=json.dumps(answer), content_type="application/json")
