"""`ape console` begins with the exchange."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.anvil import ROOT

pytestmark = [pytest.mark.ape, pytest.mark.slow]
DEADLINE = 120  # seconds


def console(folder: Path, code: str) -> str:
    """What a line in a new console prints, on the embedded chain."""
    ape = str(Path(sys.executable).with_name("ape"))
    environment = {
        **os.environ,
        "HOME": str(folder),
        "APE_DATA_FOLDER": str(folder),
        "PYTHONPATH": str(ROOT / "sdk"),
    }
    done = subprocess.run(
        [ape, "console", "--code", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("scripts", "ape-config.yaml", "ape_console_extras.py"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def test_the_console_has_the_scripts_objects(checkout: Path) -> None:
    code = (
        "print(sorted(markets), sorted(traders), reader.owner() == admin.address,"
        " keeper is world.keeper, reader.account(traders['bob'].address).cash)"
    )
    text = console(checkout, code)
    assert text.startswith("The embedded chain is empty")
    assert "['BTC-PERP', 'ETH-PERP'] ['alice', 'bob', 'carol'] True True 5000" in text
