"""The guide's examples are run as they stand."""

import re

import pytest

from bulkhead.local import memory_chain
from bulkhead.scenarios import Player, open_stage, parse
from bulkhead.scenarios.vocabulary import EXPECTATIONS, VERBS
from tests.helpers.anvil import ROOT

GUIDE = (ROOT / "docs/local-world.md").read_text()


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    return str(found)


def test_the_guide_s_story_happens_as_it_is_written() -> None:
    story = parse(block("toml"), "local-world.md")
    told = list(Player(story, open_stage(story, memory_chain(4))).play())
    assert [failure for one in told for failure in one.failures] == []
    assert len(told) == len(story.steps)


def test_the_guide_knows_every_word() -> None:
    words = {word for table in (*VERBS.values(), *EXPECTATIONS.values()) for word in table}
    assert [word for word in {*words, *VERBS, *EXPECTATIONS} if f"`{word}`" not in GUIDE] == []


@pytest.mark.anvil
@pytest.mark.slow
def test_the_guide_s_program_prints_what_it_promises(capsys: pytest.CaptureFixture[str]) -> None:
    code = block("python")
    (promised,) = re.findall(r"print\(.*\)  # (.*)", code)
    exec(compile(code, "local-world.md", "exec"), {})
    assert capsys.readouterr().out.strip() == promised
