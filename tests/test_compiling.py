"""What is compiled is what the sources are now."""

from pathlib import Path

from tools.compiling import compiler_of

OUTER = """# pragma version 0.4.3
from . import inner

@external
@pure
def number() -> uint256:
    return inner.number()
"""
INNER = """# pragma version 0.4.3
@internal
@pure
def number() -> uint256:
    return {}
"""


def test_a_module_that_changes_changes_the_contract(tmp_path: Path) -> None:
    (tmp_path / "outer.vy").write_text(OUTER)
    codes = []
    for number in (1, 2, 1):
        (tmp_path / "inner.vy").write_text(INNER.format(number))
        codes.append(compiler_of(Path("outer.vy"), root=tmp_path).bytecode_runtime)
    assert codes[0] == codes[2] != codes[1]


def test_a_text_takes_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "outer.vy").write_text(OUTER)
    (tmp_path / "inner.vy").write_text(INNER.format(1))
    alone = OUTER.replace("from . import inner\n", "").replace("inner.number()", "1")
    given = compiler_of(Path("outer.vy"), alone, tmp_path).bytecode_runtime
    assert given != compiler_of(Path("outer.vy"), root=tmp_path).bytecode_runtime
