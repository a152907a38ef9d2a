"""Turns what any chain raises into the package's own exceptions."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from bulkhead.errors._classes import (
    REASONS,
    AlreadyKnown,
    BulkheadError,
    InsufficientFunds,
    NonceTaken,
    NotFound,
    OutOfGas,
    Rejected,
    Reverted,
    Underpriced,
    Unreachable,
)

_ERROR_SELECTOR = bytes.fromhex("08c379a0")  # Error(string)
# What nodes say where they do not take a transaction; geth's, anvil's, nethermind's, eth-tester's.
_REJECTIONS: tuple[tuple[str, type[BulkheadError]], ...] = (
    ("nonce too low", NonceTaken),
    ("invalid transaction nonce", NonceTaken),
    ("old nonce", NonceTaken),
    ("already known", AlreadyKnown),
    ("already imported", AlreadyKnown),
    ("underpriced", Underpriced),
    ("less than block base fee", Underpriced),
    ("max fee per gas", Underpriced),
    ("insufficient funds", InsufficientFunds),
    ("does not have enough balance", InsufficientFunds),
    ("sender does not have enough", InsufficientFunds),
    ("too many requests", Unreachable),
    ("rate limit", Unreachable),
    ("not found", NotFound),
)
_UNREACHABLE = {
    "BadResponseFormat",
    "ClientError",
    "ConnectionError",
    "JSONDecodeError",
    "PersistentConnectionError",
    "ProviderConnectionError",
    "RequestException",
    "RequestTimedOut",
    "TimeExhausted",
    "TimeoutError",
    "TooManyRequests",
}
_PREFIX = re.compile(r"^.*?execution reverted:?\s*", re.DOTALL)


@contextmanager
def translated() -> Iterator[None]:
    """Whatever web3, eth-tester or py-evm raises inside leaves as a `BulkheadError`."""
    try:
        yield
    except _foreign() as error:
        raise error_of(error) from error


def error_of(error: BaseException) -> BulkheadError:
    """The package's exception for one of web3, eth-tester or py-evm."""
    message = _message_of(error)
    data = _data_of(error)
    if data is not None:
        return revert_of(data, message)
    if "out of gas" in message.lower() or type(error).__name__ == "OutOfGas":
        return OutOfGas(message)
    if "revert" not in message.lower():
        return _rejection_of(error, message)
    text = _PREFIX.sub("", message)
    found = REASONS.get(text)
    if found is not None:
        return found()
    # eth-tester prints the bytes it can not read.
    if re.fullmatch(r"b'.*'|b\".*\"", text, re.DOTALL):
        return revert_of(ast.literal_eval(text), message)
    return Reverted(message)


def revert_of(data: bytes, message: str = "") -> BulkheadError:
    """The exception for the data of a revert."""
    if data[:4] == _ERROR_SELECTOR:
        try:
            (reason,) = decode(["string"], data[4:])
        except DecodingError:
            return Reverted(message or "reverted with a broken reason", data)
        found = REASONS.get(reason)
        return found() if found is not None else Reverted(reason, data)
    if data:
        return Reverted(f"reverted with 0x{data.hex()}", data)
    return Reverted("reverted without data: an empty revert, or out of gas inside", data)


def _rejection_of(error: BaseException, message: str) -> BulkheadError:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & _UNREACHABLE:
        return Unreachable(message)
    if kinds & {"TransactionNotFound", "BlockNotFound"}:
        return NotFound(message)
    lower = message.lower()
    kind = next((kind for text, kind in _REJECTIONS if text in lower), Rejected)
    return kind(message)


def _foreign() -> tuple[type[BaseException], ...]:
    # Only of what is loaded: nothing else can have raised.
    kinds: list[type[BaseException]] = [ConnectionError, TimeoutError]
    for module, name in (
        ("web3.exceptions", "Web3Exception"),
        ("eth_tester.exceptions", "TransactionFailed"),
        ("eth_tester.exceptions", "ValidationError"),
        ("eth.exceptions", "PyEVMError"),
        ("eth_utils.exceptions", "ValidationError"),
        ("requests.exceptions", "RequestException"),
        ("aiohttp", "ClientError"),
    ):
        if module in sys.modules:
            kinds.append(getattr(sys.modules[module], name))
    return tuple(kinds)


def _message_of(error: BaseException) -> str:
    return str(error.args[0]) if error.args else str(error) or type(error).__name__


def _data_of(error: BaseException) -> bytes | None:
    data = getattr(error, "data", None)
    response = getattr(error, "rpc_response", None)
    if data is None and isinstance(response, dict):
        data = response.get("error", {}).get("data")
    if isinstance(data, str) and re.fullmatch(r"0x([0-9a-fA-F]{2})*", data):
        return bytes.fromhex(data[2:])
    return None
