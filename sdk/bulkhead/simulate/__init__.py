"""The exchange without a chain: what accounts, actions, prices and time come to.

`Simulation` is the friendly top: people, a price path in, an equity curve out. `Engine` is the
contracts themselves, in their own units, over any state.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bulkhead.simulate.curve import EquityCurve as EquityCurve
    from bulkhead.simulate.engine import Engine as Engine
    from bulkhead.simulate.participants import Participant as Participant
    from bulkhead.simulate.simulation import Simulation as Simulation

_HOME = {
    "Engine": "engine",
    "EquityCurve": "curve",
    "Participant": "participants",
    "Simulation": "simulation",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    # Loaded on first use, as in the package above.
    if name not in _HOME:
        raise AttributeError(f"bulkhead.simulate has no {name}")
    return getattr(import_module(f"bulkhead.simulate.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
