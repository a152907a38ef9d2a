"""ape, in this process: starting it once more for every command would take most of the time."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.anvil import ROOT, Anvil

# Read when ape is imported; `make` sets it, too.
os.environ.setdefault("APE_DATA_FOLDER", str(ROOT / ".ape"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the project's scripts and no deployments; commands run in it."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("scripts", "ape-config.yaml"):
        (folder / name).symlink_to(ROOT / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def node(project: Path) -> Iterator[Anvil]:
    """A new node, which is what `::foundry` means."""
    with Anvil() as anvil, pytest.MonkeyPatch.context() as patch:
        patch.setenv("APE_FOUNDRY_HOST", anvil.url)
        yield anvil
