"""Which place of its sources each place in a contract's code comes from."""

from __future__ import annotations

from typing import Any

from vyper.ir import compile_ir

from tools.compiling import compiler_of
from tools.contract_ast import CONTRACTS


def nodes_by_place(contract: str, *, creation: bool = False) -> tuple[bytes, dict[int, Any]]:
    """A contract's code as it is deployed, and the syntax nodes by their places in it.

    On creation it is the code that runs the constructor, with the deployed code as data behind it.
    """
    compiler = compiler_of(CONTRACTS / f"{contract}.vy")
    if creation:
        # It knows its own length, and the compiler's metadata is a part of that.
        metadata = bytes.fromhex(compiler.integrity_sum)
        code, maps = compile_ir.assembly_to_evm(compiler.assembly, compiler_metadata=metadata)
    else:
        code, maps = compile_ir.assembly_to_evm(compiler.assembly_runtime, compiler_metadata=None)
    return code, maps["pc_raw_ast_map"]
