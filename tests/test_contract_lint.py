"""The lint of the contracts finds what it is for: each rule against a source that breaks it."""

from pathlib import Path

import pytest

from tools.contract_ast import analyse
from tools.contract_lint import natrix_findings
from tools.contract_rules import (
    external_without_lock,
    loop_too_long,
    origin_of_transaction,
    two_effects_in_one_expression,
    unchecked_without_proof,
)

HEAD = "# pragma version 0.4.3\n# pragma nonreentrancy on\n"
COUNTER = """
total: uint256

@internal
def _count() -> uint256:
    self.total += 1
    return self.total

@internal
def _count_twice(step: uint256) -> uint256:
    self.total += 2 * step
    return self.total
"""


def written(folder: Path, body: str, name: str = "Doctored") -> Path:
    path = folder / f"{name}.vy"
    path.write_text(HEAD + body)
    return path


@pytest.mark.parametrize(
    "expression",
    [
        "self._count() < self._count()",
        "self._count() + self._count_twice(1) != 0",
        "self._count_twice(self._count()) < self._count()",
        "self._count() == 0 or staticcall Other(msg.sender).total() == extcall Other(self).count()",
    ],
)
def test_two_calls_with_effects_may_not_stand_in_one_expression(
    expression: str, tmp_path: Path
) -> None:
    body = f"""
interface Other:
    def total() -> uint256: view
    def count() -> uint256: nonpayable
{COUNTER}
@external
def probe() -> bool:
    return {expression}
"""
    modules = analyse([written(tmp_path, body)], tmp_path)
    assert [finding.text for finding in two_effects_in_one_expression(modules)] == [
        "two calls with effects in one expression"
    ]


def test_a_call_may_stand_in_the_argument_of_another(tmp_path: Path) -> None:
    body = COUNTER + "\n@external\ndef probe() -> uint256:\n"
    body += "    return self._count_twice(self._count())\n"
    assert not list(two_effects_in_one_expression(analyse([written(tmp_path, body)], tmp_path)))


def test_the_origin_of_a_transaction_may_not_be_read(tmp_path: Path) -> None:
    body = "\n@external\n@view\ndef probe() -> bool:\n    return tx.origin == msg.sender\n"
    (finding,) = origin_of_transaction(analyse([written(tmp_path, body)], tmp_path))
    assert (finding.line, finding.text) == (7, "tx.origin")


@pytest.mark.parametrize(
    ("function", "found"),
    [
        ("    return unsafe_add(number, 1)", 1),
        ("    return number + unsafe_mul(number,\n        unsafe_sub(number, 1))", 2),
        ("    return unsafe_add(number, 1)  # below 2**8", 0),
        ("    # Below 2**8.\n    return unsafe_add(number, 1)", 0),
        ('    """\n    @dev Unchecked: below 2**8.\n    """\n    return unsafe_add(number, 1)', 0),
    ],
)
def test_unchecked_arithmetic_needs_a_proof(function: str, found: int, tmp_path: Path) -> None:
    body = f"\n@external\n@pure\ndef probe(number: uint256) -> uint256:\n{function}\n"
    modules = analyse([written(tmp_path, body)], tmp_path)
    assert len(list(unchecked_without_proof(modules))) == found


def test_a_docstring_of_the_file_proves_its_unchecked_arithmetic(tmp_path: Path) -> None:
    body = '"""\n@dev Unchecked: below 2**8.\n"""\n\n@external\n@pure\n'
    body += "def probe(number: uint256) -> uint256:\n    return unsafe_add(number, 1)\n"
    assert not list(unchecked_without_proof(analyse([written(tmp_path, body)], tmp_path)))


@pytest.mark.parametrize("decorators", ["@external\n@reentrant", "@external\n@view\n@reentrant"])
def test_an_external_function_takes_the_lock(decorators: str, tmp_path: Path) -> None:
    body = f"\ntotal: uint256\n\n{decorators}\ndef probe() -> uint256:\n    return self.total\n"
    (finding,) = external_without_lock(analyse([written(tmp_path, body)], tmp_path))
    assert finding.text == "probe takes no lock"


def test_a_file_without_the_pragma_is_without_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "Doctored.vy"
    path.write_text("# pragma version 0.4.3\n\n@external\ndef probe():\n    pass\n")
    (finding,) = external_without_lock(analyse([path], tmp_path))
    assert finding.text == "probe takes no lock"


@pytest.mark.parametrize(("decorator", "found"), [("", 0), ("@reentrant", 1)])
def test_a_forwarder_needs_no_lock_where_its_logic_has_one(
    decorator: str, found: int, tmp_path: Path
) -> None:
    front = """
LOGIC: immutable(address)

@deploy
def __init__(logic: address):
    LOGIC = logic

@external
@reentrant
def probe():
    self._forward(LOGIC)

@internal
def _forward(logic: address):
    raw_call(logic, msg.data, is_delegate_call=True)
"""
    logic = f"\n@external\n{decorator}\ndef probe():\n    self.balance_seen = self.balance\n"
    sources = [
        written(tmp_path, front, "Front"),
        written(tmp_path, "\nbalance_seen: uint256\n" + logic, "FrontLogic"),
    ]
    names = {finding.path.stem for finding in external_without_lock(analyse(sources, tmp_path))}
    assert names == ({"Front", "FrontLogic"} if found else set())


@pytest.mark.parametrize(
    "loop", ["range(1_025)", "range(number, bound=10**9)", "self._long(number)"]
)
def test_a_loop_has_a_bound_that_a_block_can_pay_for(loop: str, tmp_path: Path) -> None:
    body = f"""
@external
@pure
def probe(number: uint256) -> uint256:
    found: uint256 = 0
    for i: uint256 in {loop}:
        found = i
    return found

@internal
@pure
def _long(number: uint256) -> DynArray[uint256, 2_000]:
    return []
"""
    if "_long" in loop:
        body = body.replace("in self._long(number)", "in long").replace(
            "    found: uint256 = 0\n",
            "    found: uint256 = 0\n    long: DynArray[uint256, 2_000] = self._long(number)\n",
        )
    (finding,) = loop_too_long(analyse([written(tmp_path, body)], tmp_path))
    assert "a loop of up to" in finding.text


def test_natrix_finds_an_unused_variable_in_a_module_that_uses_another(tmp_path: Path) -> None:
    used = written(tmp_path, "total: uint256\n", "used")
    body = "import used\n\nuses: used\n\n@internal\ndef _probe():\n"
    body += "    idle: uint256 = 1\n    used.total += 1\n"
    modules = analyse([used, written(tmp_path, body, "doctored")], tmp_path)
    assert [finding.text.split(":")[0] for finding in natrix_findings(modules)] == ["NTX8"]
