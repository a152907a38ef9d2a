"""Transactions on a node whose blocks come when they are told to."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import HexStr
from web3 import AsyncHTTPProvider, AsyncWeb3, HTTPProvider, Web3
from web3.types import RPCEndpoint

from bulkhead import (
    AsyncReader,
    AsyncTrader,
    OrderKind,
    Reader,
    Sending,
    Trader,
    errors,
    key_from_environment,
    key_from_keystore,
)
from bulkhead.chain import Chain, key_of
from tests.helpers.anvil import Anvil
from tests.sdk.world import World, build_world, refreshed

pytestmark = pytest.mark.anvil

BTC = "BTC-PERP"
KEY = "0x" + "11" * 32
GWEI = 10**9
HURRIED = Sending(timeout=5, patience=0.2)
RESTING: dict[str, Any] = {"is_buy": True, "kind": OrderKind.LIMIT, "acceptable_price": 90_000}


@dataclass(frozen=True, slots=True)
class Node:
    world: World
    key: LocalAccount

    def rpc(self, method: str, *parameters: Any) -> Any:
        answer = self.world.w3.provider.make_request(cast(RPCEndpoint, method), list(parameters))
        return answer["result"]

    def chain(self, sending: Sending = HURRIED) -> Chain:
        return Chain(self.world.w3, sending)

    def pool(self) -> dict[str, Any]:
        """The key's transactions that wait, by nonce."""
        pending = self.rpc("txpool_content")["pending"]
        mine = (
            found for who, found in pending.items() if int(who, 16) == int(self.key.address, 16)
        )
        return dict(next(mine, {}))


@pytest.fixture(scope="module")
def built() -> Iterator[World]:
    with Anvil() as anvil:
        yield build_world(Web3(HTTPProvider(anvil.url)))


@pytest.fixture
def node(built: World) -> Iterator[Node]:
    found = Node(refreshed(built), Account.from_key(KEY))
    snapshot = found.rpc("evm_snapshot")
    found.rpc("anvil_setBalance", found.key.address, hex(10**18))
    built.wallet.deposit(1_000, found.key.address)
    yield found
    found.rpc("evm_setAutomine", True)
    found.rpc("evm_revert", snapshot)


@pytest.fixture
def withdrawal(node: Node) -> Any:
    return node.world.reader.contracts.clearinghouse.call("withdraw", 10**6, node.key.address)


def test_a_stuck_transaction_is_sent_again_for_more(node: Node, withdrawal: Any) -> None:
    node.rpc("evm_setAutomine", False)
    offered: list[int] = []

    def mine_the_second() -> None:
        deadline = time.monotonic() + 10
        while len(set(offered)) < 2 and time.monotonic() < deadline:
            offered.extend(int(one["maxFeePerGas"], 16) for one in node.pool().values())
        node.rpc("evm_mine")

    miner = threading.Thread(target=mine_the_second)
    miner.start()
    receipt = node.chain().send(withdrawal, node.key)
    miner.join()
    first, second = sorted(set(offered))[:2]
    assert second >= first * 110 // 100
    sent = node.world.w3.eth.get_transaction(cast(Any, receipt.transaction))
    assert sent["maxFeePerGas"] >= second
    assert node.chain().nonce(node.key.address) == 1


def test_no_replacement_pays_more_than_the_cap(node: Node, withdrawal: Any) -> None:
    node.rpc("evm_setAutomine", False)
    cap = 3 * GWEI
    chain = node.chain(Sending(timeout=2, patience=0.1, max_fee=cap))
    with pytest.raises(errors.NotMined):
        chain.send(withdrawal, node.key)
    (waiting,) = node.pool().values()
    assert int(waiting["maxFeePerGas"], 16) <= cap


def test_what_is_not_mined_in_time_says_its_hashes(node: Node, withdrawal: Any) -> None:
    node.rpc("evm_setAutomine", False)
    chain = node.chain(Sending(timeout=0.5, patience=10))
    with pytest.raises(errors.NotMined) as caught:
        chain.send(withdrawal, node.key)
    (waiting,) = node.pool().values()
    assert waiting["hash"] in str(caught.value)
    assert not caught.value.retryable


