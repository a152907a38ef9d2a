"""What one address can not answer, the next one does; an answer is an answer."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.web import Response
from web3.exceptions import ContractLogicError, Web3RPCError

from bulkhead.errors import Rejected, Unreachable
from tests.helpers.anvil import Anvil
from tests.keeper.nodes import proxy as manners
from tests.keeper.nodes.conftest import QUICK, finish, proxied
from tests.keeper.nodes.proxy import Manner, answers_with, only_for, too_many

BAD: dict[str, Manner] = {
    "hangs": manners.hangs,
    "garbage": manners.garbage,
    "not even text": manners.no_text,
    "deep JSON": manners.deep,
    "half JSON": manners.half,
    "an answer cut off": manners.cut_off,
    "too long an answer": manners.huge,
    "the answer to another request": manners.wrong_id,
    "no result": manners.no_result,
    "null": manners.nothing,
    "503": manners.refuses_service,
    "429": too_many("0"),
    "a redirect": manners.elsewhere,
    "a rate limit in JSON": manners.limited,
    "an error that is none": answers_with({"eth_getBalance": {"error": "no"}}),
    "a number that is none": answers_with({"eth_getBalance": "1 ETH"}),
}
ANYONE = "0x" + "11" * 20
REVERTS = "0x" + "22" * 20
REVERTING_CODE = "0x60006000fd"


@pytest.mark.anvil
@pytest.mark.parametrize("manner", BAD.values(), ids=BAD.keys())
def test_the_next_address_answers_for_one_that_fails(node: Anvil, manner: Manner) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            first, second = setting.proxies
            first.manner = only_for("eth_getBalance", manner)
            assert await setting.balance() == 0
            assert "eth_getBalance" in first.methods()
            assert "eth_getBalance" in second.methods()
            failed, healthy = setting.pool.health()
            assert failed.failures == 1
            assert failed.error
            assert healthy.failures == 0

    finish(story())


@pytest.mark.anvil
def test_a_dead_address_is_gone_around(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            await setting.proxies[0].die()
            assert await setting.balance() == 0
            assert setting.pool.health()[0].error.startswith("no connection")

    finish(story())


@pytest.mark.anvil
def test_no_latest_block_is_a_failure(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            setting.proxies[0].manner = only_for("eth_getBlockByNumber", manners.nothing)
            assert (await setting.w3.eth.get_block("latest"))["number"] >= 20
            assert setting.pool.health()[0].failures >= 1

    finish(story())


@pytest.mark.anvil
def test_null_for_a_block_that_must_be_there_is_a_failure(node: Anvil) -> None:
    async def manner(proxy: manners.Proxy, asked: manners.Asked) -> Response:
        named = asked["method"] == "eth_getBlockByNumber" and asked["params"][0] == "0x5"
        return await (manners.nothing if named else manners.honest)(proxy, asked)

    async def story() -> None:
        async with proxied(node) as setting:
            setting.proxies[0].manner = manner
            assert (await setting.w3.eth.get_block(5))["number"] == 5
            assert "no block 5" in setting.pool.health()[0].error

    finish(story())


@pytest.mark.anvil
def test_a_block_that_nobody_has_is_none_and_nobodys_failure(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            answer = await setting.ask("eth_getBlockByNumber", hex(10**6), False)
            assert answer["result"] is None
            assert [one.failures for one in setting.pool.health()] == [0, 0]

    finish(story())


@pytest.mark.anvil
def test_another_block_than_was_asked_for_is_a_failure(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            wrong = node.rpc("eth_getBlockByNumber", "0x3", False)
            setting.proxies[0].manner = answers_with({"eth_getBlockByNumber": wrong})
            assert (await setting.w3.eth.get_block(4))["number"] == 4

    finish(story())


@pytest.mark.anvil
@pytest.mark.parametrize("method", ["eth_getTransactionReceipt", "eth_getTransactionByHash"])
def test_a_transaction_that_one_address_has_lost_is_found_at_another(
    node: Anvil, method: str
) -> None:
    name = node.rpc(
        "eth_sendTransaction", {"from": node.rpc("eth_accounts")[0], "to": ANYONE, "value": "0x0"}
    )

    async def story() -> None:
        async with proxied(node) as setting:
            setting.proxies[0].manner = only_for(method, manners.nothing)
            answer = await setting.ask(method, name)
            assert isinstance(answer["result"], dict)
            assert [one.failures for one in setting.pool.health()] == [0, 0]

    finish(story())


@pytest.mark.anvil
def test_a_revert_is_an_answer_and_nobody_else_is_asked(node: Anvil) -> None:
    node.rpc("anvil_setCode", REVERTS, REVERTING_CODE)

    async def story() -> None:
        async with proxied(node) as setting:
            with pytest.raises(ContractLogicError):
                await setting.w3.eth.call({"to": REVERTS})
            assert setting.proxies[0].methods().count("eth_call") == 1
            assert "eth_call" not in setting.proxies[1].methods()
            assert [one.failures for one in setting.pool.health()] == [0, 0]

    finish(story())


@pytest.mark.anvil
def test_a_node_without_the_method_is_passed_over(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            unknown = {"error": {"code": -32601, "message": "method not found"}}
            setting.proxies[0].manner = answers_with({"eth_feeHistory": unknown})
            await setting.w3.eth.fee_history(1, "latest")
            assert [one.failures for one in setting.pool.health()] == [0, 0]

    finish(story())


@pytest.mark.anvil
def test_what_no_address_can_do_is_told_in_the_words_of_one(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            unknown = {"error": {"code": -32603, "message": "missing trie node"}}
            for one in setting.proxies:
                one.manner = answers_with({"eth_getBalance": unknown})
            with pytest.raises(Web3RPCError, match="missing trie node"):
                await setting.balance()

    finish(story())


@pytest.mark.anvil
def test_while_nobody_answers_it_is_tried_until_the_deadline(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node, policy=replace(QUICK, deadline=1)) as setting:
            for one in setting.proxies:
                one.manner = manners.refuses_service
            began = asyncio.get_running_loop().time()
            with pytest.raises(Unreachable, match="HTTP 503"):
                await setting.balance()
            assert asyncio.get_running_loop().time() - began < 3

    finish(story())


@pytest.mark.anvil
def test_an_address_alone_that_hiccups_answers_after_its_rest(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node, 1) as setting:
            (only,) = setting.proxies
            failures = iter([manners.half, too_many("1"), manners.garbage])

            async def manner(proxy: manners.Proxy, asked: manners.Asked) -> Response:
                if asked["method"] == "eth_getBalance":
                    return await next(failures, manners.honest)(proxy, asked)
                return await manners.honest(proxy, asked)

            only.manner = manner
            assert await setting.balance() == 0
            assert only.methods().count("eth_getBalance") == 4

    finish(story())


@pytest.mark.anvil
def test_all_reads_within_a_block_go_to_one_address(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node, 3) as setting:
            await setting.w3.eth.get_block("latest")
            await asyncio.gather(*(setting.balance() for _ in range(20)))
            asked = [one.methods().count("eth_getBalance") for one in setting.proxies]
            assert asked == [20, 0, 0]

    finish(story())


@pytest.mark.anvil
def test_after_a_failure_a_pass_stays_with_the_next_address_until_the_next_block(
    node: Anvil,
) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            first, second = setting.proxies
            await setting.w3.eth.get_block("latest")
            first.manner = only_for("eth_getBalance", manners.half)
            await setting.balance()
            first.manner = manners.honest
            await setting.until("healthy", "healthy")
            await setting.w3.eth.get_block("latest")
            await setting.balance()
            assert second.methods().count("eth_getBalance") == 2
            node.rpc("anvil_mine", "0x1")
            while setting.pool.health()[0].head != int(node.rpc("eth_blockNumber"), 16):
                await asyncio.sleep(0.01)
            await setting.w3.eth.get_block("latest")
            await setting.balance()
            assert first.methods().count("eth_getBalance") == 2

    finish(story())


@pytest.mark.anvil
def test_what_may_be_done_or_not_is_not_done_again(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            for one in setting.proxies:
                one.manner = only_for("eth_sendTransaction", manners.half)
            sender = node.rpc("eth_accounts")[0]
            request = {"from": sender, "to": ANYONE, "value": "0x0"}
            with pytest.raises(Rejected, match="may be done, or not"):
                await setting.ask("eth_sendTransaction", request)
            asked = [one.methods().count("eth_sendTransaction") for one in setting.proxies]
            assert sum(asked) == 1

    finish(story())


@pytest.mark.anvil
@pytest.mark.parametrize("method", ["eth_newBlockFilter", "eth_getFilterChanges", "eth_subscribe"])
def test_what_lives_in_one_node_is_refused(node: Anvil, method: str) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            with pytest.raises(Rejected, match="filters live in one node"):
                await setting.ask(method)
            assert method not in setting.proxies[0].methods()

    finish(story())


@pytest.mark.anvil
def test_a_batch_is_answered_request_by_request(node: Anvil) -> None:
    async def story() -> None:
        async with proxied(node) as setting:
            setting.proxies[0].manner = only_for("eth_getBalance", manners.half)
            async with setting.w3.batch_requests() as batch:
                batch.add(setting.balance())
                batch.add(setting.w3.eth.get_block(7))
                found: list[Any] = await batch.async_execute()
            assert (found[0], found[1]["number"]) == (0, 7)

    finish(story())
