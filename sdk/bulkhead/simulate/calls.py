"""One call of the engine: all of it happens, or nothing does."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from bulkhead.interfaces import Event
from bulkhead.orders import Order
from bulkhead.simulate.ledger import Ledger
from bulkhead.state import ExchangeState

Arguments = ParamSpec("Arguments")
Value = TypeVar("Value")

NO_DOMAIN = bytes(32)

_ORDER_FIELDS = tuple(field.name for field in fields(Order))
_MAX_UINT = 2**256 - 1


@dataclass(frozen=True, slots=True)
class Done(Generic[Value]):
    """What a call did.

    Attributes:
        value: What it returned, as the contract's does.
        events: What it logged, with the contracts' names and fields, in their order.
    """

    value: Value
    events: tuple[Event, ...]

    def named(self, name: str) -> tuple[Event, ...]:
        """The events of one name."""
        return tuple(event for event in self.events if event.name == name)


class Caller:
    """Whatever acts on a ledger.

    Args:
        state: All that the exchange holds. It is changed in place.
        now: The chain's time, seconds.
        outdated: Markets whose source is known to have a newer price than the one taken.
        domain: The EIP-712 domain separator that orders are hashed under.
    """

    def __init__(
        self,
        state: ExchangeState,
        now: int,
        *,
        outdated: Collection[int],
        domain: bytes,
    ) -> None:
        self.ledger = Ledger(state, now, outdated, domain)

    def call(
        self,
        function: Callable[Concatenate[Ledger, Arguments], Value],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Done[Value]:
        """Calls a function of the modules; if it refuses, nothing has changed.

        Raises:
            Refused: As the contract would revert.
            ValueError: For a number that no call could carry.
        """
        for argument in (*arguments, *named.values()):
            _require_encodable(argument)
        logged = len(self.ledger.events)
        with self.ledger.call():
            value = function(self.ledger, *arguments, **named)
        return Done(value, tuple(self.ledger.events[logged:]))


def _require_encodable(argument: Any) -> None:
    """Refuses what no call could carry: all numbers of all calls are uint256."""
    if isinstance(argument, Order):
        for name in _ORDER_FIELDS:
            _require_encodable(getattr(argument, name))
    elif isinstance(argument, tuple | list):
        for one in argument:
            _require_encodable(one)
    elif isinstance(argument, float):
        raise TypeError(f"{argument}: not a whole number")
    elif isinstance(argument, int) and not 0 <= argument <= _MAX_UINT:
        raise ValueError(f"{argument}: not a uint256")
