"""Transactions: checked, priced, signed, sent, replaced while they are stuck, and awaited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_utils.conversions import to_hex

from bulkhead import errors
from bulkhead.chain.fees import Fees
from bulkhead.chain.reading import ReadingVerbs, log_of
from bulkhead.chain.requests import Ask, Lock, Program, Rpc, Sleep, Unlock, Work
from bulkhead.chain.signers import Signer, TransactionSigner, address_of
from bulkhead.chain.verbs import verb
from bulkhead.interfaces import Call, Log

POLL_SECONDS = 0.05  # at first; then half as long again each time
MAX_POLL_SECONDS = 1.0
NONCE_TRIES = 3
TESTER = "EthereumTester"
TESTER_GAS = 10_000_000


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction."""

    transaction: str
    block: int
    gas_used: int
    logs: tuple[Log, ...]
    created: str | None = None  # address of the contract it deployed
    block_hash: str = ""
    gas_price: int = 0  # wei that a unit of gas cost
    is_reverted: bool = False


@dataclass(frozen=True, slots=True)
class Sending:
    """How transactions are sent.

    Attributes:
        timeout: Seconds to wait for a receipt.
        patience: Seconds after which a transaction that is not mined is sent again for more.
        bump: Percent that each replacement pays more; nodes ask for ten.
        max_fee: Wei per gas that none ever pays more than; None for any.
        gas_margin: Percent on top of what the node estimates.
    """

    timeout: float = 120
    patience: float = 30
    bump: int = 25
    max_fee: int | None = None
    gas_margin: int = 25


@dataclass(slots=True)
class Sent:
    """A transaction on its way: one nonce, and every hash it was sent under."""

    signer: Signer
    request: dict[str, Any]
    hashes: list[str]
    fees: Fees | None = None  # None where the node chooses them, and signs


