import pytest
from web3 import Web3

from bulkhead.local import GAS_LIMIT, advance_time, is_local, memory_chain


@pytest.fixture(scope="module")
def w3() -> Web3:
    return memory_chain(accounts=1)


def test_a_chain_in_memory_has_the_gas_limit_of_a_real_one(w3: Web3) -> None:
    assert w3.eth.get_block("latest")["gasLimit"] == GAS_LIMIT == 30_000_000
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
