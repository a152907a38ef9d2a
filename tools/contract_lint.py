"""Check the contracts for what the compiler lets pass.

The project's own rules are in `contract_rules`. natrix's are run here without its command line,
which compiles each file alone and so dies on a module that uses another.

    python -m tools.contract_lint     exit 1 and name every place that breaks a rule
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from natrix.rules.common import RuleRegistry
from vyper import ast as vy_ast
from vyper.ast import ast_to_dict

from tools.contract_ast import Module, analyse, functions, own_sources
from tools.contract_rules import RULES, Finding, has_effect

# NTX1 needs memory frames, which only a contract that compiles alone has. NTX11 and NTX12 crash on
# the compiler's own nodes.
NATRIX_OFF = frozenset({"NTX1", "NTX11", "NTX12"})
# What an external function takes and whether it is a view, its interface says.
OF_INTERFACES = frozenset({"NTX4", "NTX5", "NTX10"})
# NTX4 takes a function for a view although it calls others, or sends ether.
OF_READERS = frozenset({"NTX4"})
NATRIX_EXCEPTIONS = {
    ("contracts/modules/custody.vy", "NTX8"): "a permit may have been used by somebody else before",
    ("contracts/modules/pyth_feed.vy", "NTX4"): "only a payable function sees what was sent",
}


def natrix_findings(modules: Iterable[Module]) -> Iterator[Finding]:
    """What natrix says of the analysed modules."""
    rules = RuleRegistry.get_rules()
    for module in modules:
        output = {"contract_name": str(module.path), "ast": ast_to_dict(module.tree)}
        off = {code for path, code in NATRIX_EXCEPTIONS if path == str(module.path)} | NATRIX_OFF
        for issue in [issue for rule in rules for issue in rule.run(output)]:
            line = int(issue.position.split(":")[0])
            if issue.code not in off | _misjudged(module, line):
                yield Finding(module.path, line, f"{issue.code}: {issue.message}")


def _misjudged(module: Module, line: int) -> frozenset[str]:
    """The rules that say nothing true of the function around a line."""
    for function in functions(module):
        if function.lineno <= line <= function.end_lineno:
            of_interface = function._metadata["func_type"].is_external
            acts = any(has_effect(call) for call in function.get_descendants(vy_ast.Call))
            return (OF_INTERFACES if of_interface else frozenset()) | (
                OF_READERS if acts else frozenset()
            )
    return frozenset()


def findings(modules: list[Module]) -> list[Finding]:
    """Every place that breaks a rule, by file and line."""
    found = [finding for rule in RULES for finding in rule(modules)]
    found += natrix_findings(modules)
    return sorted(found, key=lambda finding: (finding.path, finding.line))


def main() -> None:
    """Print what was found."""
    modules = analyse(own_sources())
    found = findings(modules)
    for finding in found:
        print(f"contracts: {finding}")
    if found:
        sys.exit(1)
    print(f"{len(modules)} contract files keep every rule")


if __name__ == "__main__":
    main()
