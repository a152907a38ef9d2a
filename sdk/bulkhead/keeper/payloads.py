"""Where the price updates of pull feeds come from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol


class PayloadSource(Protocol):
    """What knows newer prices than the oracle."""

    async def payloads(self, markets: Collection[int]) -> Mapping[int, bytes]:
        """What brings the newest prices of those of some markets that it has, by market."""

    async def fee(self, market: int, payload: bytes) -> int:
        """Wei that bringing a price costs."""


class NoPayloads:
    """Knows none: every price is pushed to the chain by others."""

    async def payloads(self, markets: Collection[int]) -> Mapping[int, bytes]:  # noqa: ARG002
        """None."""
        return {}

    async def fee(self, market: int, payload: bytes) -> int:  # noqa: ARG002
        """Nothing."""
        return 0
