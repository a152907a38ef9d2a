"""An anvil process of one's own: found, started, and ended with whoever started it."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bulkhead.errors import Rejected

if TYPE_CHECKING:
    from web3 import Web3

VARIABLE = "BULKHEAD_ANVIL"
IN_PROJECT = Path("node_modules/.bin/anvil")
HARDFORK = "prague"  # what the contracts are compiled for
START_SECONDS = 30
STOP_SECONDS = 10
HOST = "127.0.0.1"

_ADVICE = (
    "install Foundry, which brings it, or `npm install @foundry-rs/anvil-linux-amd64` in this "
    f"folder, or name the binary in ${VARIABLE}"
)
_LISTENING = "Listening on "
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def find_anvil() -> Path:
    """The anvil binary: the one that $BULKHEAD_ANVIL names, on PATH, or in ./node_modules/.bin.

    Raises:
        Rejected: If there is none; it says how to get one.
    """
    named = os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise Rejected(f"${VARIABLE} names no program that can be run: {named}")
        return Path(found)
    found = shutil.which("anvil") or shutil.which(IN_PROJECT)
    if found is None:
        raise Rejected(f"anvil is not here: {_ADVICE}")
    return Path(found)


class Anvil:
    """A node that runs until it is closed, its `with` block ends, or this process does.

    Args:
        options: More of anvil's own.
        port: Where it listens, on this machine alone; a free one where it is 0.
        log: The file it writes to; one that ends with it where it is None.

    Attributes:
        url: Its RPC address.

    Raises:
        Rejected: If there is no anvil, or it does not start; it says what anvil said.
    """

    def __init__(self, *options: str, port: int = 0, log: Path | None = None) -> None:
        binary = find_anvil()
        self._own_log = log is None
        if log is None:
            descriptor, name = tempfile.mkstemp(prefix="anvil-", suffix=".log")
            os.close(descriptor)
            log = Path(name)
        self.log = log
        command = [
            str(binary),
            "--host",
            HOST,
            "--port",
            str(port),
            "--hardfork",
            HARDFORK,
            *options,
        ]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal is for us: we end it when we are done with it.
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        self.url = f"http://{self._address()}"

    @property
    def is_running(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def connect(self) -> Web3:
        """A connection to it."""
        from web3 import HTTPProvider, Web3

        return Web3(HTTPProvider(self.url))

    def close(self) -> None:
        """Ends the process, and waits until it has ended."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._own_log:
            self.log.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _address(self) -> str:
        try:
            deadline = time.monotonic() + START_SECONDS
            while time.monotonic() < deadline and self.is_running:
                said = self.log.read_text()
                if _LISTENING in said and said.endswith("\n"):
                    return said.rsplit(_LISTENING, 1)[1].split()[0]
                time.sleep(0.05)
            said = self.log.read_text()
        except BaseException:
            self.close()
            raise
        self.close()
        raise Rejected(f"anvil did not start: {said.strip() or 'it said nothing'}")


def _die_with_parent() -> None:
    # Between fork and exec: whatever ends this process, even SIGKILL, ends the node.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