class ChainVerbs(ReadingVerbs):
    """Reads and transactions of one chain.

    Args:
        sending: How transactions are sent.
    """

    def __init__(self, sending: Sending | None = None) -> None:
        super().__init__()
        self.sending = sending or Sending()
        self._is_tester: bool | None = None

    @verb
    def send(
        self, call: Call, signer: Signer, gas: int | None = None, *, value: int = 0
    ) -> Program[Receipt]:
        """Sends a call in a transaction and waits for it.

        It is tried without a transaction first, so that what would revert costs nothing.

        Args:
            call: What to do.
            signer: Who does it.
            gas: The limit; estimated, with a margin, where it is None.
            value: Wei that go with it.

        Raises:
            Refused: The reason it reverts for, if it does, mined or not.
            NotMined: If it was not mined in time. It may be yet.
        """
        request = self._request(call.to, call.data, signer, value)
        request["gas"] = yield from self._checked_limit(request, gas)
        sent = yield from self._submit(request, signer)
        return (yield from self._await(sent))

    @verb
    def check(self, call: Call, signer: Signer, *, value: int = 0) -> Program[Any]:
        """What a call would return to its sender now; sends nothing.

        Raises:
            Refused: The reason it would revert for.
        """
        found = yield Ask("call", (self._request(call.to, call.data, signer, value),))
        return call.decode(bytes(found))

    @verb
    def submit(
        self,
        to: str | None,
        data: bytes,
        signer: Signer,
        gas: int | None = None,
        *,
        value: int = 0,
    ) -> Program[str]:
        """Sends a transaction, and returns its hash without waiting.

        Args:
            to: Who is called; None to deploy.
            data: With what.
            signer: Who does it.
            gas: The limit, and nothing is checked; checked and estimated where it is None.
            value: Wei that go with it.
        """
        request = self._request(to, data, signer, value)
        if gas is None:
            gas = yield from self._checked_limit(request, None)
        request["gas"] = gas
        sent = yield from self._submit(request, signer)
        return sent.hashes[-1]

    @verb
    def wait(self, transaction: str) -> Program[Receipt]:
        """The receipt of a transaction, once it is mined.

        Raises:
            Refused: If it was mined and reverted.
            NotMined: If it was not mined in time.
        """
        return (yield from self._await(Sent("", {}, [transaction])))

    @verb
    def receipt(self, transaction: str) -> Program[Receipt]:
        """The receipt of a transaction that is mined.

        Raises:
            NotFound: If it is not, or not known.
            Refused: If it was mined and reverted.
        """
        found = yield from self.find_receipt(transaction)
        if found is None:
            raise errors.NotFound(f"not mined, or not known: {transaction}")
        if found.is_reverted:
            raise (yield from self.failure_of(found))
        return found

    @verb
    def find_receipt(self, transaction: str) -> Program[Receipt | None]:
        """The receipt of a transaction, reverted or not; None if it is not mined, or not known."""
        try:
            found = yield Ask("get_transaction_receipt", (transaction,))
        except errors.NotFound:
            return None
        return _receipt_of(found)

    @verb
    def failure_of(self, receipt: Receipt) -> Program[errors.BulkheadError]:
        """Why a mined transaction reverted: it is made again on the block before it."""
        transaction, block = receipt.transaction, receipt.block
        found = yield Ask("get_transaction", (transaction,))
        request = {name: found[name] for name in ("from", "gas", "value")} | {
            "data": found["input"]
        }
        if found.get("to"):
            request["to"] = found["to"]
        try:
            yield Ask("call", (request, block - 1))
        except errors.BulkheadError as error:
            return error
        return errors.Reverted(
            f"transaction {transaction} reverted in block {block}, and does not when repeated"
        )

    @verb
    def broadcast(self, raw: bytes) -> Program[str]:
        """Sends a signed transaction, and returns its hash. One that the node has is left there.

        Raises:
            BulkheadError: What the node says against it.
        """
        try:
            return to_hex((yield Ask("send_raw_transaction", (raw,))))
        except errors.AlreadyKnown:
            return transaction_hash(raw)

    @verb
    def settle(self, address: str) -> Program[None]:
        """Waits until every transaction of an address that the node knows is mined.

        Raises:
            NotMined: If they are not in time.
        """
        waited, pause = 0.0, POLL_SECONDS
        while True:
            known = yield from self.nonce(address)
            mined = yield from self.mined_nonce(address)
            if mined >= known:
                return
            if waited >= self.sending.timeout:
                raise errors.NotMined(f"{known - mined} transactions of {address} are pending")
            yield Sleep(pause)
            waited, pause = waited + pause, min(pause * 1.5, MAX_POLL_SECONDS)

    def _request(self, to: str | None, data: bytes, signer: Signer, value: int) -> dict[str, Any]:
        request: dict[str, Any] = {
            "from": address_of(signer),
            "data": to_hex(data),
            "value": value,
        }
        return request if to is None else {**request, "to": to}

    def _checked_limit(self, request: dict[str, Any], gas: int | None) -> Program[int]:
        """A gas limit for a transaction; raises what the transaction would."""
        if self._is_tester is None:
            version = str((yield Rpc("web3_clientVersion")))
            self._is_tester = version.startswith(TESTER)
        if gas is None and not self._is_tester:
            estimate = int((yield Ask("estimate_gas", (request,))))
            return estimate * (100 + self.sending.gas_margin) // 100
        # An estimate on eth-tester runs the call a dozen times; nobody pays for a high limit there.
        limit = TESTER_GAS if gas is None else gas
        yield Ask("call", ({**request, "gas": limit},))
        return limit

    def _submit(self, request: dict[str, Any], signer: Signer) -> Program[Sent]:
        if isinstance(signer, str):
            found = yield Ask("send_transaction", (request,))
            return Sent(signer, request, [to_hex(found)])
        address = address_of(signer)
        yield Lock(address)
        try:
            for left in reversed(range(NONCE_TRIES)):
                fees = (yield from self.gas_price()).offer().capped(self.sending.max_fee)
                numbered = {
                    **request,
                    "chainId": (yield from self.chain_id()),
                    "nonce": (yield from self.nonce(address)),
                }
                try:
                    sent = yield from self._sign_and_send(numbered, fees, signer)
                    return Sent(signer, numbered, [sent], fees)
                except errors.NonceTaken:
                    # Another process signs for this address, too: the node knows the next one now.
                    if not left:
                        raise
        finally:
            yield Unlock(address)
        raise AssertionError

    def _sign_and_send(
        self, request: dict[str, Any], fees: Fees, signer: TransactionSigner
    ) -> Program[str]:
        fields = {name: value for name, value in request.items() if name != "from"}
        signed = yield Work(lambda: signer.sign_transaction(fields | fees.fields()))
        return (yield from self.broadcast(bytes(signed.raw_transaction)))

    def _await(self, sent: Sent) -> Program[Receipt]:
        waited = since = 0.0
        pause = POLL_SECONDS
        while True:
            for transaction in reversed(sent.hashes):
                try:
                    return (yield from self.receipt(transaction))
                except errors.NotFound:
                    continue
            if waited >= self.sending.timeout:
                raise errors.NotMined(
                    f"not mined after {self.sending.timeout} s: {', '.join(sent.hashes)}"
                )
            if waited - since >= self.sending.patience:
                since = waited
                yield from self._replace(sent)
            yield Sleep(pause)
            waited, pause = waited + pause, min(pause * 1.5, MAX_POLL_SECONDS)

    def _replace(self, sent: Sent) -> Program[None]:
        """Sends a stuck transaction again, for more, if it may pay more and is ours to sign."""
        if isinstance(sent.signer, str) or sent.fees is None:
            return
        fees = sent.fees.raised(self.sending.bump).capped(self.sending.max_fee)
        if fees.most == sent.fees.most:
            return
        sent.fees = fees
        try:
            transaction = yield from self._sign_and_send(sent.request, fees, sent.signer)
        except (errors.NonceTaken, errors.Underpriced):
            return  # it has just been mined; or the node asks for more, which the next one offers
        sent.hashes.append(transaction)


def transaction_hash(raw: bytes) -> str:
    """The hash of a signed transaction."""
    from eth_utils.crypto import keccak

    return to_hex(keccak(raw))


def _receipt_of(found: Any) -> Receipt:
    return Receipt(
        transaction=to_hex(found["transactionHash"]),
        block=int(found["blockNumber"]),
        gas_used=int(found["gasUsed"]),
        logs=tuple(log_of(log) for log in found["logs"]),
        created=found.get("contractAddress"),
        block_hash=to_hex(found["blockHash"]),
        gas_price=int(found.get("effectiveGasPrice") or 0),
        is_reverted=found["status"] == 0,
    )
