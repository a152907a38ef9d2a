"""A group whose commands are imported when they are called, and not to list them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click


class Home(NamedTuple):
    """Where a command lives.

    Attributes:
        module: Its module.
        attribute: What it is called there.
        help: What the group's help says of it.
    """

    module: str
    attribute: str
    help: str


class LazyGroup(click.Group):
    """A group of commands known by their homes. They are listed in the order of the table."""

    def __init__(self, *, homes: Mapping[str, Home], **options: Any) -> None:
        super().__init__(**options)
        self.homes = homes

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """The names of all commands."""
        return list(self.homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """A command, imported now; None if there is none of this name."""
        home = self.homes.get(cmd_name)
        if home is None:
            return None
        command: click.Command = getattr(import_module(home.module), home.attribute)
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        """Lists the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, home.help) for name, home in self.homes.items()])
