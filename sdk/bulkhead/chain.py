"""The transport: a web3 connection that reads calls, sends them, and finds logs.

Everything above it speaks in encoded `Call`s and decoded `Event`s. Whatever the connection raises
for a revert becomes the exception of its reason, on every kind of chain.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from eth_utils.conversions import to_hex

from bulkhead import errors
from bulkhead.interfaces import Call, Log

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3 import Web3
    from web3.types import TxParams

    Signer: TypeAlias = LocalAccount | str
    """A local account that signs itself, or the address of one that the node holds."""

Result = TypeVar("Result")
Query: TypeAlias = Generator[tuple[Call, ...], tuple[Any, ...], Result]
"""A pure program of reads: yields calls, is sent their decoded results, returns its own."""

LOG_BLOCKS = 10_000  # asked for at once: what public nodes allow
RECEIPT_SECONDS = 120
TESTER_GAS = 10_000_000


@dataclass(frozen=True, slots=True)
class Block:
    """A block's number and the chain's time in it, seconds."""

    number: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction that was not reverted."""

    transaction: str
    block: int
    gas_used: int
    logs: tuple[Log, ...]
    created: str | None = None  # address of the contract it deployed


class Chain:
    """One web3 connection."""

    def __init__(self, w3: Web3) -> None:
        self.w3 = w3
        self._chain_id: int | None = None

    @property
    def chain_id(self) -> int:
        """The chain's id."""
        if self._chain_id is None:
            self._chain_id = self.w3.eth.chain_id
        return self._chain_id

    def genesis_hash(self) -> str:
        """The hash of block 0, which tells two chains of one id apart."""
        return to_hex(self.w3.eth.get_block(0)["hash"])

    def block(self, number: int | None = None) -> Block:
        """A block, or the latest."""
        with errors.translated():
            found = self.w3.eth.get_block("latest" if number is None else number)
        return Block(int(found["number"]), int(found["timestamp"]))

    def now(self) -> int:
        """The chain's time: the latest block's, never the host's."""
        return self.block().timestamp

    def read(self, call: Call, block: Block | None = None, sender: str | None = None) -> Any:
        """The decoded result of a call, made without a transaction."""
        with errors.translated():
            return call.decode(self._call(call.to, call.data, block, sender))

    def run(self, query: Query[Result], block: Block | None = None) -> Result:
        """Runs a query to its end, all of it at one block."""
        at = block or self.block()
        try:
            calls = next(query)
            while True:
                calls = query.send(tuple(self.read(call, at) for call in calls))
        except StopIteration as end:
            return cast(Result, end.value)

    def send(
        self, call: Call, signer: Signer, gas: int | None = None, *, value: int = 0
    ) -> Receipt:
        """Sends a call in a transaction and waits for it.

        Args:
            call: What to do.
            signer: Who does it.
            gas: The limit; estimated, with a quarter on top, where it is None.
            value: Wei that go with it.

        Raises:
            Refused: The reason it reverts for, if it does, mined or not.
        """
        return self.wait(self.submit(call.to, call.data, signer, gas, value=value))

    def submit(
        self,
        to: str | None,
        data: bytes,
        signer: Signer,
        gas: int | None = None,
        *,
        value: int = 0,
    ) -> str:
        """Sends a transaction, and returns its hash without waiting. No `to` deploys."""
        sender = address_of(signer)
        request: dict[str, Any] = {"from": sender, "data": to_hex(data), "value": value}
        if to is not None:
            request["to"] = to
        with errors.translated():
            request["gas"] = self._limit_of(request) if gas is None else gas
            if isinstance(signer, str):
                return to_hex(self.w3.eth.send_transaction(cast("TxParams", request)))
            raw = signer.sign_transaction(self._priced(request)).raw_transaction
            return to_hex(self.w3.eth.send_raw_transaction(raw))

    def wait(self, transaction: str) -> Receipt:
        """The receipt of a transaction, once it is mined.

        Raises:
            Refused: If it was mined and reverted.
        """
        with errors.translated():
            found = self.w3.eth.wait_for_transaction_receipt(
                cast(Any, transaction), timeout=RECEIPT_SECONDS, poll_latency=0.05
            )
        if found["status"] == 0:
            raise self._failure_of(transaction, int(found["blockNumber"]))
        return Receipt(
            transaction=transaction,
            block=int(found["blockNumber"]),
            gas_used=int(found["gasUsed"]),
            logs=tuple(_log_of(log) for log in found["logs"]),
            created=found.get("contractAddress"),
        )

    def logs(
        self,
        addresses: Sequence[str],
        first: int,
        last: int,
        topics: Sequence[Sequence[bytes] | None] = (),
    ) -> tuple[Log, ...]:
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
            with errors.translated():
                part = self.w3.eth.get_logs(
                    {
                        "address": cast(Any, list(addresses)),
                        "fromBlock": cast(Any, start),
                        "toBlock": cast(Any, min(start + LOG_BLOCKS - 1, last)),
                        **({"topics": cast(Any, wanted)} if wanted else {}),
                    }
                )
            found.extend(_log_of(log) for log in part)
        return tuple(sorted(found, key=lambda log: (log.block, log.index)))

    def code_size(self, address: str) -> int:
        """Bytes of code at an address."""
        return len(self.w3.eth.get_code(cast(Any, address)))

    def nonce(self, address: str) -> int:
        """The nonce of an address's next transaction."""
        return self.w3.eth.get_transaction_count(cast(Any, address), "pending")

    def _call(self, to: str, data: bytes, block: Block | None, sender: str | None) -> bytes:
        request: dict[str, Any] = {"to": to, "data": to_hex(data)}
        if sender is not None:
            request["from"] = sender
        at = "latest" if block is None else block.number
        return bytes(self.w3.eth.call(cast("TxParams", request), cast(Any, at)))

    def _limit_of(self, request: dict[str, Any]) -> int:
        """A gas limit for a transaction; raises what the transaction would."""
        if hasattr(self.w3.provider, "ethereum_tester"):
            # Its estimate runs the call a dozen times; nobody pays for a high limit there.
            self.w3.eth.call(cast("TxParams", request))
            return TESTER_GAS
        return self.w3.eth.estimate_gas(cast("TxParams", request)) * 5 // 4

    def _priced(self, request: dict[str, Any]) -> dict[str, Any]:
        """The transaction of a local signer: its nonce, its chain, and what it pays for gas."""
        priced = {
            **request,
            "chainId": self.chain_id,
            "nonce": self.nonce(request["from"]),
        }
        base = self.w3.eth.get_block("latest").get("baseFeePerGas")
        if base is None:
            return {**priced, "gasPrice": int(self.w3.eth.gas_price)}
        tip = int(self.w3.eth.max_priority_fee)
        # Two full blocks double the base fee at most by 27 %: twice lasts for six.
        return {**priced, "maxFeePerGas": 2 * int(base) + tip, "maxPriorityFeePerGas": tip}

    def _failure_of(self, transaction: str, block: int) -> errors.BulkheadError:
        """Why a mined transaction reverted: it is made again on the block before it."""
        found = self.w3.eth.get_transaction(cast(Any, transaction))
        request = {name: found[name] for name in ("from", "gas", "value")} | {
            "data": found["input"]
        }
        if found.get("to"):
            request["to"] = found["to"]
        try:
            with errors.translated():
                self.w3.eth.call(cast("TxParams", request), cast(Any, block - 1))
        except errors.BulkheadError as error:
            return error
        return errors.Reverted(
            f"transaction {transaction} reverted in block {block}, and does not when repeated"
        )


def address_of(signer: Signer) -> str:
    """A signer's address."""
    return signer if isinstance(signer, str) else str(signer.address)


def _log_of(log: Any) -> Log:
    return Log(
        address=str(log["address"]),
        topics=tuple(bytes(topic) for topic in log["topics"]),
        data=bytes(log["data"]),
        block=int(log["blockNumber"]),
        transaction=to_hex(log["transactionHash"]),
        index=int(log["logIndex"]),
    )
