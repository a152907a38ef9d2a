"""The table of what the walk drives is whole, and what it says is driven is."""

import re
from pathlib import Path

import pytest

from tests.helpers.chain import CONTRACTS
from tests.reference.entries import DRIVEN, LEFT_OUT, OUTSIDE
from tests.reference.machine import run
from tests.reference.walking import world

WALKS, STEPS = 40, 150  # at most, and of each: markets come to their end
WORLD = world()


@pytest.mark.parametrize("name", DRIVEN)
def test_every_function_that_changes_something_is_listed_once(name: str) -> None:
    protocol, _ = WORLD
    contracts = (protocol.clearinghouse, protocol.book, protocol.pool, protocol.oracle)
    (functions,) = [contract.functions for contract in contracts if contract.name == name]
    written = {known for known, function in functions.items() if not function.is_view}
    assert written == DRIVEN[name] | LEFT_OUT[name].keys()
    assert not DRIVEN[name] & LEFT_OUT[name].keys()


def test_every_contract_is_listed() -> None:
    logics = {"AccountLogic", "HouseLogic", "LiquidationLogic", "MarketLogic", "OrderLogic"}
    known = DRIVEN.keys() | OUTSIDE.keys() | logics
    assert {path.stem for path in CONTRACTS.glob("*.vy")} == known


@pytest.mark.slow
def test_the_walks_enter_everything_listed() -> None:
    missing = {f"{contract}.{name}" for contract, names in DRIVEN.items() for name in names}
    for seed in range(WALKS):
        actions = run(seed, STEPS, *WORLD)
        missing -= actions.twin.entered.keys()
        if not missing:
            break
    assert missing == set()


def test_the_model_shares_nothing_with_the_sdk() -> None:
    sources = [path.read_text() for path in Path(__file__).parent.glob("*.py")]
    assert len(sources) > 20
    assert not [s for s in sources if re.search(r"^\s*(from|import) bulkhead\b", s, re.MULTILINE)]
