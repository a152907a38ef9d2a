"""What mkdocs calls: puts the generated pages among the written ones, and into the menu."""

from __future__ import annotations

from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from tools import contract_pages, example_page, sdk_pages

_PAGES = {**example_page.pages(), **sdk_pages.pages(), **contract_pages.pages()}


def on_config(config: MkDocsConfig) -> None:
    """Replaces each folder in the menu by its pages."""
    config.nav = [
        {title: _pages_of(entry) for title, entry in item.items()} for item in config.nav or []
    ]


def _pages_of(entry: Any) -> Any:
    if isinstance(entry, str) and entry.endswith("/"):
        return [page for page in _PAGES if page.startswith(entry)]
    return entry


def on_files(files: Files, *, config: MkDocsConfig) -> None:
    """Adds the pages, without a file for any of them."""
    for path, text in _PAGES.items():
        files.append(File.generated(config, path, content=text))
