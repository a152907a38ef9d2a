"""Guards of the engine: the contracts' `assert`, with the contracts' words."""

from bulkhead.errors import REASONS


def require(condition: bool, reason: str) -> None:
    """Refuses unless a condition holds.

    Raises:
        Refused: The exception of that reason, if it does not.
    """
    if not condition:
        raise REASONS[reason]
