"""What a chain answers without a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from eth_utils.conversions import to_hex

from bulkhead.chain.fees import GasPrice
from bulkhead.chain.requests import Ask, Program, Query, Result, Together
from bulkhead.chain.verbs import Verbs, verb
from bulkhead.errors import NotFound
from bulkhead.interfaces import Call, Log

LOG_BLOCKS = 10_000  # asked for at once: what public nodes allow


@dataclass(frozen=True, slots=True)
class Block:
    """A block, and the chain's time in it.

    Attributes:
        number: Its height.
        timestamp: Seconds.
        hash: Its name; empty where a block is spoken of by number and time alone.
    """

    number: int
    timestamp: int
    hash: str = ""


class ReadingVerbs(Verbs):
    """Reads of one chain."""

    def __init__(self) -> None:
        self._chain_id: int | None = None

    @verb
    def chain_id(self) -> Program[int]:
        """The chain's id."""
        if self._chain_id is None:
            self._chain_id = int((yield Ask("chain_id")))
        return self._chain_id

    @verb
    def genesis_hash(self) -> Program[str]:
        """The hash of block 0, which tells two chains of one id apart."""
        found = yield Ask("get_block", (0,))
        return to_hex(found["hash"])

    @verb
    def block(self, number: int | None = None) -> Program[Block]:
        """A block, or the latest."""
        found = yield Ask("get_block", ("latest" if number is None else number,))
        return Block(int(found["number"]), int(found["timestamp"]), to_hex(found["hash"]))

    @verb
    def transactions(self, number: int) -> Program[tuple[str, ...]]:
        """The hashes of a block's transactions, in their order."""
        found = yield Ask("get_block", (number,))
        return tuple(to_hex(one) for one in found["transactions"])

    @verb
    def now(self) -> Program[int]:
        """The chain's time: the latest block's, never the host's."""
        found = yield from self.block()
        return found.timestamp

    @verb
    def pending_time(self) -> Program[int]:
        """The second that the node would make its next block in."""
        found = yield Ask("get_block", ("pending",))
        return int(found["timestamp"])

    @verb
    def read(
        self,
        call: Call,
        block: Block | None = None,
        sender: str | None = None,
        gas: int | None = None,
    ) -> Program[Any]:
        """The decoded result of a call, made without a transaction."""
        found = yield _ask(call, block, sender, gas)
        return call.decode(bytes(found))

    @verb
    def run(self, query: Query[Result], block: Block | None = None) -> Program[Result]:
        """Runs a query to its end, at one block or, where none is named, at the latest there is.

        A query of several steps may then meet several blocks.
        """
        try:
            calls = next(query)
            while True:
                answers = yield Together(tuple(_ask(call, block, None, call.gas) for call in calls))
                decoded = zip(calls, answers, strict=True)
                calls = query.send(tuple(call.decode(bytes(one)) for call, one in decoded))
        except StopIteration as end:
            return cast(Result, end.value)

    @verb
    def logs(
        self,
        addresses: Sequence[str],
        first: int,
        last: int,
        topics: Sequence[Sequence[bytes] | None] = (),
    ) -> Program[tuple[Log, ...]]:
        """The logs of some contracts from block `first` to block `last`, in order.

        Args:
            addresses: The contracts.
            first: The first block.
            last: The last block, too.
            topics: What each topic may be; None for anything.
        """
        found: list[Log] = []
        wanted = [None if one is None else [to_hex(topic) for topic in one] for one in topics]
        for start in range(first, last + 1, LOG_BLOCKS):
            part = yield Ask(
                "get_logs",
                (
                    {
                        "address": list(addresses),
                        "fromBlock": start,
                        "toBlock": min(start + LOG_BLOCKS - 1, last),
                        **({"topics": wanted} if wanted else {}),
                    },
                ),
            )
            found.extend(log_of(log) for log in part)
        return tuple(sorted(found, key=lambda log: (log.block, log.index)))

    @verb
    def code_size(self, address: str) -> Program[int]:
        """Bytes of code at an address."""
        return len((yield Ask("get_code", (address,))))

    @verb
    def balance(self, address: str) -> Program[int]:
        """Wei of an address."""
        return int((yield Ask("get_balance", (address,))))

    @verb
    def nonce(self, address: str) -> Program[int]:
        """The nonce of an address's next transaction."""
        return int((yield Ask("get_transaction_count", (address, "pending"))))

    @verb
    def mined_nonce(self, address: str) -> Program[int]:
        """How many transactions of an address are mined."""
        return int((yield Ask("get_transaction_count", (address, "latest"))))

    @verb
    def knows(self, transaction: str) -> Program[bool]:
        """Whether the node has a transaction, mined or not."""
        try:
            yield Ask("get_transaction", (transaction,))
        except NotFound:
            return False
        return True

    @verb
    def gas_price(self) -> Program[GasPrice]:
        """What gas costs now."""
        latest = yield Ask("get_block", ("latest",))
        base = latest.get("baseFeePerGas")
        if base is None:
            return GasPrice(None, int((yield Ask("gas_price"))))
        return GasPrice(int(base), int((yield Ask("max_priority_fee"))))

    @verb
    def accounts(self) -> Program[tuple[str, ...]]:
        """The accounts that the node signs for."""
        return tuple(map(str, (yield Ask("accounts"))))


def log_of(log: Any) -> Log:
    """A log as web3 has it."""
    timestamp = log.get("blockTimestamp")  # newer nodes say it, and web3 leaves it as they do
    return Log(
        address=str(log["address"]),
        topics=tuple(bytes(topic) for topic in log["topics"]),
        data=bytes(log["data"]),
        block=int(log["blockNumber"]),
        transaction=to_hex(log["transactionHash"]),
        index=int(log["logIndex"]),
        block_hash=to_hex(log["blockHash"]),
        timestamp=int(timestamp, 16) if isinstance(timestamp, str) else timestamp,
    )


def _ask(call: Call, block: Block | None, sender: str | None, gas: int | None) -> Ask:
    request: dict[str, Any] = {"to": call.to, "data": to_hex(call.data)}
    if sender is not None:
        request["from"] = sender
    if gas is not None:
        request["gas"] = gas
    if call.value:
        request["value"] = call.value
    return Ask("call", (request, "latest" if block is None else block.number))
