"""The two transports: programs run on `Web3`, or awaited on `AsyncWeb3`.

Whatever a connection raises becomes one of the package's own exceptions before a program sees it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, cast

from bulkhead import errors
from bulkhead.chain.requests import (
    Ask,
    Lock,
    Program,
    Request,
    Result,
    Rpc,
    Sleep,
    Together,
    Unlock,
    Work,
)

if TYPE_CHECKING:
    from web3 import AsyncWeb3, Web3
    from web3.types import RPCEndpoint


class BlockingTransport:
    """Runs programs on one `Web3`."""

    def __init__(self, w3: Web3) -> None:
        self.w3 = w3
        self._turns: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def run(self, program: Program[Result]) -> Result:
        """A program's result."""
        try:
            request = next(program)
            while True:
                try:
                    answer = self._answer(request)
                # Whatever it is, the program must see it: it may hold a turn.
                except BaseException as error:  # noqa: BLE001
                    request = program.throw(error)
                else:
                    request = program.send(answer)
        except StopIteration as end:
            return cast(Result, end.value)

    def _answer(self, request: Request) -> Any:
        match request:
            case Ask(name, arguments):
                with errors.translated():
                    found = getattr(self.w3.eth, name)
                    return found(*arguments) if callable(found) else found
            case Rpc(method, parameters):
                with errors.translated():
                    return self.w3.manager.request_blocking(
                        cast("RPCEndpoint", method), list(parameters)
                    )
            case Together(requests):
                return tuple(self._answer(one) for one in requests)
            case Work(function):
                return function()
            case Sleep(seconds):
                return time.sleep(seconds)
            case Lock(name):
                return self._turns[name].acquire()
            case Unlock(name):
                return self._turns[name].release()


class AwaitingTransport:
    """Runs programs on one `AsyncWeb3`."""

    def __init__(self, w3: AsyncWeb3[Any]) -> None:
        self.w3 = w3
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(self, program: Program[Result]) -> Result:
        """A program's result."""
        try:
            request = next(program)
            while True:
                try:
                    answer = await self._answer(request)
                # A cancelled task's program ends its turn like any other.
                except BaseException as error:  # noqa: BLE001
                    request = program.throw(error)
                else:
                    request = program.send(answer)
        except StopIteration as end:
            return cast(Result, end.value)

    async def _answer(self, request: Request) -> Any:
        match request:
            case Ask(name, arguments):
                with errors.translated():
                    found = getattr(self.w3.eth, name)
                    return await (found(*arguments) if callable(found) else found)
            case Rpc(method, parameters):
                with errors.translated():
                    return await self.w3.manager.coro_request(
                        cast("RPCEndpoint", method), list(parameters)
                    )
            case Together(requests):
                return tuple(await asyncio.gather(*map(self._answer, requests)))
            case Work(function):
                return await asyncio.to_thread(function)
            case Sleep(seconds):
                return await asyncio.sleep(seconds)
            case Lock(name):
                return await self._turns[name].acquire()
            case Unlock(name):
                return self._turns[name].release()
