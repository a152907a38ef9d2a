"""Every example runs as it stands, and prints what its comments say."""

import re
import runpy
from pathlib import Path

import pytest

from tools import example_page

pytestmark = pytest.mark.slow

PROMISE = re.compile(r"^\s*print\(.*\)  # (.+)$", re.MULTILINE)
MOST_LINES = 40


@pytest.mark.parametrize("path", example_page.sources(), ids=lambda path: path.stem)
def test_an_example_prints_what_it_says(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(path), run_name="__main__")
    printed = iter(capsys.readouterr().out.splitlines())
    promised = PROMISE.findall(path.read_text())
    assert promised
    assert [line for line in promised if line not in printed] == []


def test_examples_are_many_short_and_numbered() -> None:
    found = example_page.sources()
    assert len(found) >= 12
    assert [int(path.stem[:2]) for path in found] == list(range(1, len(found) + 1))
    assert [path.name for path in found if len(path.read_text().splitlines()) > MOST_LINES] == []
