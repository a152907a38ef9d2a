"""What happened, and why: `explain liquidation`."""

from __future__ import annotations

import click

from bulkhead.cli.parameters import HASH, PERSON
from bulkhead.cli.session import Session, connected

LOG_BLOCKS = 50_000  # that are searched where no transaction is named


@click.group()
def explain() -> None:
    """Explain what happened on chain, with every number."""


@explain.command()
@click.argument("transaction", type=HASH, required=False)
@click.option("--of", "who", type=PERSON, help="The latest of this account.")
@connected
def liquidation(session: Session, transaction: bytes | None, who: str | None) -> None:
    """Explain what TRANSACTION liquidated: equity, margin, size, penalty, who paid and who got.

    If none is named, it is the latest of the last 50,000 blocks.
    The node must still have the state of the block before it. Every number is worked out anew and
    compared with what the chain logged.
    """
    from bulkhead.explain import explain_liquidation, latest_liquidation

    reader = session.reader
    with session.output.working("working it out"):
        if transaction is None:
            first = max(reader.block().number - LOG_BLOCKS, session.deployment.block)
            account = None if who is None else session.address_of(who)
            found = explain_liquidation(reader, latest_liquidation(reader, account, first))
        else:
            found = explain_liquidation(reader, f"0x{transaction.hex()}")
    session.output.show(found)
