import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bulkhead.errors import Rejected
from bulkhead.local import find_anvil
from bulkhead.local.anvil import VARIABLE
from tests.helpers.anvil import ROOT, Anvil

DEADLINE = 20  # seconds


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder without anvil, in an environment without one."""
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\necho no such option\nexit 2\n")
    path.chmod(0o755)
    return path


def test_who_has_no_anvil_is_told_how_to_get_it(bare: Path) -> None:
    with pytest.raises(Rejected, match=r"install Foundry.*npm install .*\$BULKHEAD_ANVIL"):
        find_anvil()


def test_anvil_is_found_in_the_folder_s_own_packages(bare: Path) -> None:
    found = program(bare / "node_modules/.bin/anvil")
    assert find_anvil().resolve() == found


def test_anvil_on_the_path_comes_first(bare: Path) -> None:
    program(bare / "node_modules/.bin/anvil")
    found = program(bare / "anvil")
    assert find_anvil() == found


def test_the_environment_names_another(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(bare / "anvil")
    named = program(bare / "elsewhere/anvil")
    monkeypatch.setenv(VARIABLE, str(named))
    assert find_anvil() == named


def test_a_name_that_leads_nowhere_is_refused(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(bare / "anvil")
    monkeypatch.setenv(VARIABLE, "/nowhere/anvil")
    with pytest.raises(Rejected, match="names no program that can be run: /nowhere/anvil"):
        find_anvil()


def test_what_does_not_start_says_what_it_said(bare: Path) -> None:
    program(bare / "anvil")
    with pytest.raises(Rejected, match="anvil did not start: no such option"):
        Anvil()


@pytest.mark.anvil
def test_a_port_that_is_taken_is_said() -> None:
    with Anvil() as node:
        port = int(node.url.rsplit(":", 1)[1])
        with pytest.raises(Rejected, match=r"anvil did not start: .*in use"):
            Anvil(port=port)


@pytest.mark.anvil
def test_a_node_listens_on_this_machine_alone_and_ends_when_it_is_closed(tmp_path: Path) -> None:
    log = tmp_path / "anvil.log"
    with Anvil(log=log) as node:
        assert node.url.startswith("http://127.0.0.1:")
        assert node.connect().eth.chain_id == 31_337
    assert not node.is_running
    assert "Listening on" in log.read_text()


@pytest.mark.anvil
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_node_ends_with_a_process_that_is_killed() -> None:
    code = (
        "import os, signal; from bulkhead.local import Anvil; node = Anvil();"
        "print(node._process.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE
    )
    pid = int(ended.stdout)
    deadline = time.monotonic() + DEADLINE
    while _is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_alive(pid)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    return state != "Z"
