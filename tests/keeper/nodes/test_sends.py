"""A transaction goes to all, and nothing but what was signed goes anywhere."""

import asyncio
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.conversions import to_hex
from eth_utils.crypto import keccak
from web3.exceptions import Web3RPCError

from bulkhead import errors
from bulkhead.chain import AsyncChain
from bulkhead.interfaces import Call
from tests.helpers.anvil import Anvil
from tests.keeper.nodes import proxy as manners
from tests.keeper.nodes.conftest import QUICK, Setting, finish, proxied
from tests.keeper.nodes.proxy import (
    answers_with,
    from_genesis,
    on_chain,
    only_for,
    stuck_at,
    too_many,
)

RECEIVER = "0x" + "33" * 20
ETHER = 10**18
GAS_PRICE = 10**10
LOW_NONCE = {"error": {"code": -32003, "message": "nonce too low"}}
KNOWN = {"error": {"code": -32000, "message": "already known"}}
SEND = "eth_sendRawTransaction"


@pytest.fixture
def signer(node: Anvil) -> LocalAccount:
    account: LocalAccount = Account.create()
    node.rpc("anvil_setBalance", account.address, hex(ETHER))
    return account


def signed(signer: LocalAccount, nonce: int = 0) -> bytes:
    transaction: dict[str, Any] = {
        "chainId": 31337,
        "nonce": nonce,
        "gas": 21_000,
        "gasPrice": GAS_PRICE,
        "to": RECEIVER,
        "value": 1,
        "data": b"",
    }
    return bytes(signer.sign_transaction(transaction).raw_transaction)


async def mined(node: Anvil, raw: bytes) -> Any:
    while True:
        found = node.rpc("eth_getTransactionReceipt", to_hex(keccak(raw)))
        if found is not None:
            return found
        await asyncio.sleep(0.01)


async def shown_everywhere(setting: Setting, raw: bytes) -> None:
    while [one.sent() for one in setting.proxies] != [[to_hex(raw)]] * len(setting.proxies):
        await asyncio.sleep(0.01)


@pytest.mark.anvil
def test_a_transaction_goes_to_all_and_is_mined_once(node: Anvil, signer: LocalAccount) -> None:
    async def story() -> None:
        async with proxied(node, 3) as setting:
            raw = signed(signer)
            assert to_hex(await setting.w3.eth.send_raw_transaction(raw)) == to_hex(keccak(raw))
            await shown_everywhere(setting, raw)
            assert (await mined(node, raw))["status"] == "0x1"
            assert int(node.rpc("eth_getTransactionCount", signer.address, "latest"), 16) == 1

    finish(story())


@pytest.mark.anvil
@pytest.mark.parametrize(
    "manner",
    [
        only_for(SEND, manners.hangs),
        only_for(SEND, manners.garbage),
        only_for(SEND, too_many("1")),
        answers_with({SEND: None}),
        answers_with({SEND: "0x" + "00" * 32}),
        answers_with({SEND: KNOWN}),
        answers_with({SEND: LOW_NONCE}),
    ],
    ids=["hangs", "garbage", "429", "null", "another hash", "known", "refused"],
)
def test_the_first_acceptance_counts_whatever_others_say(
    node: Anvil, signer: LocalAccount, manner: manners.Manner
) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            setting.proxies[0].manner = manner
            raw = signed(signer)
            assert to_hex(await setting.w3.eth.send_raw_transaction(raw)) == to_hex(keccak(raw))
            assert (await mined(node, raw))["status"] == "0x1"

    finish(story())


@pytest.mark.anvil
def test_an_address_that_hangs_does_not_hold_up_an_acceptance(
    node: Anvil, signer: LocalAccount
) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            setting.proxies[0].manner = only_for(SEND, manners.hangs)
            began = asyncio.get_running_loop().time()
            await setting.w3.eth.send_raw_transaction(signed(signer))
            assert asyncio.get_running_loop().time() - began < QUICK.timeout

    finish(story())


@pytest.mark.anvil
def test_what_all_refuse_is_refused_in_their_words(node: Anvil, signer: LocalAccount) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            await setting.w3.eth.send_raw_transaction(signed(signer))
            await asyncio.sleep(0.1)
            with pytest.raises(Web3RPCError, match="nonce too low"):
                await setting.w3.eth.send_raw_transaction(signed(signer))
            # The address is as good as before: it answered.
            assert setting.states() == ["healthy", "healthy"]
            assert [one.failures for one in setting.pool.health()] == [0, 0]

    finish(story())


@pytest.mark.anvil
def test_a_refusal_beside_an_acceptance_is_not_hidden(node: Anvil, signer: LocalAccount) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            setting.proxies[1].manner = answers_with({SEND: LOW_NONCE})
            raw = signed(signer)
            await setting.w3.eth.send_raw_transaction(raw)
            await shown_everywhere(setting, raw)
            while "nonce too low" not in setting.pool.health()[1].error:
                await asyncio.sleep(0.01)

    finish(story())


