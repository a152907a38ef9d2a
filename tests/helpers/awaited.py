"""Asynchronous faces driven from plain tests: one suite holds for both transports."""

import asyncio
import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from bulkhead.chain import Awaiting


class Loop:
    """An event loop that lives as long as the connections made in it."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def faced(self, value: Any) -> Any:
        """A face, or what one returned, whose verbs return when they are done."""
        if isinstance(value, Awaiting):
            return Awaited(self, value)
        if isinstance(value, tuple) and type(value) is tuple:
            return tuple(map(self.faced, value))
        return value

    def finish(self, coroutine: Any) -> Any:
        """What a coroutine returns."""
        return self._runner.run(coroutine)

    def close(self) -> None:
        self._runner.close()


class Awaited:
    """An asynchronous face; every verb is awaited before it returns."""

    def __init__(self, loop: Loop, face: Awaiting) -> None:
        self._loop = loop
        self._face = face

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._face, name)
        if inspect.iscoroutinefunction(found) or _is_verb(found):
            return self._blocking(found)
        return self._loop.faced(found)

    def _blocking(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def run(*arguments: Any, **named: Any) -> Any:
            own = [_bare(one) for one in arguments]
            return self._loop.faced(self._loop.finish(function(*own, **named)))

        return run


def _bare(value: Any) -> Any:
    if isinstance(value, Awaited):
        return value._face
    return [_bare(one) for one in value] if isinstance(value, list) else value


def _is_verb(found: Any) -> bool:
    return callable(found) and inspect.iscoroutinefunction(inspect.unwrap(found))
