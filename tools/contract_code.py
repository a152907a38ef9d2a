"""Which place of its sources each place in a contract's code comes from."""

from __future__ import annotations

import sysconfig
from pathlib import Path
from typing import Any

from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.phases import CompilerData
from vyper.ir import compile_ir

from tools.contract_ast import CONTRACTS, ROOT


def nodes_by_place(contract: str) -> tuple[bytes, dict[int, Any]]:
    """A contract's code as it is deployed, and the syntax nodes by their places in it."""
    bundle = FilesystemInputBundle([Path(sysconfig.get_path("purelib")), ROOT])
    data = CompilerData(bundle.load_file(CONTRACTS / f"{contract}.vy"), bundle)
    code, maps = compile_ir.assembly_to_evm(data.assembly_runtime, compiler_metadata=None)
    return code, maps["pc_raw_ast_map"]
