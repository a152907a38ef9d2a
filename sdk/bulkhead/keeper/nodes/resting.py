"""When what fails is left alone: for longer each time. Host seconds, monotonic: they only pace."""

from __future__ import annotations

import time

now = time.monotonic


class Rest:
    """The rests of one server.

    Args:
        first: Seconds after the first failure; doubled by each.
        longest: Seconds that they grow to, unless the server asks for more itself.

    Attributes:
        failures: How many there were in a row.
    """

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._last = 0.0
        self._until = 0.0
        self._up_since = 0.0
        self.failures = 0

    @property
    def left(self) -> float:
        """Seconds until it is asked again."""
        return max(0.0, self._until - now())

    def begin(self, least: float = 0.0) -> None:
        """It has failed, and asks for so many seconds at least."""
        grown = self._first * 2 ** min(self.failures, 32)
        self._last = max(min(grown, self._longest), least)
        self._until = now() + self._last
        self.failures += 1

    def end(self) -> None:
        """It is used again."""
        self._until = 0.0
        self._up_since = now()

    def was_answered(self) -> None:
        """It works; when it has for as long as it rested, its failures are forgiven."""
        if now() - self._up_since > self._last:
            self.failures = 0
