"""What went wrong, in one sentence or in JSON, on stderr; and what the process exits with."""

from __future__ import annotations

import json
import re
from typing import cast

import click

DONE = 0
REFUSED = 1  # for good: the same command fails again
USAGE = 2  # not understood; click's own
RETRYABLE = 3  # the same command may work later, and does no harm
NO_EXCHANGE = 4  # no node answers, or no exchange is there
NOT_FILLED = 5  # an order was placed, and has not filled
INTERRUPTED = 130

_PRIVATE = re.compile(r"\b(0x)?[0-9a-fA-F]{64}\b")
_PATH = re.compile(r"(with|for) url: \S+")


class NotFilled(click.ClickException):
    """An order was placed, and has not filled in the time it was given."""

    exit_code = NOT_FILLED


def expected() -> tuple[type[BaseException], ...]:
    """What commands raise on purpose. The rest is a bug, and shows its traceback."""
    # Imported once something is raised: `--help` needs none of it.
    from bulkhead.errors import BulkheadError

    return (BulkheadError, click.ClickException, click.Abort, ValueError, OSError)


def report(error: BaseException, *, as_json: bool) -> int:
    """Writes an error to stderr, and returns the exit code."""
    code, reason, is_retryable = _judge(error)
    if as_json:
        table = {"error": type(error).__name__, "reason": reason, "retryable": is_retryable}
        click.echo(json.dumps(table), err=True)
    else:
        if isinstance(error, click.UsageError) and error.ctx is not None:
            click.echo(error.ctx.get_usage(), err=True)
        click.echo(f"Error: {reason}", err=True)
    return code


def _judge(error: BaseException) -> tuple[int, str, bool]:
    """Its exit code, its reason, and whether the same command may work later."""
    from bulkhead.errors import BulkheadError, DeploymentError, Unreachable

    if isinstance(error, click.Abort):
        return INTERRUPTED, "aborted", False
    if isinstance(error, click.ClickException):
        return error.exit_code, unprivate(error.format_message()), False
    if isinstance(error, Unreachable):
        # The path of a node's address is often the key to it.
        return NO_EXCHANGE, _PATH.sub("", str(error)), True
    if isinstance(error, DeploymentError):
        return NO_EXCHANGE, str(error), False
    if isinstance(error, BulkheadError):
        return RETRYABLE if error.retryable else REFUSED, str(error), error.retryable
    return USAGE, unprivate(str(cast(Exception, error))), False


def unprivate(text: str) -> str:
    """A text about what was typed, without what may be a private key."""
    return _PRIVATE.sub("(32 bytes, not shown)", text)
