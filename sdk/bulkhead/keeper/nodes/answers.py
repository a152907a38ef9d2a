"""What a node's answer must look like, and which block a request is about. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

HEAD_METHODS = ("eth_blockNumber", "eth_getBlockByNumber")
SEND_RAW = "eth_sendRawTransaction"

_READS = re.compile(
    r"eth_(get\w+|call|chainId|estimateGas|blockNumber|gasPrice|blobBaseFee|maxPriorityFeePerGas"
    r"|feeHistory|accounts|syncing|createAccessList|simulateV1)"
    r"|(net|web3|txpool|trace)_\w+|debug_trace\w+"
)
_KEPT_BY_ONE_NODE = re.compile(r"eth_(new\w*Filter|getFilter\w+|uninstallFilter|(un)?subscribe)")

_BLOCK_ARGUMENT = {
    "eth_call": 1,
    "eth_createAccessList": 1,
    "eth_estimateGas": 1,
    "eth_feeHistory": 1,
    "eth_getBalance": 1,
    "eth_getBlockByNumber": 0,
    "eth_getBlockReceipts": 0,
    "eth_getBlockTransactionCountByNumber": 0,
    "eth_getCode": 1,
    "eth_getProof": 2,
    "eth_getStorageAt": 2,
    "eth_getTransactionByBlockNumberAndIndex": 0,
    "eth_getTransactionCount": 1,
}
_BY_HASH = ("eth_getBlockByHash", "eth_getTransactionByHash", "eth_getTransactionReceipt")

# An application's error is an answer. These say that another node may know more.
_DOUBTFUL_CODES = (-32601, -32603, -32001, -32002, -32005)
_DOUBTFUL_TEXTS = (
    "block not found",
    "header not found",
    "missing trie node",
    "not available",
    "pruned",
    "unknown block",
)
_LIMIT_TEXTS = ("rate limit", "too many requests")
_KNOWN_TEXTS = ("already known", "already imported")


@dataclass(frozen=True, slots=True)
class Head:
    """The block that an address says is the latest."""

    number: int
    hash: str
    parent: str
    timestamp: int


def is_read(method: str) -> bool:
    """Whether a request changes nothing, so that it may be made again, and elsewhere."""
    return _READS.fullmatch(method) is not None


def is_kept_by_one_node(method: str) -> bool:
    """Whether a request is about something that only the node has which was asked before."""
    return _KEPT_BY_ONE_NODE.fullmatch(method) is not None


def asks_for_head(method: str, params: Sequence[Any]) -> bool:
    """Whether a request is for the number of the latest block, or for the block itself."""
    return method in HEAD_METHODS and (not params or params[0] == "latest")


def height_of(method: str, params: Sequence[Any]) -> int | None:
    """The highest block that a request names by its number; None where it names none."""
    if method == "eth_getLogs":
        wanted = params[0] if params and isinstance(params[0], Mapping) else {}
        return _height(wanted.get("toBlock"))
    place = _BLOCK_ARGUMENT.get(method)
    return None if place is None or len(params) <= place else _height(params[place])


def head_of(block: Mapping[str, Any]) -> Head:
    """A block's place in the chain."""
    return Head(
        number=int(block["number"], 16),
        hash=block["hash"].lower(),
        parent=block["parentHash"].lower(),
        timestamp=int(block["timestamp"], 16),
    )


def trouble_of(request_id: object, method: str, params: Sequence[Any], answer: Any) -> str:
    """What is wrong with an answer, so that it is none; empty where it is one."""
    if not isinstance(answer, dict) or answer.get("jsonrpc") != "2.0":
        return "an answer that is no JSON-RPC"
    if answer.get("id") != request_id:
        return "the answer to another request"
    error = answer.get("error")
    if error is not None:
        if not isinstance(error, dict) or not isinstance(error.get("message"), str):
            return "an error that is none"
        if not isinstance(error.get("code"), int):
            return "an error without a code"
        return "a rate limit" if _is_limit(error) else ""
    if "result" not in answer:
        return "an answer without a result"
    fits = _SHAPES.get(method)
    return "" if fits is None or fits(answer["result"], params) else f"no answer to {method}"


