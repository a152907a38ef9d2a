"""How one method serves both transports.

A class of verbs writes each of them once, as a program. A face is the same class with a transport:
its verbs run the programs, blocking or awaited, with the same names, arguments and results.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

if TYPE_CHECKING:
    from bulkhead.chain.requests import Program
    from bulkhead.chain.transports import AwaitingTransport, BlockingTransport

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Verbs:
    """Programs. Inside them `yield from self.verb(...)` runs another."""


class Face:
    """Verbs with a transport. What a face does not have itself is its verbs'."""

    verbs: Verbs

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name == "verbs":
                raise AttributeError(name)
            return getattr(self.verbs, name)


class Blocking(Face):
    """A face whose verbs return when they are done."""

    transport: BlockingTransport


class Awaiting(Face):
    """A face whose verbs are awaited."""

    transport: AwaitingTransport


class verb(Generic[Parameters, Result]):  # noqa: N801 - used like `property`
    """Turns a program into a method of every face of its class."""

    def __init__(self, function: Callable[Concatenate[Any, Parameters], Program[Result]]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> verb[Parameters, Result]: ...
    @overload
    def __get__(self, owner: Blocking, kind: type) -> Callable[Parameters, Result]: ...
    @overload
    def __get__(
        self, owner: Awaiting, kind: type
    ) -> Callable[Parameters, Coroutine[Any, Any, Result]]: ...
    @overload
    def __get__(self, owner: Verbs, kind: type) -> Callable[Parameters, Program[Result]]: ...
    def __get__(self, owner: Any, kind: type) -> Any:
        if owner is None:
            return self
        if not isinstance(owner, Blocking | Awaiting):
            return self._function.__get__(owner)
        program = self._function.__get__(owner.verbs)
        bound = (
            _blocking(program, owner) if isinstance(owner, Blocking) else _awaiting(program, owner)
        )
        return wraps(self._function)(bound)


def _blocking(program: Callable[..., Program[Result]], face: Blocking) -> Callable[..., Result]:
    def run(*arguments: Any, **named: Any) -> Result:
        return face.transport.run(program(*arguments, **named))

    return run


def _awaiting(
    program: Callable[..., Program[Result]], face: Awaiting
) -> Callable[..., Coroutine[Any, Any, Result]]:
    # What is wrong with the arguments is told where it is awaited, like all else.
    async def run(*arguments: Any, **named: Any) -> Result:
        return await face.transport.run(program(*arguments, **named))

    return run
