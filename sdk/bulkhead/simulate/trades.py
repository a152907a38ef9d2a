"""A trade, as the order book asks for it, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from bulkhead.protocol.reasons import Reason
from bulkhead.protocol.words import Position
from bulkhead.simulate.fills import Fill, Part


@dataclass(frozen=True, slots=True)
class Trade:
    """What the order book asks of the clearinghouse, as in `ITrading.vyi`."""

    account: str
    market: int
    is_isolated: bool
    position_side: int
    is_buy: bool
    reduce_only: bool
    size: int
    acceptable_price: int
    margin: int
    leverage: int
    bound_to: int
    epoch: int
    refusal: Reason
    builder: str
    builder_rate: int
    referrer: str
    referral_share: int
    order_hash: bytes
    keeper: str
    keeper_fee: int
    is_escrowed: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a trade, as in `ITrading.vyi`."""

    reason: Reason
    receiver: str = ""
    keeper_fee: int = 0
    builder_fee: int = 0
    filled: int = 0
    generation: int = 0


@dataclass(slots=True)
class Plan:
    """The two slots that a trade may touch, and what becomes of them."""

    reduction: Part
    increase: Part
    reduced: Fill = field(default_factory=Fill)
    increased: Fill = field(default_factory=Fill)

    @property
    def gain(self) -> int:
        """Femto, what the increase itself earned."""
        return max(0, -self.increased.impact)

    @property
    def before(self) -> Position:
        """The position in the slot that the order reduces, before it."""
        return self.reduction.position

    @property
    def after_reduction(self) -> Position:
        """The same after it."""
        return self.reduced.position if self.reduction.size else self.reduction.position

    @property
    def after_increase(self) -> Position:
        """The position in the slot that the order opens, after it."""
        return self.increased.position if self.increase.size else self.increase.position
