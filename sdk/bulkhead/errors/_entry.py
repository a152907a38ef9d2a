"""One row of the table of reasons."""

from typing import NamedTuple


class Entry(NamedTuple):
    """What a reason means.

    Attributes:
        meaning: What was wrong.
        advice: What to do about it.
        retryable: Whether the same call may work later, without changing it or the account.
    """

    meaning: str
    advice: str
    retryable: bool = False
