"""What happened, and why: `explain liquidation`."""

from __future__ import annotations

import click

from bulkhead.cli.parameters import HASH
from bulkhead.cli.session import Session, connected


@click.group()
def explain() -> None:
    """Explain what happened on chain, with every number."""


@explain.command()
@click.argument("transaction", type=HASH)
@connected
def liquidation(session: Session, transaction: bytes) -> None:
    """Explain what TRANSACTION liquidated: equity, margin, size, penalty, who paid and who got.

    The node must still have the state of the block before it. Every number is worked out anew and
    compared with what the chain logged.
    """
    from bulkhead.explain import explain_liquidation

    with session.output.working("working it out"):
        found = explain_liquidation(session.reader, f"0x{transaction.hex()}")
    session.output.show(found)
