"""A PostgreSQL server of one's own, where one is installed."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

_SERVER = ("initdb", "pg_ctl", "postgres")
_UNPRIVILEGED = ("postgres", "nobody")  # the server refuses to run as root
_SECONDS = 60


class Postgres:
    """Listens on a socket in its own folder; hands out empty databases."""

    def __init__(self, folder: Path, prefix: list[str]) -> None:
        self._folder = folder
        self._prefix = prefix
        self._numbers = count(1)

    def database(self, template: str = "template1") -> str:
        """The URL of a new database, empty or a copy of another, named by its URL."""
        import psycopg

        name = f"index{next(self._numbers)}"
        origin = template.removeprefix("postgresql://bulkhead@/").partition("?")[0]
        with psycopg.connect(
            host=str(self._folder), dbname="postgres", user="bulkhead", autocommit=True
        ) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {origin}".encode())
        return f"postgresql://bulkhead@/{name}?host={self._folder}"

    def run(self, *command: str) -> None:
        subprocess.run(
            [*self._prefix, *command],
            check=True,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
        )


def why_not() -> str | None:
    """Why no server can be started here; None if one can."""
    missing = [name for name in _SERVER if shutil.which(name) is None]
    if missing:
        return f"no PostgreSQL server is installed: {', '.join(missing)}"
    if os.geteuid() == 0 and (_user() is None or shutil.which("runuser") is None):
        return "PostgreSQL does not run as root, and there is no other user to run it"
    return None


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Runs while the `with` block does."""
    # Not under pytest's folders, which only their owner may enter; a socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="pg") as name:
        folder, prefix = Path(name), list[str]()
        if os.geteuid() == 0:
            user = _user()
            assert user is not None
            os.chown(folder, user.pw_uid, user.pw_gid)
            prefix = ["runuser", "-u", user.pw_name, "--"]
        server = Postgres(folder, prefix)
        data = str(folder / "data")
        server.run("initdb", "-D", data, "-U", "bulkhead", "-A", "trust", "--no-sync")
        options = f"-k {folder} -c listen_addresses= -c fsync=off"
        log = str(folder / "log")
        server.run("pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start")
        try:
            yield server
        finally:
            server.run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def _user() -> pwd.struct_passwd | None:
    known = {one.pw_name: one for one in pwd.getpwall()}
    return next((known[name] for name in _UNPRIVILEGED if name in known), None)
