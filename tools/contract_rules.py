"""What the compiler lets pass and this project does not: one function per rule.

Each takes the modules that `contract_ast.analyse` gives and finds the places that break it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from vyper import ast as vy_ast
from vyper.semantics.types.function import ContractFunctionT

from tools.contract_ast import Module, functions

MOST_ITERATIONS = 1_024  # as many as there are markets
RAW_EFFECTS = frozenset(
    {
        "raw_call",
        "raw_create",
        "raw_log",
        "raw_revert",
        "send",
        "selfdestruct",
        "create_copy_of",
        "create_from_blueprint",
        "create_minimal_proxy_to",
    }
)
LIST_EFFECTS = frozenset({"append", "pop"})
PROOF = "Unchecked"

# Every external function that takes no lock, bar constants and forwarders, and why it needs none.
WITHOUT_LOCK = {
    "snekmate.ownable": "changes the owner alone, who is read once in a call; calls nobody",
    "snekmate.ownable_2step": "changes the owner alone, who is read once in a call; calls nobody",
    "snekmate.erc20": "moves shares and calls nobody; a holder may move them while others are paid",
    "snekmate.eip712_domain_separator": "reads immutables",
    "snekmate.access_control": "changes roles alone, on a role's admin's word, and calls nobody",
    "snekmate.timelock_controller": (
        "marks an operation done only after its calls, and refuses it where it is done by then; "
        "what it calls may schedule and execute others"
    ),
    "KeeperAccount.__default__": "takes change from the oracle in the middle of a call of its own",
    "Lens": "stateless: it only reads contracts that have a lock of their own",
    "Simulator.simulate": "holds nothing: it calls itself, and there the lock is taken",
}
FORWARDERS = frozenset({"_forward", "_forward_for"})


@dataclass(frozen=True, slots=True)
class Finding:
    """A place that breaks a rule."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def two_effects_in_one_expression(modules: Iterable[Module]) -> Iterator[Finding]:
    """Vyper does not say which operand is evaluated first: comparisons go from right to left.

    A call in another's argument is evaluated before it, and so may stand there.
    """
    for module in modules:
        for function in functions(module):
            for statement in function.get_descendants(vy_ast.VyperNode):
                for expression in _expressions(statement):
                    effects = [call for call in _calls(expression) if has_effect(call)]
                    if any(_are_apart(*pair) for pair in combinations(effects, 2)):
                        text = "two calls with effects in one expression"
                        yield Finding(module.path, expression.lineno, text)


def origin_of_transaction(modules: Iterable[Module]) -> Iterator[Finding]:
    """Who sent a transaction says nothing of who called, and shuts out wallets and relayers."""
    for module in modules:
        for node in module.tree.get_descendants(vy_ast.Attribute, {"attr": "origin"}):
            if isinstance(node.value, vy_ast.Name) and node.value.id == "tx":
                yield Finding(module.path, node.lineno, "tx.origin")


def unchecked_without_proof(modules: Iterable[Module]) -> Iterator[Finding]:
    """Unchecked arithmetic says why it is in range: beside it, or in a docstring's "Unchecked"."""
    for module in modules:
        if PROOF in _docstring(module.tree):
            continue
        lines = module.text.splitlines()
        for function in functions(module):
            if PROOF in _docstring(function):
                continue
            for call in function.get_descendants(vy_ast.Call):
                if not _called_name(call).startswith("unsafe_"):
                    continue
                first = _statement_of(call).lineno
                near = [lines[call.lineno - 1], lines[first - 1], *_comment_above(lines, first)]
                if not any("#" in line for line in near):
                    text = f"{_called_name(call)} without a proof"
                    yield Finding(module.path, call.lineno, text)


def external_without_lock(modules: Iterable[Module]) -> Iterator[Finding]:
    """Every external function takes the lock, views too; see `WITHOUT_LOCK` for those that do not.

    A constant needs no lock. A forwarder needs none because the function of the same name that it
    forwards to, in a logic contract, takes it: that is looked up here.
    """
    deployed = [module for module in modules if module.is_deployed]
    locked = {
        function.name
        for module in deployed
        if module.path.stem.endswith("Logic")
        for function in module.typed.exposed_functions
        if function.nonreentrant
    }
    for module in deployed:
        for function in module.typed.exposed_functions:
            if function.nonreentrant or _is_constant(module, function):
                continue
            if _is_forwarder(function) and function.name in {*locked, "__default__"}:
                continue
            home = _home(module, function)
            if not {home, f"{home}.{function.name}"} & WITHOUT_LOCK.keys():
                line = function.decl_node.lineno if home == module.path.stem else 1
                yield Finding(module.path, line, f"{function.name} takes no lock")


