"""`keeper run` and `keeper check`: settings, wiring, signals, exit codes."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bulkhead.keeper.configuration.settings import PREFIX, KeeperSettings
from bulkhead.keeper.running import RunReport
from bulkhead.keeper.watch.metrics import Metrics
from bulkhead.keeper.work import Job
from tests.cli.conftest import CommandLine

KEY = "5e" * 32


@dataclass(slots=True)
class Given:
    """What the engine was started with."""

    settings: KeeperSettings
    once: bool
    dry_run: bool


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Given]:
    """An engine that only remembers what it was given."""
    given: list[Given] = []

    async def run(
        settings: KeeperSettings,
        *,
        once: bool,
        dry_run: bool,
        stop: asyncio.Event,
        metrics: Metrics,
    ) -> RunReport:
        assert not stop.is_set()
        assert metrics.names()
        given.append(Given(settings, once, dry_run))
        return RunReport(passes=3, tasks=2)

    monkeypatch.setattr("bulkhead.keeper.running.run", run)
    return given


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in list(os.environ):
        if name.upper().startswith(PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configured(folder: Path, shell: CommandLine, more: str = "") -> Path:
    """A file for the world of a test."""
    path = folder / "settings.toml"
    chain = shell.world.reader.deployment.chain_id
    path.write_text(
        f"{more}\n[chain]\nid = {chain}\ndeployments = '{shell.folder}'\n"
        "[[signers]]\nkey_variable = 'KEEPER_KEY'\n"
    )
    return path


def test_the_engine_gets_settings_and_flags(
    folder: Path, shell: CommandLine, started: list[Given]
) -> None:
    path = configured(folder, shell)
    words = ("--shard", "2/3", "--always", "--no-job", "settle", "--once", "--dry-run")
    report = shell.ok("keeper", "run", "--config", str(path), *words)
    assert (report["passes"], report["tasks"], report["would_send"]) == (3, 2, [])
    (given,) = started
    assert (given.once, given.dry_run) == (True, True)
    assert given.settings.shard == "2/3"
    assert given.settings.policy.always
    assert given.settings.jobs.on == set(Job) - {Job.SETTLE}


def test_a_named_job_is_the_only_one(
    folder: Path, shell: CommandLine, started: list[Given]
) -> None:
    path = configured(folder, shell)
    words = ("--job", "settle", "--job", "top_up", "--no-job", "settle")
    shell.ok("keeper", "run", "--config", str(path), *words)
    assert started[0].settings.jobs.on == {Job.TOP_UP}


def test_what_no_option_says_stays_as_it_is_set(
    folder: Path, shell: CommandLine, started: list[Given]
) -> None:
    path = configured(folder, shell, "shard = '3/3'")
    shell.ok("keeper", "run", "--config", str(path))
    (given,) = started
    assert given.settings == KeeperSettings.load(path)
    assert (given.once, given.dry_run) == (False, False)


def test_the_file_may_be_named_by_the_environment(
    folder: Path, shell: CommandLine, started: list[Given]
) -> None:
    path = configured(folder, shell, "shard = '2/2'")
    shell.ok("keeper", "run", env={"BULKHEAD_KEEPER_CONFIG": str(path)})
    assert started[0].settings.shard == "2/2"


def test_nobody_runs_a_keeper_without_a_signer(shell: CommandLine) -> None:
    code, said = shell.error("keeper", "run", env={"BULKHEAD_KEEPER__CHAIN__ID": "1"})
    assert code == 2
    assert said["reason"] == "signers: nobody signs; name at least one"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "chain.id: is needed"),
        (("--config", "nothing.toml"), "No such file"),
        (("--job", "dance"), "no job; there are update_prices"),
        (("--shard", "two"), "shard: "),
    ],
)
@pytest.mark.parametrize("command", ["run", "check"])
def test_wrong_settings_are_not_understood(
    shell: CommandLine, command: str, words: tuple[str, ...], said: str
) -> None:
    code, told = shell.error("keeper", command, *words)
    assert code == 2
    assert said in told["reason"]


def test_a_key_where_an_option_belongs_is_not_repeated(shell: CommandLine) -> None:
    for option in ("--shard", "--job", "--config"):
        done = shell.run("keeper", "check", option, KEY)
        assert done.exit_code == 2
        assert KEY not in done.stdout + done.stderr


@pytest.fixture
def keyed(shell: CommandLine) -> dict[str, str]:
    """The environment of a signer with gas."""
    from eth_account import Account

    w3 = shell.world.reader.chain.w3
    address = Account.from_key("0x" + KEY).address
    value: Any = 10**21
    w3.eth.send_transaction({"from": w3.eth.accounts[-1], "to": address, "value": value})
    return {"KEEPER_KEY": KEY}


def checked(
    shell: CommandLine, path: Path, env: dict[str, str], *words: str
) -> tuple[int, list[str], Any]:
    done = shell.run("keeper", "check", "--json", "--config", str(path), *words, env=env)
    table = json.loads(done.stdout)
    return done.exit_code, [one["problem"] for one in table["problems"]], table


def test_a_keeper_that_can_start_has_no_problems(
    folder: Path, shell: CommandLine, keyed: dict[str, str]
) -> None:
    code, problems, table = checked(shell, configured(folder, shell), keyed)
    assert (code, problems) == (0, [])
    assert table["clearinghouse"] == shell.world.reader.deployment.clearinghouse
    assert table["gas_token"] == "4000"
    assert table["jobs"] == list(Job)
    (endpoint,) = table["endpoints"]
    assert endpoint == {
        "endpoint": "127.0.0.1:8545",
        "state": "usable",
        "block": shell.world.reader.block().number,
        "behind": 0,
    }
    (signer,) = table["signers"]
    assert signer["balance"] == "1000"
    assert int(signer["batches"]) > 0
    assert KEY not in json.dumps(table)


def test_a_check_is_shown_to_people(
    folder: Path, shell: CommandLine, keyed: dict[str, str]
) -> None:
    path = configured(folder, shell)
    done = shell.run("keeper", "check", "--config", str(path), env=keyed)
    assert done.exit_code == 0
    assert "usable" in done.stdout


def test_another_chain_is_a_problem(folder: Path, shell: CommandLine) -> None:
    path = configured(folder, shell)
    env = {"KEEPER_KEY": KEY, "BULKHEAD_KEEPER__CHAIN__ID": "10"}
    code, problems, _ = checked(shell, path, env)
    assert code == 4
    assert any("instead of 10" in one for one in problems)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("account = '0x00000000000000000000000000000000000000aa'", "account: no contract at"),
        ("journal = 'nowhere/keeper.db'", "journal: no folder for nowhere/keeper.db"),
        ("policy = { gas_token = 'GOLD-PERP' }", "policy.gas_token: "),
    ],
)
def test_what_is_not_there_is_a_problem(
    folder: Path, shell: CommandLine, keyed: dict[str, str], more: str, problem: str
) -> None:
    code, problems, _ = checked(shell, configured(folder, shell, more), keyed)
    assert code == 1
    (found,) = problems
    assert problem in found


def test_a_signer_without_gas_is_a_problem(folder: Path, shell: CommandLine) -> None:
    code, problems, _ = checked(shell, configured(folder, shell), {"KEEPER_KEY": "77" * 32})
    assert code == 1
    assert "can not pay for one batch" in problems[0]


def test_no_job_is_a_problem(folder: Path, shell: CommandLine, keyed: dict[str, str]) -> None:
    off = [word for job in Job for word in ("--no-job", job.value)]
    code, problems, _ = checked(shell, configured(folder, shell), keyed, *off)
    assert (code, problems) == (1, ["jobs: all are off"])


def process(folder: Path, code: str, *words: str) -> "subprocess.Popen[str]":
    """A keeper whose engine is `code`, in a process of its own."""
    (folder / "program.py").write_text(
        "import asyncio, sys\n"
        "from bulkhead.keeper import running\n"
        f"{code}\n"
        "running.run = run\n"
        "from bulkhead.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    env = {**os.environ, "BULKHEAD_KEEPER__CHAIN__ID": "1"}
    return subprocess.Popen(
        [sys.executable, "program.py", "keeper", "run", "--dry-run", "--json", *words],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


WAITS = """
async def run(settings, *, once, dry_run, stop, metrics):
    print("running", file=sys.stderr, flush=True)
    await stop.wait()
    return running.RunReport(passes=7)
