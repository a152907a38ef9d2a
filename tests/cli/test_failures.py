"""What errors become: a sentence, JSON, an exit code."""

import json

import click
import pytest

from bulkhead import errors
from bulkhead.cli import failures


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [
        (errors.REASONS["balance: not withdrawable"](), 1, False),
        (errors.REASONS["price: stale"](), 3, True),
        (errors.NotMined("late"), 1, False),
        (errors.Unreachable("gone"), 4, True),
        (errors.DeploymentError("none"), 4, False),
        (click.UsageError("what"), 2, False),
        (ValueError("bad"), 2, False),
        (failures.NotFilled("rests"), 5, False),
        (click.Abort(), 130, False),
    ],
)
def test_an_error_has_its_exit_code(
    error: Exception, code: int, retryable: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failures.report(error, as_json=True) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert json.loads(told.err)["retryable"] is retryable


@pytest.mark.parametrize("text", ["with url: /v2/secret (Caused by", "for url: https://h/secret"])
def test_the_path_of_a_node_is_not_told(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    failures.report(errors.Unreachable(f"no luck {text}"), as_json=False)
    told = capsys.readouterr().err
    assert "no luck" in told
    assert "secret" not in told


def test_what_nobody_expects_is_not_caught() -> None:
    assert not issubclass(KeyError, failures.expected())
    assert not issubclass(AssertionError, failures.expected())
