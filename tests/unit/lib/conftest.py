"""The contracts' libraries, on one anvil for all tests here."""

from collections.abc import Iterator

import pytest

from tests.helpers.anvil import Anvil
from tests.helpers.libraries import OPTIONS, Library, load_libraries


@pytest.fixture(scope="session")
def libraries() -> Iterator[dict[str, Library]]:
    with Anvil(*OPTIONS) as node:
        yield load_libraries(node)
