"""The page of the documentation with every example: what one learns, and the source."""

from __future__ import annotations

import ast
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

HEAD = """# Examples

Each is a whole program: `python examples/{first}` runs the first on a chain in memory, and so on. A
comment behind a `print` is what it prints: the tests run every example and compare.
"""


def sources() -> list[Path]:
    """The examples, in the order to read them."""
    return sorted(EXAMPLES.glob("[0-9]*.py"))


def pages() -> dict[str, str]:
    """The text of the one page by its path in the site."""
    found = sources()
    sections = [HEAD.format(first=found[0].name), *map(_section, found)]
    return {"examples.md": "\n".join(sections)}


def _section(path: Path) -> str:
    """An example's docstring above its code: the first line is the title."""
    source = path.read_text()
    title, _, text = (ast.get_docstring(ast.parse(source)) or "").partition("\n")
    end = ast.parse(source).body[0].end_lineno
    code = "\n".join(source.splitlines()[end:]).strip()
    body = f"{text.strip()}\n\n" if text else ""
    return f"## {title.rstrip('.')}\n\n{body}`examples/{path.name}`\n\n```python\n{code}\n```\n"
