from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.anvil import Anvil
from tests.keeper.dispatch.desk import MNEMONIC, Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A node of one's own, whose blocks come when they are told to.

    Reorgs and gas prices leave traces that no snapshot takes back.
    """
    with Anvil("--mnemonic", MNEMONIC, "--no-mining") as anvil:
        yield Bench.on(anvil)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keeper.db"
