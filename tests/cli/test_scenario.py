from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine

STORY = """
title = "Small"
steps = [
    {{ chapter = "One" }},
    {{ deposit = 5, who = "alice" }},
    {{ expect = "account", of = "alice", cash = {cash} }},
    {{ show = ["alice", "markets", "house", "books"] }},
]
[world]
markets = ["BTC-PERP"]
people = ["alice"]
"""


def story(folder: Path, cash: int) -> str:
    path = folder / "small.toml"
    path.write_text(STORY.format(cash=cash))
    return str(path)


def test_stories_are_listed(shell: CommandLine) -> None:
    names = [one["name"] for one in shell.ok("scenario")]
    assert {"worked_example", "crash", "short_squeeze", "oracle_outage"} <= set(names)


def test_a_story_is_told(shell: CommandLine, tmp_path: Path) -> None:
    done = shell.run("scenario", story(tmp_path, 5))
    assert done.exit_code == 0, done.stderr
    assert "One" in done.stdout
    assert "2  alice deposits 5 USD." in done.stdout
    assert "3  as expected account alice, cash 5" in done.stdout
    assert "tokens held" in done.stdout
    assert done.stdout.endswith("Small: 4 of 4 steps, as expected.\n")


def test_a_story_is_json_for_programs(shell: CommandLine, tmp_path: Path) -> None:
    shown = shell.ok("scenario", story(tmp_path, 5))
    assert (shown["title"], shown["failures"]) == ("Small", 0)
    assert shown["steps"][1]["told"] == ["alice deposits 5 USD."]


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_an_expectation_that_fails_is_exit_code_1(
    shell: CommandLine, tmp_path: Path, options: tuple[str, ...]
) -> None:
    done = shell.run("scenario", story(tmp_path, 6), *options)
    assert done.exit_code == 1
    assert "small.toml, step 3 (expect), cash: 5, not 6" in done.stdout


def test_what_is_no_story_is_not_understood(shell: CommandLine) -> None:
    code, told = shell.error("scenario", "nowhere")
    assert (code, told["error"]) == (2, "StoryError")


def test_two_chains_are_one_too_many(shell: CommandLine) -> None:
    code, told = shell.error("scenario", "crash", "--anvil", "--rpc", "http://127.0.0.1:9")
    assert (code, told["reason"]) == (2, "--anvil and --rpc are two chains")
