"""A server in front of a real node that can be told how to misbehave, and remembers requests."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Self

from aiohttp import ClientSession, web
from aiohttp.web import Response

Asked = dict[str, Any]
Manner = Callable[["Proxy", Asked], Awaitable[Response]]


class Proxy:
    """Listens on a port of its own while the `async with` block runs.

    Its manner is what it does with a request; honest at first.
    """

    def __init__(self, node: str) -> None:
        self.node = node
        self.manner: Manner = honest
        self.asked: list[Asked] = []
        self.port = 0
        self.peers: set[object] = set()  # every connection that was ever made to it
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def methods(self) -> list[str]:
        return [one["method"] for one in self.asked]

    def sent(self) -> list[str]:
        """The raw transactions that went through it, or were shown to it."""
        found = (one for one in self.asked if one["method"] == "eth_sendRawTransaction")
        return [one["params"][0] for one in found]

    async def come(self) -> None:
        """Listens, on the port it had."""
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def die(self) -> None:
        """Closes all its connections, and takes none."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def pass_on(self, asked: Asked) -> Asked:
        """The node's answer."""
        async with ClientSession() as session, session.post(self.node, json=asked) as found:
            answer: Asked = await found.json()
            return answer

    async def __aenter__(self) -> Self:
        await self.come()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.die()

    async def _handle(self, request: web.Request) -> Response:
        asked: Asked = json.loads(await request.read())
        self.asked.append(asked)
        self.peers.add(request.transport.get_extra_info("peername") if request.transport else None)
        return await self.manner(self, asked)


async def honest(proxy: Proxy, asked: Asked) -> Response:
    return web.json_response(await proxy.pass_on(asked))


async def hangs(proxy: Proxy, asked: Asked) -> Response:
    await asyncio.sleep(60)
    return Response()


async def garbage(proxy: Proxy, asked: Asked) -> Response:
    return Response(text="<html>we are sorry</html>")


async def no_text(proxy: Proxy, asked: Asked) -> Response:
    return Response(body=b"\xff\xfe\x00")


async def deep(proxy: Proxy, asked: Asked) -> Response:
    return Response(text='{"a": [1, ' * 4_000)


async def half(proxy: Proxy, asked: Asked) -> Response:
    whole = json.dumps(await proxy.pass_on(asked))
    return Response(text=whole[: len(whole) // 2])


class _CutOff(Response):
    """Says how long the answer is, and ends the connection before it is."""

    async def prepare(self, request: web.BaseRequest) -> None:
        assert request.transport is not None
        request.transport.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"json')
        request.transport.close()


async def cut_off(proxy: Proxy, asked: Asked) -> Response:
    return _CutOff()


async def huge(proxy: Proxy, asked: Asked) -> Response:
    return Response(body=b" " * 200_000 + b"{}")


async def wrong_id(proxy: Proxy, asked: Asked) -> Response:
    return web.json_response({**await proxy.pass_on(asked), "id": 10**6})


async def no_result(proxy: Proxy, asked: Asked) -> Response:
    return web.json_response({"jsonrpc": "2.0", "id": asked["id"]})


async def nothing(proxy: Proxy, asked: Asked) -> Response:
    return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "result": None})


async def refuses_service(proxy: Proxy, asked: Asked) -> Response:
    return Response(status=503)


async def elsewhere(proxy: Proxy, asked: Asked) -> Response:
    return Response(status=307, headers={"Location": proxy.node})


async def limited(proxy: Proxy, asked: Asked) -> Response:
    error = {"code": -32005, "message": "Too Many Requests"}
    return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "error": error})


def too_many(retry_after: str) -> Manner:
    async def manner(proxy: Proxy, asked: Asked) -> Response:
        return Response(status=429, headers={"Retry-After": retry_after})

    return manner


def answers_with(found: dict[str, Any]) -> Manner:
    """Results, or errors, of its own for some methods."""

    async def manner(proxy: Proxy, asked: Asked) -> Response:
        if asked["method"] not in found:
            return await honest(proxy, asked)
        own = found[asked["method"]]
        named = own if isinstance(own, dict) and set(own) == {"error"} else {"result": own}
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], **named})

    return manner


def stuck_at(height: int) -> Manner:
    """A node that stopped following the chain at a block."""

    async def manner(proxy: Proxy, asked: Asked) -> Response:
        method, params = asked["method"], list(asked.get("params", []))
        if method == "eth_blockNumber":
            return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "result": hex(height)})
        if method == "eth_getBlockByNumber" and params[0].startswith("0x"):
            beyond = int(params[0], 16) > height
            return await (nothing if beyond else honest)(proxy, asked)
        params = [hex(height) if one in ("latest", "pending") else one for one in params]
        return await honest(proxy, {**asked, "params": params})

    return manner


def only_for(methods: str | tuple[str, ...], manner: Manner) -> Manner:
    """A manner for some methods, else honest."""
    named = (methods,) if isinstance(methods, str) else methods

    async def chosen(proxy: Proxy, asked: Asked) -> Response:
        return await (manner if asked["method"] in named else honest)(proxy, asked)

    return chosen


def on_chain(chain_id: int) -> Manner:
    return answers_with({"eth_chainId": hex(chain_id)})


def from_genesis(genesis: str) -> Manner:
    """Another chain of the same id."""

    async def manner(proxy: Proxy, asked: Asked) -> Response:
        answer = await proxy.pass_on(asked)
        if asked["method"] == "eth_getBlockByNumber" and asked["params"][0] == "0x0":
            answer["result"]["hash"] = genesis
        return web.json_response(answer)

    return manner
