"""A dispatcher on a node whose blocks come when they are told to, and work that can be counted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from web3 import AsyncHTTPProvider, AsyncWeb3

from bulkhead.chain import AsyncChain
from bulkhead.deployment import Deployment
from bulkhead.index import Index, open_index
from bulkhead.interfaces import Call
from bulkhead.keeper import Batch, Dispatcher, Job, Journal, SendingPolicy, Settled, Task
from tests.helpers.anvil import Anvil

GWEI = 10**9
ETHER = 10**18
MNEMONIC = "test test test test test test test test test test test junk"
POLICY = SendingPolicy(max_fee=200 * GWEI, patience_blocks=2, confirmations=20)
COUNTER = to_checksum_address("0x" + "c0" * 20)
REVERTING = to_checksum_address("0x" + "de" * 20)
GAS = 60_000
DEPTH = 30
# One more in the slot that the call's first word names: sstore(word, sload(word) + 1).
_COUNTER_CODE = "0x5f358054600101905500"
_REVERTING_CODE = "0x5f5ffd"

Account.enable_unaudited_hdwallet_features()


def key(number: int) -> LocalAccount:
    """One of the accounts that the node has given money to."""
    found: LocalAccount = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{number}")
    return found


def unreal_deployment(chain_id: int = 1, genesis_hash: str = "0x" + "00" * 32) -> Deployment:
    """An exchange that is on no chain: nothing is ever logged there."""
    table: dict[str, Any] = {
        one.name: to_checksum_address(f"0x{number + 0xB000:040x}")
        for number, one in enumerate(fields(Deployment))
    }
    table |= {"chain_id": chain_id, "genesis_hash": genesis_hash, "block": 1, "token_decimals": 6}
    return Deployment(**table)


@dataclass(frozen=True, slots=True)
class Bench:
    """A node without an exchange, and a contract that counts what is done."""

    anvil: Anvil
    deployment: Deployment

    @classmethod
    def on(cls, anvil: Anvil) -> Bench:
        anvil.rpc("anvil_setCode", COUNTER, _COUNTER_CODE)
        anvil.rpc("anvil_setCode", REVERTING, _REVERTING_CODE)
        chain_id = int(anvil.rpc("eth_chainId"), 16)
        genesis = anvil.rpc("eth_getBlockByNumber", "0x0", False)["hash"]
        return cls(anvil, unreal_deployment(chain_id, genesis))

    def count(self, task: int) -> int:
        """How often a task was done."""
        return int(self.anvil.rpc("eth_getStorageAt", COUNTER, hex(task), "latest"), 16)

    def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self.anvil.rpc("evm_mine")

    def base_fee(self) -> int:
        return int(self.anvil.rpc("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)

    def mine_at(self, base_fee: int) -> None:
        """Mines a block, and lets the next one cost as much."""
        self.anvil.rpc("anvil_setNextBlockBaseFeePerGas", hex(base_fee))
        self.anvil.rpc("evm_mine")
        self.anvil.rpc("anvil_setNextBlockBaseFeePerGas", hex(base_fee))

    def set_balance(self, address: str, wei: int) -> None:
        self.anvil.rpc("anvil_setBalance", address, hex(wei))

    def nonce(self, address: str) -> int:
        return int(self.anvil.rpc("eth_getTransactionCount", address, "latest"), 16)

    def pool(self) -> int:
        return int(self.anvil.rpc("txpool_status")["pending"], 16)

    def steal(
        self,
        thief: LocalAccount,
        nonce: int,
        fee: int = 150 * GWEI,
        call: Call | None = None,
        gas: int = GAS,
    ) -> str:
        """Another process sends something of its own, with a key that may be ours."""
        wanted = work(999) if call is None else call
        fields: dict[str, Any] = {
            "chainId": self.deployment.chain_id,
            "nonce": nonce,
            "to": wanted.to,
            "data": wanted.data,
            "value": 0,
            "gas": gas,
            "maxFeePerGas": fee,
            "maxPriorityFeePerGas": fee // 2,
        }
        raw = thief.sign_transaction(fields).raw_transaction
        return str(self.anvil.rpc("eth_sendRawTransaction", raw.to_0x_hex()))

    @asynccontextmanager
    async def desk(
        self, path: Path, keys: Sequence[LocalAccount] = (), policy: SendingPolicy = POLICY
    ) -> AsyncIterator[Desk]:
        """What a keeper has, opened as it opens it."""
        w3 = AsyncWeb3(AsyncHTTPProvider(self.anvil.url))
        journal = Journal()
        index = open_index(path, self.deployment, depth=DEPTH, companions=[journal])
        chain = AsyncChain(w3)
        dispatcher = Dispatcher(chain, journal, list(keys) or [key(0)], policy)
        try:
            await index.catch_up(chain)
            yield Desk(chain, index, journal, dispatcher)
        finally:
            await dispatcher.close()
            index.close()
            await w3.provider.disconnect()


@dataclass(frozen=True, slots=True)
class Desk:
    """The dispatcher, and the index that it goes with."""

    chain: AsyncChain
    index: Index
    journal: Journal
    dispatcher: Dispatcher

    async def settle(self) -> tuple[Settled, ...]:
        """What the engine does with every head."""
        await self.index.catch_up(self.chain)
        return await self.dispatcher.settle(await self.chain.block(self.index.block))

    async def send(self, *tasks: int) -> bool:
        at = await self.chain.block()
        return await self.dispatcher.send(batch(*tasks), at) is not None


def work(task: int, to: str = COUNTER) -> Call:
    return Call(to, task.to_bytes(32, "big"), "count")


def batch(*tasks: int, to: str = COUNTER) -> Batch:
    """A transaction that counts the first of some tasks."""
    job = Job.EXECUTE_ORDERS
    found = tuple(Task(job, str(task), "", None, (), "count", None, GAS) for task in tasks)
    return Batch(job, found, work(tasks[0], to), GAS)


def intent(task: int) -> tuple[Job, str]:
    return Job.EXECUTE_ORDERS, str(task)