def is_doubtful(method: str, answer: Mapping[str, Any]) -> bool:
    """Whether another node may know better: this one has not the block, or not the method."""
    error = answer.get("error")
    if error is None:
        return answer["result"] is None and (method in _BY_HASH or method in HEAD_METHODS)
    if _is_of_application(error):
        return False
    text = error["message"].lower()
    return error["code"] in _DOUBTFUL_CODES or any(one in text for one in _DOUBTFUL_TEXTS)


def is_known(answer: Mapping[str, Any]) -> bool:
    """Whether a node refuses a transaction because it has it."""
    error = answer.get("error")
    return error is not None and any(one in error["message"].lower() for one in _KNOWN_TEXTS)


def _is_of_application(error: Mapping[str, Any]) -> bool:
    data = error.get("data")
    return (isinstance(data, str) and data.startswith("0x")) or "revert" in error["message"].lower()


def _is_limit(error: Mapping[str, Any]) -> bool:
    text = error["message"].lower()
    return not _is_of_application(error) and any(one in text for one in _LIMIT_TEXTS)


def _height(block: Any) -> int | None:
    if isinstance(block, int):
        return block
    if block == "earliest":
        return 0
    return int(block, 16) if _is_quantity(block) else None


def _is_quantity(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"0x[0-9a-fA-F]{1,64}", value) is not None


def _is_data(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"0x([0-9a-fA-F]{2})*", value) is not None


def _is_hash(value: Any) -> bool:
    return _is_data(value) and len(value) == 66


def _is_block(block: Any) -> bool:
    return (
        isinstance(block, dict)
        and _is_quantity(block.get("number"))
        and _is_quantity(block.get("timestamp"))
        and _is_hash(block.get("hash"))
        and _is_hash(block.get("parentHash"))
        and isinstance(block.get("transactions"), list)
    )


def _fits_number(block: Any, params: Sequence[Any]) -> bool:
    asked = params[0] if params else "latest"
    if asked == "pending":  # has no hash yet
        return isinstance(block, dict) and _is_quantity(block.get("timestamp"))
    height = _height(asked)
    if block is None:  # of a height that it has not reached
        return height is not None
    return _is_block(block) and (height is None or int(block["number"], 16) == height)


def _fits_hash(block: Any, params: Sequence[Any]) -> bool:
    return block is None or (_is_block(block) and _is_same(block["hash"], params))


def _fits_transaction(found: Any, params: Sequence[Any]) -> bool:
    return found is None or (isinstance(found, dict) and _is_same(found.get("hash"), params))


def _fits_receipt(found: Any, params: Sequence[Any]) -> bool:
    return found is None or (
        isinstance(found, dict)
        and _is_same(found.get("transactionHash"), params)
        and _is_quantity(found.get("blockNumber"))
        and _are_logs(found.get("logs"))
    )


def _is_same(value: Any, params: Sequence[Any]) -> bool:
    asked = params[0] if params else None
    asked = "0x" + asked.hex() if isinstance(asked, bytes) else str(asked)
    return _is_hash(value) and value.lower() == asked.lower()


def _are_logs(found: Any) -> bool:
    return isinstance(found, list) and all(
        isinstance(one, dict)
        and _is_quantity(one.get("blockNumber"))
        and _is_quantity(one.get("logIndex"))
        and isinstance(one.get("topics"), list)
        for one in found
    )


def _any_of(check: Callable[[Any], bool]) -> Callable[[Any, Sequence[Any]], bool]:
    return lambda result, _params: check(result)


_SHAPES: dict[str, Callable[[Any, Sequence[Any]], bool]] = {
    **dict.fromkeys(
        (
            "eth_blockNumber",
            "eth_chainId",
            "eth_estimateGas",
            "eth_gasPrice",
            "eth_getBalance",
            "eth_getTransactionCount",
            "eth_maxPriorityFeePerGas",
        ),
        _any_of(_is_quantity),
    ),
    **dict.fromkeys(("eth_call", "eth_getCode", "eth_getStorageAt"), _any_of(_is_data)),
    "eth_accounts": _any_of(lambda found: isinstance(found, list)),
    "eth_getBlockByHash": _fits_hash,
    "eth_getBlockByNumber": _fits_number,
    "eth_getLogs": _any_of(_are_logs),
    "eth_getTransactionByHash": _fits_transaction,
    "eth_getTransactionReceipt": _fits_receipt,
    "eth_sendRawTransaction": _any_of(_is_hash),
}
