"""The reference of the SDK: a page an area, on it every public module of the area.

A module that no area names gets a page of its own, so none can be forgotten.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import griffe

SDK = Path(__file__).resolve().parent.parent / "sdk"
PACKAGE = "bulkhead"

AREAS = {
    "Reader": ("reader", "exchange", "order_reads", "accounts", "markets", "prices", "risk"),
    "Trader": (
        *("trader", "order_desk", "order_ticket", "handles", "fills", "orders", "order_plans"),
        *("previews", "planning", "sizing", "permissions", "signatures", "permits", "ccxt"),
    ),
    "Simulation": ("simulate",),
    "Event index": ("index",),
    "Keeper": ("keeper", "decisions", "deleveraging"),
    "Liquidity provider": ("liquidity",),
    "Admin": ("deployment", "admin", "feeds", "listings", "governance"),
    "Audit": ("audit", "explain", "replay", "state"),
    "Local chains": ("local", "world", "demo"),
    "Exceptions": ("errors",),
    "Values": ("values", "valuation"),
    "Connection": ("chain", "actors", "contracts", "interfaces", "queries", "snapshots"),
    "Arithmetic": ("protocol",),
}

HEAD = """# SDK

`import bulkhead` gives the names below; it loads nothing else until one is used. Amounts go in as
`Decimal`, `int` or `str`, never as floats, and come out as `Decimal`. Whatever a contract refuses
for is an exception of its own: [Errors](../errors.md).

Every verb is written once and stands under a class `...Verbs`. `Trader` and `AsyncTrader` have all
of `TraderVerbs`: on the first a call returns when it is done, on the second it is awaited.

"""


def pages() -> dict[str, str]:
    """The text of every page by its path in the site, in the order of the menu."""
    areas = {
        f"sdk/{title.lower().replace(' ', '-')}.md": _page(title, modules)
        for title, modules in _areas()
    }
    return {"sdk/index.md": _overview(), **areas}


def modules_of(package: str) -> list[str]:
    """The public modules and packages directly inside a package, by their full names."""
    folder = SDK.joinpath(*package.split("."))
    names = (found.name for found in pkgutil.iter_modules([str(folder)]))
    return [f"{package}.{name}" for name in sorted(names) if not name.startswith("_")]


def _areas() -> Iterator[tuple[str, list[str]]]:
    """Each page's title and modules."""
    rest = modules_of(PACKAGE)
    for title, names in AREAS.items():
        modules = [f"{PACKAGE}.{name}" for name in names]
        for module in modules:
            if module not in rest:
                raise ValueError(f"the area {title} names {module}, which is not there")
            rest.remove(module)
        yield title, [inner for module in modules for inner in (module, *_inside(module))]
    for module in rest:
        yield module.rpartition(".")[2], [module, *_inside(module)]


def _inside(module: str) -> list[str]:
    """The modules of a package, unless it gives out itself what they have."""
    return [] if _package()[module.removeprefix(f"{PACKAGE}.")].exports else modules_of(module)


def _page(title: str, modules: list[str]) -> str:
    return f"# {title}\n\n" + "\n".join(f"::: {module}\n" for module in modules)


@cache
def _package() -> griffe.Object | griffe.Alias:
    return griffe.load(PACKAGE, search_paths=[SDK])


def _overview() -> str:
    """Every name of the package itself, with a link to its entry."""
    rows = [
        f"| [`{name}`][{_entry_of(member)}] | {_summary(member)} |"
        for name, member in sorted(_package().members.items())
        if isinstance(member, griffe.Alias) and member.target_path.startswith(f"{PACKAGE}.")
    ]
    return HEAD + "\n".join(["| name | what it is |", "| --- | --- |", *rows]) + "\n"


def _entry_of(member: griffe.Alias) -> str:
    """Where a name's entry is: at the package that gives it out, or where it is defined."""
    home = member.target_path.removeprefix(f"{PACKAGE}.").rpartition(".")[0]
    return member.target_path if _package()[home].exports else member.final_target.path


def _summary(member: griffe.Alias) -> str:
    text = member.docstring.value if member.docstring else ""
    return text.partition("\n")[0]
