"""A page of the documentation for every interface, out of its .vyi: types, natspec, selectors.

The compiler's own analysis gives what is called and logged; the source gives how it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any

from vyper.ast import nodes as vy_ast
from vyper.ast import parse_to_ast
from vyper.ast.natspec import parse_natspec
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.phases import CompilerData

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
INTERFACES = CONTRACTS / "interfaces"

# What a contract hands on by delegatecall is called at its own address.
HOSTS = {
    "AccountLogic": "Clearinghouse",
    "HouseLogic": "Clearinghouse",
    "LiquidationLogic": "Clearinghouse",
    "MarketLogic": "Clearinghouse",
    "OrderLogic": "OrderBook",
}
# By who needs them first; any other comes after these.
ORDER = ("ICustody", "IIsolatedMargin", "IOrderBook", "IOrderLogic", "ILiquidityPool")

IMPORTED_TYPE = re.compile(r"\b(I[A-Z]\w+)\.(\w+)")


@dataclass(frozen=True)
class Interface:
    """One .vyi, analysed.

    Attributes:
        name: Its file's.
        called_at: The contracts that answer to it.
        module: Its annotated syntax tree.
        source: Its text.
    """

    name: str
    called_at: tuple[str, ...]
    module: Any
    source: str

    @property
    def title(self) -> str:
        return str(self._natspec.devdoc["title"])

    @property
    def notice(self) -> str:
        return str(self._natspec.userdoc["notice"])

    @cached_property
    def _natspec(self) -> Any:
        return parse_natspec(self.module)

    @property
    def _type(self) -> Any:
        return self.module._metadata["type"].interface

    def render(self) -> str:
        """The page, in Markdown."""
        return "\n\n".join(self._blocks()) + "\n"

    def _blocks(self) -> Iterator[str]:
        yield f"# {self.title}"
        at = f" Called at: {', '.join(self.called_at)}." if self.called_at else ""
        yield f"Interface `{self.name}`, in `contracts/interfaces/{self.name}.vyi`.{at}"
        yield from _paragraphs(self.notice, self._natspec.devdoc.get("details"))
        sections = {
            "Functions": (vy_ast.FunctionDef, self._function),
            "Structs": (vy_ast.StructDef, self._struct),
            "Events": (vy_ast.EventDef, self._event),
        }
        for heading, (kind, blocks) in sections.items():
            nodes = self.module.get_children(kind)
            if nodes:
                yield f"## {heading}"
            for node in nodes:
                yield f"### {node.name} {{ #{node.name} }}"
                yield from blocks(node)

    def _function(self, node: Any) -> Iterator[str]:
        ((signature, selector),) = node._metadata["func_type"].method_ids.items()
        user = self._natspec.userdoc.get("methods", {}).get(signature, {})
        dev = self._natspec.devdoc.get("methods", {}).get(signature, {})
        yield f"```vyper\n{self._head(node)}\n```"
        yield from _paragraphs(user.get("notice"), dev.get("details"))
        if params := dev.get("params"):
            types = {one.arg: _written(one.annotation) for one in node.args.args}
            rows = ((f"`{name}`", _type(types[name]), _text(it)) for name, it in params.items())
            yield _table(("parameter", "type", "meaning"), rows)
        for meaning in dev.get("returns", {}).values():
            yield f"Returns: {_text(meaning)}"
        yield f"Selector `0x{selector:08x}`."

    def _struct(self, node: Any) -> Iterator[str]:
        rows = ((f"`{name}`", kind, meaning) for name, kind, meaning, _ in self._fields(node))
        yield _table(("field", "type", "meaning"), rows)

    def _event(self, node: Any) -> Iterator[str]:
        rows = (
            (f"`{name}`", kind, "yes" if indexed else "", meaning)
            for name, kind, meaning, indexed in self._fields(node)
        )
        yield _table(("field", "type", "indexed", "meaning"), rows)
        yield f"Topic `0x{self._type.events[node.name].event_id:064x}`."

    def _fields(self, node: Any) -> Iterator[tuple[str, str, str, bool]]:
        """Name, type and comment of each field, and whether it is indexed."""
        for field in node.get_children(vy_ast.AnnAssign):
            indexed = isinstance(field.annotation, vy_ast.Call)
            kind = field.annotation.args[0] if indexed else field.annotation
            yield field.target.id, _type(_written(kind)), _text(self._comment(field)), indexed

    def _comment(self, field: Any) -> str:
        """What stands behind a field, and goes on below it if it is long."""
        behind, *below = self.source.splitlines()[field.lineno - 1 :]
        more = takewhile(lambda line: line.startswith("#"), map(str.strip, below))
        return " ".join(line.partition("#")[2].strip() for line in (behind, *more))

    def _head(self, node: Any) -> str:
        """A function as it is declared, down to its docstring."""
        first = min(one.lineno for one in (node, *node.decorator_list))
        lines = self.source.splitlines()[first - 1 : node.doc_string.lineno - 1]
        return "\n".join(lines).removesuffix(":")


def interfaces() -> list[Interface]:
    """Every interface there is, those that users meet first ahead."""
    at = _called_at()
    found = [_analysed(path, at.get(path.stem, ())) for path in INTERFACES.glob("*.vyi")]
    rank = {name: place for place, name in enumerate(ORDER)}
    return sorted(found, key=lambda one: (rank.get(one.name, len(rank)), one.name))


def pages() -> dict[str, str]:
    """The text of every page by its path in the site, in the order of the menu."""
    found = interfaces()
    return {
        "contracts/index.md": _overview(found),
        **{f"contracts/{one.name}.md": one.render() for one in found},
    }


def _overview(found: Iterable[Interface]) -> str:
    rows = (
        (f"[{one.title}]({one.name}.md)", ", ".join(one.called_at), _text(one.notice))
        for one in found
    )
    return (
        "# Contracts\n\n"
        "One page for each interface, made from its source: functions with their selectors, "
        "structs, events with their topics. [Errors](../errors.md) lists every reason a call may "
        "be refused for; [the design](../design.md) says what the words and units are.\n\n"
        + _table(("interface", "called at", "what it is"), rows)
        + "\n"
    )


def _analysed(path: Path, called_at: tuple[str, ...]) -> Interface:
    bundle = FilesystemInputBundle([ROOT, path.parent])
    data = CompilerData(bundle.load_file(path), bundle)
    return Interface(path.stem, called_at, data.annotated_vyper_module, path.read_text())


def _called_at() -> Mapping[str, tuple[str, ...]]:
    """The contracts that implement each interface, as users address them."""
    found: dict[str, set[str]] = {}
    for path in CONTRACTS.glob("*.vy"):
        for node in parse_to_ast(path.read_text()).get_children(vy_ast.ImplementsDecl):
            host = HOSTS.get(path.stem, path.stem)
            found.setdefault(node.annotation.node_source_code, set()).add(host)
    return {name: tuple(sorted(hosts)) for name, hosts in found.items()}


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _paragraphs(*texts: str | None) -> Iterator[str]:
    yield from (_text(text) for text in texts if text)


def _written(node: Any) -> str:
    return str(node.node_source_code)


def _type(text: str) -> str:
    """A type, linked where another interface declares it."""
    imported = IMPORTED_TYPE.search(text)
    if imported is None:
        return f"`{text}`"
    return f"[`{text}`]({imported[1]}.md#{imported[2]})"


def _text(text: str) -> str:
    """Plain text with code in backticks, as Markdown that shows just that, in a table too."""
    parts = text.split("`")
    parts[::2] = [re.sub(r"[&*_|<>\[\]\\]", _entity, part) for part in parts[::2]]
    return "`".join(parts)


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"
