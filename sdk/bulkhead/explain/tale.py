"""What an explanation is made of: steps, checks, and numbers in digits."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from bulkhead.values import femto_to_usd, from_ppm, to_usd, written


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a calculation.

    Attributes:
        what: What is worked out.
        how: From which numbers, and by which rule.
        result: Its outcome, in USD unless the step says otherwise.
    """

    what: str
    how: str
    result: Decimal | str


@dataclass(frozen=True, slots=True)
class Check:
    """A number that was worked out beside the one the chain logged.

    Attributes:
        what: Which.
        computed: By the steps.
        logged: By the chain.
        agrees: Whether they are the same.
    """

    what: str
    computed: Decimal
    logged: Decimal
    agrees: bool


@dataclass(slots=True)
class Tale:
    """Steps and checks as they come."""

    steps: list[Step] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    def tell(self, what: str, how: str, result: Decimal | str) -> None:
        """Adds a step."""
        self.steps.append(Step(what, how, result))

    def check(self, what: str, computed: Decimal, logged: Decimal) -> None:
        """Adds a check."""
        self.checks.append(Check(what, computed, logged, computed == logged))


@dataclass(frozen=True, slots=True)
class Part:
    """What one event of a liquidation did.

    Attributes:
        did: In a few words.
        account: Whose.
        position: Which; empty for a whole account's debt.
        steps: How it came to that.
        checks: Whether the steps come to what was logged.
    """

    did: str
    account: str
    position: str
    steps: tuple[Step, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A liquidation, in the order in which it happened.

    Attributes:
        transaction: Which.
        block: Where.
        time: Seconds, the chain's.
        insurance_before: USD.
        insurance_after: USD.
        agrees: Whether all that was worked out is what was logged.
        parts: Its events.
        payments: What the liquidators were paid, and the house after that.
    """

    transaction: str
    block: int
    time: int
    insurance_before: Decimal
    insurance_after: Decimal
    agrees: bool
    parts: tuple[Part, ...]
    payments: tuple[Check, ...]


def usd(femto: int) -> str:
    """Femto USD in digits."""
    return written(femto_to_usd(femto))


def quote(units: int) -> str:
    """Quote units in digits of USD."""
    return written(to_usd(units))


def percent(ppm: int) -> str:
    """Parts per million as a percentage."""
    return f"{written(from_ppm(ppm) * 100)} %"
