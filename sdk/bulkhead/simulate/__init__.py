"""The exchange without a chain: what accounts, actions, prices and time come to.

`Simulation` is the friendly top: people, a price path in, an equity curve out. `Engine` is the
contracts themselves, in their own units, over any state.
"""

from typing import TYPE_CHECKING

from bulkhead._lazy import lazy_names

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

__all__, __getattr__, __dir__ = lazy_names(__name__, _HOME)