def test_nothing_is_sent_that_would_revert(node: Node) -> None:
    call = node.world.reader.contracts.clearinghouse.call("withdraw", 10**12, node.key.address)
    with pytest.raises(errors.BalanceNotWithdrawable):
        node.chain().send(call, node.key)
    with pytest.raises(errors.BalanceNotWithdrawable):
        node.chain().send(call, node.key, gas=500_000)
    with pytest.raises(errors.BalanceNotWithdrawable):
        node.chain().check(call, node.key)
    assert node.chain().nonce(node.key.address) == 0


def test_a_signer_without_gas_money_is_told(node: Node, withdrawal: Any) -> None:
    node.rpc("anvil_setBalance", node.key.address, "0x1")
    with pytest.raises(errors.InsufficientFunds):
        node.chain().send(withdrawal, node.key, gas=500_000)


def test_a_nonce_that_another_process_took_is_left_to_it(node: Node, withdrawal: Any) -> None:
    class LateSigner:
        """While it signs, somebody else sends with the same key."""

        address = node.key.address
        signed = 0

        def sign_transaction(self, transaction: dict[str, Any]) -> Any:
            self.signed += 1
            if self.signed == 1:
                node.chain().send(withdrawal, node.key)
            return node.key.sign_transaction(transaction)

    signer = LateSigner()
    node.chain().send(withdrawal, signer)
    assert signer.signed == 2
    assert node.chain().nonce(node.key.address) == 2


def test_what_is_sent_at_once_by_one_signer_is_sent_in_turn(node: Node) -> None:
    url = node.world.w3.provider.endpoint_uri  # type: ignore[attr-defined]

    async def place_many() -> list[int]:
        w3 = AsyncWeb3(AsyncHTTPProvider(url))
        reader = AsyncReader(w3, node.world.reader.deployment)
        trader = AsyncTrader(reader, node.key)
        handles = await asyncio.gather(*(trader.place(BTC, "0.01", **RESTING) for _ in range(8)))
        await w3.provider.disconnect()
        return [one.placed.block for one in handles]

    assert len(asyncio.run(place_many())) == 8
    assert node.chain().nonce(node.key.address) == 8
    assert len(node.world.reader.open_orders(node.key.address).orders) == 8


def test_a_keystore_signs(node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    path = tmp_path / "key.json"
    path.write_text(json.dumps(Account.encrypt(HexStr(KEY), "secret", kdf="pbkdf2", iterations=1)))
    key = key_from_keystore(path, "secret")
    assert key.address == node.key.address
    with pytest.raises(ValueError, match="MAC"):
        key_from_keystore(path, "wrong")
    Trader(node.world.reader, key).withdraw(1)
    assert node.world.reader.account(key.address).cash == 999
    monkeypatch.setenv("BULKHEAD_PRIVATE_KEY", KEY)
    assert key_from_environment() == key
    monkeypatch.delenv("BULKHEAD_PRIVATE_KEY")
    assert key_from_environment() is None


def test_what_is_no_key_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="not a private key") as caught:
        key_of("0xsecret")
    assert "secret" not in str(caught.value)


def test_a_fresh_reader_finds_open_orders_and_says_how_far_it_looked(node: Node) -> None:
    trader = Trader(node.world.reader, node.key)
    first = trader.place(BTC, "0.01", **RESTING)
    second = trader.place(BTC, "0.02", **RESTING)
    ended = trader.place(BTC, "0.03", **RESTING)
    trader.cancel(ended)
    reader = Reader(node.world.w3, node.world.reader.deployment)
    found = reader.open_orders(node.key.address)
    assert found.orders == (first.placed, second.placed)
    assert found.first == reader.deployment.block
    later = reader.open_orders(node.key.address, first=second.placed.block)
    assert later.orders == (second.placed,)
    assert later.first == second.placed.block
