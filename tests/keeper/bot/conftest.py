from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.keeper.bot.commands import MNEMONIC
from tests.keeper.stage import Stage, staged

TRADERS = tuple(f"trader {number}" for number in range(10))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """An exchange on a node with accounts left that have no part in it."""
    options = ("--accounts", "24", "--mnemonic", MNEMONIC)
    (tmp_path / "deployments").mkdir()
    with staged(tmp_path / "deployments", *options, names=TRADERS) as stage:
        yield stage
