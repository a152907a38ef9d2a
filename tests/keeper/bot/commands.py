"""The commands of docs/silverback.md, as they stand there, in processes of their own."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from eth_account import Account

from tests.helpers.anvil import ROOT
from tests.keeper.stage import CHEAP

MNEMONIC = "test test test test test test test test test test test junk"
NODE, REDIS = "127.0.0.1:8545", "127.0.0.1:6379"
SECONDS = 45  # that anything may take
STOP_SECONDS = 10  # that the end of a process may

_PAGE = (ROOT / "docs" / "silverback.md").read_text()


def blocks(language: str) -> list[list[str]]:
    """What the page has in a language, in its order, by line."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", _PAGE, re.DOTALL | re.MULTILINE)
    return [block.splitlines() for block in found]


def signer(number: int) -> tuple[str, str]:
    """One of the node's accounts: its address and its key."""
    Account.enable_unaudited_hdwallet_features()
    account = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{number}")
    return str(account.address), "0x" + bytes(account.key).hex()


def until(condition: Callable[[], bool], what: str) -> None:
    """Waits for something that other processes bring about."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {SECONDS} s: {what}")
        time.sleep(0.1)


def is_closed(journal: Path) -> bool:
    """Whether whoever had it open has closed it: SQLite then folds its log into the file."""
    return journal.exists() and not journal.with_name(journal.name + "-wal").exists()


class Commands:
    """Runs commands in a folder.

    Args:
        folder: With the settings, and what the commands write.
        addresses: What stands for the page's addresses.
        keys: The signers' keys, by variable.
    """

    def __init__(self, folder: Path, addresses: Mapping[str, str], keys: Mapping[str, str]) -> None:
        self._folder = folder
        self._addresses = addresses
        self._keys = keys
        self._processes: list[subprocess.Popen[bytes]] = []
        # What tells ape that its project is here; and its session's files stay here.
        shutil.copy(ROOT / "ape-config.yaml", folder)
        (settings,) = blocks("toml")
        (folder / "keeper.toml").write_text("\n".join(settings))

    def start(self, name: str, exports: Sequence[str], command: str) -> subprocess.Popen[bytes]:
        """Starts a command after some exports."""
        lines = [self._here(line) for line in (*exports, f"exec env {command}")]
        with self._log(name).open("wb") as log:
            process = subprocess.Popen(
                ["bash", "-c", "\n".join(("set -eu", *lines))],
                cwd=self._folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def said(self, name: str) -> str:
        """All that a command has written."""
        return self._log(name).read_text()

    def await_word(self, name: str, word: str) -> None:
        """Waits until a command has written something."""
        until(lambda: word in self.said(name), f"{name}: {word}")

    def close(self) -> None:
        """Ends all of them, and what they have started."""
        for process in self._processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(STOP_SECONDS)

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _here(self, line: str) -> str:
        for address, here in self._addresses.items():
            line = line.replace(address, here)
        return re.sub(r"(WATCH__PORT)=\d+", r"\1=0", line)  # any that is free

    def _environment(self) -> dict[str, str]:
        # Nothing that this machine is set to.
        return {
            "PATH": os.pathsep.join((str(ROOT / ".venv" / "bin"), os.environ["PATH"])),
            "PYTHONPATH": os.pathsep.join((str(ROOT / "sdk"), str(ROOT))),
            "PYTHONUNBUFFERED": "1",
            "HOME": str(self._folder),
            "APE_DATA_FOLDER": str(self._folder / ".ape"),
            "BULKHEAD_KEEPER__POLICY__GAS_TOKEN": CHEAP,
            "BULKHEAD_KEEPER__WATCH__PORT": "0",
            **self._keys,
        }
