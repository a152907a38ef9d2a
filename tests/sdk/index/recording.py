"""All logs of a random walk on titanoboa, as a chain would have them: a block for each second."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boa
import pytest
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from bulkhead.interfaces import Log
from tests.helpers.chain import Contract, Receipt


@dataclass(slots=True)
class Recording:
    """Raw logs in their order; block numbers count from 1, hashes depend on the block before."""

    logs: list[Log] = field(default_factory=list)
    timestamps: list[int] = field(default_factory=list)  # of blocks, from 1 on

    def take(self, receipt: Receipt, timestamp: int) -> None:
        if not self.timestamps or self.timestamps[-1] != timestamp:
            self.timestamps.append(timestamp)
        number = len(self.timestamps)
        index = self.logs[-1].index + 1 if self.logs and self.logs[-1].block == number else 0
        transaction = "0x" + keccak(text=f"{number}/{index}").hex()
        for place, (address, topics, data) in enumerate(receipt.logs, index):
            self.logs.append(
                Log(
                    address=to_checksum_address(address),
                    topics=tuple(topic.to_bytes(32) for topic in topics),
                    data=bytes(data),
                    block=number,
                    transaction=transaction,
                    index=place,
                )
            )


@contextmanager
def recording(patch: pytest.MonkeyPatch) -> Iterator[Recording]:
    """Records whatever any contract logs while the block runs."""
    recorded = Recording()
    attempt = Contract.attempt

    def recorded_attempt(self: Contract, *arguments: Any, **options: Any) -> Receipt:
        receipt = attempt(self, *arguments, **options)
        recorded.take(receipt, boa.env.evm.patch.timestamp)
        return receipt

    with patch.context() as scope:
        scope.setattr(Contract, "attempt", recorded_attempt)
        yield recorded
