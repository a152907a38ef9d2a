"""What liquidity providers hold: shares, requests to leave, and claims."""

from dataclasses import dataclass, field, replace
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Request:
    controller: str
    shares: int
    matures_at: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What fixed requests of a controller are worth, all together."""

    shares: int = 0
    assets: Fraction | int = 0


@dataclass(slots=True)
class Shares:
    supply: int = 0
    cooldown: int = 0  # seconds from a request to its maturity
    held: dict[str, int] = field(default_factory=dict)
    requests: dict[int, Request] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    count: int = 0  # of requests ever made
    allowances: dict[tuple[str, str], int] = field(default_factory=dict)  # of owners to spenders
    operators: set[tuple[str, str]] = field(default_factory=set)  # of controllers

    def copy(self) -> "Shares":
        return replace(
            self,
            held=dict(self.held),
            requests=dict(self.requests),
            claims=dict(self.claims),
            allowances=dict(self.allowances),
            operators=set(self.operators),
        )