@pytest.mark.anvil
def test_a_refusal_beside_a_failure_is_the_answer(node: Anvil, signer: LocalAccount) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            setting.proxies[0].manner = only_for(SEND, manners.half)
            setting.proxies[1].manner = answers_with({SEND: LOW_NONCE})
            with pytest.raises(Web3RPCError, match="nonce too low"):
                await setting.w3.eth.send_raw_transaction(signed(signer))

    finish(story())


@pytest.mark.anvil
def test_known_everywhere_is_told_as_such(node: Anvil, signer: LocalAccount) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            setting.proxies[0].manner = answers_with({SEND: LOW_NONCE})
            setting.proxies[1].manner = answers_with({SEND: KNOWN})
            with pytest.raises(Web3RPCError, match="already known"):
                await setting.w3.eth.send_raw_transaction(signed(signer))

    finish(story())


@pytest.mark.anvil
def test_the_same_bytes_are_offered_again_while_nobody_answers(
    node: Anvil, signer: LocalAccount
) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            for one in setting.proxies:
                one.manner = only_for(SEND, manners.half)  # and the node has it, all the same
            raw = signed(signer)
            sending = asyncio.create_task(setting.w3.eth.send_raw_transaction(raw))
            await asyncio.sleep(0.3)
            for one in setting.proxies:
                one.manner = manners.honest
            with pytest.raises(Web3RPCError, match="nonce too low"):
                await sending
            assert (await mined(node, raw))["status"] == "0x1"
            for one in setting.proxies:
                assert set(one.sent()) == {to_hex(raw)}

    finish(story())


@pytest.mark.anvil
def test_no_transaction_is_shown_to_an_address_that_is_not_verified(
    node: Anvil, signer: LocalAccount
) -> None:
    async def story() -> None:
        async with proxied(node, 3, start=False) as setting:
            setting.proxies[1].manner = manners.refuses_service
            await setting.pool.start()
            await setting.proxies[2].die()
            while setting.states()[2] == "healthy":
                await asyncio.sleep(0.01)
            setting.proxies[2].manner = from_genesis("0x" + "ab" * 32)
            await setting.proxies[2].come()
            await setting.until("healthy", setting.states()[1], "wrong chain")
            await setting.w3.eth.send_raw_transaction(signed(signer))
            await asyncio.sleep(0.3)
            assert [len(one.sent()) for one in setting.proxies] == [1, 0, 0]

    finish(story())


@pytest.mark.anvil
def test_through_all_that_can_go_wrong_no_wrong_transaction_is_sent(
    node: Anvil, signer: LocalAccount
) -> None:
    """Twenty transactions of the SDK's own sending, while five addresses misbehave in turn."""
    moods: list[manners.Manner] = [
        manners.half,
        manners.garbage,
        manners.nothing,
        manners.wrong_id,
        manners.refuses_service,
        too_many("0"),
        manners.hangs,
        stuck_at(3),
        on_chain(5),
        answers_with({"eth_getTransactionCount": None, "eth_getBlockByNumber": None}),
        answers_with({"eth_getTransactionCount": "0x0"}),
        answers_with({SEND: "0x" + "00" * 32}),
        answers_with({"eth_gasPrice": None, "eth_estimateGas": "0x"}),
    ]

    async def story() -> None:
        async with proxied(node, 5) as setting:
            chain = AsyncChain(setting.w3)
            *bad, _good = setting.proxies

            async def misbehave() -> None:
                for turn in range(10**6):
                    for place, one in enumerate(bad):
                        one.manner = moods[(turn + 3 * place) % len(moods)]
                    await asyncio.sleep(0.15)

            trouble = asyncio.create_task(misbehave())
            done = 0
            while done < 20:
                try:
                    receipt = await chain.send(Call(RECEIVER, b"", "pay"), signer, value=1)
                except errors.Retryable:
                    continue
                done += 1
                assert receipt.gas_used == 21_000
            trouble.cancel()

            # Each was mined once, with the nonce it had, and nothing else was shown to anybody.
            count = int(node.rpc("eth_getTransactionCount", signer.address, "latest"), 16)
            assert count == 20
            shown = {raw for one in setting.proxies for raw in one.sent()}
            names = [to_hex(keccak(hexstr=raw)) for raw in shown]
            receipts = [node.rpc("eth_getTransactionReceipt", name) for name in names]
            assert sum(one is not None for one in receipts) == 20
            for raw in shown:
                assert Account.recover_transaction(raw) == signer.address
            for one in bad:
                wrong = [place for place, asked in enumerate(one.asked) if asked["method"] == SEND]
                assert all(verified_before(one.asked, place) for place in wrong)

    finish(story())


def verified_before(asked: list[manners.Asked], place: int) -> bool:
    return "eth_chainId" in [one["method"] for one in asked[:place]]
