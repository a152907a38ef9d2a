"""Which place of its sources each place in a contract's code comes from."""

from __future__ import annotations

from typing import Any

from vyper.ir import compile_ir

from tools.compiling import compiler_of
from tools.contract_ast import CONTRACTS


def nodes_by_place(contract: str) -> tuple[bytes, dict[int, Any]]:
    """A contract's code as it is deployed, and the syntax nodes by their places in it."""
    assembly = compiler_of(CONTRACTS / f"{contract}.vy").assembly_runtime
    code, maps = compile_ir.assembly_to_evm(assembly, compiler_metadata=None)
    return code, maps["pc_raw_ast_map"]
