"""`simulate` follows a position along a price, without a node."""

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bulkhead.cli import main

LONG = ("simulate", "BTC-PERP", "long", "0.1")


def ok(*words: str) -> Any:
    done = CliRunner(mix_stderr=False).invoke(main, [*words, "--json"])
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_a_position_wins_what_the_price_brings() -> None:
    found = ok(*LONG, "--to", "110000")
    assert found["liquidated"] is False
    assert found["happenings"][0]["what"] == "opened"
    opened = Decimal(found["happenings"][0]["price"])
    won = Decimal(found["equity"]) - Decimal(found["deposit"])
    assert abs(won - (110_000 - opened) / 10) < 10
    assert len(found["curve"]) == 61


def test_an_isolated_position_loses_its_margin_at_most() -> None:
    found = ok(*LONG, "--isolated", "--leverage", "10", "--to", "80000")
    assert found["liquidated"] is True
    assert Decimal(found["equity"]) > 3_980


def test_a_stop_comes_before_the_liquidation() -> None:
    found = ok(*LONG, "--isolated", "--leverage", "10", "--sl", "95000", "--to", "80000")
    assert found["liquidated"] is False
    assert [one["what"] for one in found["happenings"]] == ["opened", "closed"]


def test_the_same_seed_walks_the_same_way() -> None:
    walk = (*LONG, "--walk", "0.01", "--seed", "7")
    assert ok(*walk) == ok(*walk)
    assert ok(*walk) != ok(*LONG, "--walk", "0.01", "--seed", "8")


def test_people_see_a_few_steps_and_the_file_has_them_all(tmp_path: Path) -> None:
    words = [*LONG, "--to", "90000", "--csv", str(tmp_path / "curve.csv")]
    done = CliRunner(mix_stderr=False).invoke(main, words)
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) < 40
    assert "3600" in done.stdout
    rows = list(csv.reader((tmp_path / "curve.csv").read_text().splitlines()))
    assert len(rows) == 62
    assert rows[0] == ["time", "BTC-PERP", "trader"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["simulate", "NOPE", "long", "1", "--to", "1"], 2),
        ([*LONG], 2),
        ([*LONG, "--to", "90000", "--walk", "0.1"], 2),
        ([*LONG, "--walk", "1"], 2),
        ([*LONG, "--to", "90000", "--deposit", "1"], 0),
        ([*LONG, "--to", "90000", "--deposit", "0.1"], 1),
    ],
)
def test_what_can_not_be_followed_is_told(words: list[str], code: int) -> None:
    assert CliRunner(mix_stderr=False).invoke(main, words).exit_code == code
