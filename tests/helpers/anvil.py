"""An anvil process of one's own."""

import json
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
START_SECONDS = 30


class Anvil:
    """Runs while the `with` block does, on a free port; extra options are anvil's own."""

    def __init__(self, *options: str) -> None:
        self._log = tempfile.NamedTemporaryFile("w+")  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [BINARY, "--port", "0", *options], stdout=self._log, stderr=subprocess.STDOUT
        )
        self.url = f"http://{self._address()}"

    def rpc(self, method: str, *params: Any) -> Any:
        """The result of one JSON-RPC call."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        request = Request(
            self.url, json.dumps(body).encode(), headers={"Content-Type": "application/json"}
        )
        with urlopen(request) as response:
            answer = json.load(response)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._log.close()

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
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            log = Path(self._log.name).read_text()
            if "Listening on " in log and log.endswith("\n"):
                return log.rsplit("Listening on ", 1)[1].split()[0]
            time.sleep(0.05)
        log = Path(self._log.name).read_text()
        self.close()
        raise RuntimeError(f"anvil did not start: {log}")
