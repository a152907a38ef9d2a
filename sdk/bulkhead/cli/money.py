"""Money in, out, and between the cross ledger and isolated positions."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import click

from bulkhead.cli.parameters import NUMBER, PERSON
from bulkhead.cli.session import Session, signing

if TYPE_CHECKING:
    from bulkhead.chain import Receipt
    from bulkhead.cli.results import Change


@click.command()
@click.argument("amount", type=NUMBER)
@click.option("--account", type=PERSON, help="Whose account gets it; the signer's own if left out.")
@signing
def deposit(session: Session, amount: Decimal, account: str | None) -> None:
    """Bring AMOUNT USD of the signer's wallet into an account's cash."""
    trader = session.trader()
    owner = session.address_of(account)
    with session.output.working("depositing"):
        receipt = trader.deposit(amount, owner)
        change = changed(session, "deposited", receipt, owner)
    session.output.show(change)


@click.command()
@click.argument("amount", type=NUMBER)
@click.option("--to", "receiver", type=PERSON, help="Who gets it; the signer if left out.")
@signing
def withdraw(session: Session, amount: Decimal, receiver: str | None) -> None:
    """Send AMOUNT USD of the signer's free collateral to a wallet."""
    trader = session.trader()
    to = session.address_of(receiver)
    with session.output.working("withdrawing"):
        change = changed(session, "withdrawn", trader.withdraw(amount, to), trader.address)
    session.output.show(change)


SIDE = click.option(
    "--long/--short", "is_long", required=True, default=None, help="Which position."
)


@click.command()
@click.argument("market")
@click.argument("amount", type=NUMBER)
@SIDE
@click.option("--from-wallet", is_flag=True, help="Take it from the wallet instead of the cash.")
@signing
def add(session: Session, market: str, amount: Decimal, is_long: bool, from_wallet: bool) -> None:
    """Add AMOUNT USD to the margin of an open isolated position in MARKET."""
    trader = session.trader()
    with session.output.working("adding margin"):
        move = trader.deposit_margin if from_wallet else trader.add_margin
        receipt = move(market, amount, is_long=is_long)
        change = changed(session, "margin added", receipt, trader.address)
    session.output.show(change)


@click.command()
@click.argument("market")
@click.argument("amount", type=NUMBER)
@SIDE
@signing
def remove(session: Session, market: str, amount: Decimal, is_long: bool) -> None:
    """Move AMOUNT USD of an isolated position's margin in MARKET back to cash."""
    trader = session.trader()
    with session.output.working("removing margin"):
        receipt = trader.remove_margin(market, amount, is_long=is_long)
        change = changed(session, "margin removed", receipt, trader.address)
    session.output.show(change)


@click.group()
def margin() -> None:
    """Add margin to an isolated position, or remove it."""


margin.add_command(add)
margin.add_command(remove)


def changed(session: Session, done: str, receipt: Receipt, account: str) -> Change:
    """What a transaction left of an account's money, at its block."""
    from bulkhead.cli.results import change_of

    reader = session.reader
    return change_of(done, receipt, reader.account(account, reader.block(receipt.block)))
