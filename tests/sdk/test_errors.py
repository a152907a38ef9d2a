import pickle
from typing import Any

import aiohttp
import pytest
import requests
from eth.exceptions import OutOfGas as PyEvmOutOfGas
from eth_abi.abi import encode
from eth_tester.exceptions import TransactionFailed
from web3.exceptions import (
    BadResponseFormat,
    ContractLogicError,
    TransactionNotFound,
    Web3RPCError,
)

from bulkhead import errors
from tools import error_reasons

STALE = bytes.fromhex("08c379a0") + encode(["string"], ["price: stale"])
ANSWER: Any = {"error": {"code": 3, "message": "", "data": "0x" + STALE.hex()}}


def test_sources_table_and_documentation_agree() -> None:
    assert error_reasons.problems() == []


def test_every_reason_of_ours_is_short() -> None:
    found = error_reasons.source_reasons()
    ours = [
        reason
        for reason, paths in found.items()
        if any(not path.startswith("snekmate") for path in paths)
    ]
    assert len(ours) > 100
    assert [reason for reason in ours if len(reason) > 32] == []


def test_every_reason_has_a_class_of_its_own() -> None:
    names = {refused.__name__ for refused in errors.REASONS.values()}
    assert len(names) == len(errors.REASONS)
    for reason, refused in errors.REASONS.items():
        assert refused.reason == reason
        assert issubclass(refused, errors.Refused)
        assert getattr(errors, refused.__name__) is refused


def test_an_unknown_name_is_no_exception() -> None:
    with pytest.raises(AttributeError, match="has no PriceWrong"):
        _ = errors.PriceWrong


def test_an_exception_says_what_to_do() -> None:
    error = errors.PriceStale()
    assert str(error).startswith("price: stale (")
    assert error.advice in str(error)
    assert error.retryable


def test_an_exception_can_cross_processes() -> None:
    assert isinstance(pickle.loads(pickle.dumps(errors.PriceStale())), errors.PriceStale)


@pytest.mark.parametrize(
    "error",
    [
        TransactionFailed("execution reverted: price: stale"),
        TransactionFailed(f"execution reverted: {STALE!r}"),
        ContractLogicError("execution reverted: price: stale", "0x" + STALE.hex()),
        ContractLogicError("execution reverted: price: stale"),
        Web3RPCError("{'code': 3}", rpc_response=ANSWER),
    ],
    ids=["eth-tester", "eth-tester bytes", "node", "node without data", "rpc"],
)
def test_every_chain_s_revert_is_the_same_exception(error: Exception) -> None:
    with pytest.raises(errors.PriceStale) as caught, errors.translated():
        raise error
    assert caught.value.__cause__ is error


def test_an_unknown_reason_keeps_its_data() -> None:
    data = bytes.fromhex("08c379a0") + encode(["string"], ["made: up"])
    found = errors.error_of(ContractLogicError("execution reverted", "0x" + data.hex()))
    assert isinstance(found, errors.Reverted)
    assert found.data == data
    assert str(found) == "made: up"


def test_unknown_data_is_kept() -> None:
    found = errors.error_of(ContractLogicError("execution reverted", "0xdeadbeef"))
    assert isinstance(found, errors.Reverted)
    assert found.data == bytes.fromhex("deadbeef")


@pytest.mark.parametrize(
    "error",
    [
        TransactionFailed("execution reverted: Out of gas: Needed 2100 - Remaining 130"),
        PyEvmOutOfGas("Out of gas: Needed 1"),
        Web3RPCError("out of gas"),
    ],
)
def test_running_out_of_gas_is_told_apart(error: Exception) -> None:
    assert isinstance(errors.error_of(error), errors.OutOfGas)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Web3RPCError("exceeds block gas limit"), errors.Rejected),
        (Web3RPCError("insufficient funds for gas * price + value"), errors.InsufficientFunds),
        (Web3RPCError("nonce too low"), errors.NonceTaken),
        (Web3RPCError("replacement transaction underpriced"), errors.Underpriced),
        (Web3RPCError("already known"), errors.AlreadyKnown),
        (Web3RPCError("429 Too Many Requests"), errors.Unreachable),
        (TransactionNotFound("Transaction with hash '0x00' not found."), errors.NotFound),
        (BadResponseFormat("half of it"), errors.Unreachable),
        (requests.ConnectionError("refused"), errors.Unreachable),
        (aiohttp.ClientConnectionError("refused"), errors.Unreachable),
        (TimeoutError("slow"), errors.Unreachable),
    ],
)
def test_what_a_node_does_not_take_says_why(
    error: Exception, kind: type[errors.BulkheadError]
) -> None:
    with pytest.raises(errors.BulkheadError) as caught, errors.translated():
        raise error
    assert type(caught.value) is kind


def test_every_error_may_be_retried_or_must_not() -> None:
    kinds = [kind for kind in all_kinds(errors.BulkheadError) if not all_kinds(kind)]
    assert len(kinds) > len(errors.REASONS)
    for kind in kinds:
        assert issubclass(kind, errors.Retryable) != issubclass(kind, errors.Permanent), kind
        assert kind.retryable is issubclass(kind, errors.Retryable)


def all_kinds(kind: type[errors.BulkheadError]) -> list[type[errors.BulkheadError]]:
    return [found for direct in kind.__subclasses__() for found in (direct, *all_kinds(direct))]


def test_other_exceptions_pass() -> None:
    with pytest.raises(ZeroDivisionError), errors.translated():
        _ = 1 // 0
