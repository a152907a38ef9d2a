"""An anvil process that takes raw requests, too."""

import json
import os
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from bulkhead import local
from bulkhead.local.anvil import IN_PROJECT, VARIABLE

ROOT = Path(__file__).resolve().parents[2]
# The checkout's own, wherever a test runs.
os.environ.setdefault(VARIABLE, str(ROOT / IN_PROJECT))


class Anvil(local.Anvil):
    """Runs while the `with` block does, on a free port; extra options are anvil's own."""

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
