"""Going back to how a local chain was: within a program, or by name from one command to another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulkhead.chain import Chain
from bulkhead.deployment import FOLDER
from bulkhead.errors import Rejected
from bulkhead.local.chains import require_local, rpc, tester_of

if TYPE_CHECKING:
    from web3 import Web3

SnapshotId = int | str


def take_snapshot(w3: Web3) -> SnapshotId:
    """Remembers the chain as it is. Returns what `revert_to` takes.

    Raises:
        Rejected: If it is no local chain.
    """
    require_local(w3)
    tester = tester_of(w3)
    found: SnapshotId = tester.take_snapshot() if tester is not None else rpc(w3, "evm_snapshot")
    return found


def revert_to(w3: Web3, snapshot: SnapshotId) -> None:
    """Takes the chain back; its time, too. That snapshot and all later ones are used up.

    Raises:
        Rejected: If the chain has no such snapshot, or no longer.
    """
    require_local(w3)
    tester = tester_of(w3)
    if tester is not None:
        from eth_tester.exceptions import SnapshotNotFound

        try:
            tester.revert_to_snapshot(snapshot)
        except SnapshotNotFound as error:
            raise Rejected(f"the chain has no snapshot {snapshot}") from error
    elif not rpc(w3, "evm_revert", snapshot):
        raise Rejected(f"the chain has no snapshot {snapshot}")


@contextmanager
def anchored(w3: Web3) -> Iterator[None]:
    """A chain that is afterwards as it was before."""
    snapshot = take_snapshot(w3)
    try:
        yield
    finally:
        revert_to(w3, snapshot)


class Snapshots:
    """Named snapshots of one node, kept beside its deployment file.

    Args:
        w3: A local node.
        folder: Where the deployment files are.
    """

    def __init__(self, w3: Web3, folder: Path = FOLDER) -> None:
        require_local(w3)
        self._w3 = w3
        chain = Chain(w3)
        self._genesis_hash = chain.genesis_hash()
        self.path = folder / f"{chain.chain_id()}.snapshots.json"

    def names(self) -> tuple[str, ...]:
        """What there is to go back to, oldest first."""
        return tuple(self._kept())

    def take(self, name: str) -> None:
        """Remembers the chain as it is under a name; what had the name before is forgotten.

        Raises:
            ValueError: If the name is empty.
        """
        if not name:
            raise ValueError("name: empty")
        kept = self._kept()
        kept.pop(name, None)
        self._keep({**kept, name: take_snapshot(self._w3)})

    def rewind(self, name: str) -> None:
        """Takes the chain back to how it was under a name; what was named later is forgotten.

        The name stays: the chain can be taken back to it again.

        Raises:
            Rejected: If the chain has no snapshot of this name.
        """
        kept = self._kept()
        if name not in kept:
            known = ", ".join(kept) or "none"
            raise Rejected(f"no snapshot is called {name!r} on this chain; there are: {known}")
        revert_to(self._w3, kept[name])
        names = list(kept)
        earlier = {one: kept[one] for one in names[: names.index(name)]}
        self._keep({**earlier, name: take_snapshot(self._w3)})

    def _kept(self) -> dict[str, SnapshotId]:
        # A node that was started anew has none of what another wrote.
        if not self.path.exists():
            return {}
        try:
            table: dict[str, Any] = json.loads(self.path.read_text())
            snapshots: dict[str, SnapshotId] = dict(table["snapshots"])
            return snapshots if table["genesis_hash"] == self._genesis_hash else {}
        except (ValueError, TypeError, KeyError) as error:
            raise Rejected(f"{self.path} holds no snapshots: remove it") from error

    def _keep(self, snapshots: dict[str, SnapshotId]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        table = {"genesis_hash": self._genesis_hash, "snapshots": snapshots}
        self.path.write_text(json.dumps(table, indent=2) + "\n")
