"""The keeper: `keeper run`, and `keeper check`, which looks at what it needs."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from bulkhead.cli import failures
from bulkhead.cli.output import Output
from bulkhead.cli.session import reporting

if TYPE_CHECKING:
    from bulkhead.keeper.configuration.settings import KeeperSettings
    from bulkhead.keeper.running import RunReport

Command: TypeAlias = Callable[..., Any]

STOP_SECONDS = 4.0  # that the work at hand may still take
EXTRA = ("numpy", "prometheus_client", "pydantic", "pydantic_settings")


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A transaction that would be sent.

    Attributes:
        job: What it does.
        tasks: How many.
        first: What the most urgent one is done to.
        gas: Its limit.
    """

    job: str
    tasks: int
    first: str
    gas: int


@dataclass(frozen=True, slots=True)
class RunShown:
    """What a run did.

    Attributes:
        passes: That came to their end.
        failures: Passes that did not.
        transactions: That were sent.
        tasks: In them.
        done: Tasks that were confirmed.
        lost: Tasks that somebody else did first.
        would_send: Of a dry run, what its last pass would have sent.
    """

    passes: int
    failures: int
    transactions: int
    tasks: int
    done: int
    lost: int
    would_send: tuple[BatchRow, ...]


class JobName(click.ParamType):
    """The name of a job, as settings write it."""

    name = "job"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, if there is such a job."""
        from bulkhead.keeper.work import Job

        if value not in set(Job):
            self.fail(f"no job; there are {', '.join(Job)}", param, ctx)
        return str(value)


JOB = JobName()


def configured(command: Command) -> Command:
    """Gives a command `--json` and the keeper's own options; it gets an `Output` and settings."""

    @click.option(
        "--config",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="BULKHEAD_KEEPER_CONFIG",
        help="The TOML file with the settings; keeper.toml in this folder, if it is there.",
    )
    @click.option("--shard", metavar="K/N", help="Do the k-th of n parts of the work.")
    @click.option(
        "--always/--no-always",
        default=None,
        help="Liquidate accounts in bad debt even where that does not pay.",
    )
    @click.option("--job", "only", type=JOB, multiple=True, help="Do this job and no other.")
    @click.option("--no-job", "without", type=JOB, multiple=True, help="Do not do this job.")
    @reporting
    @wraps(command)
    def run(
        output: Output,
        /,
        config: Path | None,
        shard: str | None,
        always: bool | None,
        only: Sequence[str],
        without: Sequence[str],
        **named: Any,
    ) -> Any:
        settings = _settings(config, _flags(shard, always, only, without))
        return command(output, settings, **named)

    return run


@click.group()
def keeper() -> None:
    """Execute orders, liquidate, top up, deleverage and settle, for the fees.

    Settings come from a TOML file, the environment (BULKHEAD_KEEPER__...) and the options here,
    each over those before. docs/keepers.md says what they mean.
    """


@keeper.command()
@click.option("--once", is_flag=True, help="Catch up, do what there is to do, and end.")
@click.option("--dry-run", is_flag=True, help="Send nothing; say what would be sent.")
@configured
def run(output: Output, settings: KeeperSettings, once: bool, dry_run: bool) -> None:
    """Run a keeper until SIGTERM or Ctrl-C.

    What is under way then is journaled, and taken up by the next start; a second signal ends it at
    once, and does no harm either.
    """
    from bulkhead.keeper.watch import logs

    logs.configure(settings.log)
    report = asyncio.run(_until_told(settings, once=once, dry_run=dry_run))
    output.show(_shown(report, dry_run=dry_run))


@keeper.command()
@configured
@click.pass_obj
def check(connect: Callable[[str], Any] | None, output: Output, settings: KeeperSettings) -> int:
    """Check what a keeper needs: nodes, chain, exchange, signers and what they can pay for.

    Sends nothing, and asks for no password where keystores say their addresses. `keeper run --once
    --dry-run` says what would be sent.
    """
    from bulkhead.keeper.configuration import checkup

    with output.working("checking"):
        found = checkup.check(settings, connect)
    output.show(found)
    if found.clearinghouse is None:
        return failures.NO_EXCHANGE
    return failures.REFUSED if found.problems else failures.DONE


async def _until_told(settings: KeeperSettings, *, once: bool, dry_run: bool) -> RunReport:
    """Runs the keeper, and has it stop when this process is told to."""
    from bulkhead.keeper import running
    from bulkhead.keeper.watch.metrics import Metrics

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told() -> None:
        stop.set()
        # A second one is not asked to wait.
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told)
    run = running.run(settings, once=once, dry_run=dry_run, stop=stop, metrics=Metrics())
    work, asked = asyncio.ensure_future(run), asyncio.ensure_future(stop.wait())
    await asyncio.wait({work, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not work.done():
        await asyncio.wait({work}, timeout=STOP_SECONDS)
    if not work.done():
        work.cancel()
        await asyncio.wait({work})
    if work.cancelled():
        raise click.ClickException(
            f"what was under way did not end in {STOP_SECONDS:g} s; the next start takes it up"
        )
    return work.result()


def _shown(report: RunReport, *, dry_run: bool) -> RunShown:
    planned = report.last.planned if dry_run and report.last else ()
    return RunShown(
        passes=report.passes,
        failures=report.failures,
        transactions=report.transactions,
        tasks=report.tasks,
        done=report.done,
        lost=report.lost,
        would_send=tuple(
            BatchRow(batch.job, len(batch.tasks), batch.tasks[0].key, batch.gas)
            for batch in planned
        ),
    )


def _settings(config: Path | None, flags: dict[str, Any]) -> KeeperSettings:
    try:
        from bulkhead.keeper.configuration.settings import KeeperSettings
    except ModuleNotFoundError as error:
        if error.name in EXTRA:
            raise click.ClickException(
                f'a keeper needs {error.name}: pip install "bulkhead[keeper]"'
            ) from None
        raise
    return KeeperSettings.load(config, flags)


def _flags(
    shard: str | None, always: bool | None, only: Sequence[str], without: Sequence[str]
) -> dict[str, Any]:
    """What the options say, in tables as the file has them."""
    from bulkhead.keeper.work import Job

    flags: dict[str, Any] = {}
    if shard is not None:
        flags["shard"] = shard
    if always is not None:
        flags["policy"] = {"always": always}
    jobs = {job.value: job in only for job in Job} if only else {}
    if jobs or without:
        flags["jobs"] = {**jobs, **dict.fromkeys(without, False)}
    return flags
