"""The command line on a world in memory, which each test finds as it was built."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from web3 import Web3

from bulkhead import world
from bulkhead.cli import main
from bulkhead.listings import BTC, ETH
from bulkhead.local import anchored, memory_chain
from bulkhead.world import World


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Runs commands in this process, on one world."""

    world: World
    folder: Path

    def run(self, *words: str, env: dict[str, str] | None = None, text: str = "") -> Result:
        """A command's exit code and what it wrote, tables wide and without colour."""

        def connect(rpc: str) -> Web3:
            return self.world.reader.chain.w3

        variables = {"BULKHEAD_DEPLOYMENTS": str(self.folder), **(env or {})}
        runner = CliRunner(mix_stderr=False)
        return runner.invoke(main, words, env=variables, input=text, obj=connect)

    def ok(self, *words: str, env: dict[str, str] | None = None) -> Any:
        """A command's result, which must be good, from its JSON."""
        done = self.run(*words, "--json", env=env)
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    def error(self, *words: str, env: dict[str, str] | None = None) -> tuple[int, Any]:
        """A command's exit code, which must not be good, and what it says of it."""
        done = self.run(*words, "--json", env=env)
        assert done.stdout == ""
        return done.exit_code, json.loads(done.stderr)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    w3 = memory_chain()
    made = world.create(w3, [str(one) for one in w3.eth.accounts], listings=(BTC, ETH))
    folder = tmp_path_factory.mktemp("deployments")
    made.reader.deployment.save(folder)
    return CommandLine(made, folder)


@pytest.fixture
def shell(built: CommandLine) -> Iterator[CommandLine]:
    # Seen for the first time: keepers remember orders.
    w3, deployment = built.world.reader.chain.w3, built.world.reader.deployment
    people = [str(one) for one in w3.eth.accounts]
    with anchored(w3):
        yield CommandLine(world.load(w3, deployment, people), built.folder)
