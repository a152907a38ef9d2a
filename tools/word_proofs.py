"""Write the contract that states what packing means, for every struct of `lib/words.vy`.

The widths come from the unit tests, which list them as `docs/design.md` does, and not from the code
under proof; a struct without widths there is an error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from vyper.ast import nodes, parse_to_ast

from tests.unit.lib.test_words import NAMES, SIGNED, WIDTHS
from tools.contract_ast import CONTRACTS

HEAD = """# pragma version 0.4.3

from contracts.lib import words


@internal
@pure
def _prove(claim: bool):
    if not claim:
        raw_revert(abi_encode(convert(1, uint256), method_id=method_id("Panic(uint256)")))
"""
STATEMENTS = """

@external
@pure
def pack{name}(given: words.{struct}) -> uint256:
    return words.pack{name}(given)


@external
@pure
def check{name}_comes_back(given: words.{struct}):
    back: words.{struct} = words.unpack{name}(words.pack{name}(given))
    self._prove({differences} == 0)


@external
def check{name}_fits_exactly(given: words.{struct}):
    taken: bool = raw_call(
        self,
        abi_encode(given, method_id=method_id("pack{name}({types})")),
        revert_on_failure=False,
        is_static_call=True,
    )
    self._prove(taken == ({excess} == 0))
"""


def word_proofs() -> str:
    """The source of the contract."""
    module = parse_to_ast((CONTRACTS / "lib" / "words.vy").read_text())
    structs = {struct.name: struct for struct in module.get_children(nodes.StructDef)}
    widths = {kind.__name__: (NAMES[kind], fields) for kind, fields in WIDTHS.items()}
    if structs.keys() != widths.keys():
        sys.exit(f"no widths are known of {', '.join(sorted(structs.keys() ^ widths.keys()))}")
    text = HEAD
    for struct, (name, fields) in widths.items():
        kinds = {field.target.id: field.annotation.id for field in structs[struct].body}
        text += STATEMENTS.format(
            name=name,
            struct=struct,
            types=f"({','.join(kinds.values())})",
            differences=_joined(
                f"({_bits(f'given.{field}', kind)} ^ {_bits(f'back.{field}', kind)})"
                for field, kind in kinds.items()
            ),
            excess=_joined(
                _excess(field, kinds[field], width) for field, width in fields if field is not None
            ),
        )
    return text


def _excess(field: str, kind: str, width: int) -> str:
    """What of a field does not fit: zero for all of a range and nothing else."""
    bits = _bits(f"given.{field}", kind)
    if field in SIGNED:
        bits = f"unsafe_add({bits}, 2**{width - 1})"
    return f"({bits} >> {width})"


def _bits(value: str, kind: str) -> str:
    if kind == "int256":
        return f"convert(convert({value}, bytes32), uint256)"
    return value if kind == "uint256" else f"convert({value}, uint256)"


def _joined(terms: Iterable[str]) -> str:
    return f"({' | '.join(terms)})"
