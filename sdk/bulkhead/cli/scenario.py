"""`scenario`: a written story, played on a chain in memory, an anvil of its own, or a node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bulkhead.cli.failures import REFUSED
from bulkhead.cli.output import Output
from bulkhead.cli.session import connection, deployments_option, reporting

if TYPE_CHECKING:
    from web3 import Web3

    from bulkhead.scenarios import Told


@dataclass(frozen=True, slots=True)
class StoryRow:
    """A story that comes with the package."""

    name: str
    title: str
    steps: int


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step of a story, and what came of it."""

    step: int
    verb: str
    told: tuple[str, ...]
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoryShown:
    """A story that was played."""

    story: str
    title: str
    clearinghouse: str
    steps_played: int
    steps_written: int
    failures: int
    steps: tuple[StepRow, ...]


@click.command()
@click.argument("story", metavar="[FILE|NAME]", required=False)
@click.option("--anvil", "on_anvil", is_flag=True, help="Play on an anvil of its own.")
@click.option("--rpc", help="Play on a local node, and leave it there; a running world waits.")
@deployments_option
@reporting
@click.pass_context
def scenario(
    ctx: click.Context,
    output: Output,
    story: str | None,
    on_anvil: bool,
    rpc: str | None,
    folder: Path,
) -> None:
    """Play the story in FILE, or one that comes with the package; without a name, list those.

    It is played in an exchange of its own, on a chain in memory unless another is named. Exits with
    1 if anything is not as the story expects it.
    """
    from rich.console import Console

    from bulkhead.scenarios import Player, load, open_stage, shipped
    from bulkhead.scenarios.narration import Narrator
    from bulkhead.world import ROLES

    if story is None:
        known = {name: load(name) for name in shipped()}
        rows = (StoryRow(name, one.title, len(one.steps)) for name, one in known.items())
        output.show(tuple(rows))
        return
    if on_anvil and rpc is not None:
        raise click.UsageError("--anvil and --rpc are two chains")
    read = load(story)
    people = len(ROLES) + len(read.people)
    with _chain(on_anvil, rpc, people, folder) as w3:
        with output.working("deploying the exchange"):
            world = open_stage(read, w3)
        played: list[Told] = []
        tell = _silent if output.as_json else Narrator(Console(), world).tell
        for told in Player(read, world).play():
            tell(told)
            played.append(told)
    failures = sum(len(told.failures) for told in played)
    if output.as_json:
        output.show(
            StoryShown(
                story=read.name,
                title=read.title,
                clearinghouse=world.reader.deployment.clearinghouse,
                steps_played=len(played),
                steps_written=len(read.steps),
                failures=failures,
                steps=tuple(
                    StepRow(one.step.number, one.step.verb, one.lines, one.failures)
                    for one in played
                ),
            )
        )
    else:
        rest = "as expected" if not failures else f"{failures} not as expected"
        click.echo(f"\n{read.title}: {len(played)} of {len(read.steps)} steps, {rest}.")
    if failures:
        ctx.exit(REFUSED)


@contextmanager
def _chain(on_anvil: bool, rpc: str | None, people: int, folder: Path) -> Iterator[Web3]:
    """Where the story is played: each block a second after the one before it, and alone."""
    from bulkhead.local import Anvil, memory_chain, steady_blocks
    from bulkhead.local.chains import require_local
    from bulkhead.local.turns import turn

    with ExitStack() as stack:
        if on_anvil:
            w3 = stack.enter_context(Anvil("--accounts", str(people))).connect()
        elif rpc is not None:
            w3 = connection(rpc)
            require_local(w3)
            stack.enter_context(turn(w3.eth.chain_id, folder))
        else:
            w3 = memory_chain(people)
        stack.enter_context(steady_blocks(w3))
        yield w3


def _silent(told: Told) -> None:
    """Tells nothing: JSON is written at the end."""
