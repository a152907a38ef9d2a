"""Both kinds of local chains: what holds for one must hold for the other."""

from collections.abc import Iterator

import pytest
from web3 import Web3

from bulkhead.local import memory_chain
from tests.helpers.anvil import Anvil

CHAINS = ["memory", pytest.param("anvil", marks=pytest.mark.anvil)]


@pytest.fixture(scope="package", params=CHAINS)
def w3(request: pytest.FixtureRequest) -> Iterator[Web3]:
    if request.param == "memory":
        yield memory_chain(accounts=2)
        return
    with Anvil() as node:
        yield node.connect()
