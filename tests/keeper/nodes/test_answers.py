"""What an answer must look like: the same for every node, so no chain is needed."""

from typing import Any

import pytest

from bulkhead.keeper.nodes import answers

HASH = "0x" + "ab" * 32
OTHER = "0x" + "cd" * 32
LOG = {"blockNumber": "0x1", "logIndex": "0x0", "topics": []}
BLOCK = {
    "number": "0x5",
    "timestamp": "0x1",
    "hash": HASH,
    "parentHash": OTHER,
    "transactions": [],
}


def answer(**named: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 7, **named}


def trouble(method: str, params: list[Any], result: Any) -> str:
    return answers.trouble_of(7, method, params, answer(result=result))


def error(code: int, message: str, **named: Any) -> dict[str, Any]:
    return answer(error={"code": code, "message": message, **named})


@pytest.mark.parametrize(
    ("method", "params", "result"),
    [
        ("eth_getBlockByNumber", ["latest", False], BLOCK),
        ("eth_getBlockByNumber", ["0x5", False], BLOCK),
        ("eth_getBlockByNumber", ["0x6", False], None),
        ("eth_getBlockByNumber", ["pending", False], {"timestamp": "0x1", "hash": None}),
        ("eth_getBlockByHash", [HASH, False], BLOCK),
        ("eth_getLogs", [{}], [LOG]),
        ("eth_getLogs", [{}], []),
        ("eth_getTransactionByHash", [HASH.upper().replace("X", "x")], {"hash": HASH}),
        ("eth_getTransactionByHash", [bytes.fromhex(HASH[2:])], {"hash": HASH}),
        ("eth_call", [{}, "latest"], "0x"),
        ("eth_somethingNew", [], None),
    ],
)
def test_what_a_node_says_is_taken(method: str, params: list[Any], result: Any) -> None:
    assert trouble(method, params, result) == ""


@pytest.mark.parametrize(
    ("method", "params", "result"),
    [
        ("eth_blockNumber", [], None),
        ("eth_blockNumber", [], 5),
        ("eth_blockNumber", [], "0x"),
        ("eth_blockNumber", [], "0x" + "f" * 65),
        ("eth_call", [{}, "latest"], None),
        ("eth_call", [{}, "latest"], "0x123"),
        ("eth_getBlockByNumber", ["latest", False], None),
        ("eth_getBlockByNumber", ["pending", False], None),
        ("eth_getBlockByNumber", ["0x6", False], BLOCK),
        ("eth_getBlockByNumber", ["latest", False], {**BLOCK, "hash": None}),
        ("eth_getBlockByNumber", ["latest", False], {**BLOCK, "number": None}),
        ("eth_getBlockByNumber", ["latest", False], {**BLOCK, "timestamp": 3}),
        ("eth_getBlockByNumber", ["latest", False], {**BLOCK, "transactions": None}),
        ("eth_getBlockByHash", [OTHER, False], BLOCK),
        ("eth_getLogs", [{}], None),
        ("eth_getLogs", [{}], [None]),
        ("eth_getLogs", [{}], [{**LOG, "blockNumber": None}]),
        ("eth_getTransactionByHash", [OTHER], {"hash": HASH}),
        ("eth_getTransactionReceipt", [HASH], {"transactionHash": HASH}),
        ("eth_getTransactionReceipt", [OTHER], {"transactionHash": HASH, "blockNumber": "0x1"}),
        ("eth_getTransactionCount", [HASH, "latest"], None),
        ("eth_sendRawTransaction", ["0x"], "yes"),
    ],
)
def test_what_is_no_answer_is_none(method: str, params: list[Any], result: Any) -> None:
    assert trouble(method, params, result) != ""


@pytest.mark.parametrize(
    "whole",
    [
        None,
        [],
        "text",
        {},
        {"jsonrpc": "1.0", "id": 7, "result": "0x"},
        {"jsonrpc": "2.0", "id": 8, "result": "0x"},
        {"jsonrpc": "2.0", "result": "0x"},
        answer(),
        answer(error="no"),
        answer(error={}),
        answer(error={"code": "1", "message": "no"}),
        answer(error={"code": 1, "message": None}),
    ],
)
def test_what_is_no_json_rpc_is_no_answer(whole: Any) -> None:
    assert answers.trouble_of(7, "eth_call", [], whole) != ""


@pytest.mark.parametrize(
    "found",
    [
        error(3, "execution reverted: rate limit", data="0x"),
        error(-32000, "execution reverted: block not found"),
        error(-32603, "reverted", data="0x08c379a0"),
        error(-32000, "insufficient funds for gas * price + value"),
        error(-32000, "nonce too low"),
    ],
)
def test_an_error_of_the_application_is_an_answer(found: dict[str, Any]) -> None:
    assert answers.trouble_of(7, "eth_call", [], found) == ""
    assert not answers.is_doubtful("eth_call", found)


@pytest.mark.parametrize(
    "found",
    [
        error(-32601, "no such method"),
        error(-32603, "internal error"),
        error(-32000, "header not found"),
        error(-32000, "missing trie node 12ab (path )"),
        error(-32005, "query returned more than 10000 results"),
    ],
)
def test_what_another_node_may_know_better_is_doubtful(found: dict[str, Any]) -> None:
    assert answers.trouble_of(7, "eth_call", [], found) == ""
    assert answers.is_doubtful("eth_call", found)


@pytest.mark.parametrize(
    ("method", "params", "height"),
    [
        ("eth_call", [{}, "0x10"], 16),
        ("eth_call", [{}, 16], 16),
        ("eth_call", [{}, "latest"], None),
        ("eth_call", [{}, {"blockHash": HASH}], None),
        ("eth_call", [{}], None),
        ("eth_getStorageAt", [HASH, "0x0", "0x10"], 16),
        ("eth_getLogs", [{"fromBlock": "0x1", "toBlock": "0x10"}], 16),
        ("eth_getLogs", [{"fromBlock": "0x1"}], None),
        ("eth_getLogs", [], None),
        ("eth_getBlockByNumber", ["earliest", False], 0),
        ("eth_getTransactionReceipt", [HASH], None),
    ],
)
def test_the_block_that_a_request_needs_is_known(
    method: str, params: list[Any], height: int | None
) -> None:
    assert answers.height_of(method, params) == height


@pytest.mark.parametrize(
    ("method", "is_read"),
    [
        ("eth_call", True),
        ("eth_getLogs", True),
        ("web3_clientVersion", True),
        ("eth_sendTransaction", False),
        ("eth_sendRawTransaction", False),
        ("evm_mine", False),
        ("anvil_setBalance", False),
        ("personal_sign", False),
        ("debug_setHead", False),
        ("eth_sign", False),
    ],
)
def test_only_what_changes_nothing_is_a_read(method: str, is_read: bool) -> None:
    assert answers.is_read(method) is is_read
