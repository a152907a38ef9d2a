"""Where prices come from: aggregators, Pyth, signers."""

import boa
from eth_abi.abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount

from bulkhead import prices
from tests.helpers.chain import Contract, Receipt, advance, now
from tests.helpers.protocol import Protocol

LOT = 10**10  # WAD base units: 1e-8
UNLISTED = 3  # the next market to be listed
PYTH_ID = b"\x07" * 32
SIGNERS: list[LocalAccount] = sorted(
    (Account.from_key(number.to_bytes(32, "big")) for number in range(1, 21)),
    key=lambda signer: int(signer.address, 16),
)
"""Twenty signers in the order of their addresses."""


def publish(protocol: Protocol, price: int, published_at: int, market: int = 0) -> Receipt:
    payload = prices.published_price(price, published_at)
    return protocol.oracle.send(protocol.owner, "update", market, payload)


def use_aggregator(
    protocol: Protocol, market: int = UNLISTED, source: Contract | None = None
) -> Contract:
    """A Chainlink feed of 8 decimals, with a trade age of a minute and a heartbeat of an hour."""
    found = source or Contract("mocks/MockAggregator", 8)
    protocol.oracle.send(
        protocol.owner, "set_chainlink_feed", market, LOT, 60, 3_600, found.address
    )
    return found


def answer(
    protocol: Protocol, aggregator: Contract, dollars: int, updated_at: int | None = None
) -> None:
    """Gives an aggregator of 8 decimals its next round, of now unless told otherwise."""
    at = now() if updated_at is None else updated_at
    aggregator.send(protocol.attacker, "set_answer", dollars * 10**8, at)


def bring(protocol: Protocol, market: int = UNLISTED, payload: bytes = b"") -> Receipt:
    """Updates from a feed that anyone may bring, a second later."""
    advance(1)
    return protocol.oracle.send(protocol.attacker, "update", market, payload)


def use_pyth(protocol: Protocol, fee: int = 7, market: int = UNLISTED) -> Contract:
    """A Pyth feed, and ether for the attacker to pay with."""
    pyth = Contract("mocks/MockPyth", fee)
    protocol.oracle.send(
        protocol.owner, "set_pyth_feed", market, LOT, 60, 3_600, pyth.address, PYTH_ID
    )
    boa.env.set_balance(protocol.attacker, 10**18)
    return pyth


def pyth_update(
    price: int,
    confidence: int = 0,
    exponent: int = -8,
    published_at: int | None = None,
    id: bytes = PYTH_ID,  # noqa: A002 - Pyth's word
) -> bytes:
    """An update as the mock takes it, of now unless told otherwise."""
    at = now() if published_at is None else published_at
    return encode(
        ["bytes32", "int64", "uint64", "int32", "uint256"], [id, price, confidence, exponent, at]
    )


def signed(
    protocol: Protocol,
    signers: list[LocalAccount],
    price: int,
    published_at: int,
    market: int = UNLISTED,
) -> bytes:
    """A payload that these sign."""
    chain = boa.env.evm.patch.chain_id
    oracle = protocol.oracle.address
    return prices.signed_price(signers, chain, oracle, market, price, published_at)
