"""The table of what forge's handlers drive is whole."""

import json
import re
from pathlib import Path

import pytest

from tests.forge.entries import DRIVEN, LEFT_OUT, LOGICS, NEVER_REFUSED, OUTSIDE, TRESPASSED

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "sdk" / "bulkhead" / "artifacts"
HANDLERS = Path(__file__).parent / "handlers"


def written(contract: str) -> set[str]:
    """The functions of a deployed contract that change something."""
    abi = json.loads((ARTIFACTS / f"{contract}.json").read_text())["abi"]
    return {
        entry["name"]
        for entry in abi
        if entry["type"] == "function" and entry["stateMutability"] in ("nonpayable", "payable")
    }


@pytest.mark.parametrize("contract", DRIVEN)
def test_every_function_that_changes_something_is_listed_once(contract: str) -> None:
    functions = written(contract).union(*(written(logic) for logic in LOGICS[contract]))
    assert functions == DRIVEN[contract].keys() | LEFT_OUT[contract].keys()
    assert not DRIVEN[contract].keys() & LEFT_OUT[contract].keys()


def test_every_contract_is_listed() -> None:
    known = DRIVEN.keys() | OUTSIDE.keys() | set[str]().union(*LOGICS.values())
    assert {path.stem for path in (ROOT / "contracts").glob("*.vy")} == known


def test_what_is_never_refused_is_driven() -> None:
    names = {name for counted in DRIVEN.values() for name in counted.values()}
    assert names > NEVER_REFUSED


def test_what_is_left_to_trespassers_is_tried_by_them() -> None:
    source = (HANDLERS / "rights.vy").read_text()
    named = {
        function
        for functions in LEFT_OUT.values()
        for function, reason in functions.items()
        if reason == TRESPASSED
    }
    assert not {function for function in named if f'"{function}(' not in source}


def test_every_handler_is_an_action() -> None:
    actions = (HANDLERS / "actions.vy").read_text()
    handlers = {
        line.removeprefix("def ").split("(")[0]
        for path in HANDLERS.glob("*.vy")
        for line in path.read_text().splitlines()
        if re.fullmatch(r"def [a-z]\w*\(seed: bytes32\):", line)
    }
    assert len(handlers) > 50
    assert not {handler for handler in handlers if f'"{handler}(bytes32)"' not in actions}