def loop_too_long(modules: Iterable[Module]) -> Iterator[Finding]:
    """The compiler wants a bound; a bound that no block has gas for is none."""
    for module in modules:
        for loop in module.tree.get_descendants(vy_ast.For):
            iterations = _iterations(loop)
            if iterations > MOST_ITERATIONS:
                text = f"a loop of up to {iterations} rounds"
                yield Finding(module.path, loop.lineno, text)


RULES: tuple[Callable[[Iterable[Module]], Iterator[Finding]], ...] = (
    two_effects_in_one_expression,
    origin_of_transaction,
    unchecked_without_proof,
    external_without_lock,
    loop_too_long,
)


def _expressions(statement: Any) -> Iterator[Any]:
    """The expressions of a statement, each whole; the two sides of an assignment are one."""
    match statement:
        case vy_ast.AugAssign() | vy_ast.Assign():
            yield statement
        case vy_ast.AnnAssign() | vy_ast.Return() | vy_ast.Expr() | vy_ast.Log():
            if statement.value is not None:
                yield statement.value
        case vy_ast.If() | vy_ast.Assert():
            yield statement.test
        case vy_ast.For():
            yield statement.iter


def _calls(expression: Any) -> Iterator[Any]:
    yield from expression.get_descendants(vy_ast.Call, include_self=True)


def has_effect(call: Any) -> bool:
    """Whether a call may change anything but what it returns."""
    if isinstance(call.get_ancestor(), vy_ast.ExtCall):
        return True
    if _called_name(call) in RAW_EFFECTS:
        return True
    kind = call.func._metadata.get("type")
    if isinstance(kind, ContractFunctionT):
        return bool(kind.is_internal and kind.is_mutable)
    return isinstance(call.func, vy_ast.Attribute) and call.func.attr in LIST_EFFECTS


def _are_apart(one: Any, other: Any) -> bool:
    return not any(inner in (one, other) for outer in (one, other) for inner in _inside(outer))


def _inside(call: Any) -> list[Any]:
    return list(call.get_descendants(vy_ast.Call))


def _called_name(call: Any) -> str:
    return call.func.id if isinstance(call.func, vy_ast.Name) else ""


def _docstring(node: Any) -> str:
    found = getattr(node, "doc_string", None)  # absent where there is none
    return "" if found is None else str(found.value)


def _statement_of(node: Any) -> Any:
    while not isinstance(node.get_ancestor(), vy_ast.FunctionDef | vy_ast.If | vy_ast.For):
        node = node.get_ancestor()
    return node


def _comment_above(lines: list[str], line: int) -> list[str]:
    above = lines[line - 2].strip()
    return [above] if above.startswith("#") else []


def _is_constant(module: Module, function: ContractFunctionT) -> bool:
    declaration = function.decl_node
    source = declaration.module_node if declaration is not None else module.tree
    variables = {d.target.id: d for d in source.get_children(vy_ast.VariableDecl)}
    variable = variables.get(function.name)
    return variable is not None and (variable.is_immutable or variable.is_constant)


def _is_forwarder(function: ContractFunctionT) -> bool:
    body = function.decl_node.body
    if len(body) != 1 or not isinstance(body[0], vy_ast.Expr | vy_ast.Return):
        return False
    call = body[0].value
    if not isinstance(call, vy_ast.Call):
        return False
    if _called_name(call) == "raw_call":
        return any(k.arg == "is_delegate_call" and k.value.value is True for k in call.keywords)
    return isinstance(call.func, vy_ast.Attribute) and call.func.attr in FORWARDERS


def _home(module: Module, function: ContractFunctionT) -> str:
    path = Path(function.decl_node.module_node.path)
    return f"snekmate.{path.stem}" if "snekmate" in path.parts else module.path.stem


def _iterations(loop: Any) -> int:
    if isinstance(loop.iter, vy_ast.Call):
        bounds = [k.value for k in loop.iter.keywords if k.arg == "bound"]
        *first, last = [_number(node) for node in bounds or loop.iter.args]
        return last - sum(first)
    kind = loop.iter._metadata["type"]
    return int(kind.length if hasattr(kind, "length") else kind.count)


def _number(node: Any) -> int:
    return int(node.reduced().value)
