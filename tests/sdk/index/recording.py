"""A random walk on titanoboa, recorded, and a node that plays it back: forked, cut, or failing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any

import boa
import pytest
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from web3.exceptions import BlockNotFound, Web3RPCError

from bulkhead.chain import Blocking, BlockingTransport, Verbs
from bulkhead.deployment import Deployment
from bulkhead.interfaces import Log
from tests.helpers.chain import Contract, Receipt
from tests.helpers.protocol import Protocol

GENESIS = bytes(32)
NOBODY = "0x" + "0" * 40


@dataclass(slots=True)
class Recording:
    """Raw logs in their order. Every second is a block; the first is number 1."""

    logs: list[Log] = field(default_factory=list)
    timestamps: list[int] = field(default_factory=list)

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
def recording() -> Iterator[Recording]:
    """Records whatever any contract logs while the block runs."""
    recorded = Recording()
    attempt = Contract.attempt

    def recorded_attempt(self: Contract, *arguments: Any, **options: Any) -> Receipt:
        receipt = attempt(self, *arguments, **options)
        recorded.take(receipt, boa.env.evm.patch.timestamp)
        return receipt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Contract, "attempt", recorded_attempt)
        yield recorded


def deployment_of(protocol: Protocol) -> Deployment:
    """What an index must know of a protocol whose blocks begin at 1."""
    known: dict[str, Any] = {
        "chain_id": 1,
        "genesis_hash": "0x" + GENESIS.hex(),
        "block": 1,
        "token": protocol.token.address,
        "token_decimals": 6,
        "clearinghouse": protocol.clearinghouse.address,
        "order_book": protocol.book.address,
        "price_oracle": protocol.oracle.address,
        "liquidity_pool": protocol.pool.address,
        "timelock": None,
    }
    return Deployment(**{one.name: known.get(one.name, NOBODY) for one in fields(Deployment)})


class Node(Blocking):
    """Answers like web3 from a list of logs. A fork shares blocks with what it is a fork of.

    Attributes:
        head: The last block that it shows.
        max_range: The most blocks whose logs it gives at once.
        asked: How often it was asked for logs.
    """

    def __init__(
        self,
        timestamps: Sequence[int],
        logs: Sequence[Log],
        hashes: Sequence[bytes] = (GENESIS,),
        salt: str = "",
    ) -> None:
        self.timestamps = list(timestamps)
        self.logs = list(logs)
        self.head = len(self.timestamps)
        self.max_range: int | None = None
        self.asked = 0
        self.hashes = list(hashes)
        for number in range(len(self.hashes), self.head + 1):
            self.hashes.append(keccak(self.hashes[-1] + f"{salt}{number}".encode()))
        self.verbs = Verbs()
        self.eth = self
        self.transport = BlockingTransport(self)  # type: ignore[arg-type]

    def fork(self, above: int, empty: int = 1, salt: str = "fork") -> "Node":
        """Another chain from a block on: so many empty blocks, then the same life, later."""
        start = self.timestamps[above - 1] if above else 0
        times = [*self.timestamps[:above], *[start] * empty, *self.timestamps[above:]]
        logs = [log if log.block <= above else _later(log, empty) for log in self.logs]
        return Node(times, logs, self.hashes[: above + 1], salt)

    def until(self, head: int) -> "Node":
        """The same node, when this was its last block."""
        self.head = head
        return self

    def get_block(self, number: int | str) -> dict[str, Any]:
        wanted = self.head if isinstance(number, str) else number
        if wanted > self.head:
            raise BlockNotFound(f"no block {number}")
        timestamp = self.timestamps[wanted - 1] if wanted else 0
        return {"number": wanted, "hash": self.hashes[wanted], "timestamp": timestamp}

    def get_logs(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        self.asked += 1
        first, last = wanted["fromBlock"], min(wanted["toBlock"], self.head)
        if self.max_range is not None and last - first >= self.max_range:
            raise Web3RPCError("query exceeds the allowed range of blocks")
        addresses = set(wanted["address"])
        return [
            {
                "address": log.address,
                "topics": log.topics,
                "data": log.data,
                "blockNumber": log.block,
                "blockHash": self.hashes[log.block],
                "transactionHash": bytes.fromhex(log.transaction[2:]),
                "logIndex": log.index,
            }
            for log in self.logs
            if first <= log.block <= last and log.address in addresses
        ]


def _later(log: Log, blocks: int) -> Log:
    return replace(log, block=log.block + blocks)
