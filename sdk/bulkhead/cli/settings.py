"""What an account wants: leverage, margin mode, position mode."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import click

from bulkhead.cli.money import changed
from bulkhead.cli.parameters import NUMBER
from bulkhead.cli.session import Session, signing


@dataclass(frozen=True, slots=True)
class Settings:
    """An account's wishes for a market; leverage of 0 is as much as the tiers allow."""

    account: str
    market: str
    default_mode: str
    cross_leverage: Decimal
    isolated_long_leverage: Decimal
    isolated_short_leverage: Decimal
    transaction: str


@click.command()
@click.argument("market")
@click.argument("times", type=NUMBER)
@click.option("--isolated/--cross", "is_isolated", default=False, help="Which margin mode's.")
@click.option("--long/--short", "is_long", default=None, help="Which isolated side's.")
@signing
def leverage(
    session: Session, market: str, times: Decimal, is_isolated: bool, is_long: bool | None
) -> None:
    """Set the leverage in MARKET to TIMES; 0 is as much as the tiers allow.

    Both cross legs share one; isolated long and short have their own.
    """
    if is_isolated != (is_long is not None):
        raise click.UsageError("--isolated goes with --long or --short; --cross with neither")
    trader = session.trader()
    with session.output.working("setting the leverage"):
        receipt = trader.set_leverage(
            market, times, is_isolated=is_isolated, is_long=is_long is not False
        )
        settings = _settings(session, market, receipt.transaction)
    session.output.show(settings)


@click.group()
def mode() -> None:
    """Set the default margin mode of a market, or the position mode of the account."""


@mode.command()
@click.argument("market")
@signing
def cross(session: Session, market: str) -> None:
    """Let orders in MARKET that name no margin mode use the pooled balance."""
    _set_mode(session, market, is_isolated=False)


@mode.command()
@click.argument("market")
@signing
def isolated(session: Session, market: str) -> None:
    """Let orders in MARKET that name no margin mode use a margin of their own."""
    _set_mode(session, market, is_isolated=True)


@mode.command()
@click.argument("switch", type=click.Choice(["on", "off"]))
@signing
def hedge(session: Session, switch: str) -> None:
    """Let long and short live side by side in one market, or not; needs a flat account."""
    trader = session.trader()
    with session.output.working("setting the position mode"):
        receipt = trader.set_hedge_mode(switch == "on")
        change = changed(session, f"hedge mode {switch}", receipt, trader.address)
    session.output.show(change)


def _set_mode(session: Session, market: str, *, is_isolated: bool) -> None:
    trader = session.trader()
    with session.output.working("setting the default margin mode"):
        receipt = trader.set_default_margin_mode(market, is_isolated=is_isolated)
        settings = _settings(session, market, receipt.transaction)
    session.output.show(settings)


def _settings(session: Session, market: str, transaction: str) -> Settings:
    account = session.trader().address
    found = session.reader.settings(account, market)
    return Settings(
        account=account,
        market=market,
        default_mode="isolated" if found.is_isolated_by_default else "cross",
        cross_leverage=found.leverage(is_isolated=False, is_long=True),
        isolated_long_leverage=found.leverage(is_isolated=True, is_long=True),
        isolated_short_leverage=found.leverage(is_isolated=True, is_long=False),
        transaction=transaction,
    )
