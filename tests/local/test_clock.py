import asyncio

import pytest
from web3 import Web3

from bulkhead.chain import AsyncChain, Block, Chain
from bulkhead.local import (
    GAS_LIMIT,
    advance_time,
    async_twin,
    catch_up,
    disconnect,
    is_local,
    memory_chain,
    steady_blocks,
)


def test_a_chain_in_memory_has_the_gas_limit_of_a_real_one() -> None:
    w3 = memory_chain(accounts=1)
    assert w3.eth.get_block("latest")["gasLimit"] == GAS_LIMIT == 30_000_000


def test_a_local_chain_is_known(w3: Web3) -> None:
    assert is_local(w3)


@pytest.mark.parametrize("seconds", [1, 2, 86_400])
def test_time_moves_by_what_is_asked(w3: Web3, seconds: int) -> None:
    before = advance_time(w3)
    after = advance_time(w3, seconds)
    assert after.timestamp == before.timestamp + seconds
    assert after.number == before.number + 1


def test_time_only_moves_on(w3: Web3) -> None:
    with pytest.raises(ValueError, match="time only moves on"):
        advance_time(w3, 0)


def test_catching_up_mines_one_block(w3: Web3) -> None:
    before = Chain(w3).block()
    assert catch_up(w3).number == before.number + 1


def test_steady_blocks_are_a_second_apart(w3: Web3) -> None:
    chain = Chain(w3)
    one, other, *_ = chain.accounts()
    advance_time(w3, 1_000)
    with steady_blocks(w3):
        first = chain.block()
        for _ in range(3):
            chain.wait(chain.submit(other, b"", one, 21_000, value=1))
        last = chain.block()
    assert (last.number, last.timestamp) == (first.number + 3, first.timestamp + 3)


def test_an_asynchronous_twin_sees_the_same_chain(w3: Web3) -> None:
    block = advance_time(w3)

    async def latest() -> Block:
        twin = async_twin(w3)
        try:
            return await AsyncChain(twin).block()
        finally:
            await disconnect(twin)

    assert asyncio.run(latest()) == block
