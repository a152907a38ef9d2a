"""The connection: programs of requests, and the two transports that run them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bulkhead.chain.fees import Fees, GasPrice
from bulkhead.chain.reading import LOG_BLOCKS, Block
from bulkhead.chain.requests import Program, Query
from bulkhead.chain.sending import ChainVerbs, Receipt, Sending, transaction_hash
from bulkhead.chain.signers import (
    Signer,
    TransactionSigner,
    address_of,
    key_from_environment,
    key_from_keystore,
    key_of,
)
from bulkhead.chain.transports import AwaitingTransport, BlockingTransport
from bulkhead.chain.verbs import Awaiting, Blocking, Verbs, verb

if TYPE_CHECKING:
    from web3 import AsyncWeb3, Web3

__all__ = [
    "LOG_BLOCKS",
    "AsyncChain",
    "Awaiting",
    "AwaitingTransport",
    "Block",
    "Blocking",
    "BlockingTransport",
    "Chain",
    "ChainVerbs",
    "Fees",
    "GasPrice",
    "Program",
    "Query",
    "Receipt",
    "Sending",
    "Signer",
    "TransactionSigner",
    "Verbs",
    "address_of",
    "key_from_environment",
    "key_from_keystore",
    "key_of",
    "transaction_hash",
    "verb",
]


class Chain(Blocking, ChainVerbs):
    """One `Web3`.

    Args:
        w3: A connection.
        sending: How transactions are sent.
    """

    verbs: ChainVerbs

    def __init__(self, w3: Web3, sending: Sending | None = None) -> None:
        self.w3 = w3
        self.transport = BlockingTransport(w3)
        self.verbs = ChainVerbs(sending)


class AsyncChain(Awaiting, ChainVerbs):
    """One `AsyncWeb3`.

    Args:
        w3: A connection.
        sending: How transactions are sent.
    """

    verbs: ChainVerbs

    def __init__(self, w3: AsyncWeb3[Any], sending: Sending | None = None) -> None:
        self.w3 = w3
        self.transport = AwaitingTransport(w3)
        self.verbs = ChainVerbs(sending)
