"""Settings in files and variables of a test's own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bulkhead.keeper.configuration.settings import PREFIX

Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test meets what the machine it runs on has set."""
    import os

    for name in list(os.environ):
        if name.upper().startswith(PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a settings file, and returns its path."""

    def written(text: str) -> Path:
        path = tmp_path / "settings.toml"
        path.write_text(text)
        return path

    return written
