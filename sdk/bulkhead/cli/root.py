"""The command `bulkhead`: its table of commands, and what becomes of what they raise."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from bulkhead.cli import failures
from bulkhead.cli.lazy import Home, LazyGroup

HOMES = {
    "status": Home("bulkhead.cli.reading", "status", "Show where the exchange is and what it has."),
    "markets": Home("bulkhead.cli.reading", "markets", "Show the markets."),
    "account": Home("bulkhead.cli.reading", "account", "Show an account, all of it."),
    "deposit": Home("bulkhead.cli.money", "deposit", "Bring money into an account."),
    "withdraw": Home("bulkhead.cli.money", "withdraw", "Take money out."),
    "order": Home("bulkhead.cli.trading", "order", "Place an order, or show what it would do."),
    "bracket": Home("bulkhead.cli.trading", "bracket", "Place an entry and what closes it."),
    "cancel": Home("bulkhead.cli.trading", "cancel", "Cancel an order, or all that rest."),
    "margin": Home("bulkhead.cli.money", "margin", "Add or remove an isolated position's margin."),
    "leverage": Home("bulkhead.cli.settings", "leverage", "Set the leverage in a market."),
    "mode": Home("bulkhead.cli.settings", "mode", "Set the default margin mode, or hedge mode."),
    "simulate": Home("bulkhead.cli.simulating", "simulate", "Follow a position along a price."),
    "explain": Home("bulkhead.cli.explaining", "explain", "Explain what happened, with numbers."),
    "keeper": Home("bulkhead.cli.keeper", "keeper", "Run a keeper, or check what it needs."),
    "up": Home("bulkhead.cli.local", "up", "Run a local world: node, exchange, prices, keeper."),
    "price": Home("bulkhead.cli.local", "price", "Set a market's price, on a local node."),
    "scenario": Home("bulkhead.cli.scenario", "scenario", "Play a written story."),
    "snapshot": Home("bulkhead.cli.local", "snapshot", "Remember a local node as it is."),
    "rewind": Home("bulkhead.cli.local", "rewind", "Take a local node back to a snapshot."),
}
"""Every command. A new one is a line here and a `click.Command` there."""

EPILOG = """\
Exit codes: 0 done; 1 refused; 2 not understood; 3 refused now, may be tried again; 4 no node or no
exchange there; 5 placed, and not filled.
"""


class Root(LazyGroup):
    """The group that turns whatever is raised on purpose into one message and an exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002 - a command line is its own program
        **extra: Any,
    ) -> NoReturn:
        """Runs a command line, and exits."""
        words = sys.argv[1:] if args is None else list(args)
        try:
            code = super().main(words, prog_name, complete_var, standalone_mode=False, **extra)
        except failures.expected() as error:
            code = failures.report(error, as_json="--json" in words)
        sys.exit(code if isinstance(code, int) else failures.DONE)


@click.group(
    cls=Root,
    homes=HOMES,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="bulkhead")
def main() -> None:
    """Perpetual futures on chain, with cross and isolated margin at the same time.

    Amounts are USD, sizes base units, prices USD per base unit; all are taken exactly as written.
    Every command takes --json, and says with --help what else.
    """
