"""What a program asks of the world: plain values, answered by whichever transport runs it.

A program is a generator. It yields requests, is sent their answers, and returns its result; what a
request raises is raised where the program yielded it. It knows no connection, so the same program
runs blocking and awaited.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from bulkhead.interfaces import Call

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Ask:
    """A method, or a property, of `web3.eth`."""

    name: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Rpc:
    """A JSON-RPC method that web3 has no name for."""

    method: str
    parameters: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Together:
    """Several requests that do not wait for each other; answered in their order."""

    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """Something that may take long and asks nothing of the chain, like a signature."""

    function: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Sleep:
    """Time to let pass on the host."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Lock:
    """One sender's turn, until its `Unlock`."""

    name: str


@dataclass(frozen=True, slots=True)
class Unlock:
    """The end of a sender's turn."""

    name: str


Request: TypeAlias = Ask | Rpc | Together | Work | Sleep | Lock | Unlock

Program: TypeAlias = Generator[Request, Any, Result]
"""Yields requests, is sent their answers, returns its result."""

Query: TypeAlias = Generator[tuple["Call", ...], tuple[Any, ...], Result]
"""A program of reads alone, all of one block: yields calls, is sent their decoded results."""
