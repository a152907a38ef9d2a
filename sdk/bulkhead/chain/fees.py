"""What gas costs, and what a transaction offers for it. Pure; wei per unit of gas."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fees:
    """What a transaction offers for a unit of gas.

    Attributes:
        most: It pays no more than this, base fee and tip together.
        tip: What the block's maker gets of it; None on chains without a base fee.
    """

    most: int
    tip: int | None

    def fields(self) -> dict[str, int]:
        """As a transaction names them."""
        if self.tip is None:
            return {"gasPrice": self.most}
        return {"maxFeePerGas": self.most, "maxPriorityFeePerGas": self.tip}

    def capped(self, cap: int | None) -> Fees:
        """The same, or what the cap lets."""
        if cap is None or self.most <= cap:
            return self
        return Fees(cap, None if self.tip is None else min(self.tip, cap))

    def raised(self, percent: int) -> Fees:
        """More by so many percent, up: nodes replace a transaction only if all of it is more."""
        tip = None if self.tip is None else _raised(self.tip, percent)
        return Fees(_raised(self.most, percent), tip)


@dataclass(frozen=True, slots=True)
class GasPrice:
    """What gas costs now.

    Attributes:
        base: What every transaction of the latest block pays; None on chains without a base fee.
        tip: What to offer the block's maker on top; all of the price where there is no base.
    """

    base: int | None
    tip: int

    @property
    def least(self) -> int:
        """A transaction that offers less than this is not mined now."""
        return self.tip if self.base is None else self.base

    def offer(self) -> Fees:
        """What a new transaction offers."""
        if self.base is None:
            return Fees(self.tip, None)
        # Two full blocks raise the base fee by 27 % at most: twice lasts for six.
        return Fees(2 * self.base + self.tip, self.tip)


def _raised(fee: int, percent: int) -> int:
    return fee * (100 + percent) // 100 + 1
