"""One text for all definitions that mean the same: docstrings, names and orders that do not count.

What has another bytecode may still be the same by arithmetic: `min(a, b)` and `min(b, a)`, or two
parameters of which only a sum is asked, swapped. Operands that call something may have effects, so
these stay where they are.
"""

from __future__ import annotations

import ast

COMMUTATIVE_CALLS = {"min", "max", "unsafe_add", "unsafe_mul"}
COMMUTATIVE_OPERATORS = (ast.Add, ast.Mult, ast.BitAnd, ast.BitOr, ast.BitXor)
COMMUTATIVE_COMPARISONS = (ast.Eq, ast.NotEq)
EFFECTLESS = COMMUTATIVE_CALLS | {"convert", "unsafe_sub", "unsafe_div", "len", "abs", "empty"}


def normal(tree: ast.Module) -> str:
    """The normal form of a definition."""
    if len(tree.body) == 1 and isinstance(tree.body[0], ast.FunctionDef):
        function = tree.body[0]
        _drop_docstring(function)
        names = {one.arg: f"argument {i}" for i, one in enumerate(function.args.args)}
        tree = _Renamed(names).visit(tree)
    return ast.dump(_Sorted().visit(tree))


def _drop_docstring(function: ast.FunctionDef) -> None:
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        del function.body[0]


class _Renamed(ast.NodeTransformer):
    """Parameters by their places: to swap two names is to swap them wherever they are used."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = self._names[node.arg]
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self._names.get(node.id, node.id)
        return node


class _Sorted(ast.NodeTransformer):
    """Operands whose order means nothing, in the order of their texts."""

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in COMMUTATIVE_CALLS:
            node.args = _sorted(node.args)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.BinOp:
        self.generic_visit(node)
        if isinstance(node.op, COMMUTATIVE_OPERATORS):
            node.left, node.right = _sorted([node.left, node.right])
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.Compare:
        self.generic_visit(node)
        if len(node.ops) == 1 and isinstance(node.ops[0], COMMUTATIVE_COMPARISONS):
            node.left, node.comparators[0] = _sorted([node.left, node.comparators[0]])
        return node


def _sorted(operands: list[ast.expr]) -> list[ast.expr]:
    if not all(map(_is_effectless, operands)):
        return operands
    return sorted(operands, key=ast.dump)


def _is_effectless(operand: ast.expr) -> bool:
    return all(
        isinstance(node.func, ast.Name) and node.func.id in EFFECTLESS
        for node in ast.walk(operand)
        if isinstance(node, ast.Call)
    )
