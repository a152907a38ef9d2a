"""One `ape run`, in this process."""

import click
from click.testing import CliRunner

from tests.helpers.anvil import ROOT

SCRIPTS = sorted(path.stem for path in (ROOT / "scripts").glob("[a-z]*.py"))
FOUNDRY = ("--network", "ethereum:local:foundry")


def run(*arguments: str, exit_code: int = 0) -> str:
    """What a script prints; fails if it ends otherwise than it should."""
    from ape._cli import cli

    assert isinstance(cli, click.Command)
    result = CliRunner().invoke(cli, ["run", *arguments])
    assert result.exit_code == exit_code, f"{result.output}\n{result.exception!r}"
    return result.output


def refusal(*arguments: str) -> str:
    """The one sentence of a script that is refused."""
    output = run(*arguments, exit_code=1)
    assert output.startswith("Error: ")
    assert output.count("\n") == 1
    return output.removeprefix("Error: ").strip()