"""
HANGS = """
async def run(settings, *, once, dry_run, stop, metrics):
    print("running", file=sys.stderr, flush=True)
    await asyncio.sleep(600)
"""


def ended(started: "subprocess.Popen[str]", *signals: signal.Signals) -> tuple[int, str, str]:
    """Tells a running keeper to end; its exit code and what it wrote."""
    assert started.stderr is not None
    try:
        while signals and started.stderr.readline().strip() != "running":
            pass
        for number in signals:
            started.send_signal(number)
        out, err = started.communicate(timeout=30)
    finally:
        started.kill()
    return started.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_and_it_reports(folder: Path, number: signal.Signals) -> None:
    code, out, err = ended(process(folder, WAITS), number)
    assert (code, json.loads(out)["passes"], err) == (0, 7, "")


def test_what_does_not_end_in_time_is_cut_off_and_told(folder: Path) -> None:
    code, out, err = ended(process(folder, HANGS), signal.SIGTERM)
    assert (code, out) == (1, "")
    assert "did not end in 4 s" in json.loads(err)["reason"]


def test_what_the_engine_raises_is_told(folder: Path) -> None:
    broken = (
        "async def run(settings, *, once, dry_run, stop, metrics):\n"
        "    from bulkhead.errors import Unreachable\n"
        "    raise Unreachable('no node answers')\n"
    )
    code, out, err = ended(process(folder, broken))
    assert (code, out, json.loads(err)["error"]) == (4, "", "Unreachable")


def test_without_its_extra_it_says_what_to_install(folder: Path) -> None:
    code = (
        "import sys\nsys.modules['pydantic_settings'] = None\n"
        "from bulkhead.cli import main\nmain(['keeper', 'check'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert 'pip install "bulkhead[keeper]"' in done.stderr


@pytest.mark.parametrize("words", [["keeper", "run", "--help"], ["keeper", "check", "--help"]])
def test_help_loads_none_of_what_a_keeper_needs(words: list[str]) -> None:
    code = (
        "import sys\nfrom bulkhead.cli import main\n"
        "try: main(sys.argv[1:])\nexcept SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], check=True, capture_output=True, text=True
    )
    loaded = set(done.stderr.split())
    assert not loaded & {"web3", "pydantic", "pydantic_settings", "prometheus_client", "aiohttp"}
