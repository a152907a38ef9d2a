"""The heads that addresses have shown, and the one that was told: it never steps back. Pure."""

from __future__ import annotations

from bulkhead.keeper.nodes.answers import Head

TOLD = 256  # blocks that were told, and are remembered


class Heads:
    """What is known of the head of a chain.

    Args:
        max_lag: Blocks that one may be behind the best.

    Attributes:
        top: The highest block that any address has shown.
        mark: The last that was told.
    """

    def __init__(self, max_lag: int) -> None:
        self.max_lag = max_lag
        self.top: Head | None = None
        self.mark: Head | None = None
        self._told: dict[int, str] = {}

    @property
    def best(self) -> int:
        """The highest number of a block that any address has shown."""
        return self.top.number if self.top else 0

    @property
    def floor(self) -> int:
        """The lowest head that is neither a step back nor stale."""
        return max(self.mark.number if self.mark else 0, self.best - self.max_lag)

    def is_stale(self, head: Head | None) -> bool:
        """Whether one is too far behind the best."""
        return head is None or head.number < self.best - self.max_lag

    def is_news(self, head: Head | None) -> bool:
        """Whether one is higher than what was told."""
        return head is not None and (self.mark is None or head.number > self.mark.number)

    def see(self, head: Head) -> Head:
        """Notes what an address has shown."""
        if self.top is None or head.number > self.top.number:
            self.top = head
        return head

    def tell(self, head: Head) -> bool:
        """Makes one the mark, and returns whether it is another block than the one before."""
        if self.mark is not None and self.mark.hash == head.hash:
            return False
        self.mark = head
        near = {
            height: name for height, name in self._told.items() if 0 <= head.number - height < TOLD
        }
        self._told = {**near, head.number - 1: head.parent, head.number: head.hash}
        return True

    def step_back(self, head: Head) -> None:
        """Forgets that there were higher ones."""
        self.top = head

    def told_below(self, head: Head) -> tuple[int, str] | None:
        """The highest block that was told and is not above one: its height and its hash."""
        height = max((one for one in self._told if one <= head.number), default=None)
        return None if height is None else (height, self._told[height])
