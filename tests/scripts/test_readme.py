"""The README is run as it stands."""

import re
import shlex
from pathlib import Path

import pytest

from tests.helpers.anvil import ROOT, Anvil
from tests.scripts.command import run

README = (ROOT / "README.md").read_text()
NODE = "http://127.0.0.1:8545"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def execute(code: str) -> None:
    exec(compile(code, "README.md", "exec"), {})


def test_the_snippet_runs_in_memory(capsys: pytest.CaptureFixture[str]) -> None:
    in_memory, _ = blocks("python")
    execute(in_memory)
    (promised,) = re.findall(r"print\(.*\)  # (.*)", in_memory)
    assert capsys.readouterr().out.strip() == promised


@pytest.mark.ape
@pytest.mark.anvil
def test_the_tour_ends_in_a_liquidation(
    node: Anvil, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    commands = [shlex.split(line)[2:] for line in lines if line.startswith("ape run ")]
    answers = [run(*command) for command in commands]
    assert [command[0] for command in commands] == [
        *("deploy", "status"),
        *("place_order", "run_keeper", "status"),
        *("set_price", "run_keeper", "status"),
    ]
    assert "alice's order in BTC-PERP is executed" in answers[3]
    assert "BTC-PERP isolated long 0.1" in answers[4]
    assert "alice's isolated position in BTC-PERP is liquidated" in answers[6]
    assert "alice: cash 3,99" in answers[7]

    _, on_node = blocks("python")
    assert NODE in on_node
    execute(on_node.replace(NODE, node.url))
    assert capsys.readouterr().out.startswith("BTC-PERP 88000")


def test_every_link_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_folder_named_is_there() -> None:
    named = re.findall(r"^    ([\w/]+)/ ", README, re.MULTILINE)
    assert {"contracts", "sdk/bulkhead"} < set(named)
    assert {name for name in named if not (ROOT / name).is_dir()} <= {"deployments"}
