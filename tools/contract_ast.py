"""Every contract's syntax tree with the types the compiler found, from one analysis of them all.

A module that uses another cannot be compiled alone, and a contract analyses its modules anew: one
source in memory that imports every file costs a tenth of compiling them one after another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vyper import ast as vy_ast

from tools.compiling import ROOT, compiler_of

CONTRACTS = ROOT / "contracts"
PRAGMA = "# pragma version 0.4.3\n"


@dataclass(frozen=True, slots=True)
class Module:
    """One source file, analysed."""

    path: Path  # relative to the root it was found in
    text: str
    tree: Any  # vyper.ast.Module, annotated
    typed: Any  # vyper.semantics.types.ModuleT

    @property
    def is_deployed(self) -> bool:
        """Whether the file is a contract of its own, and not a part of others."""
        return self.path.stem[0].isupper()


def own_sources() -> list[Path]:
    """Every source that is deployed or lives inside what is; mocks are not ours to defend."""
    return sorted(p for p in CONTRACTS.rglob("*.vy") if "mocks" not in p.parts)


def analyse(sources: Iterable[Path], root: Path = ROOT) -> list[Module]:
    """The modules in the order of their sources. The compiler raises what it does not like."""
    paths = [source.relative_to(root) for source in sources]
    lines = [_import_line(path, f"module_{i}") for i, path in enumerate(paths)]
    together = compiler_of(Path("together.vy"), PRAGMA + "".join(lines), root)
    tree = together.annotated_vyper_module
    imports = tree.get_children((vy_ast.Import, vy_ast.ImportFrom))
    modules = []
    for path, node in zip(paths, imports, strict=True):
        typed = node._metadata["import_info"].typ.module_t
        modules.append(Module(path, (root / path).read_text(), typed._module, typed))
    return modules


def functions(module: Module) -> Iterator[Any]:
    """The function definitions of a module, in their order."""
    yield from module.tree.get_children(vy_ast.FunctionDef)


def _import_line(path: Path, alias: str) -> str:
    *packages, name = path.with_suffix("").parts
    source = f"from {'.'.join(packages)} " if packages else ""
    return f"{source}import {name} as {alias}\n"
